//! A deterministic world in virtual time.

pub mod event;
pub mod faults;

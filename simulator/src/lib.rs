//! A deterministic world in virtual time.

pub mod boot;
pub mod event;
pub mod faults;
pub mod random;
pub mod report;
#[cfg(test)]
mod script;
pub mod trace;
mod yaml;

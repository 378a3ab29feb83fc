//! A deterministic world in virtual time.

pub mod boot;
pub mod cloud;
pub mod echo;
pub mod event;
pub mod executor;
pub mod faults;
pub mod kube;
pub mod random;
pub mod sabotage;
pub mod setup;
pub mod store;
pub mod world;
mod yaml;

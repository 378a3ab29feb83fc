//! A deterministic world in virtual time.

pub mod boot;
pub mod cli;
pub mod cloud;
pub mod echo;
pub mod event;
pub mod executor;
pub mod faults;
pub mod fuzz;
pub mod kube;
pub mod oracle;
pub mod random;
pub mod report;
pub mod run;
pub mod sabotage;
pub mod scenario;
#[cfg(test)]
mod script;
pub mod setup;
pub mod store;
pub mod trace;
pub mod types;
pub mod world;

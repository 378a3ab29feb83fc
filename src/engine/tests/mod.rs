//! The engine against a small shell.

mod interruption;
mod objects;
mod properties;
mod rig;
mod scenarios;

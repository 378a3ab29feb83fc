//! The engine against a small shell.

mod objects;
mod properties;
mod rig;
mod scenarios;

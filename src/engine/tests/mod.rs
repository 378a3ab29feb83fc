//! The engine against a small shell.

mod objects;
mod rig;
mod scenarios;

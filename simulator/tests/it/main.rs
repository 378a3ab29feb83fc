//! Whole worlds, in one binary: one link step instead of one for each file.

mod command;
mod crowds;
mod fuzz;
mod scenarios;
mod types;
mod worlds;
mod zero_to_one;

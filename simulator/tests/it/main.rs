//! Whole worlds, in one binary: one link step instead of one for each file.

mod cluster;
mod command;
mod crowds;
mod fuzz;
mod scenarios;
mod types;
mod workloads;
mod worlds;
mod zero_to_one;

//! Whole worlds, in one binary: one link step instead of one for each file.

mod crowds;
mod worlds;
mod zero_to_one;

//! The cloud's facts and calls.

pub mod region;

//! Decisions. Pure functions.

//! The cloud's facts and calls.

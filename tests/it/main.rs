//! One test binary: what the crate promises, seen from outside.

mod schedules;

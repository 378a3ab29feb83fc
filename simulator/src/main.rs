//! The `tidewright-sim` binary.

fn main() {}

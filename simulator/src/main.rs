//! The `tidewright-sim` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidewright_simulator::cli::main(std::env::args_os())
}

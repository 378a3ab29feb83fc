//! The command line of `tidewright`.

/// Runs the command named by the process arguments.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}

//! The `tidewright` binary: arguments in, exit code out; the work is in `tidewright::cli`.

fn main() -> std::process::ExitCode {
    tidewright::cli::main()
}

//! The command line of `tidewright`.

mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// A node capacity manager for Kubernetes: spot first, explained, and really down to zero nodes.
#[derive(Debug, Parser)]
#[command(name = "tidewright", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check policy files and say everything that is wrong with them.
    ///
    /// NodePools, NodeClaims and EC2NodeClasses are checked; objects of other kinds are skipped and
    /// counted. What is wrong goes to standard error with its place, rule and fix, a summary to
    /// standard output. The exit code is 0 when all is good, with or without warnings, and 2
    /// otherwise.
    Validate {
        /// A YAML or JSON file, a folder that is searched for them, or `-` for standard input.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// How what is wrong is shown.
        #[arg(long, value_enum, default_value_t = Format::Excerpts)]
        format: Format,
    },
}

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the lines of the file that are meant.
    Excerpts,
    /// One line each, for editors and logs.
    Lines,
}

/// Runs the command named by the process arguments.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Validate { paths, format } => validate::run(&paths, format),
    }
}

//! The command line of `tidewright-sim`. Only here the simulator touches the outside: arguments,
//! files, terminal, and the clock by which a run is timed.

mod fuzz;
mod run;
mod types;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tidewright::api::load::{Diagnostic, Look, Severity, Source, render};

use crate::scenario;

/// An expectation or an oracle failed.
const FAILED: u8 = 1;

/// The input is bad.
const BAD_INPUT: u8 = 2;

#[derive(Parser)]
#[command(name = "tidewright-sim", version, about, propagate_version = true)]
#[command(after_help = "Exit codes: 0 done, 1 an expectation or an oracle failed, 2 bad input.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a scenario and says what happened, what it cost and why.
    Run(RunArgs),
    /// Runs worlds and faults drawn from seeds, and looks for one in which something breaks.
    Fuzz(FuzzArgs),
    /// Lists the instance types that a NodePool may buy, with sizes and prices.
    Types(TypesArgs),
    /// Lists the scenarios that can be named.
    List,
}

#[derive(Args)]
struct RunArgs {
    /// The name of a scenario, or a scenario file.
    #[arg(default_value = "zero-to-one")]
    scenario: String,
    /// Use these NodePools and node classes instead: a file or a folder.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Begin with this cluster: a file that `kubectl get -o json` wrote.
    #[arg(long, value_name = "FILE")]
    cluster: Option<PathBuf>,
    /// Take chance from this seed instead.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Let machines boot like this: reference, cached-image or fast.
    #[arg(long, value_name = "PROFILE")]
    boot: Option<String>,
    /// Write the report as JSON to this file; `-` is standard output, and then nothing else is.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report with charts to this file: one page that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Tell the timeline and each decision with its reason.
    #[arg(long)]
    verbose: bool,
}

#[derive(Args)]
struct FuzzArgs {
    /// The first seed.
    #[arg(long, value_name = "FIRST", default_value_t = 1)]
    seed: u64,
    /// How many seeds.
    #[arg(long, value_name = "N", default_value_t = 100)]
    count: u64,
    /// Break the shell on purpose, to see an oracle find it; `list` names the ways.
    #[arg(long, value_name = "NAME")]
    sabotage: Option<String>,
    /// Leave this out of these worlds: what a shrunk seed was printed with.
    #[arg(long, value_name = "CUTS")]
    cut: Option<String>,
    /// Do not look for a smaller world in which the same breaks.
    #[arg(long)]
    no_shrink: bool,
    /// Print everything that happens in these worlds.
    #[arg(long)]
    verbose: bool,
}

#[derive(Args)]
struct TypesArgs {
    /// Take NodePools and node classes from this file or folder.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// The NodePool that is meant; it need not be named where there is only one.
    #[arg(long, value_name = "NAME")]
    nodepool: Option<String>,
    /// Use the EC2NodeClass of this file instead of the pool's own; without a pool, alone.
    #[arg(long, value_name = "FILE")]
    nodeclass_file: Option<PathBuf>,
    /// Leave out what the pool requires, and list what cannot be bought as well.
    #[arg(long)]
    all: bool,
    /// Print JSON: types as the input of a plan has them, with what is left for pods.
    #[arg(long)]
    json: bool,
}

/// Runs the command line with these arguments, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { BAD_INPUT } else { 0 };
            // What cannot be printed has no reader.
            let _printed = error.print();
            return ExitCode::from(code);
        }
    };
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Types(args) => types::types(&args),
        Command::List => list(),
    }
}

fn list() -> ExitCode {
    for (name, description) in scenario::list() {
        println!("{name:<24}{description}");
    }
    ExitCode::SUCCESS
}

/// Prints what there is to say about input to standard error.
fn print_diagnostics(diagnostics: &[Diagnostic], sources: &[Source]) {
    let look = if std::io::stderr().is_terminal() {
        Look::Styled
    } else {
        Look::Plain
    };
    eprint!("{}", render(diagnostics, sources, look));
}

/// What a user has to know in any case.
fn warnings(remarks: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut remarks = remarks;
    remarks.retain(|remark| remark.severity != Severity::Notice);
    remarks
}

//! `tidewright-sim fuzz`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::{BAD_INPUT, FAILED, FuzzArgs};
use crate::faults::{FaultKind, Sabotage};
use crate::fuzz::{Case, Shrunk, Verdict, drawn_from, parse_cuts, shrink, watch};

pub(super) fn fuzz(args: &FuzzArgs) -> ExitCode {
    let sabotage = match args.sabotage.as_deref() {
        None => None,
        Some("list") => return list_sabotages(),
        Some(name) => match Sabotage::parse(name) {
            Some(known) => Some(known),
            None => return unknown_sabotage(name),
        },
    };
    let cuts = match parse_cuts(args.cut.as_deref().unwrap_or_default()) {
        Ok(cuts) => cuts,
        Err(word) => {
            eprintln!("`{word}` leaves nothing out; cuts are copied from the report of a failure.");
            return ExitCode::from(BAD_INPUT);
        }
    };
    if args.count > 1 {
        print_ranges(args);
    }
    let bar = indicatif::ProgressBar::new(args.count);
    let mut total = Total::default();
    for seed in args.seed..args.seed.saturating_add(args.count) {
        let cuts = cuts.clone();
        let case = Case {
            seed,
            sabotage,
            cuts,
        };
        if args.count == 1 {
            print_settings(&case);
        }
        let verdict = watch(&case, |entry| {
            if args.verbose {
                println!("{entry}");
            }
        });
        bar.inc(1);
        if !verdict.failures.is_empty() {
            bar.finish_and_clear();
            if args.count != 1 {
                print_settings(&case);
            }
            failed(&case, &verdict);
            if !args.no_shrink {
                print_shrunk(&shrink_shown(&case, &verdict));
            }
            return ExitCode::from(FAILED);
        }
        total.add(&verdict);
    }
    bar.finish_and_clear();
    total.print(args.count);
    ExitCode::SUCCESS
}

/// What all these seeds draw from; the settings of one are told when it fails.
fn print_ranges(args: &FuzzArgs) {
    println!("{} seeds from {}; each draws:", args.count, args.seed);
    for line in drawn_from() {
        println!("  {line}");
    }
}

fn print_settings(case: &Case) {
    println!("seed {}", case.seed);
    for line in case.drawn().settings() {
        println!("  {line}");
    }
}

fn failed(case: &Case, verdict: &Verdict) {
    for failure in &verdict.failures {
        println!("failed: {failure}");
    }
    let (seed, steps) = (verdict.seed, verdict.steps);
    println!("seed {seed} failed at step {steps}; to see it again:");
    println!("  {}", case.command());
}

fn shrink_shown(case: &Case, verdict: &Verdict) -> Shrunk {
    let bar = indicatif::ProgressBar::new_spinner();
    bar.set_message("looking for a smaller world in which the same breaks");
    let shrunk = shrink(case, verdict, || bar.inc(1));
    bar.finish_and_clear();
    shrunk
}

fn print_shrunk(shrunk: &Shrunk) {
    let Shrunk {
        case,
        verdict,
        attempts,
    } = shrunk;
    println!();
    if case.cuts.is_empty() {
        println!("nothing can be left out of it: {attempts} smaller worlds were tried");
        return;
    }
    println!("the smallest of {attempts} smaller worlds:");
    print_settings(case);
    failed(case, verdict);
}

fn list_sabotages() -> ExitCode {
    for sabotage in Sabotage::ALL {
        println!("{}", sabotage.name());
    }
    ExitCode::SUCCESS
}

fn unknown_sabotage(name: &str) -> ExitCode {
    let names = Sabotage::ALL.map(Sabotage::name).join(", ");
    eprintln!("There is no sabotage `{name}`; there are {names}.");
    ExitCode::from(BAD_INPUT)
}

#[derive(Default)]
struct Total {
    steps: u64,
    checks: u64,
    faults: BTreeMap<FaultKind, u64>,
}

impl Total {
    fn add(&mut self, verdict: &Verdict) {
        self.steps += verdict.steps;
        self.checks += verdict.checks;
        for (kind, count) in &verdict.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
    }

    fn print(&self, seeds: u64) {
        let Self { steps, checks, .. } = self;
        let seeds = match seeds {
            1 => "1 seed".to_owned(),
            _ => format!("{seeds} seeds"),
        };
        println!("{seeds} passed: {steps} steps, {checks} oracle checks; faults that struck:");
        for kind in FaultKind::ALL {
            let count = self.faults.get(&kind).copied().unwrap_or(0);
            println!("  {:<24}{count:>10}", kind.name());
        }
    }
}

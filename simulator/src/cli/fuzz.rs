//! `tidewright-sim fuzz`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::{BAD_INPUT, FAILED, FuzzArgs};
use crate::faults::{FaultKind, Sabotage};
use crate::fuzz::{Verdict, draw, drawn_from, replay, watch};

pub(super) fn fuzz(args: &FuzzArgs) -> ExitCode {
    let sabotage = match args.sabotage.as_deref() {
        None => None,
        Some("list") => return list_sabotages(),
        Some(name) => match Sabotage::parse(name) {
            Some(known) => Some(known),
            None => return unknown_sabotage(name),
        },
    };
    if args.count > 1 {
        print_ranges(args);
    }
    let bar = indicatif::ProgressBar::new(args.count);
    let mut total = Total::default();
    for seed in args.seed..args.seed.saturating_add(args.count) {
        let settings = draw(seed, sabotage).settings;
        if args.count == 1 {
            print_settings(seed, &settings);
        }
        let verdict = watch(seed, sabotage, |entry| {
            if args.verbose {
                println!("{entry}");
            }
        });
        bar.inc(1);
        if !verdict.failures.is_empty() {
            bar.finish_and_clear();
            if args.count != 1 {
                print_settings(seed, &settings);
            }
            return failed(&verdict, sabotage);
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

fn print_settings(seed: u64, settings: &[String]) {
    println!("seed {seed}");
    for line in settings {
        println!("  {line}");
    }
}

fn failed(verdict: &Verdict, sabotage: Option<Sabotage>) -> ExitCode {
    for failure in &verdict.failures {
        println!("failed: {failure}");
    }
    let (seed, steps) = (verdict.seed, verdict.steps);
    println!("seed {seed} failed at step {steps}; to see it again:");
    println!("  {}", replay(seed, sabotage));
    ExitCode::from(FAILED)
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

//! `tidewright-sim run`.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{BAD_INPUT, FAILED, RunArgs, print_diagnostics, warnings};
use crate::report::{Detail, to_html, to_json, to_text};
use crate::run::{Outcome, run as run_scenario};
use crate::scenario::{Choices, Loaded, Scenario, load};

pub(super) fn run(args: &RunArgs) -> ExitCode {
    let choices = Choices {
        policies: args.policies.clone(),
        cluster: args.cluster.clone(),
        seed: args.seed,
        boot: args.boot.clone(),
    };
    let loaded = match load(&args.scenario, &choices) {
        Ok(loaded) => loaded,
        Err(refused) => {
            print_diagnostics(&refused.diagnostics, &refused.sources);
            return ExitCode::from(BAD_INPUT);
        }
    };
    let Loaded {
        scenario,
        remarks,
        sources,
    } = loaded;
    let remarks = if args.verbose {
        remarks
    } else {
        warnings(remarks)
    };
    print_diagnostics(&remarks, &sources);
    let (outcome, wall) = timed(&scenario);
    print_outcome(args, &outcome);
    if let Err(code) = write_files(args, &outcome, wall) {
        return code;
    }
    if outcome.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

/// The one place where a clock is read: how long a run took is for people only.
#[expect(
    clippy::disallowed_methods,
    reason = "a shell may time itself; nothing that a world does depends on it"
)]
fn timed(scenario: &Scenario) -> (Outcome, Duration) {
    let bar = progress_bar(scenario.until);
    let begin = Instant::now();
    let outcome = run_scenario(scenario, &mut |passed| bar.set_position(passed.as_secs()));
    let wall = begin.elapsed();
    bar.finish_and_clear();
    (outcome, wall)
}

/// Shown on a terminal only, and only when a run takes long enough to be noticed.
fn progress_bar(until: Duration) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(until.as_secs());
    let style = indicatif::ProgressStyle::with_template("{wide_bar} {pos}/{len} virtual seconds");
    bar.set_style(style.expect("the template has known parts only"));
    bar
}

fn print_outcome(args: &RunArgs, outcome: &Outcome) {
    let detail = if args.verbose {
        Detail::Decisions
    } else {
        Detail::Short
    };
    let files = [&args.json, &args.html];
    let to_standard_output = |file: &&Option<_>| file.as_deref() == Some(Path::new("-"));
    if !files.iter().any(to_standard_output) {
        print!("{}", to_text(&outcome.report, detail));
    }
    for complaint in complaints(outcome) {
        eprintln!("failed: {complaint}");
    }
}

fn write_files(args: &RunArgs, outcome: &Outcome, wall: Duration) -> Result<(), ExitCode> {
    let report = &outcome.report;
    let json = args
        .json
        .as_ref()
        .map(|it| (it, to_json(report, Some(wall))));
    let html = args
        .html
        .as_ref()
        .map(|it| (it, to_html(report, &complaints(outcome))));
    for (file, text) in json.into_iter().chain(html) {
        if let Err(error) = write(file, &text) {
            eprintln!("{}: it cannot be written: {error}", file.display());
            return Err(ExitCode::from(BAD_INPUT));
        }
    }
    Ok(())
}

/// What oracles found and what did not come as expected, one sentence each.
fn complaints(outcome: &Outcome) -> Vec<String> {
    let failures = outcome.failures.iter().map(ToString::to_string);
    let unmet = outcome.unmet.iter().map(ToString::to_string);
    failures.chain(unmet).collect()
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if file == Path::new("-") {
        print!("{text}");
        return Ok(());
    }
    std::fs::write(file, text)
}

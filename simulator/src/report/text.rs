//! The report for people: 100 columns, no colours, nothing that depends on the machine.

use std::time::Duration;

use super::compute::{BASELINE_ALL_GONE, BASELINE_FIRST_GONE};
use super::figure::{Seconds, clock, difference, seconds, short};
use super::table::{COLUMNS, Lean, Table, wrapped};
use super::{Decision, Details, Interruptions, Report};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What it came to.
    Short,
    /// Each decision too.
    Decisions,
}

const RIGHT: Lean = Lean::Right;
const LEFT: Lean = Lean::Left;

/// Machines, pods and marks beyond this number are counted, not listed.
const LISTED_MAX: usize = 20;

/// The report as it is printed.
pub fn to_text(report: &Report, detail: Detail) -> String {
    let mut parts = vec![
        header(report),
        profile(report),
        first_answer(report),
        way_back(report),
        summary(report),
        machines(report),
        unplaced(report),
        faults(report),
    ];
    match detail {
        Detail::Short => {}
        Detail::Decisions => parts.extend([timeline(report), decisions(report)]),
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn header(report: &Report) -> String {
    let Details {
        description, start, ..
    } = &report.details;
    let title = format!("{}: {description}", report.scenario);
    format!(
        "{}\nseed {}, {} of virtual time from {start}\n",
        wrapped(&title, COLUMNS, 2),
        report.seed,
        clock(report.virtual_seconds.0),
    )
}

fn profile(report: &Report) -> String {
    let details = &report.details;
    let mut table = Table::default();
    table.row([
        &"stage",
        &"baseline",
        &"(spot)",
        &"here",
        &"(spot)",
        &"what makes the difference",
    ]);
    for line in &details.profile {
        let [on_demand, spot] = line.baseline.map(short);
        let [ours, ours_spot] = match line.ours {
            Some(ours) => ours.map(short),
            None => ["measured".to_owned(), String::new()],
        };
        let mechanism = line.mechanism.as_deref().unwrap_or("-");
        table.row([&line.name, &on_demand, &spot, &ours, &ours_spot, &mechanism]);
    }
    let title = format!(
        "Boot profile {}: {}",
        report.boot_profile, details.boot_summary
    );
    let leans = [LEFT, RIGHT, RIGHT, RIGHT, RIGHT, LEFT];
    format!("{}\n{}", wrapped(&title, COLUMNS, 2), table.render(&leans))
}

fn first_answer(report: &Report) -> String {
    let Some(total) = report.first_answer_seconds else {
        return "First answer: no pod waited for a machine and answered.\n".to_owned();
    };
    let mut table = Table::default();
    table.row([&"stage", &"ends at", &"took", &"baseline", &"difference"]);
    let mut passed = Duration::ZERO;
    for stage in &report.stages {
        let took = stage.seconds.map_or(Duration::ZERO, |it| it.0);
        passed += took;
        let baseline = stage.baseline_seconds.0;
        table.row([
            &stage.name,
            &clock(passed),
            &seconds(took),
            &seconds(baseline),
            &difference(took, baseline),
        ]);
    }
    table.rule();
    let baseline: Duration = report.stages.iter().map(|it| it.baseline_seconds.0).sum();
    table.row([
        &"first answer",
        &clock(total.0),
        &seconds(total.0),
        &seconds(baseline),
        &difference(total.0, baseline),
    ]);
    let paid = report.details.paid.map_or("", |paid| paid.as_str());
    let ours = report.our_seconds.unwrap_or_default();
    format!(
        "From nothing to the first answer, on {paid} capacity ({} s of it our decision and calls)\n{}",
        ours,
        table.render(&[LEFT, RIGHT, RIGHT, RIGHT, RIGHT]),
    )
}

fn way_back(report: &Report) -> String {
    let details = &report.details;
    if details.first_node_gone.is_none() && report.all_nodes_gone_seconds.is_none() {
        return String::new();
    }
    let mut table = Table::default();
    table.row([
        &"after the last pod's end",
        &"took",
        &"baseline",
        &"difference",
    ]);
    let all = report.all_nodes_gone_seconds.map(|it| it.0);
    let rows = [
        (
            "first machine gone",
            details.first_node_gone,
            BASELINE_FIRST_GONE,
        ),
        ("everything gone", all, BASELINE_ALL_GONE),
    ];
    for (name, took, baseline) in rows {
        let (took, difference) = match took {
            Some(took) => (seconds(took), difference(took, baseline)),
            None => ("not yet".to_owned(), String::new()),
        };
        table.row([&name, &took, &seconds(baseline), &difference]);
    }
    let table = table.render(&[LEFT, RIGHT, RIGHT, RIGHT]);
    format!("Back to nothing\n{table}")
}

fn summary(report: &Report) -> String {
    let details = &report.details;
    let wait = |span: Option<Seconds>| span.map_or("-".to_owned(), |it| format!("{it} s"));
    let waits = &report.pod_wait_seconds;
    let launched = &report.nodes_launched;
    let mut table = Table::default();
    let (answered, created) = details.answered;
    table.row([&"pods answered", &format!("{answered} of {created}")]);
    let spans = [waits.p50, waits.p95, waits.max].map(wait);
    let spans = format!("p50 {}, p95 {}, max {}", spans[0], spans[1], spans[2]);
    table.row([&"waiting time", &spans]);
    let nodes = format!(
        "{} spot, {} on-demand, at most {} at once",
        launched.spot, launched.on_demand, report.nodes_peak
    );
    table.row([&"machines bought", &nodes]);
    table.row([&"evictions", &report.evictions]);
    let interruptions = &report.interruptions;
    if *interruptions != Interruptions::default() {
        let Interruptions {
            notices,
            machines_taken,
            pod_gap_seconds: gap,
        } = interruptions;
        let taken = format!("{machines_taken}, of {notices} it was said");
        table.row([&"machines taken away", &taken]);
        let gap = gap.map_or_else(|| "none".to_owned(), |gap| format!("{gap} s"));
        table.row([&"longest time short of pods", &gap]);
    }
    let cost = format!(
        "{}, and {} if the machines went as late as in the baseline",
        report.cost_usd, details.baseline_cost
    );
    table.row([&"cost", &cost]);
    table.row([&"oracle checks", &report.oracle_checks]);
    format!("In all\n{}", table.render(&[LEFT, LEFT]))
}

fn machines(report: &Report) -> String {
    let machines = &report.details.machines;
    if machines.is_empty() {
        return String::new();
    }
    let mut table = Table::default();
    table.row([
        &"bought",
        &"gone",
        &"cost",
        &"per hour",
        &"machine",
        &"node",
    ]);
    for machine in machines.iter().take(LISTED_MAX) {
        let gone = machine.terminated.map_or("-".to_owned(), clock);
        let price = format!("${}", machine.price);
        // Behind the first dot the nodes of a region are called alike.
        let name = machine.name.split('.').next().unwrap_or_default();
        table.row([
            &clock(machine.bought),
            &gone,
            &machine.cost,
            &price,
            &machine.offering,
            &name,
        ]);
    }
    let leans = [RIGHT, RIGHT, RIGHT, RIGHT, LEFT, LEFT];
    let rest = rest(machines.len(), "machines");
    format!("Machines\n{}{rest}", table.render(&leans))
}

fn unplaced(report: &Report) -> String {
    let unplaced = &report.details.unplaced;
    if unplaced.is_empty() {
        return String::new();
    }
    let mut text = "Pods without a place at the end\n".to_owned();
    for pod in unplaced.iter().take(LISTED_MAX) {
        let message = match pod.message.as_str() {
            "" => "nothing was said",
            message => message,
        };
        let line = format!("{}: {message}", pod.pod);
        text.push_str(&["  ", &wrapped(&line, COLUMNS - 4, 4), "\n"].concat());
    }
    text + &rest(unplaced.len(), "pods")
}

fn faults(report: &Report) -> String {
    let struck = report.faults.iter().filter(|(_, count)| **count > 0);
    let struck: Vec<String> = struck
        .map(|(kind, count)| format!("{} {count}", kind.name()))
        .collect();
    if struck.is_empty() {
        return String::new();
    }
    let line = format!("Faults: {}", struck.join(", "));
    format!("{}\n", wrapped(&line, COLUMNS, 2))
}

fn timeline(report: &Report) -> String {
    let mut text = "Timeline\n".to_owned();
    for mark in &report.details.marks {
        let line = format!("{:>10}  {}", clock(mark.at), mark.what);
        text.push_str(&["  ", &wrapped_behind(&line, 14), "\n"].concat());
    }
    text
}

fn decisions(report: &Report) -> String {
    let mut text = "Decisions\n".to_owned();
    for alike in report.decisions.chunk_by(is_said_together) {
        let first = &alike[0];
        // Where the event's reason is the action's own name, once is enough.
        let reason = if first.reason == first.action {
            String::new()
        } else {
            format!(" ({})", first.reason)
        };
        let line = format!(
            "{:>10}  {}: {}{reason}: {}",
            clock(first.time_seconds.0),
            objects(alike),
            first.action,
            first.message,
        );
        text.push_str(&["  ", &wrapped_behind(&line, 14), "\n"].concat());
    }
    text
}

/// Whether two decisions differ in the object only, as when a hundred offerings are sold out.
fn is_said_together(one: &Decision, other: &Decision) -> bool {
    let what = |it: &Decision| (it.time_seconds, it.kind.clone(), it.action.clone());
    what(one) == what(other) && one.reason == other.reason && one.message == other.message
}

/// The object, or how many objects from which to which.
fn objects(alike: &[Decision]) -> String {
    match alike {
        [] => String::new(),
        [Decision { kind, name, .. }] => format!("{kind} {name}"),
        [Decision { kind, name, .. }, .., last] => {
            format!("{} {kind}s, {name} to {}", alike.len(), last.name)
        }
    }
}

/// A line that begins with a time, wrapped so that the time stands alone in its column.
fn wrapped_behind(line: &str, indent: usize) -> String {
    let (time, words) = line.split_at(12);
    format!("{time}{}", wrapped(words, COLUMNS - indent, indent))
}

fn rest(count: usize, what: &str) -> String {
    match count.checked_sub(LISTED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!("  and {more} more {what}\n"),
    }
}

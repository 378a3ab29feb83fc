//! The tables: stages beside the baseline, machines, pods, what happened, faults, boot profile.

use std::time::Duration;

use maud::{Markup, html};
use tidewright::model::catalog::CapacityType;

use super::super::compute::{BASELINE_ALL_GONE, BASELINE_FIRST_GONE};
use super::super::figure::{clock, difference, seconds, short};
use super::super::{MachineLine, Report};

/// Rows of one table beyond this number are counted, not listed: the report as JSON and the curves
/// have them all.
const ROWS_MAX: usize = 500;

/// The time from nothing to the first answer and back, stage by stage beside the baseline.
pub(super) fn stages(report: &Report) -> Markup {
    html! {
        section aria-labelledby="stages" {
            h2 id="stages" { "From nothing to the first answer, and back" }
            div.pair {
                div.card { (way_there(report)) }
                div.card { (way_back(report)) }
            }
        }
    }
}

fn way_there(report: &Report) -> Markup {
    let mut bars = Vec::new();
    let (mut here, mut usual) = (Duration::ZERO, Duration::ZERO);
    for stage in &report.stages {
        let baseline = stage.baseline_seconds.0;
        let took = stage.seconds.map(|it| it.0);
        bars.push((stage, Bar::of(here, took), Bar::of(usual, Some(baseline))));
        here += took.unwrap_or_default();
        usual += baseline;
    }
    let longest = here.max(usual);
    let total = report.first_answer_seconds.map(|it| it.0);
    let paid = report.details.paid.map(CapacityType::as_str);
    html! {
        h3 { "First answer" @if let Some(paid) = paid { ", on " (paid) " capacity" } }
        p.legend { span.here {} "here " span.usual {} "baseline" }
        table.bars {
            (columns("stage"))
            tbody {
                @for (stage, ours, usual) in &bars {
                    tr {
                        th scope="row" {
                            (stage.name)
                            @if let Some(mechanism) = &stage.mechanism { small { (mechanism) } }
                        }
                        td.bar { (ours.drawn("here", longest)) (usual.drawn("usual", longest)) }
                        (compared(ours.took, usual.length()))
                    }
                }
            }
            tfoot { tr { th scope="row" { "first answer" } td {} (compared(total, usual)) } }
        }
    }
}

fn way_back(report: &Report) -> Markup {
    let all = report.all_nodes_gone_seconds.map(|it| it.0);
    let rows = [
        (
            "first machine gone",
            report.details.first_node_gone,
            BASELINE_FIRST_GONE,
        ),
        ("everything gone", all, BASELINE_ALL_GONE),
    ];
    let longest = all.unwrap_or_default().max(BASELINE_ALL_GONE);
    html! {
        h3 { "After the last pod's end" }
        p.legend { span.here {} "here " span.usual {} "baseline" }
        table.bars {
            (columns("what"))
            tbody {
                @for (name, took, baseline) in rows {
                    tr {
                        th scope="row" { (name) }
                        td.bar {
                            (Bar::of(Duration::ZERO, took).drawn("here", longest))
                            (Bar::of(Duration::ZERO, Some(baseline)).drawn("usual", longest))
                        }
                        (compared(took, baseline))
                    }
                }
            }
        }
    }
}

fn columns(first: &str) -> Markup {
    html! {
        thead { tr {
            th scope="col" { (first) } th.bar scope="col" { span.unseen { "bars" } }
            th scope="col" { "took" } th scope="col" { "baseline" } th scope="col" { "difference" }
        } }
    }
}

fn compared(took: Option<Duration>, baseline: Duration) -> Markup {
    html! {
        td.number { @match took { Some(took) => (seconds(took)), None => "not yet" } }
        td.number { (seconds(baseline)) }
        td.number { @if let Some(took) = took { (difference(took, baseline)) } }
    }
}

/// A span that begins somewhere; none is no bar.
#[derive(Clone, Copy)]
struct Bar {
    from: Duration,
    took: Option<Duration>,
}

impl Bar {
    fn of(from: Duration, took: Option<Duration>) -> Self {
        Self { from, took }
    }

    fn length(self) -> Duration {
        self.took.unwrap_or_default()
    }

    /// In hundredths of a percent of the longest.
    fn drawn(self, class: &str, longest: Duration) -> Markup {
        let part = |span: Duration| {
            let parts = span.as_millis() * 10_000 / longest.as_millis().max(1);
            format!("{}.{:02}%", parts / 100, parts % 100)
        };
        let place = format!(
            "margin-left:{};width:{}",
            part(self.from),
            part(self.length())
        );
        html! { @if self.took.is_some() { div class=(class) style=(place) {} } }
    }
}

/// The machines in the order of their purchase.
pub(super) fn machines(report: &Report) -> Markup {
    let machines = &report.details.machines;
    let head = [
        "bought", "gone", "ran", "cost", "per hour", "machine", "node",
    ];
    let row = |machine: &MachineLine| {
        let end = machine.terminated.unwrap_or(report.virtual_seconds.0);
        let ran = end.saturating_sub(machine.bought);
        let gone = machine.terminated.map_or_else(|| "runs".to_owned(), clock);
        html! {
            td.number { (clock(machine.bought)) } td.number { (gone) } td.number { (clock(ran)) }
            td.number { (machine.cost) } td.number { "$" (machine.price) }
            td { (machine.offering) } td.name { (machine.name) }
        }
    };
    folded("Machines", &head, machines, row)
}

/// The pods without a place at the end.
pub(super) fn unplaced(report: &Report) -> Markup {
    let head = ["pod", "reason", "why"];
    folded(
        "Pods without a place at the end",
        &head,
        &report.details.unplaced,
        |pod| {
            let message = match pod.message.as_str() {
                "" => "nothing was said",
                message => message,
            };
            html! { td.name { (pod.pod) } td { (pod.reason) } td { (message) } }
        },
    )
}

/// The timeline in words.
pub(super) fn marks(report: &Report) -> Markup {
    folded(
        "Timeline",
        &["time", "what"],
        &report.details.marks,
        |mark| {
            html! { td.number { (clock(mark.at)) } td { (mark.what) } }
        },
    )
}

/// The faults that struck.
pub(super) fn faults(report: &Report) -> Markup {
    let struck = report.faults.iter().filter(|(_, count)| **count > 0);
    let struck: Vec<_> = struck.collect();
    folded("Faults", &["fault", "times"], &struck, |(kind, count)| {
        html! { td { (kind.name()) } td.number { (count) } }
    })
}

/// What each stage of the boot takes.
pub(super) fn profile(report: &Report) -> Markup {
    let head = [
        "stage",
        "baseline",
        "(spot)",
        "here",
        "(spot)",
        "what makes the difference",
    ];
    let table = folded("Boot profile", &head, &report.details.profile, |line| {
        let [on_demand, spot] = line.baseline.map(short);
        let ours = line.ours.map(|ours| ours.map(short));
        let [ours, ours_spot] = ours.unwrap_or_else(|| ["measured".to_owned(), String::new()]);
        let mechanism = line.mechanism.as_deref().unwrap_or("-");
        html! {
            td { (line.name) } td.number { (on_demand) } td.number { (spot) }
            td.number { (ours) } td.number { (ours_spot) } td { (mechanism) }
        }
    });
    let summary = &report.details.boot_summary;
    html! { (table) p.hint { (report.boot_profile) ": " (summary) } }
}

/// A table that opens when it is wanted; nothing when it is empty.
fn folded<T>(title: &str, head: &[&str], rows: &[T], row: impl Fn(&T) -> Markup) -> Markup {
    html! {
        @if !rows.is_empty() {
            details.card {
                summary { h2 { (title) } span.count { (rows.len()) } }
                div.scroll tabindex="0" role="region" aria-label=(title) {
                    table {
                        thead { tr { @for name in head { th scope="col" { (name) } } } }
                        tbody { @for each in rows.iter().take(ROWS_MAX) { tr { (row(each)) } } }
                    }
                }
                @if rows.len() > ROWS_MAX {
                    p.hint { "and " (rows.len() - ROWS_MAX) " more" }
                }
            }
        }
    }
}

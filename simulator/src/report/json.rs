//! The report for programs.

use std::time::Duration;

use serde::Serialize;

use super::Report;
use super::figure::Seconds;

/// A report and how long it took to make, on the clock of the machine that made it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timed<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_seconds: Option<Seconds>,
}

/// One object, with its keys in the order of [`Report`] and `wallSeconds` behind them when the run
/// was timed. Every other byte is a function of inputs and seed.
pub fn to_json(report: &Report, wall: Option<Duration>) -> String {
    let timed = Timed {
        report,
        wall_seconds: wall.map(Seconds),
    };
    let text = serde_json::to_string_pretty(&timed).expect("a report has text keys only");
    format!("{text}\n")
}

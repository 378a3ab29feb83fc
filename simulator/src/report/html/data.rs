//! What the page's script reads: the curves and the decisions, as JSON.

use serde::Serialize;

use super::super::{Course, Millis, Report, Seconds};

/// The texts of decisions take at most so many bytes. With the library and the curves a page thus
/// stays below the eight megabytes that mail and browsers take without complaint.
const DECISION_BYTES_MAX: usize = 4_500_000;

/// Quotes, commas and the time of one decision.
const DECISION_BYTES_AROUND: usize = 30;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(flatten)]
    course: &'a Course,
    percentiles: [Option<Millis>; 3],
    decisions: Vec<Row<'a>>,
}

/// Time, kind, name, action, reason and message of a decision. Rows have no keys, because there may
/// be many of them.
type Row<'a> = (Millis, &'a str, &'a str, &'a str, &'a str, &'a str);

/// The block. Angle brackets are written as JSON escapes, so that nothing in it ends the element.
pub(super) fn block(report: &Report) -> String {
    let waits = report.pod_wait_seconds;
    let millis = |it: Option<Seconds>| it.map(|it| Millis(it.0));
    let data = Data {
        course: &report.details.course,
        percentiles: [waits.p50, waits.p95, waits.max].map(millis),
        decisions: decisions(report),
    };
    let json = serde_json::to_string(&data).expect("the data has text keys only");
    json.replace('<', "\\u003c").replace('>', "\\u003e")
}

/// The decisions that fit.
pub(super) fn decisions(report: &Report) -> Vec<Row<'_>> {
    let mut bytes = 0;
    let rows = report.decisions.iter().map(|it| -> Row<'_> {
        let at = Millis(it.time_seconds.0);
        (at, &it.kind, &it.name, &it.action, &it.reason, &it.message)
    });
    rows.take_while(|(_, kind, name, action, reason, message)| {
        let texts = [kind, name, action, reason, message];
        bytes += DECISION_BYTES_AROUND + texts.map(|it| it.len()).iter().sum::<usize>();
        bytes <= DECISION_BYTES_MAX
    })
    .collect()
}

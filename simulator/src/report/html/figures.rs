//! The key figures.

use std::time::Duration;

use maud::{Markup, html};

use super::super::compute::BASELINE_ALL_GONE;
use super::super::figure::{Seconds, clock, difference, short};
use super::super::{Dollars, Report};

/// A figure, and what to make of it.
struct Tile {
    name: &'static str,
    value: String,
    beside: String,
}

/// The figures that a reader looks for first.
pub(super) fn tiles(report: &Report) -> Markup {
    html! {
        section.tiles aria-label="Key figures" {
            @for tile in of(report) {
                div.card.tile {
                    p.label { (tile.name) }
                    p.value { (tile.value) }
                    p.beside { (tile.beside) }
                }
            }
        }
    }
}

fn of(report: &Report) -> Vec<Tile> {
    let baseline: Duration = report.stages.iter().map(|it| it.baseline_seconds.0).sum();
    let gone = report.all_nodes_gone_seconds;
    let details = &report.details;
    let launched = &report.nodes_launched;
    let (answered, created) = details.answered;
    let waits = report.pod_wait_seconds;
    let ours = report.our_seconds.map(|it| short(it.0));
    vec![
        tile(
            "First answer",
            span(report.first_answer_seconds),
            beside(report.first_answer_seconds, baseline),
        ),
        tile(
            "Of it our decision and calls",
            ours.unwrap_or_else(|| "-".to_owned()),
            "from the scheduler's verdict to the purchase".to_owned(),
        ),
        tile(
            "All nodes gone",
            span(gone),
            beside(gone, BASELINE_ALL_GONE),
        ),
        tile(
            "Bill",
            cents(report.cost_usd),
            format!(
                "{} if machines went as late as in the baseline",
                cents(details.baseline_cost)
            ),
        ),
        tile(
            "Machines bought",
            grouped(launched.spot + launched.on_demand),
            format!(
                "{} spot, {} on-demand, at most {} at once",
                launched.spot, launched.on_demand, report.nodes_peak
            ),
        ),
        tile(
            "Pods answered",
            grouped(answered),
            format!("of {} created", grouped(created)),
        ),
        tile(
            "Half of the pods waited",
            span(waits.p50),
            format!("p95 {}, at most {}", span(waits.p95), span(waits.max)),
        ),
        tile(
            "Evictions",
            grouped(report.evictions),
            format!("{} faults struck", grouped(report.faults.values().sum())),
        ),
    ]
}

fn tile(name: &'static str, value: String, beside: String) -> Tile {
    Tile {
        name,
        value,
        beside,
    }
}

fn span(seconds: Option<Seconds>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |it| clock(it.0))
}

fn beside(ours: Option<Seconds>, baseline: Duration) -> String {
    let against = format!("baseline {}", clock(baseline));
    match ours {
        Some(ours) => format!("{against}, {}", difference(ours.0, baseline)),
        None => against,
    }
}

/// Dollars to the cent; small bills to the micro-dollar, or nothing of them would be seen.
fn cents(dollars: Dollars) -> String {
    let micros = dollars.0.to_micros();
    if micros < 10_000_000 {
        return dollars.to_string();
    }
    let cents = (micros + 5_000) / 10_000;
    let whole = u64::try_from(cents / 100).unwrap_or(u64::MAX);
    format!("${}.{:02}", grouped(whole), cents % 100)
}

/// With a thin blank between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use tidewright::model::price::{Price, bill};

    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bills_are_as_exact_as_they_are_small() {
        let hour = Duration::from_hours(1);
        for (micros, text) in [
            (6_621, "$0.006621"),
            (9_999_999, "$9.999999"),
            (10_004_999, "$10.00"),
            (10_005_000, "$10.01"),
            (1_234_567_890_000, "$1\u{202f}234\u{202f}567.89"),
        ] {
            assert_eq!(cents(Dollars(bill(Price::from_micros(micros), hour))), text);
        }
    }
}

//! Expectations against a report.

use std::fmt;
use std::time::Duration;

use tidewright::model::price::{Money, Price, bill};

use super::file::{Bound, Expectations, MoneyBound, UnplacedBound};
use crate::report::{Interruptions, Report, Seconds};

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Its path in the scenario file.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came of it.
    pub found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            expected,
            found,
        } = self;
        write!(f, "expectation {what}: {expected} expected, found {found}")
    }
}

/// Everything that did not come as expected.
pub fn unmet(expect: &Expectations, report: &Report) -> Vec<Unmet> {
    let mut check = Check::default();
    let details = &report.details;
    check.seconds(
        "firstAnswerSeconds",
        expect.first_answer_seconds.as_ref(),
        report.first_answer_seconds,
    );
    check.seconds(
        "ourSeconds",
        expect.our_seconds.as_ref(),
        report.our_seconds,
    );
    check.seconds(
        "allNodesGoneSeconds",
        expect.all_nodes_gone_seconds.as_ref(),
        report.all_nodes_gone_seconds,
    );
    check.seconds(
        "fallbackSeconds",
        expect.fallback_seconds.as_ref(),
        details.fallback.map(Seconds),
    );
    if let Some(waits) = &expect.pod_wait_seconds {
        let found = &report.pod_wait_seconds;
        check.seconds("podWaitSeconds.p50", waits.p50.as_ref(), found.p50);
        check.seconds("podWaitSeconds.p95", waits.p95.as_ref(), found.p95);
        check.seconds("podWaitSeconds.max", waits.max.as_ref(), found.max);
    }
    if let Some(launched) = &expect.nodes_launched {
        check.exactly(
            "nodesLaunched.spot",
            launched.spot,
            report.nodes_launched.spot,
        );
        check.exactly(
            "nodesLaunched.onDemand",
            launched.on_demand,
            report.nodes_launched.on_demand,
        );
    }
    check.count("nodesPeak", expect.nodes_peak.as_ref(), report.nodes_peak);
    check.count("evictions", expect.evictions.as_ref(), report.evictions);
    check.interruptions(expect, &report.interruptions);
    check.money("costUsd", expect.cost_usd.as_ref(), report.cost_usd.0);
    if let Some(expected) = &expect.unplaced {
        check.unplaced(expected, report);
    }
    check.unmet
}

#[derive(Default)]
struct Check {
    unmet: Vec<Unmet>,
}

impl Check {
    fn fail(&mut self, what: &str, expected: String, found: String) {
        self.unmet.push(Unmet {
            what: what.to_owned(),
            expected,
            found,
        });
    }

    fn seconds(&mut self, what: &str, bound: Option<&Bound>, found: Option<Seconds>) {
        let Some(bound) = bound else { return };
        let millis = found.map(|it| it.0.as_millis());
        if !is_within(bound, millis) {
            let found = found.map_or("nothing".to_owned(), |it| format!("{it} s"));
            self.fail(what, shown(bound), found);
        }
    }

    fn count(&mut self, what: &str, bound: Option<&Bound>, found: u64) {
        let Some(bound) = bound else { return };
        if !is_within(bound, Some(u128::from(found) * 1_000)) {
            self.fail(what, shown(bound), found.to_string());
        }
    }

    fn exactly(&mut self, what: &str, expected: Option<u64>, found: u64) {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            self.fail(what, expected.to_string(), found.to_string());
        }
    }

    fn interruptions(&mut self, expect: &Expectations, found: &Interruptions) {
        let notices = expect.interruption_notices.as_ref();
        self.count("interruptionNotices", notices, found.notices);
        let taken = expect.machines_taken.as_ref();
        self.count("machinesTaken", taken, found.machines_taken);
        let gap = expect.pod_gap_seconds.as_ref();
        self.seconds("podGapSeconds", gap, found.pod_gap_seconds);
    }

    fn money(&mut self, what: &str, bound: Option<&MoneyBound>, found: Money) {
        let Some(MoneyBound { min, max }) = bound else {
            return;
        };
        let above = min
            .as_deref()
            .and_then(dollars)
            .is_none_or(|min| found >= min);
        let below = max
            .as_deref()
            .and_then(dollars)
            .is_none_or(|max| found <= max);
        if !above || !below {
            let shown = |word: &str, text: &Option<String>| {
                text.as_ref().map(|text| format!("{word} ${text}"))
            };
            let parts = [shown("at least", min), shown("at most", max)];
            let expected: Vec<String> = parts.into_iter().flatten().collect();
            self.fail(what, expected.join(" and "), format!("${found}"));
        }
    }

    fn unplaced(&mut self, expected: &UnplacedBound, report: &Report) {
        let unplaced = &report.details.unplaced;
        let count = u64::try_from(unplaced.len()).expect("pods are counted in memory");
        self.exactly("unplaced.pods", Some(expected.pods), count);
        for pod in unplaced {
            let missing = expected
                .because
                .iter()
                .find(|it| !pod.message.contains(*it));
            if let Some(missing) = missing {
                let found = format!("\"{}\" for pod {}", pod.message, pod.pod);
                self.fail("unplaced.because", format!("\"{missing}\""), found);
            }
        }
    }
}

/// An amount from a decimal text: what an hour at that price costs.
pub(super) fn dollars(text: &str) -> Option<Money> {
    let price = Price::parse_decimal(text).ok()?;
    Some(bill(price, Duration::from_hours(1)))
}

fn is_within(bound: &Bound, millis: Option<u128>) -> bool {
    let Some(millis) = millis else { return false };
    let limit = |number: &Option<serde_json::Number>| number.as_ref().and_then(thousandths);
    limit(&bound.min).is_none_or(|min| millis >= min)
        && limit(&bound.max).is_none_or(|max| millis <= max)
}

/// A number in thousandths, read from its digits.
pub(super) fn thousandths(number: &serde_json::Number) -> Option<u128> {
    let price = Price::parse_decimal(&number.to_string()).ok()?;
    Some(u128::from(price.as_micros() / 1_000))
}

fn shown(bound: &Bound) -> String {
    let part = |word: &str, number: &Option<serde_json::Number>| {
        number.as_ref().map(|number| format!("{word} {number}"))
    };
    let parts = [part("at least", &bound.min), part("at most", &bound.max)];
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}

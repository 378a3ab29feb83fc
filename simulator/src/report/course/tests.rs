//! Curves of logs written by hand.

use std::time::Duration;

use super::*;
use crate::script::{START, log};

/// The course of a log that lasts a quarter of an hour.
fn of(text: &str) -> Course {
    let log = log(text);
    let span = Span {
        start: START,
        end: START.saturating_add(Duration::from_mins(15)),
    };
    course(&Trace::of(&log), &log, span, Money::ZERO)
}

/// A stack as lines of `second: name=amount …`, without layers that are at nothing.
fn lines(stack: &Stack) -> Vec<String> {
    let line = |(index, time): (usize, &Millis)| {
        let layers = stack.layers.iter().filter(|it| it.values[index] != 0);
        let layers = layers.map(|it| format!(" {}={}", it.name, it.values[index]));
        format!("{}:{}", time.0.as_secs(), layers.collect::<String>())
    };
    stack.times.iter().enumerate().map(line).collect()
}

const TWO_MACHINES: &str = "
    0    pod a
    10   pod b
    20   bought i-1 spot:m6a.large:us-east-2a 0.036
    20   bought i-2 on-demand:m6a.large:us-east-2a 0.072
    30   joined n1 i-1
    60   bound a n1
    90   ready a
    120  bound b n1
    130  evicted b n1
    140  ended b
    200  terminated i-2
    800  terminated i-1
    850  ended a
";

#[test]
fn machines_are_counted_while_they_run() {
    let course = of(TWO_MACHINES);
    let expected = [
        "0:",
        "20: on-demand=1 spot=1",
        "200: spot=1",
        "800:",
        "900:",
    ];
    assert_eq!(lines(&course.machines_by_purchase), expected);
    let expected = ["0:", "20: m6a.large=2", "200: m6a.large=1", "800:", "900:"];
    assert_eq!(lines(&course.machines_by_type), expected);
}

#[test]
fn a_pod_waits_starts_and_runs() {
    let expected = [
        "0: waiting=1",
        "10: waiting=2",
        "60: starting=1 waiting=1",
        "90: running=1 waiting=1",
        "120: running=1 starting=1",
        "140: running=1",
        "850:",
        "900:",
    ];
    assert_eq!(lines(&of(TWO_MACHINES).pods), expected);
}

#[test]
fn the_bill_runs_up_with_the_rate() {
    let spending = of(TWO_MACHINES).spending;
    let expected = [
        "0:",
        "20: on-demand=72000 spot=36000",
        "200: spot=36000",
        "800:",
        "900:",
    ];
    assert_eq!(lines(&spending.rate), expected);
    // 180 s at 108 milli-dollars an hour, then 600 s at 36; the last is what the caller says.
    assert_eq!(spending.bill, [0, 0, 5_400, 11_400, 0]);
}

#[test]
fn a_minute_is_paid_for_at_least() {
    let text = "10 bought i-1 spot:m6a.large:us-east-2a 0.036\n20 terminated i-1";
    let course = of(text);
    assert_eq!(
        lines(&course.spending.rate),
        ["0:", "10: spot=36000", "70:", "900:"]
    );
    assert_eq!(
        lines(&course.machines_by_purchase),
        ["0:", "10: spot=1", "20:", "900:"]
    );
}

#[test]
fn waits_are_counted_in_bins_that_follow_one_another() {
    let text = "0 pod a\n0 pod b\n1 ready a\n1.001 ready b\n2 pod c\n17 ready c\n20 pod d";
    let waiting = of(text).waiting;
    let bins: Vec<_> = waiting
        .bins
        .iter()
        .map(|bin| (bin.to.map(|to| to.0.as_secs()), bin.count))
        .collect();
    assert_eq!(
        bins,
        [
            (Some(1), 1),
            (Some(2), 1),
            (Some(5), 0),
            (Some(10), 0),
            (Some(20), 1)
        ]
    );
    assert_eq!(waiting.bins[0].above, None);
    // Two in the first slice, of which b waited longer.
    let pods: Vec<_> = waiting.pods.iter().map(|it| (&*it.name, it.of)).collect();
    assert_eq!(pods, [("default/b", 2), ("default/c", 1)]);
    assert_eq!(of("0 pod a").waiting, Waiting::default());
}

#[test]
fn what_happens_together_is_one_mark() {
    let course = of("
        0     start
        10    bought i-1 spot:m6a.large:us-east-2a 0.036
        10.1  bought i-2 spot:m6a.large:us-east-2b 0.036
        10.2  sold-out spot:m6a.xlarge:us-east-2a
        11    bought i-3 spot:m6a.xlarge:us-east-2b 0.036
        500   fault lost-event
        600   notice Disrupted NodeClaim c1 Empty empty since a minute
        600   notice Unplaced Pod a NoPoolFits limit cpu
    ");
    let marks = course.events.iter().map(|mark| {
        let at = mark.at.0.as_secs();
        (at, mark.lane, mark.count, mark.what.join(", "))
    });
    let expected = [
        (0, Lane::Controller, 1, "started with an empty memory"),
        (10, Lane::Launch, 3, "2 x spot m6a.large, spot m6a.xlarge"),
        (10, Lane::SoldOut, 1, "spot m6a.xlarge in us-east-2a"),
        (500, Lane::Fault, 1, "lost event"),
        (600, Lane::Disruption, 1, "Empty"),
    ];
    let expected = expected.map(|(at, lane, count, what)| (at, lane, count, what.to_owned()));
    assert_eq!(marks.collect::<Vec<_>>(), expected);
}

/// Ten thousand machines in turn, with one moment in which three run.
#[test]
fn a_long_run_is_thinned_and_keeps_its_peak() {
    let mut changes = Vec::new();
    for index in 0..10_000_u64 {
        let change = |millis, by| Change {
            at: Millis(Duration::from_millis(millis)),
            layer: "spot".to_owned(),
            by,
        };
        changes.push(change(index * 1_000, 1));
        changes.push(change(index * 1_000 + 500, -1));
        if index == 7_777 {
            changes.push(change(index * 1_000 + 100, 2));
            changes.push(change(index * 1_000 + 101, -2));
        }
    }
    let end = Millis(Duration::from_secs(10_000));
    let full = Stack::of(changes, end);
    assert_eq!(full.times.len(), 20_003);
    let thin = full.thinned();
    assert!(thin.times.len() <= 3_002, "{}", thin.times.len());
    assert_eq!(thin.totals().into_iter().max(), Some(3));
    assert_eq!(thin.totals().into_iter().min(), Some(0));
    assert_eq!(thin.times.last(), Some(&end));
}

#[test]
fn the_smallest_layers_become_one() {
    let changes = (1..=6).map(|index| Change {
        at: Millis::default(),
        layer: format!("type-{index}"),
        by: index,
    });
    let end = Millis(Duration::from_secs(1));
    let stack = Stack::of(changes.collect(), end);
    let names = |stack: Stack| {
        let layers = stack.layers.into_iter();
        layers
            .map(|it| format!("{} {}", it.name, it.values[0]))
            .collect::<Vec<_>>()
    };
    let expected = ["type-6 6", "type-5 5", "4 others 10"];
    assert_eq!(names(stack.clone().largest(2, "others")), expected);
    assert_eq!(names(stack.largest(5, "others")).len(), 6);
}

//! The report on logs written by hand.

use std::time::Duration;

use super::*;
use crate::boot::BootProfile;
use crate::script::{START, log};

const ONE_POD: &str = "
    0     start
    0     happened apply Pod default/a
    0     pod a
    0.1   unschedulable a
    0.3   claim c1 serverless
    0.3   notice Nominated Pod a NewClaim placed on new claim c1
    0.4   fleet g 1 c1 spot:m6a.large:us-east-2a spot:m6a.xlarge:us-east-2b
    0.4   bought i-1 spot:m6a.large:us-east-2a 0.036 g
    60.4  boots i-1
    140   joined n1 i-1
    140   daemon d
    180.4 node-ready n1
    180.5 bound d n1
    210.4 bound a n1
    235.4 ready a
    600   ended a
    661   notice Disrupted NodeClaim c1 Empty empty since a minute
    661   deleting c1
    662   ended d
    662.5 terminated i-1
    663   node-gone n1
    663   claim-gone c1
";

fn report(text: &str) -> Report {
    let boot = BootProfile::named("reference").expect("the profile comes with the simulator");
    let heading = Heading {
        scenario: "by-hand",
        description: "One pod, one node.",
        seed: 7,
        boot: &boot,
        start: START,
        end: START.saturating_add(Duration::from_mins(15)),
        oracle_checks: 12,
    };
    compute(&heading, &log(text))
}

#[test]
fn one_pod_from_nothing_and_back() {
    let report = report(ONE_POD);
    let seconds = |millis| Some(Seconds(Duration::from_millis(millis)));
    assert_eq!(report.first_answer_seconds, seconds(235_400));
    assert_eq!(report.our_seconds, seconds(300));
    let stages = report.stages.iter().map(|it| it.seconds);
    let expected = [400, 60_000, 120_000, 30_000, 25_000].map(seconds);
    assert_eq!(stages.collect::<Vec<_>>(), expected);
    assert_eq!(report.all_nodes_gone_seconds, seconds(63_000));
    assert_eq!(report.nodes_peak, 1);
    assert_eq!(
        (report.nodes_launched.spot, report.nodes_launched.on_demand),
        (1, 0)
    );
    // 662.1 s at 36 milli-dollars an hour; in the baseline the machine goes 270 s after the pod.
    assert_eq!(report.cost_usd.0.to_string(), "0.006621");
    assert_eq!(report.details.baseline_cost.0.to_string(), "0.008696");
    assert_eq!(report.details.answered, (1, 1));
}

/// The keys are an interface: whoever reads the file relies on them.
#[test]
fn the_object_has_the_documented_keys() {
    let json = to_json(&report(ONE_POD), Some(Duration::from_millis(1_500)));
    let value: serde_json::Value = serde_json::from_str(&json).expect("the report is JSON");
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let object = value.as_object().expect("an object");
        object.keys().cloned().collect()
    };
    let mut expected = [
        "scenario",
        "seed",
        "bootProfile",
        "firstAnswerSeconds",
        "stages",
        "ourSeconds",
        "allNodesGoneSeconds",
        "podWaitSeconds",
        "nodesLaunched",
        "nodesPeak",
        "evictions",
        "interruptions",
        "costUsd",
        "oracleChecks",
        "faults",
        "virtualSeconds",
        "decisions",
        "wallSeconds",
    ];
    expected.sort_unstable();
    assert_eq!(keys(&value), expected);
    assert_eq!(
        keys(&value["stages"][0]),
        ["baselineSeconds", "name", "seconds"]
    );
    assert_eq!(keys(&value["podWaitSeconds"]), ["max", "p50", "p95"]);
    assert_eq!(keys(&value["nodesLaunched"]), ["onDemand", "spot"]);
    assert_eq!(
        keys(&value["interruptions"]),
        ["machinesTaken", "notices", "podGapSeconds"]
    );
    let decision = keys(&value["decisions"][0]);
    assert_eq!(
        decision,
        ["action", "kind", "message", "name", "reason", "timeSeconds"]
    );
    assert_eq!(value["faults"]["crash"], 0);
    assert_eq!(value["costUsd"], "0.006621");
    assert_eq!(value["wallSeconds"], 1.5);
    assert!(!to_json(&report(ONE_POD), None).contains("wall"));
}

#[test]
fn what_did_not_happen_has_no_figure() {
    let report = report(
        "0 start\n0 pod a\n0.1 unschedulable a\n0.2 notice Unplaced Pod default/a NoPoolFits limit cpu",
    );
    assert_eq!(report.first_answer_seconds, None);
    assert_eq!(report.all_nodes_gone_seconds, None);
    assert_eq!(report.pod_wait_seconds, Waits::default());
    let [unplaced] = report.details.unplaced.as_slice() else {
        panic!("one pod has no place");
    };
    assert_eq!(
        (&*unplaced.reason, &*unplaced.message),
        ("NoPoolFits", "limit cpu")
    );
    assert!(to_text(&report, Detail::Decisions).contains("default/a: limit cpu"));
}

#[test]
fn the_longest_time_from_sold_out_to_the_next_call_is_the_fallback() {
    let report = report(
        "0 start
         1 fleet g 1 c1 spot:m6a.large:us-east-2a
         1.2 sold-out spot:m6a.large:us-east-2a
         1.5 fleet g 1 c1 on-demand:m6a.large:us-east-2a",
    );
    assert_eq!(report.details.fallback, Some(Duration::from_millis(300)));
}

#[test]
fn people_read_lines_of_a_hundred_columns_at_most() {
    let text = to_text(&report(ONE_POD), Detail::Decisions);
    let widest = text.lines().max_by_key(|line| line.chars().count());
    let widest = widest.expect("a report has lines");
    assert!(widest.chars().count() <= 100, "{widest}");
    for words in [
        "235.400 s",
        "255.000 s",
        "810.000 s",
        "270.000 s",
        "$0.006621",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}

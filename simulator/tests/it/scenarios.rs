//! The named scenarios against their expected reports, and what a seed promises.
//!
//! `TIDEWRIGHT_BLESS=1` writes the reports that are expected.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tidewright::model::id::stable_hash;
use tidewright_simulator::report::{Detail, Report, to_json, to_text};
use tidewright_simulator::run::{Outcome, run};
use tidewright_simulator::scenario::{Choices, list, load};

fn outcome(scenario: &str, choices: &Choices) -> Outcome {
    let loaded = load(scenario, choices).expect("the scenario is sound");
    run(&loaded.scenario, &mut |_| {})
}

fn with_seed(seed: u64) -> Choices {
    Choices {
        seed: Some(seed),
        ..Choices::default()
    }
}

fn with_boot(profile: &str) -> Choices {
    Choices {
        boot: Some(profile.to_owned()),
        ..Choices::default()
    }
}

/// Compares with a file of `simulator/scenarios/expected`, or writes it.
fn check_file(name: &str, found: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/expected");
    let path: PathBuf = folder.join(name);
    if std::env::var_os("TIDEWRIGHT_BLESS").is_some() {
        std::fs::write(&path, found).expect("the expected reports can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == found,
        "{} is not what came of it; TIDEWRIGHT_BLESS=1 writes it anew:\n{found}",
        path.display()
    );
}

/// Scenarios whose whole report is expected.
const SMALL: [&str; 6] = [
    "limits-bind",
    "spot-fallback",
    "spot-storm",
    "zero-to-one",
    "zero-to-one-on-demand",
    "zone-loss",
];

/// Scenarios with thousands of decisions: their figures are expected, and a digest of the decisions.
const BIG: [&str; 4] = [
    "burst-10-to-500",
    "cron-night",
    "mixed-day",
    "thousand-nodes",
];

/// What comes of a scenario in which nothing fails.
fn sound(name: &str) -> Outcome {
    let outcome = outcome(name, &Choices::default());
    assert_eq!(outcome.failures, [], "{name}");
    assert_eq!(outcome.unmet, [], "{name}");
    outcome
}

/// The figures of a report, and how many decisions there were with a hash of all that they say.
fn digest(report: &Report) -> String {
    let mut object: serde_json::Map<String, Value> =
        serde_json::from_str(&to_json(report, None)).expect("a report is an object");
    let decisions = object.remove("decisions").expect("a report has decisions");
    let text = decisions.to_string();
    let digest = json!({
        "count": report.decisions.len(),
        "hash": format!("{:016x}", stable_hash([text.as_str()])),
    });
    object.insert("decisions".to_owned(), digest);
    let text = serde_json::to_string_pretty(&object).expect("an object has text keys");
    format!("{text}\n")
}

fn check_big(name: &str) {
    assert!(BIG.contains(&name), "{name}");
    check_file(&format!("{name}.json"), &digest(&sound(name).report));
}

#[test]
fn a_burst_comes_out_as_expected() {
    check_big("burst-10-to-500");
}

#[test]
fn a_night_of_cron_jobs_comes_out_as_expected() {
    check_big("cron-night");
}

#[test]
fn a_mixed_day_comes_out_as_expected() {
    check_big("mixed-day");
}

#[test]
#[ignore = "minutes without optimisation; run by hand with --release -- --ignored"]
fn a_thousand_nodes_come_out_as_expected() {
    check_big("thousand-nodes");
}

#[test]
fn every_scenario_comes_out_as_expected() {
    let names: Vec<String> = list().into_iter().map(|(name, _)| name).collect();
    let mut all = SMALL.to_vec();
    all.extend(BIG);
    all.sort_unstable();
    assert_eq!(names, all);
    for name in SMALL {
        let outcome = sound(name);
        check_file(
            &format!("{name}.txt"),
            &to_text(&outcome.report, Detail::Decisions),
        );
        check_file(&format!("{name}.json"), &to_json(&outcome.report, None));
    }
}

#[test]
fn a_seed_is_a_world() {
    let json = |seed| to_json(&outcome("zero-to-one", &with_seed(seed)).report, None);
    let first = json(1);
    assert_eq!(first, json(1));
    assert_ne!(
        first.replace("\"seed\": 1,", ""),
        json(2).replace("\"seed\": 2,", "")
    );
}

/// The figures that the design promises for machines whose image is cached: half of all seeds answer
/// within 145 s on demand.
#[test]
fn a_cached_image_answers_within_the_promised_time() {
    let answers = (1..=21).map(|seed| {
        let choices = Choices {
            seed: Some(seed),
            ..with_boot("cached-image")
        };
        let report = outcome("zero-to-one-on-demand", &choices).report;
        report.first_answer_seconds.expect("the pod answers").0
    });
    let mut answers: Vec<_> = answers.collect();
    answers.sort_unstable();
    assert!(answers[10].as_secs() <= 145, "{answers:?}");
}

/// Files of `tests/bad`, and words of what is said about each.
const BAD: [(&str, &[&str]); 5] = [
    (
        "unknown-field.yaml",
        &[
            "bad/unknown-field.yaml:4:1",
            "`timeline`",
            "4:1",
            "bootProfile",
        ],
    ),
    (
        "bad-values.yaml",
        &[
            "until",
            "timeline[0].at",
            "timeline[1]",
            "machines, percent",
            "timeline[2].interrupt.percent",
            "timeline[2].interrupt.within",
            "timeline[2].interrupt.rebalanceBefore",
            "timeline[2].zoneOutage.lasts",
            "timeline[2].apply.cronJob.spec.schedule",
            "timeline[3].prices.every",
            "timeline[3].prices.movedPermille",
            "timeline[3].prices.stepPermille",
            "timeline[3].prices.askedEvery",
            "services[0].replicas.points.dawn",
            "expect.costUsd.max",
        ],
    ),
    (
        "missing-files.yaml",
        &[
            "3:12",
            "policies[0]",
            "4:13",
            "manifests[0]",
            "catalog",
            "timeline[0].apply.manifests[0]",
        ],
    ),
    (
        "slips-beside-values.yaml",
        &[
            "4:1: error: document 1: untill: There is no field",
            "6:7: error: document 1: timeline[0].at: This must be a duration",
            "7:3: error: document 1: timeline[0].scail: There is no field",
            "8:3: error: document 1: timeline[1]: Something must happen",
            "13:22: error: document 1: timeline[2].apply.nodePool.spec.weight",
            "13:7: error: document 1: timeline[2].apply.nodePool.spec.template: `template`",
            "15:18: error: document 1: expect.costUsd.max: This must be an amount",
            "16:15: error: document 1: expect.nodesPeak.maximum: There is no field",
        ],
    ),
    (
        "bad-files.yaml",
        &[
            "pool.yaml:6:11: error: NodePool \"heavy\"",
            "pool.yaml:9:74: warning: NodePool \"heavy\"",
            "pod.yaml:4:7: error: Pod \"wordy\"",
            "deployment.yaml:4:7: error: Deployment \"wordy\"",
        ],
    ),
];

/// A bad file is refused with every fault, its line, its value and what to do.
#[test]
fn a_bad_scenario_is_refused_with_all_that_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    for (name, expected) in BAD {
        let path = folder.join(name).display().to_string();
        let Err(refused) = load(&path, &Choices::default()) else {
            panic!("{name} is refused");
        };
        let lines: Vec<String> = refused
            .diagnostics
            .iter()
            .map(ToString::to_string)
            .collect();
        let text = lines.join("\n");
        for words in expected {
            assert!(text.contains(words), "{words} is missing in\n{text}");
        }
        if name == "slips-beside-values.yaml" || name == "bad-files.yaml" {
            assert_eq!(lines.len(), expected.len(), "no consequences:\n{text}");
        }
        assert!(refused.diagnostics.iter().all(|it| !it.fix.is_empty()));
    }
}

#[test]
fn a_name_that_stands_for_no_scenario_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let Err(refused) = load("zero-to-onr", &Choices::default()) else {
        panic!("there is no such scenario");
    };
    assert_eq!(refused.diagnostics[0].fix, "Did you mean `zero-to-one`?");
    assert!(load("zero-to-one", &with_boot("warp")).is_err());
    let Err(refused) = load(&folder.display().to_string(), &Choices::default()) else {
        panic!("a folder is no scenario");
    };
    assert_eq!(
        refused.diagnostics[0].fix,
        "Name the scenario's file in it."
    );
}

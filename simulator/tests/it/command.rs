//! The binary as users meet it.

use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewright-sim"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// Runs the binary and compares its exit code; gives what it printed, and what it complained of.
fn check(arguments: &[&str], code: i32) -> (String, String) {
    let output = sim(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{out}{err}"
    );
    (out, err)
}

#[test]
fn run_without_arguments_runs_the_main_job() {
    let (text, _) = check(&["run"], 0);
    for words in ["zero-to-one", "first answer", "255.000 s", "810.000 s"] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours outside a terminal");
}

#[test]
fn json_goes_to_standard_output_alone() {
    let (text, _) = check(&["run", "spot-fallback", "--json", "-"], 0);
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is one JSON object");
    assert_eq!(
        value["nodesLaunched"],
        serde_json::json!({"spot": 1, "onDemand": 1})
    );
    assert!(value["wallSeconds"].is_number());
}

#[test]
fn exit_codes_tell_failures_from_bad_input() {
    // Fast machines answer sooner than the scenario expects of the reference profile.
    let (_, complaint) = check(&["run", "zero-to-one", "--boot", "fast"], 1);
    assert!(complaint.contains("firstAnswerSeconds"), "{complaint}");
    let (_, complaint) = check(&["run", "nowhere.yaml"], 2);
    assert!(complaint.contains("zero-to-one"), "{complaint}");
    check(&["run", "--policies", "nowhere"], 2);
    check(&["fuzz", "--sabotage", "nothing"], 2);
    check(&["fuzz", "--count", "many"], 2);
    let (_, complaint) = check(&["fuzz", "--cut", "daemon,deed=x"], 2);
    assert!(complaint.contains("`deed=x`"), "{complaint}");
    check(&["fly"], 2);
    check(&["list"], 0);
    check(&["--help"], 0);
}

#[test]
fn a_failure_of_the_fuzzer_says_how_to_see_it_again() {
    let (names, _) = check(&["fuzz", "--sabotage", "list"], 0);
    assert!(names.lines().any(|name| name == "budget-unread"), "{names}");
    let (text, _) = check(
        &["fuzz", "--sabotage", "budget-unread", "--count", "100"],
        1,
    );
    let command = text
        .lines()
        .last()
        .expect("the last line is the command")
        .trim();
    assert!(command.contains(" --cut "), "{command}");
    let arguments = command.split(' ').skip(1).chain(["--no-shrink"]);
    let (again, _) = check(&arguments.collect::<Vec<_>>(), 1);
    let failed = |text: &str| {
        let mut lines = text.lines().rev();
        lines.find(|it| it.starts_with("failed")).map(str::to_owned)
    };
    assert_eq!(failed(&text), failed(&again));
}

#[test]
fn settings_are_printed_first() {
    let (text, _) = check(&["fuzz", "--count", "1"], 0);
    assert!(text.starts_with("seed 1\n  boot profile "), "{text}");
    let (text, _) = check(&["fuzz", "--seed", "7", "--count", "2"], 0);
    assert!(text.starts_with("2 seeds from 7; each draws:\n"), "{text}");
    assert!(text.contains("\n2 seeds passed: "), "{text}");
}

/// What a user brings along is found from any folder: a scenario's files beside it, `--policies`
/// from where the user stands.
#[test]
fn own_scenarios_run_from_any_folder() {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for (folder, scenario, policies) in [
        (".", "own/scenario.yaml", "own/policies"),
        ("own/policies", "../scenario.yaml", "."),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tidewright-sim"))
            .args(["run", scenario, "--policies", policies, "--json", "-"])
            .current_dir(format!("{tests}/{folder}"))
            .output()
            .expect("the binary runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{folder}: {complaint}");
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("it is one JSON object");
        assert_eq!(report["scenario"], "own");
        assert_eq!(report["nodesLaunched"]["onDemand"], 1);
    }
}

#[test]
fn the_report_has_the_documented_keys() {
    let (text, _) = check(&["run", "--json", "-"], 0);
    let report: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).expect("it is one JSON object");
    let readme = include_str!("../../README.md");
    for key in report.keys() {
        assert!(
            readme.contains(&format!("`{key}`")),
            "{key} is not documented"
        );
    }
    let decision = &report["decisions"][0];
    for key in ["timeSeconds", "kind", "name", "action", "reason", "message"] {
        assert!(decision.get(key).is_some(), "{key} is missing");
        assert!(
            readme.contains(&format!("`{key}`")),
            "{key} is not documented"
        );
    }
}

#[test]
fn a_report_fits_into_a_hundred_columns() {
    for scenario in ["zero-to-one", "spot-fallback", "limits-bind"] {
        let (text, _) = check(&["run", scenario, "--verbose"], 0);
        assert!(text.contains("\nDecisions\n"), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

/// The page is a function of inputs and seed; how long the run took is not in it.
#[test]
fn the_page_is_the_same_every_time() {
    let page = |name: &str| {
        let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/page-");
        let file = format!("{file}{name}.html");
        let (text, _) = check(&["run", "limits-bind", "--html", &file], 0);
        assert!(text.starts_with("limits-bind: "), "{text}");
        std::fs::read_to_string(file).expect("the page is a file of text")
    };
    let first = page("first");
    assert!(first == page("second"), "two runs of one seed differ");
    assert!(first.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    assert!(first.contains("<h1>limits-bind</h1>"));
    let (_, complaint) = check(&["run", "--html", "no/such/folder/page.html"], 2);
    assert!(
        complaint.contains("no/such/folder/page.html"),
        "{complaint}"
    );
}

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
    check(&["fly"], 2);
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
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let (again, _) = check(&arguments, 1);
    let failed = |text: &str| {
        text.lines()
            .find(|it| it.starts_with("failed"))
            .map(str::to_owned)
    };
    assert_eq!(failed(&text), failed(&again));
    let (text, _) = check(&["fuzz", "--count", "1"], 0);
    assert!(text.starts_with("seed 1\n"), "settings come first:\n{text}");
}

//! The planner on problems written as text.
//!
//! Each file in `tests/golden/planner` holds a problem, a line of dashes and the plan. With
//! `TIDEWRIGHT_BLESS=1` the plans are written anew; `problem.rs` says how problems are written.

mod apply;
mod disruption;
mod faults;
mod launch;
mod policies;
mod problem;
mod properties;
mod report;

use std::fs;
use std::path::PathBuf;

use tidewright::model::reason::Unschedulable;
use tidewright::planner::{Plan, PlanInput, lint, plan};

use problem::Problem;

const SEPARATOR: &str = "---\n";

/// The plan for a problem as text.
#[track_caller]
fn solved(input: &PlanInput) -> String {
    report::plan(&checked(input))
}

/// The plan for a problem. Whatever the plan, it passes the lint, and once it is carried out,
/// planning again changes nothing, unless it stopped because its work was spent.
#[track_caller]
fn checked(input: &PlanInput) -> Plan {
    let answer = plan(input);
    let findings = lint(input, &answer);
    assert!(
        findings.is_empty(),
        "{findings:#?}\n{}",
        report::plan(&answer)
    );
    if answer
        .unplaced
        .iter()
        .any(|it| it.reason == Unschedulable::WorkSpent)
    {
        return answer;
    }
    let after = apply::applied(input, &answer);
    let again = plan(&after);
    let unplaced = |plan: &Plan| {
        let pods = plan.unplaced.iter().map(|it| it.pod.clone());
        pods.collect::<Vec<_>>()
    };
    assert!(
        again.claims.is_empty() && again.existing.is_empty(),
        "planning again changes something:\n{}\n{}",
        report::plan(&answer),
        report::plan(&again)
    );
    assert_eq!(unplaced(&answer), unplaced(&again));
    answer
}

fn check(folder: &str, solve: impl Fn(&Problem) -> String) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(&folder).expect("the folder of goldens is in the repository");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let bless = std::env::var_os("TIDEWRIGHT_BLESS").is_some();
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a fixture is text");
        let (question, expected) = text.split_once(SEPARATOR).unwrap_or((&text, ""));
        let name = file.display().to_string();
        let problem = Problem::parse(question).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let answer = solve(&problem);
        if bless {
            fs::write(&file, format!("{question}{SEPARATOR}{answer}")).expect("blessed");
        } else if answer != expected {
            wrong.push(format!(
                "{name}: expected\n{expected}\nand the plan is\n{answer}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plans_are_as_written() {
    check("tests/golden/planner/plan", |problem| {
        solved(&problem.plan_input())
    });
}

#[test]
fn disruption_plans_are_as_written() {
    check("tests/golden/planner/disruption", |problem| {
        report::disruption(&disruption::solved(&problem.disruption_input()))
    });
}

//! The checks that cargo's own tools make, run as tests, so that `cargo test` is the whole check.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::root;

/// Set to any value, this leaves clippy out. Only the fast loop of somebody who is writing code
/// sets it; a run without it is the one that counts.
const WITHOUT_CLIPPY: &str = "TIDEWRIGHT_TEST_WITHOUT_CLIPPY";

/// Crates that would make the simulator's world less than its own: a runtime, a network, a cloud.
const NOT_IN_THE_SIMULATOR: [&str; 7] = [
    "tokio",
    "hyper",
    "rustls",
    "tower",
    "reqwest",
    "openssl",
    "kube-client",
];

/// Cargo, started at the root with the arguments of one line.
fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(arguments.split_whitespace())
        .current_dir(root());
    command
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .expect("cargo can be started, since it started this test")
}

#[track_caller]
fn assert_success(output: &Output, fix: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{fix}\n{text}\n{errors}");
}

/// A target folder of our own inside the target folder: the build that runs this test is neither
/// waited for nor made stale by other flags.
fn own_target_folder() -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    scratch
        .parent()
        .expect("the scratch folder lies in the target folder")
        .join("tidy")
}

/// The names of the crates on the lines of `cargo tree --prefix none` that match the list.
fn unwanted(tree: &str) -> Vec<&str> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut unwanted: Vec<_> = names
        .filter(|name| NOT_IN_THE_SIMULATOR.contains(name) || name.starts_with("aws-"))
        .collect();
    unwanted.sort_unstable();
    unwanted.dedup();
    unwanted
}

#[test]
fn the_code_is_formatted() {
    let output = run(&mut cargo("fmt --all --check"));
    assert_success(&output, "run `cargo fmt --all`");
}

#[test]
fn clippy_is_content() {
    if std::env::var_os(WITHOUT_CLIPPY).is_some() {
        return;
    }
    let arguments = "clippy --locked --workspace --all-targets --no-default-features \
                     --features tidewright-simulator/browser -- -D warnings";
    let output = run(cargo(arguments).env("CARGO_TARGET_DIR", own_target_folder()));
    assert_success(
        &output,
        "mend what clippy names, or opt out at the spot with a reason",
    );
}

/// Cargo merges the features of packages built together, so the proof is the simulator alone.
#[test]
fn the_simulator_carries_no_runtime_and_no_cloud() {
    let output = run(&mut cargo(
        "tree --locked -p tidewright-simulator -e normal --prefix none",
    ));
    assert_success(&output, "cargo tree must succeed");
    let tree = String::from_utf8(output.stdout).expect("crate names are text");
    assert!(
        tree.starts_with("tidewright-simulator "),
        "not the tree of the simulator:\n{tree}"
    );
    let none: [&str; 0] = [];
    assert_eq!(
        unwanted(&tree),
        none,
        "put the dependency behind a feature of the root package"
    );
}

#[test]
fn an_unwanted_crate_is_found() {
    let tree = "tidewright-simulator v0.1.0 (path)\nserde v1.0.0\nkube v5.0.0\naws-smithy-types v1\n\
                tokio v1.0.0\ntokio v1.0.0 (*)\ntokio-like v1.0.0";
    assert_eq!(unwanted(tree), ["aws-smithy-types", "tokio"]);
}

#[test]
fn a_tool_that_fails_is_noticed() {
    let output = run(&mut cargo("fmt --no-such-option"));
    assert!(std::panic::catch_unwind(|| assert_success(&output, "")).is_err());
}

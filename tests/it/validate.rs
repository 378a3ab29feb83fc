//! The command `tidewright validate`, as a user runs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs the command at the root of the repository, with `input` on its standard input.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidewright"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that does not read its input may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// Exit code, standard output, and the first line of standard error.
fn check(arguments: &[&str], input: &str, code: i32, stdout: &str, error: &str) {
    let output = run(arguments, input);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints UTF-8");
    let stderr = text(&output.stderr);
    let found = (
        output.status.code(),
        text(&output.stdout),
        stderr.lines().next().unwrap_or_default(),
    );
    assert_eq!(
        found,
        (Some(code), format!("{stdout}\n"), error),
        "{arguments:?}"
    );
}

#[test]
fn the_shipped_policies_are_good() {
    let output = run(&["validate", "--format", "lines", "policies"], "");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints UTF-8");
    let found = (output.status.code(), text(&output.stdout));
    let summary = "5 NodePools, 5 EC2NodeClasses checked in 5 files\n";
    assert_eq!(found, (Some(0), summary.to_owned()));
    for line in text(&output.stderr).lines() {
        assert!(line.contains(": notice: "), "{line}");
    }
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let summary = "1 NodePool, 1 EC2NodeClass checked in 1 file";
    let notice = "policies/general.yaml:32:20: notice: NodePool \"general\" (document 1): \
                  spec.template.spec.expireAfter: not acted on yet; nodes are not replaced because \
                  of their age";
    let file = "policies/general.yaml";
    check(&["validate", file], "", 0, summary, notice);
    check(&["validate", file, file], "", 0, summary, notice);
}

#[test]
fn a_warning_does_not_refuse() {
    let path = "tests/fixtures/policies/seed-budget.yaml";
    check(
        &["validate", "--format", "lines", path],
        "",
        0,
        "1 NodePool, 1 EC2NodeClass checked in 1 file",
        "tests/fixtures/policies/seed-budget.yaml:40:9: warning: NodePool \"serverless-workloads\" \
         (document 1): spec.disruption.budgets[1]: This budget keeps empty nodes too, for 45h a \
         week, in UTC. A node without pods stays and is paid for all that time: up to $45.00 a week \
         for each $1 per hour that it costs. Found nodes: \"0\" without reasons. Add `reasons: \
         [Underutilized, Drifted]`, and empty nodes may go.",
    );
}

#[test]
fn standard_input_and_other_kinds() {
    let input = "\
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, anything: goes}
- {apiVersion: apps/v1, kind: Deployment}
- {apiVersion: hypershift.openshift.io/v1beta1, kind: NodePool, metadata: {name: theirs}}
- apiVersion: karpenter.k8s.aws/v1
  kind: EC2NodeClass
  metadata: {name: ours}
  spec:
    role: r
    amiSelectorTerms: [{alias: al2023@latest}]
    subnetSelectorTerms: [{id: subnet-0123456789abcdef0}]
    securityGroupSelectorTerms: [{id: sg-0123456789abcdef0}]
";
    let summary =
        "1 EC2NodeClass checked in 1 file; 3 other documents skipped (2 Deployment, 1 NodePool)";
    let notice = "<stdin>:11:11: notice: EC2NodeClass \"ours\" (document 1): items[3].spec.role: \
                  not acted on yet; reaches the machine with the EC2 provider";
    check(&["validate", "-"], input, 0, summary, notice);
}

#[test]
fn bad_input_is_refused_with_exit_code_2() {
    let lines = ["validate", "--format", "lines", "-"];
    check(
        &lines,
        "apiVersion: karpenter.sh/v1\nkind: Nodepool\n",
        2,
        "1 error; nothing is accepted",
        "<stdin>:2:7: error: Nodepool (document 1): kind: karpenter.sh/v1 has no kind Nodepool. \
         Found \"Nodepool\". Did you mean `NodePool`?",
    );
    check(
        &["validate", "nowhere.yaml"],
        "",
        2,
        "1 error; nothing is accepted",
        "error: nowhere.yaml: It cannot be read: No such file or directory (os error 2).",
    );
    let nothing = "no NodePool, NodeClaim or EC2NodeClass found in 1 file; \
                   1 other document skipped (1 Service)";
    check(&lines, "{apiVersion: v1, kind: Service}", 2, nothing, "");
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = concat!("tidewright ", env!("CARGO_PKG_VERSION"));
    check(&["--version"], "", 0, version, "");
}

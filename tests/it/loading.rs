//! Files that are read, and what comes of it: objects from good ones, diagnostics from bad ones.
//!
//! Each fixture has a golden of the same name. `TIDEWRIGHT_BLESS=1` writes the goldens anew.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use tidewright::api::load::{
    Diagnostic, Look, Manifest, Source, load_document, load_manifests, load_policies, read, render,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the fixtures are there");
    let entries = entries.map(|entry| entry.expect("it is listed").path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} holds fixtures");
    files
}

/// The file as a source that is named as a user at the root of the repository would name it.
fn source(path: &Path) -> Source {
    let name = path.strip_prefix(root());
    let name = name.expect("fixtures lie in the repository").display();
    Source {
        name: name.to_string().replace('\\', "/"),
        text: fs::read_to_string(path).expect("fixtures are text"),
    }
}

/// Compares with the golden of a fixture, or writes it when asked to.
fn compare(actual: &str, folder: &str, prefix: &str, fixture: &Path) {
    let name = fixture.file_stem().expect("a file has a name").display();
    let golden = root().join(format!("tests/golden/{folder}/{prefix}{name}.txt"));
    if std::env::var_os("TIDEWRIGHT_BLESS").is_some() {
        fs::write(&golden, actual).expect("goldens can be written");
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let golden = golden.display();
    assert_eq!(actual, expected, "{golden} (TIDEWRIGHT_BLESS=1 accepts)");
}

/// Refuses every fixture of a folder, with the diagnostics of its golden: first as lines, then with
/// excerpts.
fn check_bad(kind: &str, load: impl Fn(&[Source]) -> Option<Vec<Diagnostic>>) {
    for path in files(&format!("tests/fixtures/bad/{kind}")) {
        let sources = [source(&path)];
        let diagnostics = load(&sources).expect("a bad file is refused");
        let lines: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        let excerpts = render(&diagnostics, &sources, Look::Plain);
        let actual = format!("{}\n\n{}\n", lines.join("\n"), excerpts.trim_end());
        compare(&actual, "diagnostics", &format!("{kind}-"), &path);
    }
}

#[test]
fn bad_manifests_are_refused_with_everything_that_is_wrong() {
    check_bad("manifests", |sources| load_manifests(sources).err());
}

#[test]
fn bad_policies_are_refused_with_everything_that_is_wrong() {
    check_bad("policies", |sources| load_policies(sources).err());
}

#[test]
fn good_policies_are_read() {
    for path in files("tests/fixtures/good") {
        let accepted = load_policies(&[source(&path)]).expect("a good file is accepted");
        let mut actual = String::new();
        for remark in accepted.remarks {
            writeln!(actual, "{remark}").expect("a text takes everything");
        }
        let set = accepted.value;
        writeln!(actual, "skipped: {:?}", set.skipped).expect("a text takes everything");
        show(&mut actual, set.node_pools.values());
        show(&mut actual, set.node_claims.values());
        show(&mut actual, set.node_classes.values());
        compare(&actual, "loading", "", &path);
    }
}

#[test]
fn good_manifests_are_read() {
    for path in files("tests/fixtures/good/manifests") {
        let accepted = load_manifests(&[source(&path)]).expect("a good file is accepted");
        assert_eq!(accepted.remarks, []);
        let mut actual = String::new();
        for manifest in accepted.value {
            match manifest {
                Manifest::Pod(pod) => show(&mut actual, [pod].iter()),
                Manifest::Node(node) => show(&mut actual, [node].iter()),
                Manifest::Namespace(namespace) => show(&mut actual, [namespace].iter()),
                Manifest::Deployment(deployment) => show(&mut actual, [deployment].iter()),
                Manifest::ReplicaSet(set) => show(&mut actual, [set].iter()),
                Manifest::DaemonSet(set) => show(&mut actual, [set].iter()),
                Manifest::StatefulSet(set) => show(&mut actual, [set].iter()),
                Manifest::Job(job) => show(&mut actual, [job].iter()),
                Manifest::CronJob(job) => show(&mut actual, [job].iter()),
                Manifest::PodDisruptionBudget(budget) => show(&mut actual, [budget].iter()),
                Manifest::PriorityClass(class) => show(&mut actual, [class].iter()),
            }
        }
        compare(&actual, "loading", "manifests-", &path);
    }
}

fn show<T: Serialize>(text: &mut String, objects: impl Iterator<Item = T>) {
    for object in objects {
        let json = serde_json::to_string_pretty(&object).expect("objects become JSON");
        writeln!(text, "{json}").expect("a text takes everything");
    }
}

#[test]
fn one_bad_file_keeps_all_from_loading() {
    let good = source(&root().join("policies/general.yaml"));
    let bad = source(&root().join("tests/fixtures/bad/policies/syntax.yaml"));
    assert!(load_policies(std::slice::from_ref(&good)).is_ok());
    let diagnostics = load_policies(&[good, bad]).expect_err("one is bad");
    let files: Vec<_> = diagnostics.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["tests/fixtures/bad/policies/syntax.yaml"]);
}

#[test]
fn folders_are_searched_in_order() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("folders_are_searched_in_order");
    let files = ["b/2.json", "b/1.YML", "a.yaml", "c.txt", "b/.hidden.yaml"];
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
        fs::write(&path, format!("\u{feff}{file}")).expect("it can be written");
    }
    let paths = [folder.join("b/2.json"), folder.clone(), "-".into()];
    let mut standard_input = "typed".as_bytes();
    let sources = read(&paths, &mut standard_input).expect("all can be read");
    let texts: Vec<_> = sources.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["b/2.json", "a.yaml", "b/1.YML", "typed"]);

    fs::write(folder.join("a.yaml"), b"a: \xff").expect("it can be written");
    let paths = [folder.join("a.yaml"), folder.join("nowhere"), "-".into()];
    let failures = read(&paths, &mut standard_input).expect_err("two are bad");
    let rules: Vec<_> = failures.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(
        rules,
        [
            "The text must be UTF-8, and is not at byte 3.",
            "It cannot be read: No such file or directory (os error 2).",
        ]
    );
}

/// A format of our own, with everything such a format may hold.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Story {
    title: String,
    #[serde(default)]
    chapters: Vec<Chapter>,
    pages: Option<u8>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Chapter {
    /// Somebody comes.
    Arrival {
        /// Who.
        name: String,
    },
    /// Somebody goes.
    Departure(Mood),
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mood {
    /// With a smile.
    Happy,
    /// Without.
    Sad,
}

fn check_story(text: &str, expected: Result<Story, &[&str]>) {
    let source = Source {
        name: "story.yaml".into(),
        text: text.into(),
    };
    let lines = |diagnostics: Vec<Diagnostic>| -> Vec<String> {
        diagnostics.iter().map(ToString::to_string).collect()
    };
    let expected = expected.map_err(|lines| lines.iter().map(|it| (*it).to_owned()).collect());
    assert_eq!(
        load_document(&source, |_: &_| Vec::new()).map_err(lines),
        expected,
        "{text}"
    );
}

#[test]
fn formats_of_our_own_are_read_with_the_same_care() {
    check_story(
        "title: Zero\nchapters: [{arrival: {name: pod}}, {departure: sad}]\npages: null\n",
        Ok(Story {
            title: "Zero".into(),
            chapters: vec![
                Chapter::Arrival { name: "pod".into() },
                Chapter::Departure(Mood::Sad),
            ],
            pages: None,
        }),
    );
    check_story(
        "titel: Zero\nchapters:\n  - arival: {name: pod}\n  - departure: sat\n  - arrival: {}\n\
         pages: 300\n",
        Err(&[
            "story.yaml:1:1: error: document 1: titel: There is no field `titel` here. \
             Found \"Zero\". Did you mean `title`?",
            "story.yaml:3:5: error: document 1: chapters[0]: Exactly one field is expected: \
             `arrival` or `departure`. Found an object with arival. Did you mean `arrival`?",
            "story.yaml:4:16: error: document 1: chapters[1].departure: The value must be \
             `happy` or `sad`. Found \"sat\". Did you mean `sad`?",
            "story.yaml:5:5: error: document 1: chapters[2].arrival.name: `name` is required. \
             Add `name:` with text.",
            "story.yaml:6:8: error: document 1: pages: The number must lie between 0 and 255. \
             Found 300. Write 255, or another number in that range.",
        ]),
    );
    check_story(
        "title: a\n---\ntitle: b\n",
        Err(&[
            "story.yaml:3:1: error: document 2: The file must hold one document, and holds 2. \
             Move the others into files of their own.",
        ]),
    );
    check_story(
        "",
        Err(&[
            "story.yaml:1:1: error: document 1: The file must hold one document, and holds 0. \
             Write the document.",
        ]),
    );
}

/// Ten levels of ten aliases each are ten thousand million values.
#[test]
fn aliases_cannot_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        let aliases = [alias.as_str(); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").expect("a text takes everything");
    }
    let source = Source {
        name: "bomb.yaml".into(),
        text,
    };
    let diagnostics = load_policies(&[source]).expect_err("it is refused");
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert!(diagnostics[0].rule.starts_with("Aliases may copy"));
}

/// Pieces of which texts are built that nearly are documents.
const PIECES: [&str; 24] = [
    "apiVersion: karpenter.sh/v1\n",
    "kind: NodePool\n",
    "kind: List\nitems:\n",
    "metadata: {name: a}\n",
    "spec:\n",
    "  template: {spec: {requirements: [",
    "- ",
    "  ",
    ": ",
    "{",
    "}",
    "]",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    "\n---\n",
    "\u{1f600}é",
    "\\ud83d\\ude00",
    "\t",
    "\r\n",
    "# ",
];

proptest! {
    /// Whatever the text, there is an answer, and it can be shown.
    #[test]
    fn every_text_has_an_answer(pieces in prop::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let sources = [Source { name: "any.yaml".into(), text }];
        for diagnostics in [load_policies(&sources).err(), load_manifests(&sources).err()] {
            let diagnostics = diagnostics.unwrap_or_default();
            let shown = render(&diagnostics, &sources, Look::Plain);
            prop_assert_eq!(shown.is_empty(), diagnostics.is_empty());
        }
    }
}

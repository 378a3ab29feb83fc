//! The README against what it describes.

use std::fs;
use std::path::Path;

/// The lines between `<!-- name:begin -->` and `<!-- name:end -->`.
fn section<'a>(document: &'a str, name: &str) -> &'a str {
    let begin = format!("<!-- {name}:begin -->\n");
    let (_, rest) = document.split_once(&begin).expect("the section begins");
    let (inside, _) = rest
        .split_once(&format!("<!-- {name}:end -->"))
        .expect("the section ends");
    inside
}

/// The one command of a fenced block.
fn command<'a>(document: &'a str, name: &str) -> &'a str {
    let lines: Vec<_> = section(document, name).lines().collect();
    match lines.as_slice() {
        ["```sh", command, "```"] => command,
        other => panic!("`{name}` should be one command in a fence: {other:?}"),
    }
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `.ci/run` takes its command from the README, so these are the commands that have been tried.
#[test]
fn the_two_commands_are_the_ones_that_are_tried() {
    let readme = read("README.md");
    assert_eq!(
        command(&readme, "run"),
        "cargo run -p tidewright-simulator -- run"
    );
    assert_eq!(command(&readme, "tests"), "cargo test --workspace");
    assert!(read(".ci/run").contains("'/<!-- tests:begin -->/,/<!-- tests:end -->/p' README.md"));
}

/// `TIDEWRIGHT_BLESS=1` writes the table anew.
#[test]
fn the_table_of_features_is_the_one_in_the_code() {
    let readme = read("README.md");
    let table = tidewright::api::features::table();
    let written = section(&readme, "features");
    if written != table && std::env::var_os("TIDEWRIGHT_BLESS").is_some() {
        let (begin, end) = ("<!-- features:begin -->\n", "<!-- features:end -->");
        let blessed = readme.replace(
            &[begin, written, end].concat(),
            &[begin, &table, end].concat(),
        );
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        fs::write(path, blessed).expect("the README can be written");
    } else {
        assert_eq!(
            written, table,
            "set TIDEWRIGHT_BLESS=1 to write the table of src/api/features.rs"
        );
    }
}

#[test]
fn a_section_is_what_stands_between_its_markers() {
    let document = "a\n<!-- x:begin -->\n```sh\nb\n```\n<!-- x:end -->\nc\n";
    assert_eq!(command(document, "x"), "b");
}

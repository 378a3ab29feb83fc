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

#[test]
fn a_section_is_what_stands_between_its_markers() {
    let document = "a\n<!-- x:begin -->\n```sh\nb\n```\n<!-- x:end -->\nc\n";
    assert_eq!(command(document, "x"), "b");
}

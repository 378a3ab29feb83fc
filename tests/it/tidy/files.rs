//! Rules for the text of single files: size, leftovers, paths of somebody's machine, lint opt-outs.

use std::collections::BTreeSet;

use super::modules::RustFiles;
use super::source::Source;
use super::{TextFile, Violation, assert_found, assert_none, repository};

/// STYLE.md, rule 16. Lines under `#[cfg(test)]` do not count.
const LINES_MAX: usize = 500;

/// A test file has nothing that could be left out of the count, so it gets the outer bound.
const TEST_FILE_LINES_MAX: usize = 700;

/// Field by field copies of foreign schemas: splitting them would only hide the parallel.
const FIELD_TABLES: [&str; 4] = [
    "src/api/nodepool.rs",
    "src/api/nodeclass.rs",
    "src/api/nodeclaim.rs",
    "src/api/features.rs",
];

/// Generators write this word into the first line of what they produce.
const GENERATED: &str = concat!("@", "generated");

/// Words that promise work instead of doing it. Spelled in halves, so that this file passes.
const MARKERS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
];

/// Macros that belong to a work in progress.
const MARKER_MACROS: [&str; 3] = ["dbg", "todo", "unimplemented"];

/// Folders that exist on the author's machine, or on no machine for long.
const MACHINE_FOLDERS: [&str; 4] = [
    concat!("/", "work/"),
    concat!("/", "tmp/"),
    concat!("/", "root/"),
    concat!("/", "home/"),
];

/// Text that is not ours to word: a licence, a lock file, the charting library.
const FOREIGN: [&str; 4] = [
    "LICENSE",
    "Cargo.lock",
    "simulator/vendor/plotly/LICENSE",
    "simulator/vendor/plotly/plotly-basic.min.js",
];

fn is_ours(file: &TextFile) -> bool {
    !FOREIGN.contains(&file.path.as_str())
}

fn is_generated(file: &TextFile) -> bool {
    file.text
        .lines()
        .next()
        .is_some_and(|line| line.contains(GENERATED))
}

fn too_long(file: &TextFile, source: &Source, is_test: bool) -> Option<Violation> {
    if FIELD_TABLES.contains(&file.path.as_str()) || is_generated(file) {
        return None;
    }
    let (lines, max) = if is_test {
        (file.text.lines().count(), TEST_FILE_LINES_MAX)
    } else {
        (source.lines_without_tests(&file.text), LINES_MAX)
    };
    let what = format!("{lines} lines, {max} are allowed");
    (lines > max).then(|| file.violation(max + 1, what, "split by noun or by pass"))
}

/// Files that hold nothing but tests: those in a `tests` folder and those behind a
/// `#[cfg(test)] mod name;`.
fn test_files(rust: &RustFiles<'_>) -> BTreeSet<String> {
    let roots = [
        "src/lib.rs",
        "src/main.rs",
        "simulator/src/lib.rs",
        "simulator/src/main.rs",
    ];
    let behind_cfg = roots
        .iter()
        .flat_map(|root| rust.modules(root))
        .filter(|m| m.in_test);
    let in_folder = rust.iter().map(|(file, _)| file.path.clone());
    let in_folder = in_folder.filter(|path| path.split('/').any(|folder| folder == "tests"));
    behind_cfg
        .map(|module| module.file.path.clone())
        .chain(in_folder)
        .collect()
}

fn leftovers(file: &TextFile) -> Vec<Violation> {
    let fix = "do it now, or say in a sentence why it is not done";
    let marked = file.lines().filter_map(|(number, line)| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let marker = words.find(|word| MARKERS.contains(word))?;
        Some(file.violation(number, format!("the marker `{marker}`"), fix))
    });
    marked.collect()
}

fn leftover_macros(file: &TextFile, source: &Source) -> Vec<Violation> {
    let calls = source
        .macros
        .iter()
        .filter(|call| MARKER_MACROS.contains(&call.name.as_str()));
    calls
        .map(|call| {
            file.violation(
                call.line,
                format!("a leftover `{}!`", call.name),
                "finish the work",
            )
        })
        .collect()
}

fn machine_paths(file: &TextFile) -> Vec<Violation> {
    let fix = "name the file from the repository's root, or take the path as an argument";
    let mut violations = Vec::new();
    for (number, line) in file.lines() {
        let found = MACHINE_FOLDERS
            .iter()
            .filter(|folder| names_folder(line, folder));
        violations.extend(
            found.map(|folder| file.violation(number, format!("a path below `{folder}`"), fix)),
        );
    }
    violations
}

/// Whether the line has the folder as the beginning of a path. In `https://host/home/` and
/// `$HOME/tmp/` the same letters stand in the middle of one.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}~*".contains(c))
    })
}

fn opt_outs_without_reason(file: &TextFile, source: &Source) -> Vec<Violation> {
    let opt_outs = source.attributes.iter().filter(|attribute| {
        let text = attribute.text.as_str();
        let bare = ["allow(", "expect("]
            .iter()
            .any(|start| text.starts_with(start));
        let conditional = text.starts_with("cfg_attr(")
            && [",allow(", ",expect("]
                .iter()
                .any(|inner| text.contains(inner));
        (bare || conditional) && !text.contains("reason=")
    });
    let what = "a lint is switched off without a reason";
    opt_outs
        .map(|attribute| file.violation(attribute.line, what, "add `reason = \"...\"`"))
        .collect()
}

#[test]
fn files_stay_short() {
    let repository = repository();
    let rust = RustFiles::parse(&repository);
    let tests = test_files(&rust);
    let long = rust
        .iter()
        .filter_map(|(file, source)| too_long(file, source, tests.contains(&file.path)));
    assert_none(long.collect());
}

#[test]
fn nothing_is_left_over() {
    let repository = repository();
    let words = repository
        .iter()
        .filter(|file| is_ours(file))
        .flat_map(leftovers);
    let rust = RustFiles::parse(&repository);
    let macros = rust
        .iter()
        .flat_map(|(file, source)| leftover_macros(file, source));
    assert_none(words.chain(macros).collect());
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let repository = repository();
    assert_none(
        repository
            .iter()
            .filter(|file| is_ours(file))
            .flat_map(machine_paths)
            .collect(),
    );
}

#[test]
fn a_lint_is_switched_off_with_a_reason_only() {
    let repository = repository();
    let rust = RustFiles::parse(&repository);
    let found = rust
        .iter()
        .flat_map(|(file, source)| opt_outs_without_reason(file, source));
    assert_none(found.collect());
}

#[test]
fn a_long_file_is_found() {
    let long = |lines: usize| "fn f() {}\n".repeat(lines);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", long(500), long(900));
    let generated = format!("// {GENERATED} by a test\n{}", long(900));
    let table: &[(&str, String, bool, Option<&str>)] = &[
        ("src/a.rs", long(500), false, None),
        (
            "src/a.rs",
            long(501),
            false,
            Some("501 lines, 500 are allowed"),
        ),
        ("src/a.rs", tested, false, None),
        ("src/api/nodepool.rs", long(900), false, None),
        ("src/a.rs", generated, false, None),
        ("tests/it/a.rs", long(700), true, None),
        (
            "tests/it/a.rs",
            long(701),
            true,
            Some("701 lines, 700 are allowed"),
        ),
    ];
    for (path, text, is_test, expected) in table {
        let found = too_long(&TextFile::new(path, text), &Source::parse(text), *is_test);
        assert_eq!(found.as_ref().map(|v| v.what.as_str()), *expected, "{path}");
    }
}

#[test]
fn a_leftover_is_found() {
    for marker in MARKERS {
        let file = TextFile::new(
            "a.md",
            &format!("one\n# {marker}: two {marker}S\n{marker}S"),
        );
        assert_found(&leftovers(&file), &[(2, &format!("the marker `{marker}`"))]);
    }
    let text = "fn f() {\n    // todo!()\n    todo!()\n}";
    let found = leftover_macros(&TextFile::new("a.rs", text), &Source::parse(text));
    assert_found(&found, &[(3, "a leftover `todo!`")]);
}

#[test]
fn a_path_of_a_machine_is_found() {
    for folder in MACHINE_FOLDERS {
        let fine = format!("https://example.com{folder}x ${{XDG}}{folder} ..{folder} a{folder}");
        let text = format!("{fine}\nsee `{folder}x`\n{folder}\n");
        let what = format!("a path below `{folder}`");
        let found = machine_paths(&TextFile::new("a.md", &text));
        assert_found(&found, &[(2, &what), (3, &what)]);
    }
}

#[test]
fn an_opt_out_without_reason_is_found() {
    let text = "#![allow(dead_code)]\n\
                #[expect(a, reason = \"b\")] struct A;\n\
                #[expect(clippy::a)] struct B;\n\
                #[cfg_attr(test, allow(c))] struct C;\n\
                #[deny(d)] struct D;";
    let found = opt_outs_without_reason(&TextFile::new("a.rs", text), &Source::parse(text));
    let what = "a lint is switched off without a reason";
    assert_found(&found, &[(1, what), (3, what), (4, what)]);
}

//! Rules for the documents: one title each, and links that lead somewhere.

use std::collections::BTreeSet;

use super::{TextFile, Violation, assert_found, assert_none, repository};

/// The lines outside fenced blocks, without their code spans. An unpaired backtick is no span.
fn prose(file: &TextFile) -> Vec<(usize, String)> {
    let mut in_fence = false;
    let mut prose = Vec::new();
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        } else if !in_fence {
            let parts: Vec<_> = line.split('`').collect();
            let outside = parts.iter().enumerate().filter(|(index, _)| {
                let is_unpaired = index + 1 == parts.len();
                index % 2 == 0 || is_unpaired
            });
            prose.push((number, outside.map(|(_, part)| *part).collect()));
        }
    }
    prose
}

fn titles(file: &TextFile) -> Vec<Violation> {
    let fix = "give each document exactly one `# ` line";
    let titles: Vec<_> = prose(file)
        .into_iter()
        .filter(|(_, line)| line.starts_with("# "))
        .collect();
    if titles.is_empty() {
        return vec![file.violation(1, "the document has no title", fix)];
    }
    let further = titles.iter().skip(1);
    further
        .map(|(number, _)| file.violation(*number, "a second title", fix))
        .collect()
}

/// The targets of `[text](target)` on a line. Titles in links are not used here.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, opening)| {
        let rest = &line[at + opening.len()..];
        Some(&rest[..rest.find(')')?])
    })
}

fn dead_links(file: &TextFile, paths: &BTreeSet<&str>) -> Vec<Violation> {
    let fix = "link to a file of this repository, as seen from the document's folder";
    let mut violations = Vec::new();
    for (number, line) in prose(file) {
        for target in link_targets(&line) {
            let path = target
                .split('#')
                .next()
                .expect("a split yields at least one part");
            let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !is_elsewhere && !path.is_empty() && !exists(&file.path, path, paths) {
                let what = format!("the link to `{target}` leads nowhere");
                violations.push(file.violation(number, what, fix));
            }
        }
    }
    violations
}

/// Whether a relative target names a file, or a folder with files in it.
fn exists(document: &str, target: &str, paths: &BTreeSet<&str>) -> bool {
    let mut parts: Vec<_> = document.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            ".." if parts.pop().is_none() => return false,
            "." | ".." => {}
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let folder = if path.is_empty() {
        path.clone()
    } else {
        format!("{path}/")
    };
    paths.contains(path.as_str()) || paths.iter().any(|file| file.starts_with(&folder))
}

#[test]
fn each_document_has_one_title() {
    let repository = repository();
    assert_none(
        repository
            .iter()
            .filter(|file| file.is_markdown())
            .flat_map(titles)
            .collect(),
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    let repository = repository();
    let paths = repository.iter().map(|file| file.path.as_str()).collect();
    let documents = repository.iter().filter(|file| file.is_markdown());
    assert_none(
        documents
            .flat_map(|file| dead_links(file, &paths))
            .collect(),
    );
}

#[test]
fn a_document_with_no_title_or_two_is_found() {
    let table: &[(&str, &[(usize, &str)])] = &[
        ("# One\n\n```sh\n# a comment\n```\n## Two\n", &[]),
        ("## Two\n", &[(1, "the document has no title")]),
        (
            "# One\n\n# Two\n# Three",
            &[(3, "a second title"), (4, "a second title")],
        ),
    ];
    for (text, expected) in table {
        assert_found(&titles(&TextFile::new("a.md", text)), expected);
    }
}

#[test]
fn a_dead_link_is_found() {
    let text = "[a](b.md#c) [d](../src/e.rs) [f](../src/) [g](https://example.com/h) [i](#j)\n\
                [k](l.md) and `[m](n)`\n\
                ```\n[o](p)\n```\n\
                ![q](../../r.png)";
    let paths = ["policies/a.md", "policies/b.md", "src/e.rs"]
        .into_iter()
        .collect();
    let found = dead_links(&TextFile::new("policies/a.md", text), &paths);
    assert_found(
        &found,
        &[
            (2, "the link to `l.md` leads nowhere"),
            (6, "the link to `../../r.png` leads nowhere"),
        ],
    );
}

//! The rules of `src/STYLE.md` that a machine can check, so that a review need not.
//!
//! Every rule is a function from text to violations, so that its own tests can hand it a breach
//! in a few inline lines. A failing test lists every violation at once, each with the place and
//! the remedy.

mod documents;
mod files;
mod layers;
mod manifests;
mod modules;
mod source;
mod tools;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One breach of one rule. What is wrong and how to mend it stand in one line, because that line
/// is all that a reader of a failed run will see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    file: String,
    line: usize,
    what: String,
    fix: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            what,
            fix,
        } = self;
        write!(f, "{file}:{line}: {what}; {fix}")
    }
}

/// A text file of the repository, with its path from the root, in `/` notation.
#[derive(Debug)]
pub struct TextFile {
    pub path: String,
    pub text: String,
}

impl TextFile {
    /// What the self-tests of the rules work on.
    #[cfg(test)]
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub fn violation(&self, line: usize, what: impl Into<String>, fix: &'static str) -> Violation {
        Violation {
            file: self.path.clone(),
            line,
            what: what.into(),
            fix,
        }
    }

    pub fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    pub fn is_markdown(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "md")
    }

    /// The lines with their numbers, counted from one as editors do.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below the root. The file system is asked, not git, for two reasons: a file is
/// checked before it is first committed, and the tests pass on a machine that has no git.
pub fn repository() -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            // Whatever is not UTF-8 (an image, an archive) holds no rule of ours.
            let text = fs::read_to_string(&path).ok()?;
            let path = path.strip_prefix(root()).expect("collected below the root");
            Some(TextFile {
                path: slashes(path),
                text,
            })
        })
        .collect()
}

/// Build output and the history are no sources. Nothing else may hide.
const NOT_SOURCES: [&str; 2] = ["target", ".git"];

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be listed");
    for entry in entries {
        let path = entry
            .expect("a folder of the repository can be listed")
            .path();
        let skipped = NOT_SOURCES.iter().any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            collect(&path, into);
        } else if path.is_file() && !skipped {
            into.push(path);
        }
    }
}

fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// Fails with every violation, one a line.
#[track_caller]
pub fn assert_none(mut violations: Vec<Violation>) {
    violations.sort();
    let listing: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(
        listing.is_empty(),
        "{} violations:\n{}",
        listing.len(),
        listing.join("\n")
    );
}

/// For the self-tests: the violations a rule found, as `line: what`.
#[track_caller]
pub fn assert_found(violations: &[Violation], expected: &[(usize, &str)]) {
    let found: Vec<_> = violations
        .iter()
        .map(|v| (v.line, v.what.as_str()))
        .collect();
    assert_eq!(found, expected);
}

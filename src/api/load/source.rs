//! Where the text comes from. This is the only file of the loader that touches the outside.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::diagnostic::{Diagnostic, Severity};
use crate::api::rules::FieldPath;

/// A text and what to call it in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user would write it; `<stdin>` for standard input.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// The argument that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// What standard input is called in messages.
const STANDARD_INPUT_NAME: &str = "<stdin>";

/// What a folder is searched for; a file that is named itself may be called anything.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Some editors write it at the beginning of a file; YAML allows it, and it means nothing.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The API server takes objects of up to 1.5 MiB; this leaves room for a folder's worth of them in
/// one file and keeps a mistaken argument from filling the memory.
const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// Folders in folders; more is a loop or a mistake.
const FOLDER_DEPTH_MAX: usize = 32;

/// Reads every path: a file, a folder with all below it, or `-` for `standard_input`. The files of a
/// folder come in the order of their paths, and a file that two arguments name is read once.
/// All that cannot be read is reported, not only the first.
pub fn read(
    paths: &[PathBuf],
    standard_input: &mut dyn Read,
) -> Result<Vec<Source>, Vec<Diagnostic>> {
    let mut files = Vec::new();
    let mut failures = Vec::new();
    for path in paths {
        if let Err(failure) = list(path, 0, &mut files) {
            failures.push(*failure);
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    let mut sources = Vec::new();
    for file in files {
        let result = if file.as_os_str() == STANDARD_INPUT {
            text_of(STANDARD_INPUT_NAME, standard_input)
        } else {
            open(&file)
        };
        match result {
            Ok(source) => sources.push(source),
            Err(failure) => failures.push(*failure),
        }
    }
    if failures.is_empty() {
        Ok(sources)
    } else {
        Err(failures)
    }
}

/// Adds the files that an argument stands for.
fn list(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Box<Diagnostic>> {
    if path.as_os_str() == STANDARD_INPUT || !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > FOLDER_DEPTH_MAX {
        let fix = "Name the folders that are meant one by one.";
        return Err(unreadable(
            &name_of(path),
            "The folders are nested too deeply.",
            fix,
        ));
    }
    let before = files.len();
    let mut entries = entries(path).map_err(|error| not_read(&name_of(path), &error))?;
    entries.sort();
    for entry in entries {
        // Kubernetes mounts a ConfigMap as links into a hidden folder; each file must count once.
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let linked_folder = entry.is_symlink() && entry.is_dir();
        if hidden || linked_folder {
            continue;
        }
        if entry.is_dir() {
            list(&entry, depth + 1, files)?;
        } else if has_known_extension(&entry) {
            files.push(entry);
        }
    }
    if depth == 0 && files.len() == before {
        let fix = "Name a folder with .yaml, .yml or .json files, or name the files themselves.";
        return Err(unreadable(
            &name_of(path),
            "The folder holds no YAML or JSON file.",
            fix,
        ));
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

fn has_known_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn open(path: &Path) -> Result<Source, Box<Diagnostic>> {
    let name = name_of(path);
    let mut file = fs::File::open(path).map_err(|error| not_read(&name, &error))?;
    text_of(&name, &mut file)
}

/// The whole of a reader as text; a byte order mark in front is dropped.
fn text_of(name: &str, reader: &mut dyn Read) -> Result<Source, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    reader
        .take(SOURCE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| not_read(name, &error))?;
    if bytes.len() as u64 > SOURCE_BYTES_MAX {
        let rule = format!("A file may hold at most {} MiB.", SOURCE_BYTES_MAX >> 20);
        return Err(unreadable(name, &rule, "Split it into several files."));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        let rule = format!("The text must be UTF-8, and is not at byte {position}.");
        unreadable(name, &rule, "Save the file as UTF-8.")
    })?;
    let text = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(Source {
        name: name.to_owned(),
        text,
    })
}

fn name_of(path: &Path) -> String {
    path.display().to_string()
}

fn not_read(name: &str, error: &io::Error) -> Box<Diagnostic> {
    let fix = match error.kind() {
        io::ErrorKind::NotFound => "Check the spelling and the current folder.",
        io::ErrorKind::PermissionDenied => "Give the current user leave to read it.",
        _ => "Make it readable, or leave it out.",
    };
    unreadable(name, &format!("It cannot be read: {error}."), fix)
}

fn unreadable(name: &str, rule: &str, fix: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic {
        severity: Severity::Error,
        file: name.to_owned(),
        position: None,
        document: None,
        path: FieldPath::ROOT,
        value: None,
        rule: rule.to_owned(),
        fix: fix.to_owned(),
    })
}

//! `tidewright validate`: policies in, everything that is wrong with them out.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::Format;
use crate::api::load::{
    Accepted, Diagnostic, Look, PolicySet, Severity, Source, load_policies, read, render,
};

/// The exit code for input that is refused; 1 is left to what goes wrong in ourselves.
const REFUSED: u8 = 2;

/// Checks the policies at the paths and reports on standard error and standard output.
pub fn run(paths: &[PathBuf], format: Format) -> ExitCode {
    let checked = check(paths, &mut io::stdin());
    let text = shown(&checked, format);
    // A reader that went away does not change the verdict.
    let _ = io::stderr().write_all(text.as_bytes());
    let _ = writeln!(io::stdout(), "{}", checked.summary);
    if checked.accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(REFUSED)
    }
}

struct Checked {
    sources: Vec<Source>,
    diagnostics: Vec<Diagnostic>,
    summary: String,
    accepted: bool,
}

fn check(paths: &[PathBuf], standard_input: &mut dyn io::Read) -> Checked {
    let sources = match read(paths, standard_input) {
        Ok(sources) => sources,
        Err(diagnostics) => return refused(Vec::new(), diagnostics),
    };
    match load_policies(&sources) {
        Ok(Accepted { value, remarks }) => {
            let accepted = !is_empty(&value);
            Checked {
                summary: summary(&value, sources.len()),
                sources,
                diagnostics: remarks,
                accepted,
            }
        }
        Err(diagnostics) => refused(sources, diagnostics),
    }
}

fn refused(sources: Vec<Source>, diagnostics: Vec<Diagnostic>) -> Checked {
    let severities = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Notice, "notice", "notices"),
    ];
    let counts = severities.into_iter().filter_map(|(severity, one, many)| {
        let count = diagnostics.iter().filter(|it| it.severity == severity);
        counted(count.count(), one, many)
    });
    let counts: Vec<_> = counts.collect();
    Checked {
        summary: format!("{}; nothing is accepted", counts.join(", ")),
        sources,
        diagnostics,
        accepted: false,
    }
}

fn shown(checked: &Checked, format: Format) -> String {
    match format {
        Format::Excerpts => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let look = if colours { Look::Styled } else { Look::Plain };
            render(&checked.diagnostics, &checked.sources, look)
        }
        Format::Lines => {
            let lines = checked.diagnostics.iter().map(ToString::to_string);
            lines.flat_map(|line| [line, "\n".to_owned()]).collect()
        }
    }
}

fn is_empty(set: &PolicySet) -> bool {
    set.node_pools.is_empty() && set.node_claims.is_empty() && set.node_classes.is_empty()
}

/// `3 NodePools, 1 EC2NodeClass checked in 2 files; 4 other documents skipped (4 Deployment)`.
fn summary(set: &PolicySet, files: usize) -> String {
    let kinds = [
        counted(set.node_pools.len(), "NodePool", "NodePools"),
        counted(set.node_claims.len(), "NodeClaim", "NodeClaims"),
        counted(set.node_classes.len(), "EC2NodeClass", "EC2NodeClasses"),
    ];
    let kinds: Vec<_> = kinds.into_iter().flatten().collect();
    let found = if kinds.is_empty() {
        "no NodePool, NodeClaim or EC2NodeClass found".to_owned()
    } else {
        format!("{} checked", kinds.join(", "))
    };
    let files = counted(files, "file", "files").unwrap_or_default();
    format!("{found} in {files}{}", skipped(&set.skipped))
}

fn skipped(kinds: &BTreeMap<String, usize>) -> String {
    let total = kinds.values().sum();
    let Some(total) = counted(total, "other document", "other documents") else {
        return String::new();
    };
    let kinds = kinds.iter().map(|(kind, count)| format!("{count} {kind}"));
    let kinds: Vec<_> = kinds.collect();
    format!("; {total} skipped ({})", kinds.join(", "))
}

/// `1 file`, `2 files`; nothing for none.
fn counted(count: usize, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    }
}

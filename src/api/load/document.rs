//! Files of our own formats: one document that has the shape of a Rust type.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::diagnostic::{Diagnostic, DocumentName, Finding, Lines, Severity, sort};
use super::source::Source;
use super::tree::{Node, Span};
use super::{shape, tree};
use crate::api::rules::{FieldPath, Violation};

/// Reads a source that consists of one document, with the same care as a policy. What the type's
/// schema cannot say, `rules` says of a document that has its shape.
pub fn load<T: DeserializeOwned + JsonSchema>(
    source: &Source,
    rules: impl Fn(&T) -> Vec<Violation>,
) -> Result<T, Vec<Diagnostic>> {
    let parsed = tree::parse(&source.text);
    let mut findings = parsed.faults;
    let documents = parsed.documents;
    if documents.len() != 1 && findings.is_empty() {
        let node = documents.get(1).map_or(Span::default(), |it| it.1.span);
        findings.push((documents.len().max(1), one_document(documents.len(), node)));
    }
    let mut value = None;
    if let Some((number, node)) = documents.first() {
        let shaped = shaped(node, rules);
        value = shaped.0;
        findings.extend(shaped.1.into_iter().map(|it| (*number, it)));
    }
    match value {
        Some(value) if findings.is_empty() => Ok(value),
        Some(_) | None => {
            let lines = Lines::of(&source.text);
            let diagnostics = findings.into_iter();
            let mut diagnostics: Vec<_> = diagnostics
                .map(|(number, finding)| diagnostic(source, &lines, number, finding))
                .collect();
            sort(&mut diagnostics);
            Err(diagnostics)
        }
    }
}

/// A document as a value, and what is wrong with it. Where parts of it have the wrong shape, the
/// rules still speak of the others.
fn shaped<T: DeserializeOwned + JsonSchema>(
    node: &Node,
    rules: impl Fn(&T) -> Vec<Violation>,
) -> (Option<T>, Vec<Finding>) {
    let schema = schemars::schema_for!(T).to_value();
    let shaped = shape::check(node, &FieldPath::ROOT, &schema, &schema);
    let mut findings = shaped.findings;
    let value = match serde_json::from_value::<T>(shaped.value) {
        Ok(value) => {
            let mut violations = rules(&value);
            violations.retain(|breach| !breach.may_follow_from(&shaped.unknown));
            findings.extend(violations.into_iter().map(|it| broken(node, it)));
            Some(value)
        }
        Err(error) if findings.is_empty() => {
            findings.push(unreadable(node.span, &error));
            None
        }
        // What was found is the reason.
        Err(_) => None,
    };
    (value, findings)
}

fn broken(node: &Node, violation: Violation) -> Finding {
    Finding {
        span: node.locate(&violation.path),
        path: violation.path,
        value: Some(violation.value),
        rule: violation.rule,
        fix: violation.fix,
    }
}

fn one_document(count: usize, span: Span) -> Finding {
    Finding {
        path: FieldPath::ROOT,
        span,
        value: None,
        rule: format!("The file must hold one document, and holds {count}."),
        fix: match count {
            0 => "Write the document.".to_owned(),
            _ => "Move the others into files of their own.".to_owned(),
        },
    }
}

fn unreadable(span: Span, error: &serde_json::Error) -> Finding {
    Finding {
        path: FieldPath::ROOT,
        span,
        value: None,
        rule: format!("The document cannot be read: {error}."),
        fix: "Correct the value that is named.".to_owned(),
    }
}

fn diagnostic(source: &Source, lines: &Lines, number: usize, finding: Finding) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        file: source.name.clone(),
        position: Some(lines.position(&source.text, finding.span)),
        document: Some(DocumentName {
            number,
            object: None,
        }),
        path: finding.path,
        value: finding.value,
        rule: finding.rule,
        fix: finding.fix,
    }
}

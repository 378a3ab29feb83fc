//! What we have to say about a file.

use std::fmt;

use super::tree::Span;
use crate::api::rules::FieldPath;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input is refused.
    Error,
    /// It is accepted and probably not what was meant.
    Warning,
    /// It is accepted, and there is something to know.
    Notice,
}

impl Severity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One thing to say, with all that somebody needs to act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the source.
    pub file: String,
    /// The place; none when the source as a whole is meant or could not be read.
    pub position: Option<Position>,
    /// The document it is about.
    pub document: Option<DocumentName>,
    /// The field, from the top of the document.
    pub path: FieldPath,
    /// What was written there; none when nothing was, or nothing that could be repeated.
    pub value: Option<String>,
    /// The rule, as a sentence.
    pub rule: String,
    /// What to do, as a sentence; empty where there is nothing to do.
    pub fix: String,
}

/// Something wrong with a document, before it is known what the document is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field, from the top of the document.
    pub path: FieldPath,
    /// Where to point.
    pub span: Span,
    /// What was written there.
    pub value: Option<String>,
    /// The rule, as a sentence.
    pub rule: String,
    /// What to do, as a sentence.
    pub fix: String,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, counted from one.
    pub line: usize,
    /// The character in the line, counted from one.
    pub column: usize,
    /// The bytes that are meant.
    pub span: Span,
}

/// What to call a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentName {
    /// Its number in the source, counted from one.
    pub number: usize,
    /// Its kind and name, such as `NodePool "general"`, as far as they are known.
    pub object: Option<String>,
}

/// Where the lines of a text begin, so that many places can be found in a long text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// The lines of a text.
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(byte, _)| byte + 1);
        Self([0].into_iter().chain(breaks).collect())
    }

    /// The line of a byte, counted from one.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }

    /// The place of `span` in the text, which has to be the same.
    pub(super) fn position(&self, text: &str, span: Span) -> Position {
        let line = self.line(span.start);
        let start = self.0[line - 1];
        let before = &text[start..span.start.clamp(start, text.len())];
        Position {
            line,
            column: before.chars().count() + 1,
            span,
        }
    }
}

/// Puts diagnostics into the order in which they are shown: by file, by place, errors first, and
/// what asks for nothing at the end. What is wrong with a text that several aliases repeat is said
/// once.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |it: &Diagnostic| (it.position, it.severity);
        let asks_nothing = |it: &Diagnostic| it.severity == Severity::Notice;
        asks_nothing(a)
            .cmp(&asks_nothing(b))
            .then_with(|| a.file.cmp(&b.file))
            .then_with(|| key(a).cmp(&key(b)))
            .then_with(|| a.path.cmp(&b.path))
            .then_with(|| a.rule.cmp(&b.rule))
    });
    diagnostics.dedup_by(|b, a| {
        let key = |it: &Diagnostic| (it.position, it.rule.clone());
        a.position.is_some() && a.file == b.file && key(a) == key(b)
    });
}

/// `NodePool "general" (document 2)`.
impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Some(object) => write!(f, "{object} (document {})", self.number),
            None => write!(f, "document {}", self.number),
        }
    }
}

/// Everything on one line, for logs and editors:
/// `file:line:column: error: NodePool "general" (document 1): path: Rule. Found VALUE. Fix.`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(position) = self.position {
            write!(f, ":{}:{}", position.line, position.column)?;
        }
        write!(f, ": {}: ", self.severity.as_str())?;
        if let Some(document) = &self.document {
            write!(f, "{document}: ")?;
        }
        if !self.path.is_root() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.rule)?;
        if let Some(value) = &self.value {
            write!(f, " Found {value}.")?;
        }
        if !self.fix.is_empty() {
            write!(f, " {}", self.fix)?;
        }
        Ok(())
    }
}

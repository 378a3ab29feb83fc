//! YAML and JSON as a tree in which every node knows where it was written.
//!
//! Deserialising at once would stop at the first error and forget the places. The tree keeps both
//! the meaning (as [`super::scalar`] defines it) and the place, so that everything wrong with a
//! document can be said at once. JSON is read by the same parser, because YAML contains it.
//!
//! Several documents, anchors, aliases and merge keys (`<<`) work. A part that came through an alias
//! is placed where the text stands. Two equal keys in one mapping are a fault: `kubectl` would
//! silently take the last.

mod builder;

use serde_json::{Map, Value};

use super::diagnostic::Finding;
use super::scalar::Scalar;
use crate::api::rules::{FieldPath, Segment};

pub use builder::parse;

/// A range of bytes of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands. For a list or a mapping this is its beginning: its first key or item when it
    /// is written in block style, otherwise the bracket.
    pub span: Span,
    /// What it is.
    pub tree: Tree,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A single value.
    Scalar(Scalar),
    /// Items in their order.
    List(Vec<Node>),
    /// Fields in their order.
    Map(Vec<Entry>),
}

/// A field of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub key: String,
    /// Where the name stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

/// The documents of a source, and what is wrong with its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The documents that hold something, each with its number in the source, counted from one.
    pub documents: Vec<(usize, Node)>,
    /// What is wrong with the text itself, each with the number of its document. Reading goes on
    /// after all but a fault of syntax.
    pub faults: Vec<(usize, Finding)>,
}

impl Node {
    /// The field of that name, if this is a mapping that has it.
    pub fn field(&self, name: &str) -> Option<&Entry> {
        match &self.tree {
            Tree::Map(entries) => entries.iter().find(|entry| entry.key == name),
            Tree::Scalar(_) | Tree::List(_) => None,
        }
    }

    /// The text of the field of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.value.as_text()
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Scalar(Scalar::Text(text)) => Some(text),
            Tree::Scalar(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.tree, Tree::Scalar(Scalar::Null))
    }

    /// Where to point for a path that begins at this node: at the value, at the name of a field
    /// whose value spreads over lines, or at the nearest thing that exists.
    pub fn locate(&self, path: &FieldPath) -> Span {
        let mut node = self;
        let mut span = self.span;
        for segment in path.segments() {
            let Some((name_span, child)) = node.step(segment) else {
                break;
            };
            node = child;
            span = match child.tree {
                Tree::Scalar(_) if child.span.start < child.span.end => child.span,
                Tree::Scalar(_) | Tree::List(_) | Tree::Map(_) => name_span,
            };
        }
        span
    }

    /// The value at a path that begins at this node, if there is one.
    pub fn at(&self, path: &FieldPath) -> Option<&Self> {
        let mut segments = path.segments().iter();
        segments.try_fold(self, |node, segment| Some(node.step(segment)?.1))
    }

    /// One step along a path: where the name of the part stands, and the part.
    fn step(&self, segment: &Segment) -> Option<(Span, &Self)> {
        let named = |name: &str| {
            let entry = self.field(name)?;
            Some((entry.key_span, &entry.value))
        };
        match segment {
            Segment::Field(name) => named(name),
            Segment::Key(name) => named(name),
            Segment::Index(index) => match &self.tree {
                Tree::List(items) => items.get(*index).map(|item| (item.span, item)),
                Tree::Scalar(_) | Tree::Map(_) => None,
            },
        }
    }

    /// The value as JSON.
    pub fn to_value(&self) -> Value {
        match &self.tree {
            Tree::Scalar(Scalar::Null) => Value::Null,
            Tree::Scalar(Scalar::Bool(value, _)) => Value::Bool(*value),
            Tree::Scalar(Scalar::Number(number, _)) => Value::Number(number.clone()),
            Tree::Scalar(Scalar::Text(text)) => Value::String(text.clone()),
            Tree::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Tree::Map(entries) => {
                let fields = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_value()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// What was written, short enough for a message.
    pub fn excerpt(&self) -> String {
        match &self.tree {
            Tree::Scalar(scalar) => shortened(&scalar.to_string()),
            Tree::List(items) if items.is_empty() => "[]".to_owned(),
            Tree::List(items) if items.len() == 1 => "a list of 1 item".to_owned(),
            Tree::List(items) => format!("a list of {} items", items.len()),
            Tree::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Tree::Map(entries) => {
                let names: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
                shortened(&format!("an object with {}", names.join(", ")))
            }
        }
    }
}

/// The most characters of a value that a message repeats.
const EXCERPT_CHARACTERS_MAX: usize = 60;

fn shortened(text: &str) -> String {
    if text.chars().count() <= EXCERPT_CHARACTERS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(EXCERPT_CHARACTERS_MAX - 1).collect();
    format!("{kept}…")
}

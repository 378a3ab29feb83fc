//! From sources to objects of known kinds, with everything that is wrong along the way.
//!
//! Each document goes through the same stations: text to tree, `List` objects into their items, kind
//! to its schema, shape, then the typed object, then the rules of the kind. A part of the wrong shape
//! is left out and the rest goes on, so that one slip does not hide what the rules have to say; what
//! they say only because of that slip is not told.

mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::Value;

use super::diagnostic::{Diagnostic, DocumentName, Finding, Lines, Severity};
use super::source::Source;
use super::tree::{self, Node, Span, Tree};
use super::{metadata, shape};
use crate::api::rules::{FieldPath, Violation};
use crate::api::spelling;

/// A kind of object and how it is read into an `O`.
pub(super) struct Kind<O: 'static> {
    pub(super) api_version: &'static str,
    pub(super) name: &'static str,
    pub(super) schema: &'static LazyLock<Value>,
    /// Makes the object of a value that has the shape of the schema, and applies its rules.
    pub(super) build: fn(Value) -> Result<Built<O>, serde_json::Error>,
}

/// An object and what its rules say of it. Places are named by path.
pub(super) struct Built<O> {
    pub(super) object: O,
    pub(super) violations: Vec<Violation>,
    /// Warnings and notices, for an object that breaks no rule.
    pub(super) remarks: Vec<Remark>,
}

/// What a rule says of an object; it becomes a diagnostic when the place in the text is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How bad it is.
    pub severity: Severity,
    /// The field, from the top of the object.
    pub path: FieldPath,
    /// What was written there.
    pub value: Option<String>,
    /// The rule.
    pub rule: String,
    /// What to do.
    pub fix: String,
}

/// What is known, and what happens to the rest.
pub(super) struct Registry<O: 'static> {
    pub(super) kinds: &'static [Kind<O>],
    pub(super) others: Others,
}

/// What happens to an object of another kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// It is counted and left alone, because a folder may hold more than what we read.
    Skip,
    /// It is an error, because somebody expects it to have an effect.
    Refuse,
}

/// The result of reading sources.
pub(super) struct Reading<'a, O> {
    pub(super) items: Vec<Item<'a, O>>,
    /// The kind and name of every object of a known kind, those among them that were refused.
    pub(super) names: BTreeSet<(&'static str, String)>,
    /// How many objects of each other kind were left alone.
    pub(super) skipped: BTreeMap<String, usize>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// An object and where it comes from.
pub(super) struct Item<'a, O> {
    pub(super) object: O,
    pub(super) origin: Origin<'a>,
}

/// The place of an object.
#[derive(Clone)]
pub(super) struct Origin<'a> {
    source: &'a Source,
    lines: Rc<Lines>,
    number: usize,
    /// What to call it.
    object: Option<String>,
    /// Where the object lies in its document.
    base: FieldPath,
    node: Node,
}

/// Reads every document of every source.
pub(super) fn read<'a, O>(sources: &'a [Source], registry: &Registry<O>) -> Reading<'a, O> {
    let mut reader = Reader {
        registry,
        places: BTreeMap::new(),
        reading: Reading {
            items: Vec::new(),
            names: BTreeSet::new(),
            skipped: BTreeMap::new(),
            diagnostics: Vec::new(),
        },
    };
    for source in sources {
        reader.source(source);
    }
    reader.reading
}

impl From<Violation> for Remark {
    fn from(violation: Violation) -> Self {
        Self {
            severity: Severity::Error,
            path: violation.path,
            value: Some(violation.value),
            rule: violation.rule,
            fix: violation.fix,
        }
    }
}

impl Origin<'_> {
    /// A diagnostic about a field of the object.
    pub(super) fn diagnose(&self, remark: Remark) -> Diagnostic {
        let span = self.node.locate(&remark.path);
        let path = self.base.join(&remark.path);
        let finding = Finding {
            path,
            span,
            value: remark.value,
            rule: remark.rule,
            fix: remark.fix,
        };
        self.report(remark.severity, finding)
    }

    fn report(&self, severity: Severity, finding: Finding) -> Diagnostic {
        Diagnostic {
            severity,
            file: self.source.name.clone(),
            position: Some(self.lines.position(&self.source.text, finding.span)),
            document: Some(DocumentName {
                number: self.number,
                object: self.object.clone(),
            }),
            path: finding.path,
            value: finding.value,
            rule: finding.rule,
            fix: finding.fix,
        }
    }

    /// The file and line, for a sentence.
    fn place(&self) -> String {
        let name = FieldPath::ROOT.field("metadata").field("name");
        let line = self.lines.line(self.node.locate(&name).start);
        format!("{}:{line}", self.source.name)
    }
}

struct Reader<'a, 'r, O: 'static> {
    registry: &'r Registry<O>,
    /// Where each object was seen first, by kind, namespace and name.
    places: BTreeMap<(&'static str, String, String), String>,
    reading: Reading<'a, O>,
}

impl<'a, O> Reader<'a, '_, O> {
    fn source(&mut self, source: &'a Source) {
        let parsed = tree::parse(&source.text);
        let lines = Rc::new(Lines::of(&source.text));
        for (number, finding) in parsed.faults {
            let document = parsed.documents.iter().find(|(it, _)| *it == number);
            let origin = Origin {
                source,
                lines: Rc::clone(&lines),
                number,
                object: document.and_then(|(_, node)| name_of(node)),
                base: FieldPath::ROOT,
                node: nothing(),
            };
            self.add(origin.report(Severity::Error, finding));
        }
        for (number, node) in parsed.documents {
            self.document(&Origin {
                source,
                lines: Rc::clone(&lines),
                number,
                object: name_of(&node),
                base: FieldPath::ROOT,
                node,
            });
        }
    }

    /// One object, or a list of objects.
    fn document(&mut self, origin: &Origin<'a>) {
        let Tree::Map(_) = origin.node.tree else {
            return self.refuse(
                origin,
                &[],
                "A document must be an object with apiVersion, kind and metadata.",
                "Write one Kubernetes object for each document.",
            );
        };
        let (api_version, kind) = (origin.node.text("apiVersion"), origin.node.text("kind"));
        let (Some(api_version), Some(kind)) = (api_version, kind) else {
            return self.unnamed(origin);
        };
        if kind.ends_with("List") && origin.node.field("items").is_some() {
            return self.list(origin, api_version, kind);
        }
        let found = self
            .registry
            .kinds
            .iter()
            .find(|it| it.api_version == api_version && it.name == kind);
        match found {
            Some(kind) => self.object(kind, origin),
            None => self.other(origin, api_version, kind),
        }
    }

    fn unnamed(&mut self, origin: &Origin<'a>) {
        for field in ["apiVersion", "kind"] {
            if origin.node.text(field).is_none() {
                let known = self.registry.kinds.iter();
                let known = known.map(|it| match field {
                    "kind" => it.name,
                    _ => it.api_version,
                });
                let known: BTreeSet<_> = known.collect();
                let rule = format!("`{field}` is required, and it is a text.");
                let fix = format!("Write `{field}:` with {}.", spelling::either(known));
                self.refuse(origin, &[field], &rule, &fix);
            }
        }
    }

    /// The items of a `List`, `NodePoolList` and so on. Items of a typed list may leave out what
    /// the list says for them, as they do in answers of the API server.
    fn list(&mut self, origin: &Origin<'a>, api_version: &str, kind: &str) {
        let items = origin.node.field("items").map(|items| &items.value.tree);
        let Some(Tree::List(items)) = items else {
            let fix = "Begin each object with `- `.";
            return self.refuse(
                origin,
                &["items"],
                "The items of a list must be a list.",
                fix,
            );
        };
        let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        for (index, item) in items.iter().enumerate() {
            let mut node = item.clone();
            if let (Some(kind), Tree::Map(entries)) = (item_kind, &mut node.tree) {
                for (field, value) in [("apiVersion", api_version), ("kind", kind)] {
                    if entries.iter().all(|entry| entry.key != field) {
                        entries.push(text_entry(field, value, node.span));
                    }
                }
            }
            self.document(&Origin {
                object: name_of(&node),
                base: origin.base.field("items").index(index),
                node,
                ..origin.clone()
            });
        }
    }

    fn object(&mut self, kind: &Kind<O>, origin: &Origin<'a>) {
        let (body, status) = metadata::without_what_others_write(&origin.node);
        let schema: &Value = kind.schema;
        let mut shaped = shape::check(&body, &origin.base, schema, schema);
        shaped.findings.extend(metadata::check(&body, &origin.base));
        self.remember(kind.name, origin);
        metadata::restore_status(&mut shaped.value, status.as_ref(), schema);
        match (kind.build)(shaped.value) {
            Ok(mut built) => {
                let violations = &mut built.violations;
                violations.retain(|breach| !breach.may_follow_from(&shaped.unknown));
                for violation in built.violations {
                    let diagnostic = origin.diagnose(Remark::from(violation));
                    self.add(diagnostic);
                }
                if shaped.findings.is_empty() {
                    self.accept(built.object, built.remarks, origin);
                }
            }
            Err(error) if shaped.findings.is_empty() => {
                let rule = format!("The object cannot be read: {error}.");
                let fix = "Compare it with the reference of its kind.";
                self.refuse(origin, &[], &rule, fix);
            }
            // What was found is the reason.
            Err(_) => {}
        }
        for finding in shaped.findings {
            let diagnostic = origin.report(Severity::Error, finding);
            self.add(diagnostic);
        }
    }

    /// Takes an object whose shape is right; whether a rule refuses it shows in the end.
    fn accept(&mut self, object: O, remarks: Vec<Remark>, origin: &Origin<'a>) {
        let remarks = remarks.into_iter().map(|it| origin.diagnose(it));
        self.reading.diagnostics.extend(remarks);
        self.reading.items.push(Item {
            object,
            origin: origin.clone(),
        });
    }

    /// Two objects of one kind and name cannot both be meant.
    fn remember(&mut self, kind: &'static str, origin: &Origin<'a>) {
        let Some((namespace, name)) = metadata::identity(&origin.node) else {
            return;
        };
        let place = origin.place();
        self.reading.names.insert((kind, name.clone()));
        match self.places.entry((kind, namespace, name.clone())) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(place);
            }
            std::collections::btree_map::Entry::Occupied(entry) => {
                let rule = format!("{kind} {name:?} exists already, at {}.", entry.get());
                let fix = "Rename one of the two, or remove it.";
                self.refuse(origin, &["metadata", "name"], &rule, fix);
            }
        }
    }

    fn refuse(&mut self, origin: &Origin<'a>, path: &[&str], rule: &str, fix: &str) {
        let path = path
            .iter()
            .fold(FieldPath::ROOT, |path, name| path.field((*name).to_owned()));
        let value = origin.node.at(&path).map(Node::excerpt);
        let diagnostic = origin.diagnose(Remark {
            severity: Severity::Error,
            path,
            value,
            rule: rule.to_owned(),
            fix: fix.to_owned(),
        });
        self.add(diagnostic);
    }

    fn add(&mut self, diagnostic: Diagnostic) {
        self.reading.diagnostics.push(diagnostic);
    }
}

/// `NodePool "general"`, as far as it is written.
fn name_of(node: &Node) -> Option<String> {
    let kind = node.text("kind")?;
    let name = node
        .field("metadata")
        .and_then(|metadata| metadata.value.text("name"));
    Some(match name {
        Some(name) => format!("{kind} {name:?}"),
        None => kind.to_owned(),
    })
}

fn nothing() -> Node {
    Node {
        span: Span::default(),
        tree: Tree::Map(Vec::new()),
    }
}

/// A field that was not written and is known all the same.
fn text_entry(name: &str, value: &str, span: Span) -> tree::Entry {
    tree::Entry {
        key: name.to_owned(),
        key_span: span,
        value: Node {
            span,
            tree: Tree::Scalar(super::scalar::Scalar::Text(value.to_owned())),
        },
    }
}

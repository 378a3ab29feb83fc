//! From the parser's events to the tree.

mod surrogates;

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Range, Tag};

use super::{Entry, Node, Parsed, Span, Tree};
use crate::api::load::diagnostic::{Finding, Lines};
use crate::api::load::scalar::{NotFinite, Scalar, resolve};
use crate::api::rules::FieldPath;

/// The deepest object of Kubernetes, the schema of a CustomResourceDefinition, stays well below
/// this; everything that walks a tree recurses this deep at most.
const DEPTH_MAX: usize = 100;

/// How many nodes aliases may copy into one source. A few nested aliases can stand for billions.
const COPIED_NODES_MAX: usize = 100_000;

/// Reads a source. A fault of syntax ends the reading; the documents before it are kept, so that
/// what is wrong in them can be said too.
pub fn parse(text: &str) -> Parsed {
    let (readable, bytes) = surrogates::joined(text);
    let mut builder = Builder::new(text, bytes);
    for event in Parser::new_from_str(&readable) {
        match event {
            Ok((event, range)) => builder.event(event, range),
            Err(error) => {
                builder.syntax(&error);
                break;
            }
        }
        if builder.gave_up {
            break;
        }
    }
    builder.parsed
}

/// A list or mapping whose end has not come yet.
struct Open {
    start: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// Where each key was written first.
        names: BTreeMap<String, Span>,
        /// The key whose value comes next.
        key: Option<Key>,
        /// What `<<` names, in order.
        merged: Vec<Node>,
    },
}

struct Key {
    name: String,
    span: Span,
    purpose: Purpose,
}

/// What becomes of the value of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// It is a field.
    Field,
    /// The key is a plain `<<`: its fields are fields of the object.
    Merge,
    /// The key is no text, so that there is no name for it.
    Ignore,
}

struct Builder<'a> {
    text: &'a str,
    /// The byte of the text at which each character that the parser saw begins, and the length of
    /// the text: the parser counts characters.
    bytes: Vec<usize>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    document: usize,
    copied: usize,
    gave_up: bool,
    parsed: Parsed,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, bytes: Vec<usize>) -> Self {
        Self {
            text,
            bytes,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            document: 0,
            copied: 0,
            gave_up: false,
            parsed: Parsed::default(),
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range) {
        let span = self.span(range);
        match event {
            Event::DocumentStart(_) => {
                self.document += 1;
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let scalar = self.scalar(&text, plain, tag.as_deref(), span);
                let node = Node {
                    span,
                    tree: Tree::Scalar(scalar),
                };
                let merges = plain && text == "<<";
                self.add(
                    node,
                    anchor,
                    if merges {
                        Purpose::Merge
                    } else {
                        Purpose::Field
                    },
                );
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", span);
                self.begin(span, anchor, Content::List(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", span);
                let content = Content::Map {
                    entries: Vec::new(),
                    names: BTreeMap::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(span, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }

    fn span(&self, range: Range) -> Span {
        let byte = |character: usize| {
            let last = self.bytes.len() - 1;
            self.bytes[character.min(last)]
        };
        Span {
            start: byte(range.start.index()),
            end: byte(range.end.index()),
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, tag: Option<&Tag>, span: Span) -> Scalar {
        let wanted = tag.map(|tag| (tag.is_yaml_core_schema(), tag.suffix.as_str()));
        let resolved = match wanted {
            None if plain => resolve(text),
            None | Some((true, "str")) => Ok(Scalar::Text(text.to_owned())),
            Some(_) => resolve(text),
        };
        let scalar = resolved.unwrap_or_else(|NotFinite| {
            let fix = "Write a finite number, or put quotes around it if text is meant.";
            self.fault(span, Some(text), "JSON has no form for this number", fix);
            Scalar::Null
        });
        let named = match scalar {
            Scalar::Null => "null",
            Scalar::Bool(..) => "bool",
            Scalar::Number(ref number, _) if number.is_f64() => "float",
            Scalar::Number(..) => "int",
            Scalar::Text(_) => "str",
        };
        self.check_tag(tag, named, span);
        scalar
    }

    /// Tags other than those of YAML's core schema have no meaning to Kubernetes.
    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, span: Span) {
        let Some(tag) = tag else { return };
        if !tag.is_yaml_core_schema() || tag.suffix != expected {
            let rule = "The tag does not fit the value.";
            let fix = "Leave the tag out; quotes make a value text.";
            self.fault(span, Some(&tag.to_string()), rule, fix);
        }
    }

    fn begin(&mut self, start: Span, anchor: usize, content: Content) {
        if self.open.len() >= DEPTH_MAX {
            let rule = format!("Values may be nested at most {DEPTH_MAX} deep.");
            self.fault(
                start,
                None,
                &rule,
                "Check the brackets and the indentation.",
            );
            self.gave_up = true;
        }
        self.open.push(Open {
            start,
            anchor,
            content,
        });
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let (tree, first) = match open.content {
            Content::List(items) => {
                let first = items.first().map(|item| item.span);
                (Tree::List(items), first)
            }
            Content::Map {
                mut entries,
                merged,
                ..
            } => {
                let first = entries.first().map(|entry| entry.key_span);
                for source in merged {
                    self.merge(source, &mut entries);
                }
                (Tree::Map(entries), first)
            }
        };
        let span = match first {
            Some(first) if open.start.start >= open.start.end => first,
            Some(_) | None => open.start,
        };
        self.add(Node { span, tree }, open.anchor, Purpose::Field);
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize, purpose: Purpose) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            if !node.is_null() {
                self.parsed.documents.push((self.document, node));
            }
            return;
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map {
                entries,
                key,
                merged,
                ..
            } => match key.take() {
                Some(key) => match key.purpose {
                    Purpose::Field => entries.push(Entry {
                        key: key.name,
                        key_span: key.span,
                        value: node,
                    }),
                    Purpose::Merge => merged.push(node),
                    Purpose::Ignore => {}
                },
                None => self.key(node, purpose),
            },
        }
    }

    /// Takes a node for the next key of the innermost mapping.
    fn key(&mut self, node: Node, purpose: Purpose) {
        let (name, purpose) = match node.tree {
            Tree::Scalar(Scalar::Text(text) | Scalar::Number(_, text)) => (text, purpose),
            // go-yaml writes such a key as JSON would write the value.
            Tree::Scalar(Scalar::Bool(value, _)) => (value.to_string(), purpose),
            Tree::Scalar(Scalar::Null) => ("null".to_owned(), purpose),
            Tree::List(_) | Tree::Map(_) => {
                let rule = "The name of a field is a text.";
                self.fault(node.span, None, rule, "Write the field as `name: value`.");
                (String::new(), Purpose::Ignore)
            }
        };
        let Some(Open {
            content: Content::Map { names, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return;
        };
        let earlier = match purpose {
            Purpose::Field => names.insert(name.clone(), node.span),
            Purpose::Merge | Purpose::Ignore => None,
        };
        *key = Some(Key {
            name: name.clone(),
            span: node.span,
            purpose,
        });
        if let Some(earlier) = earlier {
            let line = Lines::of(self.text).line(earlier.start);
            let rule =
                format!("A field may be written only once, and this one stands on line {line}.");
            let fix = "Merge the two, or remove one of them.";
            self.fault(node.span, Some(&name), &rule, fix);
        }
    }

    /// Adds the fields of `source` that are not there yet, as YAML 1.1 defines `<<`.
    fn merge(&mut self, source: Node, entries: &mut Vec<Entry>) {
        match source.tree {
            Tree::Map(merged) => {
                let own: BTreeSet<_> = entries.iter().map(|entry| entry.key.clone()).collect();
                entries.extend(merged.into_iter().filter(|entry| !own.contains(&entry.key)));
            }
            Tree::List(sources) => {
                for source in sources {
                    self.merge(source, entries);
                }
            }
            Tree::Scalar(scalar) => {
                let rule = "`<<` takes an object, or a list of objects.";
                let fix = "Write an alias such as `<<: *name`.";
                self.fault(source.span, Some(&scalar.to_string()), rule, fix);
            }
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let null = Node {
            span,
            tree: Tree::Scalar(Scalar::Null),
        };
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let fix = "Write the inner value out.";
            self.fault(span, None, "An alias may not stand inside its anchor.", fix);
            return self.add(null, 0, Purpose::Field);
        };
        let (size, depth) = measure(&node);
        self.copied += size;
        if self.copied > COPIED_NODES_MAX || self.open.len() + depth > DEPTH_MAX {
            let rule = format!(
                "Aliases may copy at most {COPIED_NODES_MAX} values, nested {DEPTH_MAX} deep."
            );
            self.fault(span, None, &rule, "Write the values out in several files.");
            self.gave_up = true;
        }
        self.add(node, 0, Purpose::Field);
    }

    fn syntax(&mut self, error: &ScanError) {
        let marker = *error.marker();
        let span = self.span(Range::empty(marker));
        self.document = self.document.max(1);
        let rule = format!("This is not YAML: {}.", error.info());
        let fix = "Look at the indentation, colons, quotes and brackets here and just before.";
        self.fault(span, None, &rule, fix);
    }

    fn fault(&mut self, span: Span, value: Option<&str>, rule: &str, fix: &str) {
        let path = self.path();
        let finding = Finding {
            path,
            span,
            value: value.map(str::to_owned),
            rule: rule.to_owned(),
            fix: fix.to_owned(),
        };
        self.parsed.faults.push((self.document, finding));
    }

    /// The path of the value that is being read.
    fn path(&self) -> FieldPath {
        self.open
            .iter()
            .fold(FieldPath::ROOT, |path, open| match &open.content {
                Content::List(items) => path.index(items.len()),
                Content::Map { key: Some(key), .. } => path.field(key.name.clone()),
                Content::Map { key: None, .. } => path,
            })
    }
}

/// How many nodes a node consists of, and how deep they are nested.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.tree {
        Tree::Scalar(_) => Vec::new(),
        Tree::List(items) => items.iter().collect(),
        Tree::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
    };
    let measures = children.into_iter().map(measure);
    measures.fold((1, 1), |(size, depth), (inner_size, inner_depth)| {
        (size + inner_size, depth.max(inner_depth + 1))
    })
}

//! A tree against a JSON schema: everything that is wrong, and the value if nothing is.
//!
//! Supported is what the schemas of our types contain: `type`, `properties`, `required`, `items`,
//! `additionalProperties`, `enum` and `const`, `anyOf` and `oneOf`, `$ref`, the bounds of numbers,
//! lengths and counts, `format` for integers and instants, and Kubernetes' `int-or-string` and
//! `preserve-unknown-fields`. A `pattern` is not checked here: a rule in plain Rust can say in a
//! sentence what is meant, a regular expression cannot.
//!
//! Null means "not written", as the API server takes it for optional fields: `creationTimestamp:
//! null` and an empty `labels:` are common in generated manifests. The entries of a map are another
//! matter: a label without a value would silently be no label, so that null is the wrong type there.

mod scalar;

use serde_json::{Map, Value};

use super::diagnostic::Finding;
use super::tree::{Entry, Node, Span, Tree};
use super::{schema, suggest};
use crate::api::rules::FieldPath;
use crate::api::spelling;

/// A document that was held against a schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Shaped {
    /// The value, with numbers in the form the schema wants. Left out are nulls and what has the
    /// wrong shape. Where something has to be, the least that the schema accepts stands in, so that
    /// the rules can look at the rest.
    pub value: Value,
    /// Everything that is wrong, in the order of the text.
    pub findings: Vec<Finding>,
    /// The parts, from the node on, of which that leaves open what their author wants: those that
    /// were left out, those that something stands in for, and those that are not written and may be
    /// what a misspelt field was meant for.
    pub unknown: Vec<FieldPath>,
}

/// Holds a node against a schema. `path` is where the node lies in its document, and `root` the
/// schema in which references are resolved; often the two schemas are the same.
pub fn check<'s>(
    node: &'s Node,
    path: &'s FieldPath,
    root: &'s Value,
    schema: &'s Value,
) -> Shaped {
    let mut walk = Walk {
        document: node,
        root,
        base: path,
        path: FieldPath::ROOT,
        findings: Vec::new(),
        unknown: Vec::new(),
    };
    let place = Place {
        node,
        mark: node.span,
    };
    let value = walk.value(place, schema);
    Shaped {
        value,
        findings: walk.findings,
        unknown: walk.unknown,
    }
}

/// A node and where to point when it is wrong as a whole: at its name.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a Node,
    mark: Span,
}

impl Place<'_> {
    /// A value on one line is pointed at itself.
    fn span(self) -> Span {
        let own = self.node.span;
        match self.node.tree {
            Tree::Scalar(_) if own.start < own.end => own,
            Tree::Scalar(_) | Tree::List(_) | Tree::Map(_) => self.mark,
        }
    }
}

struct Walk<'s> {
    /// What the whole schema is about.
    document: &'s Node,
    root: &'s Value,
    /// Where the value that belongs to the whole schema lies.
    base: &'s FieldPath,
    /// The way from there to the value that is being looked at.
    path: FieldPath,
    findings: Vec<Finding>,
    /// As in [`Shaped`].
    unknown: Vec<FieldPath>,
}

/// The schema of fields that have no schema of their own; none when there may be no such fields.
fn others(schema: &Value) -> Option<&Value> {
    let names_none = schema::properties(schema).next().is_none();
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(schema) => Some(schema),
        None if names_none => Some(&Value::Bool(true)),
        None if schema::is_true(schema, "x-kubernetes-preserve-unknown-fields") => {
            Some(&Value::Bool(true))
        }
        None => None,
    }
}

impl<'s> Walk<'s> {
    /// Holds a node against its schema. What comes out is null if nothing is written, or if it has
    /// the wrong shape and is therefore not known.
    fn value(&mut self, place: Place<'_>, schema: &'s Value) -> Value {
        let before = self.findings.len();
        let value = self.by_type(place, schema);
        if value.is_null() && self.findings.len() > before {
            self.unknown.push(self.path.clone());
        }
        value
    }

    fn by_type(&mut self, place: Place<'_>, schema: &'s Value) -> Value {
        let schema = schema::resolve(self.root, schema);
        if place.node.is_null() && schema::accepts_null(self.root, schema) {
            return Value::Null;
        }
        if let Some(choices) = schema::choices(self.root, schema) {
            return self.choice(place, &choices);
        }
        if !schema::alternatives(schema).is_empty() {
            return self.alternatives(place, schema);
        }
        if schema::is_true(schema, "x-kubernetes-int-or-string") {
            return self.number_or_text(place);
        }
        let types = schema::types(schema);
        let has_fields = schema::properties(schema).next().is_some();
        match (&place.node.tree, types.as_slice()) {
            (Tree::Map(entries), []) if has_fields => self.object(place, entries, schema),
            (Tree::Map(entries), [.., "object"] | ["object", ..]) => {
                self.object(place, entries, schema)
            }
            (Tree::List(items), [.., "array"] | ["array", ..]) => self.list(place, items, schema),
            (_, []) if !has_fields => place.node.to_value(),
            (Tree::Scalar(scalar), _) => self.scalar(place, scalar, schema),
            (Tree::Map(_) | Tree::List(_), _) => self.wrong_type(place, &types),
        }
    }

    fn object(&mut self, place: Place<'_>, entries: &[Entry], schema: &'s Value) -> Value {
        let mut value = Map::new();
        for entry in entries {
            let named = schema.get("properties").and_then(|it| it.get(&entry.key));
            let (path, inner) = match (named, others(schema)) {
                (Some(_), _) if entry.value.is_null() => continue,
                (Some(inner), _) => (self.path.field(entry.key.clone()), inner),
                (None, Some(inner)) => (self.path.key(&entry.key), inner),
                (None, None) => {
                    self.no_such_field(entry, schema);
                    continue;
                }
            };
            let place = Place {
                node: &entry.value,
                mark: entry.key_span,
            };
            let inner = self.within(path, |walk| walk.value(place, inner));
            if !inner.is_null() {
                value.insert(entry.key.clone(), inner);
            }
        }
        self.required(place, entries, schema);
        self.stand_in(&mut value, schema);
        let keywords = ["minProperties", "maxProperties"];
        self.count(place, entries.len(), schema, keywords);
        Value::Object(value)
    }

    /// Finds the fields that are missing. One that was only misspelt has been found already.
    fn required(&mut self, place: Place<'_>, entries: &[Entry], schema: &'s Value) {
        let known = || schema::properties(schema).map(|(name, _)| name.as_str());
        let slips: Vec<_> = entries
            .iter()
            .filter(|entry| known().all(|name| name != entry.key))
            .filter_map(|entry| spelling::nearest(&entry.key, known()))
            .collect();
        let is_written = |name: &str| {
            let mut written = entries.iter().filter(|entry| !entry.value.is_null());
            written.any(|entry| entry.key == name)
        };
        for name in schema::required(schema) {
            if !is_written(name) && !slips.contains(&name) {
                self.missing(place, name, schema);
            }
        }
    }

    /// Fills the place of each field that has to be there and is not, for whatever reason.
    fn stand_in(&mut self, value: &mut Map<String, Value>, schema: &'s Value) {
        for name in schema::required(schema) {
            let inner = schema.get("properties").and_then(|it| it.get(name));
            if let (Some(inner), false) = (inner, value.contains_key(name)) {
                value.insert(name.to_owned(), schema::least(self.root, inner));
                self.unknown.push(self.path.field(name.to_owned()));
            }
        }
    }

    fn list(&mut self, place: Place<'_>, items: &[Node], schema: &'s Value) -> Value {
        self.count(place, items.len(), schema, ["minItems", "maxItems"]);
        let inner = schema.get("items").unwrap_or(&Value::Bool(true));
        let mut values = Vec::new();
        for (index, node) in items.iter().enumerate() {
            let mark = node.span;
            let place = Place { node, mark };
            let path = self.path.index(index);
            let value = self.within(path.clone(), |walk| walk.value(place, inner));
            let is_unknown = self.unknown.last() == Some(&path);
            values.push(if is_unknown {
                schema::least(self.root, inner)
            } else {
                value
            });
        }
        Value::Array(values)
    }

    /// Takes the alternative that fits, or else the findings of the one that fits best: fewest
    /// findings at the top, where an alternative shows what it is, then fewest at all.
    fn alternatives(&mut self, place: Place<'_>, schema: &'s Value) -> Value {
        if let Some(variants) = schema::tagged(self.root, schema)
            && !self.names_one(place, &variants)
        {
            return Value::Null;
        }
        let level = self.base.segments().len() + self.path.segments().len() + 1;
        let trials = schema::alternatives(schema)
            .iter()
            .filter(|alternative| !schema::is_null(schema::resolve(self.root, alternative)));
        let trials = trials.map(|alternative| {
            let mut trial = Walk {
                document: self.document,
                root: self.root,
                base: self.base,
                path: self.path.clone(),
                findings: Vec::new(),
                unknown: Vec::new(),
            };
            let value = trial.value(place, alternative);
            (value, trial)
        });
        let best = trials.min_by_key(|(_, trial)| {
            let findings = trial.findings.iter();
            let top = findings.filter(|it| it.path.segments().len() <= level);
            (top.count(), trial.findings.len())
        });
        match best {
            Some((value, trial)) => {
                self.findings.extend(trial.findings);
                self.unknown.extend(trial.unknown);
                value
            }
            None => place.node.to_value(),
        }
    }

    /// Whether an object names exactly one of the variants.
    fn names_one(&mut self, place: Place<'_>, variants: &Map<String, Value>) -> bool {
        let Tree::Map(entries) = &place.node.tree else {
            self.wrong_type(place, &["object"]);
            return false;
        };
        let names = || variants.keys().map(String::as_str);
        let unknown = entries.iter().find(|it| !variants.contains_key(&it.key));
        if let [_] = entries.as_slice()
            && unknown.is_none()
        {
            return true;
        }
        let fix = unknown
            .and_then(|entry| spelling::nearest(&entry.key, names()))
            .map_or_else(
                || "Write one of them.".to_owned(),
                |meant| format!("Did you mean `{meant}`?"),
            );
        let rule = format!(
            "Exactly one field is expected: {}.",
            spelling::either(names())
        );
        let span = unknown.map_or(place.mark, |entry| entry.key_span);
        self.find(span, Some(place.node.excerpt()), rule, fix);
        false
    }

    fn no_such_field(&mut self, entry: &Entry, schema: &'s Value) {
        let known: Vec<_> = schema::properties(schema)
            .map(|(name, _)| name.as_str())
            .collect();
        let meant = suggest::meant(self.root, &self.path, &entry.key, &known);
        let rule = format!("There is no field `{}` here.", entry.key);
        let fix = meant.advice(&known);
        self.within(self.path.field(entry.key.clone()), |walk| {
            walk.find(entry.key_span, Some(entry.value.excerpt()), rule, fix);
        });
        let candidates = meant.candidates(self.document, &self.path, &known);
        let absent = candidates
            .into_iter()
            .filter(|path| self.document.at(path).is_none_or(Node::is_null));
        self.unknown.extend(absent);
    }

    fn missing(&mut self, place: Place<'_>, name: &str, schema: &'s Value) {
        let inner = schema.get("properties").and_then(|known| known.get(name));
        let inner = inner.map(|inner| schema::resolve(self.root, inner));
        let fix = inner.map_or_else(
            || format!("Add `{name}`."),
            |inner| self.addition(name, inner),
        );
        let rule = format!("`{name}` is required.");
        self.within(self.path.field(name.to_owned()), |walk| {
            walk.find(place.mark, None, rule, fix);
        });
    }

    /// How to add a field that is missing.
    fn addition(&self, name: &str, schema: &Value) -> String {
        if let Some(choices) = schema::choices(self.root, schema) {
            let choices = choices.into_iter().filter_map(Value::as_str);
            return format!("Add `{name}:` with {}.", spelling::either(choices));
        }
        let required: Vec<_> = schema::required(schema).collect();
        match schema::types(schema).first() {
            Some(&"object") if !required.is_empty() => {
                format!("Add `{name}:` with {}.", required.join(", "))
            }
            Some(found) => format!("Add `{name}:` with {}.", scalar::noun(found)),
            None => format!("Add `{name}`."),
        }
    }

    fn count(&mut self, place: Place<'_>, count: usize, schema: &Value, keywords: [&str; 2]) {
        let [min, max] = keywords.map(|keyword| schema::count(schema, keyword));
        let found = Some(place.node.excerpt());
        if let Some(min) = min.filter(|min| count < *min) {
            let rule = format!("At least {min} of these are needed, and there are {count}.");
            self.find(place.mark, found, rule, "Add what is missing.".to_owned());
        } else if let Some(max) = max.filter(|max| count > *max) {
            let rule = format!("At most {max} of these are allowed, and there are {count}.");
            self.find(place.mark, found, rule, "Remove some.".to_owned());
        }
    }

    /// Looks at something that lies at `path`.
    fn within<T>(&mut self, path: FieldPath, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.path, path);
        let result = look(self);
        self.path = outer;
        result
    }

    fn find(&mut self, span: Span, value: Option<String>, rule: String, fix: String) {
        self.findings.push(Finding {
            path: self.base.join(&self.path),
            span,
            value,
            rule,
            fix,
        });
    }
}

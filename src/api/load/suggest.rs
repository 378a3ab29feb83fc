//! What somebody probably meant.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::schema;
use super::tree::{Node, Tree};
use crate::api::rules::{FieldPath, Segment};
use crate::api::spelling::{either, nearest};

/// How deep a misplaced field is looked for. `spec.template.spec.containers[].resources.limits` is
/// the kind of depth at which people still remember a field's name.
const DEPTH_MAX: usize = 7;

/// What a field was meant for that does not exist.
pub enum Meant {
    /// A field of the same block, whose name is written nearly so.
    Sibling(String),
    /// A field of that name at another place: the names on the way there from the top, those of
    /// lists with brackets.
    Elsewhere(Vec<String>),
    /// Nobody can say.
    Unknown,
}

/// What `name` was meant for, in a block at `parent` that has the fields `known`.
pub fn meant(root: &Value, parent: &FieldPath, name: &str, known: &[&str]) -> Meant {
    if let Some(meant) = nearest(name, known.iter().copied()) {
        return Meant::Sibling(meant.to_owned());
    }
    elsewhere(root, parent, name).map_or(Meant::Unknown, Meant::Elsewhere)
}

impl Meant {
    /// What to do about it, in a block that has the fields `known`.
    pub fn advice(&self, known: &[&str]) -> String {
        match self {
            Self::Sibling(name) => format!("Did you mean `{name}`?"),
            Self::Elsewhere(place) => format!("Did you mean `{}`?", place.join(".")),
            Self::Unknown if known.is_empty() => "Remove it; no field is possible here.".to_owned(),
            Self::Unknown => format!("Remove it, or write {}.", either(known.iter().copied())),
        }
    }

    /// The fields it may have been meant for, whether they are written or not. `parent` is the way
    /// to the block in the document, which has the fields `known`.
    pub fn candidates(
        &self,
        document: &Node,
        parent: &FieldPath,
        known: &[&str],
    ) -> Vec<FieldPath> {
        match self {
            Self::Sibling(name) => vec![parent.field(name.clone())],
            Self::Elsewhere(place) => occurrences(document, place),
            Self::Unknown => {
                let known = known.iter();
                known.map(|it| parent.field((*it).to_owned())).collect()
            }
        }
    }
}

/// Where a place of the schema is in a document: once for each item of the lists on the way.
fn occurrences(document: &Node, place: &[String]) -> Vec<FieldPath> {
    let mut paths = vec![FieldPath::ROOT];
    for step in place {
        let steps = paths.iter().flat_map(|path| {
            let path = path.field(step.trim_end_matches("[]").to_owned());
            match document.at(&path).map(|it| &it.tree) {
                Some(Tree::List(items)) if step.ends_with("[]") => {
                    (0..items.len()).map(|index| path.index(index)).collect()
                }
                Some(_) | None => vec![path],
            }
        });
        paths = steps.collect();
    }
    paths
}

/// A place that has a field of this name: the one that shares most with `parent`, then the least
/// deep, then the first by name. `status` is not searched, because nobody writes it.
fn elsewhere(root: &Value, parent: &FieldPath, name: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([(root, Vec::<String>::new())]);
    while let Some((schema, place)) = queue.pop_front() {
        let schema = schema::resolve(root, schema);
        if place.len() >= DEPTH_MAX || !seen.insert((std::ptr::from_ref(schema), place.len())) {
            continue;
        }
        for (field, inner) in schema::properties(schema) {
            if place.is_empty() && (field == "status" || field == "metadata") {
                continue;
            }
            let place = [place.as_slice(), std::slice::from_ref(field)].concat();
            if field == name {
                found.push(place.clone());
            }
            queue.push_back((inner, place));
        }
        if let Some(items) = schema.get("items") {
            let mut place = place;
            if let Some(last) = place.last_mut() {
                last.push_str("[]");
            }
            queue.push_back((items, place));
        }
    }
    let shared = |place: &[String]| {
        let fields = parent
            .segments()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Field(name) => Some(name.as_ref()),
                Segment::Key(_) | Segment::Index(_) => None,
            });
        let own = place.iter().map(|field| field.trim_end_matches("[]"));
        fields.zip(own).take_while(|(a, b)| a == b).count()
    };
    found
        .into_iter()
        .min_by_key(|place| (usize::MAX - shared(place), place.len(), place.clone()))
}

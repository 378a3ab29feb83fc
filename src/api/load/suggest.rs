//! What somebody probably meant.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::schema;
use crate::api::rules::{FieldPath, Segment};

/// How deep a misplaced field is looked for. `spec.template.spec.containers[].resources.limits` is
/// the kind of depth at which people still remember a field's name.
const DEPTH_MAX: usize = 7;

/// How many names a message lists.
const NAMES_MAX: usize = 12;

/// The known name that is written most like `name`, if one is close enough to be a slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let distance_max = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|known| {
            let distance = strsim::damerau_levenshtein(&wanted, &known.to_lowercase());
            (distance, known)
        })
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, known)| known)
}

/// Names for a sentence: `a`, `b` or `c`.
pub fn either<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let shown = names.iter().take(NAMES_MAX);
    let quoted: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
    if names.len() > NAMES_MAX {
        let left = names.len() - NAMES_MAX;
        return format!("{} or one of {left} more", quoted.join(", "));
    }
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

/// What to do about a field that does not exist: `parent` has the fields `known`.
pub fn for_unknown_field(root: &Value, parent: &FieldPath, name: &str, known: &[&str]) -> String {
    if let Some(meant) = nearest(name, known.iter().copied()) {
        return format!("Did you mean `{meant}`?");
    }
    if let Some(place) = elsewhere(root, parent, name) {
        return format!("Did you mean `{place}`?");
    }
    if known.is_empty() {
        return "Remove it; no field is possible here.".to_owned();
    }
    format!("Remove it, or write {}.", either(known.iter().copied()))
}

/// A place that has a field of this name: the one that shares most with `parent`, then the least
/// deep, then the first by name. `status` is not searched, because nobody writes it.
fn elsewhere(root: &Value, parent: &FieldPath, name: &str) -> Option<String> {
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
        .map(|place| place.join("."))
}

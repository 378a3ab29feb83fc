//! Labels that a pool puts on its nodes, and the keys that belong to the controller.

use std::collections::BTreeMap;

use super::{FieldPath, Violation, too_many};
use crate::model::labels::{check_key, check_value, is_restricted, keys};

const LABELS_MAX: usize = 100;

/// The labels of a template.
pub(super) fn check_labels(path: &FieldPath, labels: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found: Vec<_> = too_many(path, labels.len(), LABELS_MAX)
        .into_iter()
        .collect();
    for (key, value) in labels {
        let path = path.key(key);
        found.extend(check_label_key(&path, key));
        found.extend(pool_label(&path, key));
        found.extend(check_label_value(path, value));
    }
    found
}

/// A key that a user may constrain or set.
pub(super) fn check_label_key(path: &FieldPath, key: &str) -> Option<Violation> {
    if let Err(error) = check_key(key) {
        let fix = "Write a name, or a domain, a slash and a name, such as example.com/team.";
        return Some(Violation::new(path.clone(), key, sentence(&error), fix));
    }
    is_restricted(key).then(|| {
        let (rule, fix) = if key == keys::HOSTNAME {
            (
                "The hostname of a node cannot be known before the node exists.",
                "Remove it; to bind pods to a zone or type, use their labels.",
            )
        } else {
            (
                "Labels of this domain belong to the controller, but for the well-known ones.",
                "Use a domain of your own.",
            )
        };
        Violation::new(path.clone(), key, rule, fix)
    })
}

/// The label that names the pool is well known, and yet a pool may not speak of it.
pub(super) fn pool_label(path: &FieldPath, key: &str) -> Option<Violation> {
    let rule = "The label that names the pool belongs to the controller.";
    let fix = "Remove it; every node of the pool gets the label.";
    (key == keys::NODE_POOL).then(|| Violation::new(path.clone(), key, rule, fix))
}

/// A text that can be the value of a label.
pub(super) fn check_label_value(path: FieldPath, value: &str) -> Option<Violation> {
    let error = check_value(value).err()?;
    let fix = "Write at most 63 letters, digits, dots, dashes and underscores.";
    Some(Violation::new(path, value, sentence(&error), fix))
}

/// The message of an error as a sentence of its own.
pub(super) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

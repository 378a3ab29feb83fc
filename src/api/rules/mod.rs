//! What an object must satisfy beyond its shape.
//!
//! The rules are those of Karpenter's resource definitions (their patterns, bounds and CEL
//! expressions) and those its controllers check afterwards, as plain functions over the typed
//! object. Every violation is reported at once, in the order of the fields, so that a file is
//! mended in one go. What the schema says by itself (types, required members, enumerations) has
//! been checked before an object exists and is not repeated.
//!
//! Three rules compare an object with its former self (the spec of a NodeClaim, the group and kind
//! of `nodeClassRef`, the presence of `replicas`). They belong to the API server, which alone
//! knows both.
//!
//! Where the text of one of Karpenter's rules and its intention part, the intention is followed:
//!
//! | Rule | In Karpenter | Here |
//! |---|---|---|
//! | a selector term names one thing in one way | broken only if every term breaks it | each term |
//! | ids of subnets, security groups and images | may be part of a longer text | the whole text |
//! | size of a volume | `Ti` passes and `18Ti` does not | a number from 1 to the unit's greatest |
//! | a term with an empty map of tags | selects everything | selects nothing, so it is refused |
//! | keys of the controller's own domains | `notkarpenter.sh/a` is refused too | subdomains only |
//! | value of a taint | may have a prefix, though no node may carry that | a label value |
//! | minValues of an In | a value written twice counts twice | counts once |
//! | a budget's number of nodes | may be too long to be read, which blocks everything | a 32-bit integer |
//! | schedules | `*-5` passes and means `*` | refused, see [`crate::model::schedule`] |

mod ami;
mod devices;
mod disruption;
mod durations;
mod kubelet;
mod kubelet_fields;
mod labels;
mod network;
mod node_claim;
mod node_class;
mod node_pool;
mod path;
mod quantities;
mod requirements;
mod selectors;
mod taints;

use std::fmt;

pub use node_claim::check_node_claim;
pub use node_class::check_ec2_node_class;
pub use node_pool::check_node_pool;
pub use path::{FieldPath, Segment};

/// One breach of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where it stands.
    pub path: FieldPath,
    /// What was written, shortened; `(absent)` where something is missing.
    pub value: String,
    /// The rule, as a sentence.
    pub rule: String,
    /// What to write instead.
    pub fix: String,
    /// What the rule has read beyond the value at `path`, or has missed. Where one of these is not
    /// known, the breach may be a consequence of that.
    pub depends_on: Vec<FieldPath>,
}

impl Violation {
    /// A breach that shows in the value at `path` alone.
    pub fn new(
        path: FieldPath,
        value: impl fmt::Display,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            path,
            value: shortened(&value.to_string()),
            rule: rule.into(),
            fix: fix.into(),
            depends_on: Vec::new(),
        }
    }

    /// The same breach, which would be none if one of these fields had another value.
    #[must_use]
    pub fn depends_on(mut self, fields: impl IntoIterator<Item = FieldPath>) -> Self {
        self.depends_on.extend(fields);
        self
    }

    /// The same breach in an object that lies at `outer` in another one.
    #[must_use]
    pub fn within(self, outer: &FieldPath) -> Self {
        let depends_on = self.depends_on.iter();
        Self {
            path: outer.join(&self.path),
            depends_on: depends_on.map(|field| outer.join(field)).collect(),
            ..self
        }
    }

    /// Whether it may only be a consequence of these values' not being known. What it has found at
    /// its own path stays true whatever is missing deeper within; of another field the whole counts.
    pub fn may_follow_from(&self, unknown: &[FieldPath]) -> bool {
        unknown.iter().any(|unknown| {
            let mut read = self.depends_on.iter();
            self.path.starts_with(unknown)
                || read.any(|read| read.starts_with(unknown) || unknown.starts_with(read))
        })
    }
}

/// What stands for the value of something that should be there and is not.
const ABSENT: &str = "(absent)";

/// A message is read on one line.
const VALUE_LENGTH_MAX: usize = 60;

fn shortened(text: &str) -> String {
    if text.is_empty() {
        return "\"\"".to_owned();
    }
    let line: String = text.lines().next().unwrap_or_default().into();
    let is_whole = line.len() == text.len() && line.chars().count() <= VALUE_LENGTH_MAX;
    if is_whole {
        return line;
    }
    let kept: String = line.chars().take(VALUE_LENGTH_MAX).collect();
    format!("{kept}…")
}

/// A list or map that may have so many entries and no more.
fn too_many(path: &FieldPath, count: usize, max: usize) -> Option<Violation> {
    (count > max).then(|| {
        let rule = format!("At most {} are allowed.", entries(max));
        let fix = format!("Remove {}.", entries(count - max));
        Violation::new(path.clone(), entries(count), rule, fix)
    })
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 entry".to_owned(),
        _ => format!("{count} entries"),
    }
}

/// A number that lies between two bounds, both included.
fn out_of_range(path: FieldPath, value: i64, min: i64, max: i64) -> Option<Violation> {
    (value < min || value > max).then(|| {
        let rule = format!("The number must lie between {min} and {max}.");
        let fix = format!("Write a number from {min} to {max}.");
        Violation::new(path, value, rule, fix)
    })
}

/// A number that counts something.
fn negative(path: FieldPath, value: i64) -> Option<Violation> {
    let rule = "The number must not be negative.";
    (value < 0).then(|| Violation::new(path, value, rule, "Write 0 or more."))
}

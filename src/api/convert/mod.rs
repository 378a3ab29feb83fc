//! From Kubernetes objects to the model.
//!
//! A conversion never fails as a whole. What cannot be understood is replaced by what does least
//! harm (nothing is bought for it, nothing is disrupted because of it, nothing is bought twice)
//! and is named: on a pod among its unsupported fields, on all other objects as a [`Problem`].

mod budget;
mod claim;
mod drift_hash;
mod meta;
mod node;
mod node_class;
mod pod;
mod pool;
mod requirements;
mod resource_list;
mod taints;

use std::fmt;

use super::rules::FieldPath;

pub use claim::{node_claim, termination_deadline};
pub use drift_hash::{HASH_VERSION, node_pool_hash};
pub use meta::timestamp;
pub use node::node;
pub use node_class::ec2_node_class;
pub use pod::{daemon_set, pod};
pub use pool::node_pool;

pub(super) use pool::class_label;

/// A value, and what was not understood on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted<T> {
    /// The value.
    pub value: T,
    /// What was not understood, in the order it was met.
    pub problems: Vec<Problem>,
}

/// A field that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub path: FieldPath,
    /// What is wrong with it.
    pub what: String,
}

/// `spec.limits["cpu"]: "many" is no quantity`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// The problems met so far.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: FieldPath, what: impl fmt::Display) {
        let what = what.to_string();
        self.0.push(Problem { path, what });
    }

    /// The value if there is one; otherwise the error becomes a problem of this field.
    fn ok<T, E: fmt::Display>(&mut self, path: FieldPath, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(path, error);
                None
            }
        }
    }

    fn with<T>(self, value: T) -> Converted<T> {
        let problems = self.0;
        Converted { value, problems }
    }
}

/// `spec`, where most paths begin.
fn spec() -> FieldPath {
    FieldPath::ROOT.field("spec")
}

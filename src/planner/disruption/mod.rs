//! Which nodes go, and why the others stay.

mod budget;
mod candidate;
mod emptiness;

use std::sync::Arc;

use crate::cluster::{NodeId, Snapshot};
use crate::model::catalog::Catalog;
use crate::model::id::{ClaimName, PoolName, Uid};
use crate::model::reason::{Blocked, DisruptionReason};
use crate::model::time::Timestamp;

/// The question which nodes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisruptionInput {
    /// The cluster.
    pub snapshot: Snapshot,
    /// What can be bought.
    pub catalog: Arc<Catalog>,
    /// The instant that the answer is for.
    pub now: Timestamp,
}

/// The answer. Every node occurs once: in a command, or kept.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisruptionPlan {
    /// What to do, in this order.
    pub commands: Vec<Command>,
    /// The nodes that stay, by id, and why.
    pub kept: Vec<Kept>,
    /// When the answer may change although nothing happens: a node has been quiet for long
    /// enough, a budget opens or closes.
    pub look_again: Option<Timestamp>,
}

/// Nodes that go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Why.
    pub reason: DisruptionReason,
    /// The pool.
    pub pool: PoolName,
    /// The claims that go, by name.
    pub remove: Vec<Removal>,
}

/// A claim that goes, as it was when that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its name.
    pub claim: ClaimName,
    /// Its uid.
    pub uid: Uid,
    /// The generation of its state: if that has changed, the decision is void.
    pub generation: u64,
}

/// A node that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The node.
    pub node: NodeId,
    /// Why.
    pub because: Blocked,
}

/// Which nodes go at this instant.
pub fn plan(input: &DisruptionInput) -> DisruptionPlan {
    emptiness::plan(input)
}

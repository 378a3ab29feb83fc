//! What the planner is asked.

use std::sync::Arc;

use crate::cluster::Snapshot;
use crate::model::catalog::{Catalog, SoldOut};
use crate::model::pod::Pod;
use crate::model::time::Timestamp;

/// One planning problem. It owns or shares all it refers to, so that it can be solved elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanInput {
    /// The cluster.
    pub snapshot: Snapshot,
    /// The pods to be placed.
    pub pending: Vec<Arc<Pod>>,
    /// What can be bought.
    pub catalog: Arc<Catalog>,
    /// What is known to be sold out.
    pub sold_out: SoldOut,
    /// The instant that the answer is for.
    pub now: Timestamp,
    /// How to decide.
    pub options: Options,
}

/// How to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What preferences of pods are worth.
    pub preferences: PreferencePolicy,
    /// The most evaluations (one pod class against one place) that one plan may take.
    pub evaluations_max: u64,
}

/// What preferences of pods are worth (Karpenter's `--preference-policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PreferencePolicy {
    /// They are kept where a place can be found or bought that keeps them.
    Respect,
    /// They are left out.
    Ignore,
}

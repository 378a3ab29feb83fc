//! What a change has touched, so that whoever reacts need not look at everything.

use std::collections::BTreeSet;

use super::node_state::NodeId;
use crate::model::id::PodKey;

/// What a change has touched.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    /// The nodes and claims whose state is another now, those that are gone among them.
    pub nodes: BTreeSet<NodeId>,
    /// The pods without a node that are another now, those that are gone among them.
    pub pods: BTreeSet<PodKey>,
    /// The nodes that a pod came to or left, not counting pods that belong to the node. Quiet
    /// time starts over there.
    pub pod_events: BTreeSet<NodeId>,
    /// Whether something changed that bears on all pods: a NodePool, a node class, a DaemonSet,
    /// or that a kind has been listed in full.
    pub rules: bool,
}

impl Dirty {
    /// Adds what another change has touched.
    pub fn extend(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.pods.extend(other.pods);
        self.pod_events.extend(other.pod_events);
        self.rules |= other.rules;
    }
}

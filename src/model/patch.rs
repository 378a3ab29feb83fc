//! Changes of the objects that we own: the engine asks for them, and the edge writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claim::Machine;
use super::id::{ClaimName, LaunchGroup, NodeName, Uid};
use super::labels::{LabelKey, LabelValue};
use super::taint::Taint;
use super::time::Timestamp;

/// A change of a NodeClaim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimPatch {
    /// The fleet call that buys for it.
    LaunchGroup(LaunchGroup),
    /// Its machine is bought (condition `Launched`).
    Launched(Box<Machine>),
    /// Its node has joined (condition `Registered`).
    Registered(NodeName),
    /// Its node can be used in full (condition `Initialized`).
    Initialized,
    /// When draining ends whatever still runs.
    TerminationDeadline(Timestamp),
    /// A pod came to or left its node.
    LastPodEvent(Timestamp),
}

/// A change of a Node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodePatch {
    /// Make it ours: finalizer, owner, labels, taints; take away the taint `unregistered`.
    Register {
        /// The owner.
        claim: ClaimName,
        /// The owner's uid.
        claim_uid: Uid,
        /// Labels to be set, `karpenter.sh/registered` among them.
        labels: BTreeMap<LabelKey, LabelValue>,
        /// Annotations to be set.
        annotations: BTreeMap<Arc<str>, Arc<str>>,
        /// Taints to be added where key and effect are not there yet.
        taints: Vec<Taint>,
    },
    /// Set the label `karpenter.sh/initialized`.
    Initialized,
    /// Keep new pods and load balancers away: it drains.
    Disrupted,
    /// Let them back: it stays after all.
    NotDisrupted,
}

//! Nodes, as the API server knows them.

use std::collections::BTreeMap;

use super::id::{NodeName, ProviderId, Uid};
use super::labels::{LabelKey, LabelValue, keys};
use super::resources::Resources;
use super::taint::Taint;
use super::time::Timestamp;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The name.
    pub name: NodeName,
    /// The uid.
    pub uid: Uid,
    /// The machine behind it, once the kubelet or the cloud has said so.
    pub provider_id: Option<ProviderId>,
    /// When the object was created.
    pub created: Timestamp,
    /// When it was told to go.
    pub deleting: Option<Timestamp>,
    /// Whether our finalizer holds it.
    pub held: bool,
    /// Its labels.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// What the machine has.
    pub capacity: Resources,
    /// What pods may use.
    pub allocatable: Resources,
    /// Whether the kubelet is ready.
    pub ready: NodeReady,
    /// The annotation `karpenter.sh/do-not-disrupt` is `true`.
    pub do_not_disrupt: bool,
}

/// The condition `Ready` of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeReady {
    /// It takes pods.
    Ready,
    /// It does not, or nobody knows.
    NotReady {
        /// Since when.
        since: Timestamp,
    },
}

impl Node {
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(LabelValue::as_str)
    }

    /// Whether the label says so that registration is complete.
    pub fn is_registered(&self) -> bool {
        self.label(keys::REGISTERED) == Some("true")
    }

    /// Whether the label says so that the node may be used and disrupted.
    pub fn is_initialized(&self) -> bool {
        self.label(keys::INITIALIZED) == Some("true")
    }
}

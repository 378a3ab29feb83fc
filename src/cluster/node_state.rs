//! A node as placement sees it: the claim, the node, and the pods on their way to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::model::claim::NodeClaim;
use crate::model::id::{ClaimName, NodeName, PodKey, PoolName};
use crate::model::labels::{LabelKey, LabelValue, keys};
use crate::model::node::Node;
use crate::model::pod::Pod;
use crate::model::resources::{ResourceName, Resources};
use crate::model::taint::Taint;

/// What a node is known by: its claim from the first moment on, or its name if it has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeId {
    /// A node of ours, in flight or not.
    Claim(ClaimName),
    /// A node of somebody else.
    Node(NodeName),
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(name) => name.fmt(f),
            Self::Node(name) => name.fmt(f),
        }
    }
}

/// Where a node comes from, and so what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeSource {
    /// Wanted, perhaps bought, not seen.
    InFlight(Arc<NodeClaim>),
    /// Wanted by us, and seen.
    Managed(Arc<NodeClaim>, Arc<Node>),
    /// Not ours.
    Unmanaged(Arc<Node>),
}

/// A node with everything on it and on its way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// Claim and node.
    pub source: NodeSource,
    /// The pods bound to it that have not come to their end.
    pub pods: BTreeMap<PodKey, Arc<Pod>>,
    /// The pods promised to it that are not bound yet.
    pub nominated: BTreeMap<PodKey, Arc<Pod>>,
    /// Whether a command or a user has decided that it goes.
    pub going: bool,
    /// Counts the changes of this state; it never goes back.
    pub generation: u64,
}

impl NodeState {
    /// The claim, if the node is ours.
    pub fn claim(&self) -> Option<&Arc<NodeClaim>> {
        match &self.source {
            NodeSource::InFlight(claim) | NodeSource::Managed(claim, _) => Some(claim),
            NodeSource::Unmanaged(_) => None,
        }
    }

    /// The node, if it has been seen.
    pub fn node(&self) -> Option<&Arc<Node>> {
        match &self.source {
            NodeSource::Managed(_, node) | NodeSource::Unmanaged(node) => Some(node),
            NodeSource::InFlight(_) => None,
        }
    }

    /// The pool, if the node is ours.
    pub fn pool(&self) -> Option<&PoolName> {
        self.claim().map(|claim| &claim.spec.pool)
    }

    /// Whether the node can be used in full.
    pub fn is_initialized(&self) -> bool {
        match &self.source {
            NodeSource::InFlight(_) => false,
            NodeSource::Managed(claim, _) => claim.phase.initialized_at().is_some(),
            NodeSource::Unmanaged(_) => true,
        }
    }

    /// The labels: those of the claim until the node is registered, then the node's own.
    pub fn labels(&self) -> BTreeMap<LabelKey, LabelValue> {
        match &self.source {
            NodeSource::InFlight(claim) => claim.labels(),
            NodeSource::Managed(_, node) if node.is_registered() => node.labels.clone(),
            NodeSource::Managed(claim, node) => {
                let mut labels = claim.labels();
                labels.extend(node.labels.get_key_value(keys::HOSTNAME).map(own));
                labels
            }
            NodeSource::Unmanaged(node) => node.labels.clone(),
        }
    }

    /// The taints that will still be there when a pod can be bound. While a node of ours is set
    /// up, those that go by themselves, and the startup taints, are judged as gone.
    pub fn taints(&self) -> Vec<Taint> {
        match &self.source {
            NodeSource::InFlight(claim) => claim.spec.taints.clone(),
            NodeSource::Unmanaged(node) => node.taints.clone(),
            NodeSource::Managed(_, node) if self.is_initialized() => node.taints.clone(),
            NodeSource::Managed(claim, node) => {
                let registered = node.is_registered();
                let taints = if registered {
                    &node.taints
                } else {
                    &claim.spec.taints
                };
                let startup = &claim.spec.startup_taints;
                let passes = |taint: &&Taint| !taint.is_ephemeral() && !startup.contains(taint);
                taints.iter().filter(passes).cloned().collect()
            }
        }
    }

    /// What pods may use, if it is known: it is not while a claim has no machine. A kubelet that
    /// starts reports zero for what it has not found yet; there the machine's promise counts.
    pub fn allocatable(&self) -> Option<Resources> {
        match &self.source {
            NodeSource::InFlight(claim) => Some(claim.phase.machine()?.allocatable.clone()),
            NodeSource::Unmanaged(node) => Some(node.allocatable.clone()),
            NodeSource::Managed(_, node) if self.is_initialized() => Some(node.allocatable.clone()),
            NodeSource::Managed(claim, node) => {
                let promised = claim.phase.machine().map(|machine| &machine.allocatable);
                Some(completed(&node.allocatable, promised))
            }
        }
    }

    /// What the machine has, as it counts against limits: once it is bought, its capacity.
    pub fn capacity(&self) -> Option<Resources> {
        let promised = self.claim().and_then(|claim| claim.phase.machine());
        let promised = promised.map(|machine| &machine.capacity);
        match self.node() {
            Some(node) => Some(completed(&node.capacity, promised)),
            None => promised.cloned(),
        }
    }

    /// What the pods on it and on their way to it take together.
    pub fn requested(&self) -> Resources {
        let pods = self.pods.values().chain(self.nominated.values());
        sum(pods.map(|pod| pod.scheduling.resources()))
    }

    /// The pods that need a new place if the node goes.
    pub fn reschedulable_pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.values().filter(|pod| pod.is_reschedulable())
    }
}

fn own((key, value): (&LabelKey, &LabelValue)) -> (LabelKey, LabelValue) {
    (key.clone(), value.clone())
}

/// `reported`, with what is zero there taken from `promised`.
fn completed(reported: &Resources, promised: Option<&Resources>) -> Resources {
    let mut all = reported.clone();
    for (name, amount) in promised.into_iter().flat_map(Resources::iter) {
        if all.get(&name) == 0 {
            all.set(&name, amount);
        }
    }
    all
}

/// The sum of amounts of running pods. Requests beyond all machines cannot be bound, so a sum
/// that leaves the range stands for "more than there is" and stays at its end.
pub(crate) fn sum<'a>(amounts: impl IntoIterator<Item = &'a Resources>) -> Resources {
    amounts.into_iter().fold(Resources::ZERO, |total, amount| {
        total
            .checked_add(amount)
            .unwrap_or_else(|| saturated(&total, amount))
    })
}

fn saturated(total: &Resources, amount: &Resources) -> Resources {
    let names: Vec<ResourceName> = total
        .iter()
        .chain(amount.iter())
        .map(|(name, _)| name)
        .collect();
    names.into_iter().fold(Resources::ZERO, |sum, name| {
        let both = total.get(&name).saturating_add(amount.get(&name));
        sum.with(&name, both)
    })
}

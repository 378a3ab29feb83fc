//! The store itself: objects, the indexes over them, and the node states built from both.
//!
//! Every change names the node states it may bear on, and those are built anew from the objects.
//! A state that comes out as it was keeps its generation, so that repetitions cost nobody anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::claim_record::ClaimRecord;
use super::dirty::Dirty;
use super::lists::Lists;
use super::node_state::{NodeId, NodeSource, NodeState};
use super::nominations::Nominations;
use super::snapshot::Snapshot;
use crate::model::claim::NodeClaim;
use crate::model::id::{ClaimName, NodeName, PodKey, ProviderId, Uid};
use crate::model::node::Node;
use crate::model::node_class::{NodeClass, NodeClassRef};
use crate::model::pod::Pod;

/// What is true of the cluster, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub(super) snapshot: Snapshot,
    pub(super) claims: BTreeMap<ClaimName, ClaimRecord>,
    pub(super) nodes: BTreeMap<NodeName, Arc<Node>>,
    /// The pods that have not come to their end.
    pub(super) pods: BTreeMap<PodKey, Arc<Pod>>,
    pub(super) node_classes: BTreeMap<NodeClassRef, Arc<NodeClass>>,
    pub(super) nominations: Nominations,
    pub(super) lists: Lists,
    /// Objects that we know to be gone while a watch may still show them.
    pub(super) buried: BTreeSet<Uid>,
    pods_by_node: BTreeMap<NodeName, BTreeSet<PodKey>>,
    nodes_by_machine: BTreeMap<ProviderId, BTreeSet<NodeName>>,
    claims_by_machine: BTreeMap<ProviderId, ClaimName>,
    generation: u64,
}

impl Cluster {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state at this instant. It costs a few counters; what is shared is copied only when it
    /// changes later.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Whether every kind has been listed in full, so that what is missing here does not exist.
    pub fn is_synced(&self) -> bool {
        self.lists.are_complete()
    }

    /// A node or claim with all that is on it.
    pub fn node_state(&self, id: &NodeId) -> Option<&Arc<NodeState>> {
        self.snapshot.nodes.get(id)
    }

    /// A claim.
    pub fn claim(&self, name: &ClaimName) -> Option<&Arc<NodeClaim>> {
        self.claims.get(name).map(|record| &record.known)
    }

    /// All claims by name.
    pub fn claims(&self) -> impl Iterator<Item = &Arc<NodeClaim>> {
        self.claims.values().map(|record| &record.known)
    }

    /// The claim that a machine was bought for.
    pub fn claim_of_machine(&self, machine: &ProviderId) -> Option<&Arc<NodeClaim>> {
        self.claim(self.claims_by_machine.get(machine)?)
    }

    /// The nodes that run on a machine; more than one only by mistake.
    pub fn nodes_of_machine(&self, machine: &ProviderId) -> impl Iterator<Item = &Arc<Node>> {
        let names = self.nodes_by_machine.get(machine).into_iter().flatten();
        names.filter_map(|name| self.nodes.get(name))
    }

    /// A pod that has not come to its end.
    pub fn pod(&self, key: &PodKey) -> Option<&Arc<Pod>> {
        self.pods.get(key)
    }

    /// A node class.
    pub fn node_class(&self, reference: &NodeClassRef) -> Option<&Arc<NodeClass>> {
        self.node_classes.get(reference)
    }

    /// What a node is known by here.
    pub fn id_of(&self, node: &NodeName) -> NodeId {
        let machine = self.nodes.get(node).and_then(|it| it.provider_id.as_ref());
        let claim = machine.and_then(|machine| self.claims_by_machine.get(machine));
        match claim {
            Some(claim) => NodeId::Claim(claim.clone()),
            None => NodeId::Node(node.clone()),
        }
    }

    pub(super) fn index_node(&mut self, node: &Node) {
        if let Some(machine) = &node.provider_id {
            let names = self.nodes_by_machine.entry(machine.clone()).or_default();
            names.insert(node.name.clone());
        }
    }

    pub(super) fn unindex_node(&mut self, node: &Node) {
        let Some(machine) = &node.provider_id else {
            return;
        };
        if let Some(names) = self.nodes_by_machine.get_mut(machine) {
            names.remove(&node.name);
            if names.is_empty() {
                self.nodes_by_machine.remove(machine);
            }
        }
    }

    /// Notes the machine of a claim; returns the nodes that are known by the claim from now on.
    pub(super) fn index_claim(&mut self, name: &ClaimName) -> Vec<NodeId> {
        let machine = self.claim(name).and_then(|claim| claim.phase.machine());
        let Some(machine) = machine.map(|machine| machine.provider_id.clone()) else {
            return Vec::new();
        };
        self.claims_by_machine.insert(machine.clone(), name.clone());
        self.ids_by_name(&machine)
    }

    pub(super) fn unindex_claim(&mut self, claim: &NodeClaim) -> Vec<NodeId> {
        let Some(machine) = claim.phase.machine() else {
            return Vec::new();
        };
        if self.claims_by_machine.get(&machine.provider_id) == Some(&claim.name) {
            self.claims_by_machine.remove(&machine.provider_id);
        }
        self.ids_by_name(&machine.provider_id)
    }

    fn ids_by_name(&self, machine: &ProviderId) -> Vec<NodeId> {
        let names = self.nodes_by_machine.get(machine).into_iter().flatten();
        names.cloned().map(NodeId::Node).collect()
    }

    pub(super) fn index_pod(&mut self, pod: &Pod) {
        if let Some(node) = pod.node() {
            let keys = self.pods_by_node.entry(node.clone()).or_default();
            keys.insert(pod.key.clone());
        }
    }

    pub(super) fn unindex_pod(&mut self, pod: &Pod) {
        let Some(node) = pod.node() else {
            return;
        };
        if let Some(keys) = self.pods_by_node.get_mut(node) {
            keys.remove(&pod.key);
            if keys.is_empty() {
                self.pods_by_node.remove(node);
            }
        }
    }

    /// Builds these states anew; reports those that came out differently.
    pub(super) fn rebuild(&mut self, ids: impl IntoIterator<Item = NodeId>) -> Dirty {
        let mut dirty = Dirty::default();
        for id in ids {
            self.rebuild_one(id, &mut dirty);
        }
        dirty
    }

    fn rebuild_one(&mut self, id: NodeId, dirty: &mut Dirty) {
        let Some(mut state) = self.build(&id) else {
            self.withdraw_nominations(&id, dirty);
            if self.snapshot.nodes.contains_key(&id) {
                Arc::make_mut(&mut self.snapshot.nodes).remove(&id);
                dirty.nodes.insert(id);
            }
            return;
        };
        if state.going {
            self.withdraw_nominations(&id, dirty);
            state.nominated.clear();
        }
        let before = self.snapshot.nodes.get(&id);
        state.generation = before.map_or(0, |before| before.generation);
        if before.is_none_or(|before| **before != state) {
            self.generation += 1;
            state.generation = self.generation;
            Arc::make_mut(&mut self.snapshot.nodes).insert(id.clone(), Arc::new(state));
            dirty.nodes.insert(id);
        }
    }

    /// Nothing new may come to a node that goes: its pods queue again.
    fn withdraw_nominations(&mut self, id: &NodeId, dirty: &mut Dirty) {
        let pods: Vec<PodKey> = self.nominations.of(id).cloned().collect();
        for pod in pods {
            self.nominations.remove(&pod);
            dirty.pods.insert(pod);
        }
    }

    fn build(&self, id: &NodeId) -> Option<NodeState> {
        let (source, going) = match id {
            NodeId::Claim(name) => self.source_of_claim(name)?,
            NodeId::Node(name) => self.source_of_node(name)?,
        };
        let node = match &source {
            NodeSource::InFlight(_) => None,
            NodeSource::Managed(_, node) | NodeSource::Unmanaged(node) => Some(&node.name),
        };
        let bound = node.and_then(|name| self.pods_by_node.get(name));
        let bound = bound.into_iter().flatten();
        Some(NodeState {
            pods: self.pods_of(bound),
            nominated: self.pods_of(self.nominations.of(id)),
            source,
            going,
            generation: 0,
        })
    }

    fn pods_of<'a>(&self, keys: impl Iterator<Item = &'a PodKey>) -> BTreeMap<PodKey, Arc<Pod>> {
        let known = keys.filter_map(|key| self.pods.get_key_value(key));
        known.map(|(key, pod)| (key.clone(), pod.clone())).collect()
    }

    fn source_of_claim(&self, name: &ClaimName) -> Option<(NodeSource, bool)> {
        let record = self.claims.get(name)?;
        let claim = record.known.clone();
        let going = record.marked || claim.deleting.is_some();
        let machine = claim.phase.machine().map(|machine| &machine.provider_id);
        let node = machine.and_then(|machine| self.nodes_of_machine(machine).next());
        Some(match node {
            Some(node) => {
                let going = going || node.deleting.is_some();
                (NodeSource::Managed(claim, node.clone()), going)
            }
            None => (NodeSource::InFlight(claim), going),
        })
    }

    fn source_of_node(&self, name: &NodeName) -> Option<(NodeSource, bool)> {
        let node = self.nodes.get(name)?;
        match self.id_of(name) {
            NodeId::Claim(_) => None,
            NodeId::Node(_) => Some((NodeSource::Unmanaged(node.clone()), node.deleting.is_some())),
        }
    }

    /// Brings the index of pods without a node up to date.
    pub(super) fn reindex_unbound(&mut self, key: &PodKey, dirty: &mut Dirty) {
        let unbound = self.pods.get(key).filter(|pod| pod.node().is_none());
        if self.snapshot.unbound.get(key) == unbound {
            return;
        }
        let unbound = unbound.cloned();
        let all = Arc::make_mut(&mut self.snapshot.unbound);
        match unbound {
            Some(pod) => all.insert(key.clone(), pod),
            None => all.remove(key),
        };
        dirty.pods.insert(key.clone());
    }
}

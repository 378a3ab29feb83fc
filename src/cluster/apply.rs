//! How what the watches report changes the store.
//!
//! A change that repeats what is known, or shows an older state of something we have moved on
//! since, changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::{Change, Kind};
use super::claim_record::ClaimRecord;
use super::dirty::Dirty;
use super::lists::ObjectKey;
use super::node_state::NodeId;
use super::store::Cluster;
use crate::model::claim::NodeClaim;
use crate::model::id::{ClaimName, NodeName, PodKey, Uid};
use crate::model::node::Node;
use crate::model::pod::Pod;

impl Cluster {
    /// Takes in one report.
    pub fn apply(&mut self, change: Change) -> Dirty {
        if let Some(key) = ObjectKey::shown_by(&change) {
            self.lists.show(key);
        }
        match change {
            Change::Pod(pod) => self.pod_shown(*pod),
            Change::PodGone(key) => self.pod_gone(&key),
            Change::Node(node) => self.node_shown(*node),
            Change::NodeGone(name) => self.node_gone(&name),
            Change::Claim(claim) => self.claim_shown(*claim),
            Change::ClaimGone(name) => self.claim_gone(&name),
            Change::Pool(pool) => {
                let pools = Arc::make_mut(&mut self.snapshot.pools);
                replaced(pools, pool.name.clone(), Arc::new(*pool))
            }
            Change::PoolGone(name) => removed(Arc::make_mut(&mut self.snapshot.pools), &name),
            Change::NodeClass(class) => {
                let reference = class.reference.clone();
                replaced(&mut self.node_classes, reference, Arc::new(*class))
            }
            Change::NodeClassGone(reference) => removed(&mut self.node_classes, &reference),
            Change::DaemonSet(set) => {
                let sets = Arc::make_mut(&mut self.snapshot.daemon_sets);
                replaced(sets, set.key.clone(), Arc::new(*set))
            }
            Change::DaemonSetGone(key) => {
                removed(Arc::make_mut(&mut self.snapshot.daemon_sets), &key)
            }
            Change::ListBegins(kind) => {
                self.lists.begin(kind);
                Dirty::default()
            }
            Change::ListEnds(kind) => self.list_ends(kind),
        }
    }

    fn pod_shown(&mut self, pod: Pod) -> Dirty {
        let key = pod.key.clone();
        if pod.is_terminal() {
            return self.pod_gone(&key);
        }
        let before = self.pods.get(&key).cloned();
        if before.as_deref() == Some(&pod) {
            return Dirty::default();
        }
        let mut touched = self.ids_of_pod(&key);
        if let Some(before) = &before {
            self.unindex_pod(before);
        }
        // A pod that has to leave its node keeps the room reserved for it until it leaves.
        let is_where_it_was = before.as_deref().and_then(Pod::node) == pod.node();
        let promise_holds = self.nominations.get(&key).is_some_and(|promise| {
            promise.uid == pod.uid && is_where_it_was && pod.deleting.is_none()
        });
        if !promise_holds {
            self.nominations.remove(&key);
        }
        self.index_pod(&pod);
        self.pods.insert(key.clone(), Arc::new(pod));
        touched.extend(self.ids_of_pod(&key));
        let mut dirty = self.rebuild(touched);
        self.reindex_unbound(&key, &mut dirty);
        let after = self.pods.get(&key);
        dirty.pod_events = self.ids_of_event(before.as_deref(), after.map(|pod| &**pod));
        dirty
    }

    fn pod_gone(&mut self, key: &PodKey) -> Dirty {
        let touched = self.ids_of_pod(key);
        let Some(before) = self.pods.remove(key) else {
            return Dirty::default();
        };
        self.unindex_pod(&before);
        self.nominations.remove(key);
        let mut dirty = self.rebuild(touched);
        self.reindex_unbound(key, &mut dirty);
        dirty.pod_events = self.ids_of_event(Some(&before), None);
        dirty
    }

    /// The nodes that a pod came to or left. It leaves when it is told to, or comes to its end.
    fn ids_of_event(&self, before: Option<&Pod>, after: Option<&Pod>) -> BTreeSet<NodeId> {
        let staying = |pod: Option<&Pod>| {
            let pod = pod.filter(|pod| !pod.is_node_bound() && pod.deleting.is_none())?;
            pod.node().cloned()
        };
        let (before, after) = (staying(before), staying(after));
        if before == after {
            return BTreeSet::new();
        }
        let nodes = before.into_iter().chain(after);
        nodes.map(|node| self.id_of(&node)).collect()
    }

    /// The states that hold a pod: that of its node, and that it is promised to.
    fn ids_of_pod(&self, key: &PodKey) -> Vec<NodeId> {
        let node = self.pods.get(key).and_then(|pod| pod.node());
        let bound = node.map(|node| self.id_of(node));
        let promised = self.nominations.get(key).map(|it| it.target.clone());
        bound.into_iter().chain(promised).collect()
    }

    fn node_shown(&mut self, node: Node) -> Dirty {
        if self.buried.contains(&node.uid) {
            return Dirty::default();
        }
        let name = node.name.clone();
        let mut touched = vec![self.id_of(&name)];
        if let Some(before) = self.nodes.get(&name).cloned() {
            if *before == node {
                return Dirty::default();
            }
            self.unindex_node(&before);
        }
        self.index_node(&node);
        self.nodes.insert(name.clone(), Arc::new(node));
        touched.push(self.id_of(&name));
        touched.push(NodeId::Node(name));
        self.rebuild(touched)
    }

    fn node_gone(&mut self, name: &NodeName) -> Dirty {
        let touched = [self.id_of(name), NodeId::Node(name.clone())];
        if let Some(before) = self.nodes.remove(name) {
            self.unindex_node(&before);
            self.buried.remove(&before.uid);
        }
        self.rebuild(touched)
    }

    fn claim_shown(&mut self, claim: NodeClaim) -> Dirty {
        if self.buried.contains(&claim.uid) {
            return Dirty::default();
        }
        self.claim_confirmed(claim, true)
    }

    /// Takes in a state of a claim that the API server has had.
    pub(super) fn claim_confirmed(&mut self, claim: NodeClaim, seen: bool) -> Dirty {
        let name = claim.name.clone();
        let mut touched = Vec::new();
        if let Some(record) = self.claims.get_mut(&name) {
            let before = record.known.clone();
            record.join(claim);
            record.seen |= seen;
            if before.uid != record.known.uid {
                touched.extend(self.unindex_claim(&before));
            }
        } else {
            let mut record = ClaimRecord::confirmed(claim);
            record.seen = seen;
            self.claims.insert(name.clone(), record);
        }
        touched.extend(self.index_claim(&name));
        touched.push(NodeId::Claim(name));
        self.rebuild(touched)
    }

    pub(super) fn claim_gone(&mut self, name: &ClaimName) -> Dirty {
        let Some(record) = self.claims.remove(name) else {
            return Dirty::default();
        };
        self.buried.remove(&record.known.uid);
        let mut touched = self.unindex_claim(&record.known);
        touched.push(NodeId::Claim(name.clone()));
        self.rebuild(touched)
    }

    /// What a complete list does not show is gone. A claim that was confirmed to us and that no
    /// watch has shown yet may be younger than the list.
    fn list_ends(&mut self, kind: Kind) -> Dirty {
        let Some(shown) = self.lists.end(kind) else {
            return Dirty::default();
        };
        let held = self.objects(kind);
        let missing = held.into_iter().filter(|key| !shown.contains(key));
        let mut dirty = Dirty {
            rules: true,
            ..Dirty::default()
        };
        for key in missing {
            dirty.extend(self.apply(key.gone()));
        }
        dirty
    }

    fn objects(&self, kind: Kind) -> Vec<ObjectKey> {
        let snapshot = &self.snapshot;
        match kind {
            Kind::Pod => self.pods.keys().cloned().map(ObjectKey::Pod).collect(),
            Kind::Node => self.nodes.keys().cloned().map(ObjectKey::Node).collect(),
            Kind::NodeClaim => {
                let seen = self.claims.iter().filter(|(_, record)| record.seen);
                seen.map(|(name, _)| ObjectKey::Claim(name.clone()))
                    .collect()
            }
            Kind::NodePool => {
                let names = snapshot.pools.keys().cloned();
                names.map(ObjectKey::Pool).collect()
            }
            Kind::NodeClass => {
                let references = self.node_classes.keys().cloned();
                references.map(ObjectKey::NodeClass).collect()
            }
            Kind::DaemonSet => {
                let keys = snapshot.daemon_sets.keys().cloned();
                keys.map(ObjectKey::DaemonSet).collect()
            }
        }
    }

    /// An object that we have released is gone, whatever a late watch shows of it.
    pub(super) fn bury(&mut self, uid: &Uid) {
        if self.buried.len() >= BURIED_MAX {
            self.buried.pop_first();
        }
        self.buried.insert(uid.clone());
    }
}

/// Watches lag by seconds, in which a cluster loses some hundreds of nodes at worst. One that is
/// forgotten too early costs a few calls that find nothing.
const BURIED_MAX: usize = 4_096;

fn replaced<K: Ord, V: PartialEq>(map: &mut BTreeMap<K, Arc<V>>, key: K, value: Arc<V>) -> Dirty {
    let rules = map.get(&key) != Some(&value);
    if rules {
        map.insert(key, value);
    }
    Dirty {
        rules,
        ..Dirty::default()
    }
}

fn removed<K: Ord, V>(map: &mut BTreeMap<K, V>, key: &K) -> Dirty {
    Dirty {
        rules: map.remove(key).is_some(),
        ..Dirty::default()
    }
}

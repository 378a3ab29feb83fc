//! Promises: which pod is about to come to which node.

use std::collections::{BTreeMap, BTreeSet};

use super::node_state::NodeId;
use crate::model::id::{PodKey, Uid};
use crate::model::time::Timestamp;

/// A promise to one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nomination {
    pub(super) uid: Uid,
    pub(super) target: NodeId,
    /// When it is void if the pod has not come by then; none while the node is being set up.
    pub(super) until: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Nominations {
    by_pod: BTreeMap<PodKey, Nomination>,
    by_target: BTreeMap<NodeId, BTreeSet<PodKey>>,
}

impl Nominations {
    /// Promises; returns the target of a promise that this one replaces.
    pub(super) fn insert(&mut self, pod: PodKey, nomination: Nomination) -> Option<NodeId> {
        let before = self.remove(&pod);
        let pods = self.by_target.entry(nomination.target.clone()).or_default();
        pods.insert(pod.clone());
        self.by_pod.insert(pod, nomination);
        before
    }

    pub(super) fn remove(&mut self, pod: &PodKey) -> Option<NodeId> {
        let Nomination { target, .. } = self.by_pod.remove(pod)?;
        if let Some(pods) = self.by_target.get_mut(&target) {
            pods.remove(pod);
            if pods.is_empty() {
                self.by_target.remove(&target);
            }
        }
        Some(target)
    }

    pub(super) fn get(&self, pod: &PodKey) -> Option<&Nomination> {
        self.by_pod.get(pod)
    }

    pub(super) fn of(&self, target: &NodeId) -> impl Iterator<Item = &PodKey> {
        self.by_target.get(target).into_iter().flatten()
    }

    /// Gives every open promise to a node an end, if it was made to a pod that `waits`.
    pub(super) fn close(
        &mut self,
        target: &NodeId,
        until: Timestamp,
        waits: impl Fn(&PodKey) -> bool,
    ) {
        let pods = self.by_target.get(target).into_iter().flatten();
        for pod in pods.filter(|pod| waits(pod)) {
            if let Some(nomination) = self.by_pod.get_mut(pod) {
                nomination.until.get_or_insert(until);
            }
        }
    }

    /// No open promise with an end holds for longer than until then.
    pub(super) fn shorten(&mut self, until_max: Timestamp) {
        for nomination in self.by_pod.values_mut() {
            nomination.until = nomination.until.map(|until| until.min(until_max));
        }
    }

    pub(super) fn expired(&self, now: Timestamp) -> Vec<PodKey> {
        let over = |nomination: &Nomination| nomination.until.is_some_and(|until| until <= now);
        let expired = self.by_pod.iter().filter(|(_, it)| over(it));
        expired.map(|(pod, _)| pod.clone()).collect()
    }

    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.by_pod.values().filter_map(|it| it.until).min()
    }
}

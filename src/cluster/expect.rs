//! What we know before a watch shows it: what we have decided, and what was confirmed to us.

use super::claim_record::{ClaimFact, ClaimRecord};
use super::dirty::Dirty;
use super::node_state::NodeId;
use super::nominations::Nomination;
use super::store::Cluster;
use crate::model::claim::{ClaimSpec, NodeClaim};
use crate::model::id::{ClaimName, NodeName, PodKey, Uid};
use crate::model::time::Timestamp;

impl Cluster {
    /// A claim is about to be created: pods can be promised to it, and limits count it.
    pub fn expect_claim(&mut self, name: ClaimName, spec: ClaimSpec, now: Timestamp) -> Dirty {
        let record = ClaimRecord::expected(name.clone(), spec, now);
        self.claims.entry(name.clone()).or_insert(record);
        self.rebuild([NodeId::Claim(name)])
    }

    /// Whether a claim is expected only: nobody has confirmed that it exists.
    pub fn is_expected(&self, name: &ClaimName) -> bool {
        self.claims.get(name).is_some_and(ClaimRecord::is_expected)
    }

    /// An expected claim will not come.
    pub fn withdraw_claim(&mut self, name: &ClaimName) -> Dirty {
        if self.is_expected(name) {
            self.claim_gone(name)
        } else {
            Dirty::default()
        }
    }

    /// The API server has created a claim for us.
    pub fn claim_created(&mut self, claim: NodeClaim) -> Dirty {
        self.claim_confirmed(claim, false)
    }

    /// We know of a step forward that the API server does not have yet.
    pub fn advance(&mut self, name: &ClaimName, fact: ClaimFact) -> Dirty {
        self.change_claim(name, |record| record.advance(fact))
    }

    /// The API server has confirmed a step forward.
    pub fn confirm(&mut self, name: &ClaimName, fact: ClaimFact) -> Dirty {
        self.change_claim(name, |record| record.confirm(fact))
    }

    /// We have decided that a claim goes.
    pub fn mark_going(&mut self, name: &ClaimName) -> Dirty {
        self.change_claim(name, |record| record.marked = true)
    }

    /// A claim that we had decided on stays after all.
    pub fn unmark_going(&mut self, name: &ClaimName) -> Dirty {
        self.change_claim(name, |record| record.marked = false)
    }

    fn change_claim(&mut self, name: &ClaimName, change: impl FnOnce(&mut ClaimRecord)) -> Dirty {
        let Some(record) = self.claims.get_mut(name) else {
            return Dirty::default();
        };
        change(record);
        let mut touched = self.index_claim(name);
        touched.push(NodeId::Claim(name.clone()));
        self.rebuild(touched)
    }

    /// The first step of a claim that the API server does not have yet.
    pub fn unsaved(&self, name: &ClaimName) -> Option<ClaimFact> {
        self.claims.get(name).and_then(ClaimRecord::unsaved)
    }

    /// The last coming or going of a pod that the API server has of a claim.
    pub fn saved_pod_event(&self, name: &ClaimName) -> Option<Timestamp> {
        self.claims.get(name).and_then(ClaimRecord::saved_pod_event)
    }

    /// Whether a claim was marked to go and the API server does not know yet.
    pub fn is_deletion_unsaved(&self, name: &ClaimName) -> bool {
        let record = self.claims.get(name);
        record.is_some_and(|record| record.marked && !record.is_deletion_saved())
    }

    /// A claim of this uid is gone: we released it, or were told that it is not there.
    pub fn claim_vanished(&mut self, name: &ClaimName, uid: &Uid) -> Dirty {
        if self.claim(name).is_none_or(|claim| claim.uid != *uid) {
            return Dirty::default();
        }
        let dirty = self.claim_gone(name);
        self.bury(uid);
        dirty
    }

    /// A node of this uid is gone: we released it, or were told that it is not there.
    pub fn node_vanished(&mut self, name: &NodeName, uid: &Uid) -> Dirty {
        if self.nodes.get(name).is_none_or(|node| node.uid != *uid) {
            return Dirty::default();
        }
        let touched = [self.id_of(name), NodeId::Node(name.clone())];
        if let Some(before) = self.nodes.remove(name) {
            self.unindex_node(&before);
        }
        self.bury(uid);
        self.rebuild(touched)
    }

    /// Promises a pod a node or claim. The promise is void at `until`; without an end it holds while
    /// the node is being set up. To a pod that still has a node it holds until it is told to leave
    /// that, or comes to its end.
    pub fn nominate(&mut self, pod: &PodKey, target: &NodeId, until: Option<Timestamp>) -> Dirty {
        let Some(known) = self.pods.get(pod) else {
            return Dirty::default();
        };
        let nomination = Nomination {
            uid: known.uid.clone(),
            target: target.clone(),
            until: until.filter(|_| known.node().is_none()),
        };
        let before = self.nominations.insert(pod.clone(), nomination);
        self.rebuild(before.into_iter().chain([target.clone()]))
    }

    /// Whether a pod has been promised a place.
    pub fn is_nominated(&self, pod: &PodKey) -> bool {
        self.nominations.get(pod).is_some()
    }

    /// The node or claim that a pod has been promised.
    pub fn promised_to(&self, pod: &PodKey) -> Option<&NodeId> {
        self.nominations.get(pod).map(|it| &it.target)
    }

    /// The node is set up: pods that were promised to it have to come before `until`.
    pub fn close_nominations(&mut self, target: &NodeId, until: Timestamp) {
        let pods = &self.pods;
        let waits = |pod: &PodKey| pods.get(pod).is_some_and(|pod| pod.node().is_none());
        self.nominations.close(target, until, waits);
    }

    /// No promise that has an end holds for longer than until then.
    pub fn shorten_nominations(&mut self, until_max: Timestamp) {
        self.nominations.shorten(until_max);
    }

    /// Ends the promises whose time is up.
    pub fn expire_nominations(&mut self, now: Timestamp) -> Dirty {
        let expired = self.nominations.expired(now);
        let targets: Vec<NodeId> = expired
            .iter()
            .filter_map(|pod| self.nominations.remove(pod))
            .collect();
        let mut dirty = self.rebuild(targets);
        dirty.pods.extend(expired);
        dirty
    }

    /// When the next promise ends.
    pub fn next_nomination_end(&self) -> Option<Timestamp> {
        self.nominations.next_end()
    }
}

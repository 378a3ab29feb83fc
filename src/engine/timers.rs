//! What to look at, now and later.
//!
//! A node is looked at when its state changes, when an effect on it has ended, and when a time that
//! somebody waits for has come. Looking in vain is harmless, so nobody ever takes a timer back.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::NodeId;
use crate::model::time::Timestamp;

/// The nodes to look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    due: BTreeSet<NodeId>,
    later: BTreeMap<NodeId, Timestamp>,
}

impl Agenda {
    /// Looks at a node in this step.
    pub(super) fn now(&mut self, id: NodeId) {
        self.due.insert(id);
    }

    /// Looks at a node no later than at an instant.
    pub(super) fn at(&mut self, id: &NodeId, when: Timestamp) {
        match self.later.get_mut(id) {
            Some(known) => *known = (*known).min(when),
            None => drop(self.later.insert(id.clone(), when)),
        }
    }

    /// What is due: the parts of a step all see the same.
    pub(super) fn begin(&mut self, now: Timestamp) -> BTreeSet<NodeId> {
        let come: Vec<NodeId> = self
            .later
            .iter()
            .filter(|(_, when)| **when <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &come {
            self.later.remove(id);
        }
        self.due.extend(come);
        std::mem::take(&mut self.due)
    }

    /// Whether something became due since the step began.
    pub(super) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// When to look next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.later.values().min().copied()
    }
}

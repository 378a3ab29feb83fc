//! What is known of one NodeClaim, and what of that the API server has.
//!
//! A claim only ever moves forward: a group once chosen stays, a machine once bought is bought, a
//! deletion is not taken back. An older state of the same object (the same uid) can therefore be
//! joined with what is known, and undoes nothing.

use std::sync::Arc;

use crate::model::claim::{ClaimPhase, ClaimSpec, Machine, NodeClaim};
use crate::model::id::{ClaimName, LaunchGroup, NodeName, Uid};
use crate::model::time::Timestamp;

/// One step forward of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimFact {
    /// The fleet call that buys for it is chosen.
    LaunchGroup(LaunchGroup),
    /// Its machine is bought.
    Launched {
        /// The machine.
        machine: Box<Machine>,
        /// Since when.
        at: Timestamp,
    },
    /// Its node has joined.
    Registered {
        /// The node.
        node: NodeName,
        /// Since when.
        at: Timestamp,
    },
    /// Its node can be used in full.
    Initialized {
        /// Since when.
        at: Timestamp,
    },
    /// A pod came to or left its node.
    PodEvent {
        /// When.
        at: Timestamp,
    },
    /// It was told to go.
    Deleting {
        /// When.
        at: Timestamp,
    },
}

#[derive(Clone, Debug)]
pub(super) struct ClaimRecord {
    /// All that is known, what we have decided and not yet written included.
    pub(super) known: Arc<NodeClaim>,
    /// What the API server has: seen on a watch, or confirmed to us.
    saved: NodeClaim,
    /// Whether a watch has shown it. One that was only confirmed to us may be missing in a list
    /// made before.
    pub(super) seen: bool,
    /// Whether we have decided that it goes.
    pub(super) marked: bool,
}

impl ClaimRecord {
    /// A claim that we are about to create: it has no uid yet.
    pub(super) fn expected(name: ClaimName, spec: ClaimSpec, now: Timestamp) -> Self {
        let saved = NodeClaim {
            name,
            uid: unborn(),
            created: now,
            deleting: None,
            held: true,
            spec,
            launch_group: None,
            phase: ClaimPhase::Pending,
            last_pod_event: None,
        };
        Self {
            known: Arc::new(saved.clone()),
            saved,
            seen: false,
            marked: false,
        }
    }

    pub(super) fn confirmed(claim: NodeClaim) -> Self {
        Self {
            known: Arc::new(claim.clone()),
            saved: claim,
            seen: false,
            marked: false,
        }
    }

    /// Whether it is only expected: no answer and no watch has shown it.
    pub(super) fn is_expected(&self) -> bool {
        self.known.uid == unborn()
    }

    /// Takes in a state that the API server has had. Another uid is another object.
    pub(super) fn join(&mut self, claim: NodeClaim) {
        if self.known.uid == claim.uid {
            let known = joined(&self.known, claim.clone());
            self.saved = joined(&self.saved, claim);
            if known != *self.known {
                self.known = Arc::new(known);
            }
        } else {
            let seen = self.seen;
            *self = Self::confirmed(claim);
            self.seen = seen;
        }
    }

    /// Moves what is known forward.
    pub(super) fn advance(&mut self, fact: ClaimFact) {
        let mut known = NodeClaim::clone(&self.known);
        add(&mut known, fact);
        if known != *self.known {
            self.known = Arc::new(known);
        }
    }

    /// The API server has confirmed a step.
    pub(super) fn confirm(&mut self, fact: ClaimFact) {
        add(&mut self.saved, fact.clone());
        self.advance(fact);
    }

    /// The first step that the API server does not have yet. They are written in order, because
    /// each rests on those before.
    pub(super) fn unsaved(&self) -> Option<ClaimFact> {
        let (known, saved) = (&*self.known, &self.saved);
        if let Some(group) = &known.launch_group
            && saved.launch_group.is_none()
        {
            return Some(ClaimFact::LaunchGroup(group.clone()));
        }
        if rank(&known.phase) > rank(&saved.phase) {
            return next_phase(&saved.phase, &known.phase);
        }
        match known.last_pod_event {
            Some(at) if known.last_pod_event > saved.last_pod_event => {
                Some(ClaimFact::PodEvent { at })
            }
            Some(_) | None => None,
        }
    }

    /// When the API server last heard of a pod that came or left.
    pub(super) fn saved_pod_event(&self) -> Option<Timestamp> {
        self.saved.last_pod_event
    }

    /// Whether the API server knows that it goes.
    pub(super) fn is_deletion_saved(&self) -> bool {
        self.saved.deleting.is_some()
    }
}

/// The uid of what does not exist yet; the API server gives none that is empty.
fn unborn() -> Uid {
    Uid::from("")
}

const fn rank(phase: &ClaimPhase) -> u8 {
    match phase {
        ClaimPhase::Pending => 0,
        ClaimPhase::Launched { .. } => 1,
        ClaimPhase::Registered { .. } => 2,
        ClaimPhase::Initialized { .. } => 3,
    }
}

fn joined(old: &NodeClaim, new: NodeClaim) -> NodeClaim {
    let phase = if rank(&new.phase) > rank(&old.phase) {
        new.phase
    } else {
        old.phase.clone()
    };
    NodeClaim {
        deleting: old.deleting.or(new.deleting),
        launch_group: new.launch_group.or_else(|| old.launch_group.clone()),
        phase,
        last_pod_event: old.last_pod_event.max(new.last_pod_event),
        ..new
    }
}

fn add(claim: &mut NodeClaim, fact: ClaimFact) {
    match fact {
        ClaimFact::LaunchGroup(group) => claim.launch_group = Some(group),
        ClaimFact::Launched { machine, at } => {
            if claim.phase == ClaimPhase::Pending {
                let machine = *machine;
                claim.phase = ClaimPhase::Launched { machine, at };
            }
        }
        ClaimFact::Registered { node, at } => {
            if let ClaimPhase::Launched { machine, .. } = claim.phase.clone() {
                claim.phase = ClaimPhase::Registered { machine, node, at };
            }
        }
        ClaimFact::Initialized { at } => {
            if let ClaimPhase::Registered { machine, node, .. } = claim.phase.clone() {
                claim.phase = ClaimPhase::Initialized { machine, node, at };
            }
        }
        ClaimFact::PodEvent { at } => claim.last_pod_event = claim.last_pod_event.max(Some(at)),
        ClaimFact::Deleting { at } => claim.deleting = claim.deleting.or(Some(at)),
    }
}

/// The step after `saved` on the way to `known`.
fn next_phase(saved: &ClaimPhase, known: &ClaimPhase) -> Option<ClaimFact> {
    match (saved, known) {
        (
            ClaimPhase::Pending,
            ClaimPhase::Launched { machine, at }
            | ClaimPhase::Registered { machine, at, .. }
            | ClaimPhase::Initialized { machine, at, .. },
        ) => Some(ClaimFact::Launched {
            machine: Box::new(machine.clone()),
            at: *at,
        }),
        (
            ClaimPhase::Launched { .. },
            ClaimPhase::Registered { node, at, .. } | ClaimPhase::Initialized { node, at, .. },
        ) => Some(ClaimFact::Registered {
            node: node.clone(),
            at: *at,
        }),
        (ClaimPhase::Registered { .. }, ClaimPhase::Initialized { at, .. }) => {
            Some(ClaimFact::Initialized { at: *at })
        }
        (
            ClaimPhase::Pending
            | ClaimPhase::Launched { .. }
            | ClaimPhase::Registered { .. }
            | ClaimPhase::Initialized { .. },
            _,
        ) => None,
    }
}

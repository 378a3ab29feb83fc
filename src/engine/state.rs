//! What the engine's parts share: what is known, what is on its way, and the step being made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::effect::Step;
use super::in_flight::{InFlight, Order, Ordered};
use super::input::{CloudEvent, Settings};
use super::limits::{NOMINATION_MAX, POOL_REST, SOLD_OUT_FOR};
use super::notice::{Notice, NoticeKind, ObjectRef};
use super::timers::Agenda;
use crate::cluster::{Cluster, Dirty, NodeId};
use crate::model::catalog::{Catalog, SoldOut};
use crate::model::id::{ClaimName, LaunchGroup, PodKey, PoolName, ProviderId, Uid};
use crate::model::reason::DisruptionReason;
use crate::model::time::Timestamp;

/// The desk at which the parts work one after the other.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) settings: Settings,
    pub(super) cluster: Cluster,
    pub(super) catalog: Arc<Catalog>,
    pub(super) sold_out: SoldOut,
    pub(super) in_flight: InFlight,
    pub(super) agenda: Agenda,
    /// What changed since the parts last looked.
    pub(super) news: News,
    /// The launch groups of which this process knows something that the API server does not.
    pub(super) groups: BTreeMap<LaunchGroup, GroupMemory>,
    /// The nodes that were decided on and are being marked, before their claims are deleted.
    pub(super) marking: BTreeMap<ClaimName, Marking>,
    /// What the cloud has said and nobody has looked at yet.
    pub(super) announced: Vec<CloudEvent>,
    /// The machines of ours that are known to be gone.
    pub(super) gone: BTreeSet<ProviderId>,
    /// The claims whose termination deadline is written.
    pub(super) deadlines: BTreeSet<Uid>,
    /// The nodes that had pods when they began to go, and so are drained to the end.
    pub(super) drained_pods: BTreeSet<NodeId>,
    /// The pools that are left out for a while, and why.
    pub(super) resting_pools: BTreeMap<PoolName, PoolRest>,
    /// Whether a plan is being made. One at most is.
    pub(super) thinking: Option<Thinking>,
    pub(super) step: Step,
}

/// What changed since the parts last looked.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// Pods without a node that changed.
    pub(super) pods: BTreeSet<PodKey>,
    /// Nodes that a pod came to or left.
    pub(super) pod_events: BTreeSet<NodeId>,
    /// Whether room may have appeared for a pod that had none.
    pub(super) room: bool,
    /// Whether a node may go that could not before.
    pub(super) disruption: bool,
    /// Whether pods lost the place that they had been promised, and should get another at once.
    pub(super) hurry: bool,
}

/// What is remembered of a launch group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupMemory {
    /// Definite answers so far. A request after one is another request.
    pub(super) answers: u32,
    /// Whether machines may exist that nobody has told us of: they are looked up before more
    /// are bought.
    pub(super) doubtful: bool,
}

/// A node that was decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marking {
    pub(super) uid: Uid,
    pub(super) reason: DisruptionReason,
    pub(super) since: Timestamp,
}

/// Why and until when a pool is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolRest {
    pub(super) because: Arc<str>,
    pub(super) until: Timestamp,
}

/// A plan that is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Where pods go.
    Provision(Box<crate::planner::PlanInput>),
    /// Which nodes go.
    Disrupt,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            now: Timestamp::EPOCH,
            settings,
            cluster: Cluster::new(),
            catalog: Arc::default(),
            sold_out: SoldOut::new(),
            in_flight: InFlight::default(),
            agenda: Agenda::default(),
            news: News::default(),
            groups: BTreeMap::new(),
            marking: BTreeMap::new(),
            announced: Vec::new(),
            gone: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            drained_pods: BTreeSet::new(),
            resting_pools: BTreeMap::new(),
            thinking: None,
            step: Step::default(),
        }
    }

    /// Takes note of what a change has touched.
    pub(super) fn absorb(&mut self, dirty: Dirty) {
        let touched = !dirty.nodes.is_empty() || dirty.rules;
        self.news.room |= touched;
        self.news.disruption |= touched;
        self.news.pods.extend(dirty.pods);
        self.news.pod_events.extend(dirty.pod_events);
        for id in dirty.nodes {
            self.agenda.now(id);
        }
        if dirty.rules {
            self.look_at_everything();
        }
    }

    /// Looks at every node and pod again.
    pub(super) fn look_at_everything(&mut self) {
        let snapshot = self.cluster.snapshot().clone();
        for id in snapshot.nodes.keys() {
            self.agenda.now(id.clone());
        }
        self.news.pods.extend(snapshot.unbound.keys().cloned());
        self.news.room = true;
        self.news.disruption = true;
    }

    /// The clock was set back. Every wait of ours has its bound, and none may exceed it because it was
    /// begun by a clock that was fast.
    pub(super) fn clock_set_back(&mut self) {
        let now = self.now;
        self.in_flight.clock_set_back(now);
        self.sold_out.shorten(now.saturating_add(SOLD_OUT_FOR));
        let promised = now.saturating_add(NOMINATION_MAX);
        self.cluster.shorten_nominations(promised);
        for rest in self.resting_pools.values_mut() {
            rest.until = rest.until.min(now.saturating_add(POOL_REST));
        }
        for marking in self.marking.values_mut() {
            marking.since = marking.since.min(now);
        }
        // Whoever waits for an instant finds out when it is now.
        self.look_at_everything();
    }

    /// Wants something done. If the same is on its way, nothing happens; if it rests, its nodes
    /// are looked at again when the rest is over.
    pub(super) fn order(&mut self, order: Order) -> bool {
        let subjects = order.subjects.clone();
        match self.in_flight.order(order, self.now) {
            Ordered::Sent(effect) => {
                self.step.effects.push(*effect);
                true
            }
            Ordered::InFlight => false,
            Ordered::Resting(until) => {
                for subject in &subjects {
                    self.agenda.at(subject, until);
                }
                false
            }
        }
    }

    /// Tells people something.
    pub(super) fn notice(
        &mut self,
        kind: NoticeKind,
        object: ObjectRef,
        reason: &str,
        message: String,
    ) {
        self.step.notices.push(Notice {
            object,
            kind,
            reason: reason.into(),
            message,
        });
    }

    /// A claim is given up: its pods are planned again at once, and it goes.
    pub(super) fn give_up(&mut self, claim: &ClaimName, reason: &str, message: String) {
        self.notice(NoticeKind::GivenUp, claim_ref(claim), reason, message);
        let dirty = self.cluster.mark_going(claim);
        self.absorb(dirty);
        self.news.hurry = true;
    }
}

pub(super) fn claim_ref(name: &ClaimName) -> ObjectRef {
    named("NodeClaim", name.as_str())
}

pub(super) fn named(kind: &'static str, name: &str) -> ObjectRef {
    ObjectRef {
        kind,
        name: name.into(),
    }
}

pub(super) fn pod_ref(key: &PodKey) -> ObjectRef {
    named("Pod", &key.to_string())
}

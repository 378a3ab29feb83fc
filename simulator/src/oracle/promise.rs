//! What the planner promised, the scheduler must be able to keep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::model::id::{NodeName, PodKey, Uid};
use tidewright::model::time::Timestamp;

use super::Scene;
use crate::echo;
use crate::event::{Entry, Event};
use crate::faults::FaultSettings;
use crate::store::ObjectKey;
use crate::trace::Trace;
use crate::world::World;

/// How long after promise and readiness a pod may take to be bound: add-ons start in half a minute,
/// and the scheduler tries again after ten seconds and more.
const BINDING_MAX: Duration = Duration::from_mins(3);

/// The promises that are neither kept nor void.
#[derive(Debug)]
pub(super) struct Promises {
    open: BTreeMap<PodKey, Promise>,
    /// When the last pod came lately to a node to which it was not promised.
    uninvited: BTreeMap<NodeName, Timestamp>,
    /// How long the one who promises may not know of that.
    lag_max: Duration,
}

#[derive(Debug)]
struct Promise {
    uid: Uid,
    target: Arc<str>,
    since: Timestamp,
}

impl Promises {
    /// No promises yet, in a world with such faults.
    pub(super) fn new(faults: &FaultSettings) -> Self {
        Self {
            open: BTreeMap::new(),
            uninvited: BTreeMap::new(),
            lag_max: echo::lag_max(faults),
        }
    }

    /// Takes note of what makes, keeps or voids a promise.
    pub(super) fn note(&mut self, trace: &Trace, entry: &Entry) {
        match &entry.event {
            Event::Promised { pod, target } => self.made(trace, pod, target, entry.at),
            Event::PodBound { pod, node } => {
                let promise = self.open.remove(pod);
                let target = promise.map(|it| it.target);
                self.taken(trace, target.as_deref(), pod, (node, entry.at));
            }
            Event::PodEnded { pod, .. } | Event::PodEvicted { pod, .. } => {
                self.open.remove(pod);
            }
            Event::ClaimDeleting { claim, .. } => {
                self.open.retain(|_, it| *it.target != *claim.as_str());
            }
            Event::NodeDeleting { node } | Event::NodeGone { node } => {
                let claim = trace.claim_of(node).map(|claim| claim.name.to_string());
                self.open.retain(|_, it| {
                    *it.target != *node.as_str() && Some(&*it.target) != claim.as_deref()
                });
            }
            // The one who promises learns that a machine was taken away when it learns it.
            Event::MachineTaken { machine } => {
                let claim = trace.claim_with(machine).map(|claim| claim.name.as_str());
                self.open.retain(|_, it| Some(&*it.target) != claim);
            }
            // What another process promised, this one need not know.
            Event::ControllerStarted => self.open.clear(),
            Event::PodCreated { .. }
            | Event::PodUnschedulable { .. }
            | Event::PodReady { .. }
            | Event::ClaimCreated { .. }
            | Event::ClaimMatched { .. }
            | Event::ClaimGone { .. }
            | Event::FleetCalled { .. }
            | Event::MachineBought { .. }
            | Event::PricesMoved { .. }
            | Event::MachineBooting { .. }
            | Event::MachineTerminated { .. }
            | Event::SoldOut { .. }
            | Event::CloudSaid { .. }
            | Event::NodeJoined { .. }
            | Event::NodeReady { .. }
            | Event::Notice(_)
            | Event::Fault(_)
            | Event::Happened { .. } => {}
        }
    }

    /// A pod was bound to a node. If it was not promised to it, it has taken the room of one that
    /// was: equal pods of one owner often change places. What was promised there is then void.
    fn taken(
        &mut self,
        trace: &Trace,
        promised: Option<&str>,
        pod: &PodKey,
        (node, at): (&NodeName, Timestamp),
    ) {
        let is_own = trace.pod(pod).is_some_and(|it| it.node_bound);
        if !is_own && !promised.is_some_and(|target| is_node(trace, target, node)) {
            let claim = trace.claim_of(node).map(|claim| claim.name.as_str());
            self.open.retain(|_, it| {
                let target = &*it.target;
                target != node.as_str() && Some(target) != claim
            });
            self.uninvited
                .retain(|_, came| at.since(*came) <= self.lag_max);
            self.uninvited.insert(node.clone(), at);
        }
    }

    /// Whether the room of a target may have been taken before the one who promises could know. The
    /// scheduler is the first to see room that becomes free, and does not wait for a promise.
    fn is_late(&self, trace: &Trace, target: &str, at: Timestamp) -> bool {
        let recent = |came: &Timestamp| at.since(*came) <= self.lag_max;
        let mut uninvited = self.uninvited.iter();
        uninvited.any(|(node, came)| recent(came) && is_node(trace, target, node))
    }

    /// A promise that is repeated is as old as when it was made first.
    fn made(&mut self, trace: &Trace, pod: &PodKey, target: &Arc<str>, at: Timestamp) {
        let Some(known) = trace
            .pod(pod)
            .filter(|it| it.is_alive() && it.bound.is_none())
        else {
            return;
        };
        let before = self.open.remove(pod);
        if self.is_late(trace, target, at) || is_taken(trace, target) {
            return;
        }
        let same = before.filter(|it| it.target == *target && it.uid == known.uid);
        let promise = Promise {
            uid: known.uid.clone(),
            target: Arc::clone(target),
            since: same.map_or(at, |it| it.since),
        };
        self.open.insert(pod.clone(), promise);
    }

    /// Looks at every open promise, given since when its target takes pods.
    pub(super) fn check(
        &self,
        scene: &mut Scene<'_>,
        usable_since: impl Fn(&str) -> Option<Timestamp>,
    ) {
        let now = scene.entry.at;
        for (pod, promise) in &self.open {
            let open =
                usable_since(&promise.target).map(|usable| now.since(usable.max(promise.since)));
            scene.check(
                "promise",
                open.is_none_or(|open| open <= BINDING_MAX),
                || vec![format!("pod {pod}"), format!("target {}", promise.target)],
                || {
                    let open = open.unwrap_or_default().as_secs();
                    format!("it was promised a place there and is not bound after {open} s")
                },
            );
        }
    }
}

/// Whether the machine of a target was taken away.
fn is_taken(trace: &Trace, target: &str) -> bool {
    let claim = trace.claim(&target.into());
    let machine = claim.and_then(|claim| trace.machines.get(claim.machine.as_ref()?));
    machine.is_some_and(|machine| machine.taken.is_some())
}

/// Whether a target is a node, by the node's name or that of its claim.
fn is_node(trace: &Trace, target: &str, node: &NodeName) -> bool {
    let claim = trace.claim_of(node).map(|claim| claim.name.as_str());
    target == node.as_str() || claim == Some(target)
}

/// Since when a target takes pods, as far as its taints say; none while it does not.
pub(super) fn usable_since(trace: &Trace, world: &World, target: &str) -> Option<Timestamp> {
    let claim = world.store().get::<NodeClaim>(&ObjectKey::cluster(target));
    let name = match claim {
        Some(claim) => claim.status.as_ref()?.node_name.clone()?,
        None => target.to_owned(),
    };
    let node = world.store().get::<Node>(&ObjectKey::cluster(&name))?;
    let lasting = claim.map(|claim| claim.spec.taints.iter().map(|taint| taint.key.clone()));
    let lasting: Vec<String> = lasting.into_iter().flatten().collect();
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let mut taints = taints.into_iter().flatten();
    if claim.is_some() && taints.any(|taint| !lasting.contains(&taint.key)) {
        return None;
    }
    trace.nodes.get(&NodeName::from(name.as_str()))?.ready
}

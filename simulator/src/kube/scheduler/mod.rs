//! A naive scheduler. It judges the raw objects and shares no code with the planner: where the
//! planner promises a place that this scheduler does not find, one of them is wrong.
//!
//! Written from the Kubernetes documentation ("Assigning Pods to Nodes", "Taints and
//! Tolerations", "Scheduling, Preemption and Eviction"). A pod without a place is tried again when
//! a node that was touched could take it, but not before its backoff has passed: 1 s at first,
//! doubled each time, 10 s at most ("kube-scheduler Configuration").

mod affinity;
mod fit;
mod requests;
mod rooms;
mod taints;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::model::time::Timestamp;

use super::conditions::{Truth, pod_is, set_pod};
use crate::store::{ObjectKey, Store, is_terminal, node_made_for, node_name};

use fit::place;
use rooms::Rooms;

pub use fit::{Misfit, fits_empty, fits_labels_and_taints};
pub use taints::endures;

/// What the scheduler of this name is responsible for.
const NAME: &str = "default-scheduler";

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The pods that found no place, and when they may be tried again.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    waiting: BTreeMap<ObjectKey, Waiting>,
    /// The pods to look at, and from when on.
    active: BTreeSet<(Timestamp, ObjectKey)>,
    rooms: Rooms,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    attempts: u32,
    not_before: Timestamp,
}

/// What became of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has a node.
    Bound {
        /// The pod.
        pod: ObjectKey,
        /// Its node.
        node: String,
    },
    /// It found no place.
    Unschedulable {
        /// The pod.
        pod: ObjectKey,
    },
}

impl Scheduler {
    /// A pod is new or different, or gone.
    pub fn pod_touched(&mut self, store: &Store, key: &ObjectKey) {
        match store.get::<Pod>(key) {
            Some(pod) if is_mine(pod) => {
                if !self.waiting.contains_key(key) {
                    self.activate(key);
                }
            }
            Some(_) | None => {
                self.active.remove(&(self.not_before(key), key.clone()));
                self.waiting.remove(key);
            }
        }
    }

    fn activate(&mut self, key: &ObjectKey) {
        self.active.insert((self.not_before(key), key.clone()));
    }

    /// When a pod may be tried.
    fn not_before(&self, key: &ObjectKey) -> Timestamp {
        let waiting = self.waiting.get(key);
        waiting.map_or(Timestamp::EPOCH, |waiting| waiting.not_before)
    }

    /// A node is new or different, or has more room: the pods that it could take are looked at.
    pub fn node_touched(&mut self, store: &Store, name: &str) {
        self.rooms.forget(name);
        let Some(node) = store.get::<Node>(&ObjectKey::cluster(name)) else {
            return;
        };
        self.rooms.refresh(store);
        let Some(room) = self.rooms.of(name) else {
            return;
        };
        let could_take = |key: &&ObjectKey| {
            let pod = store.get::<Pod>(key);
            let here = pod.filter(|pod| node_made_for(pod).is_none_or(|it| it == name));
            here.is_some_and(|pod| fit::fits(pod, node, room).is_ok())
        };
        let waiting: Vec<ObjectKey> = self.waiting.keys().filter(could_take).cloned().collect();
        for key in &waiting {
            self.activate(key);
        }
    }

    /// What runs on a node is different.
    pub fn load_touched(&mut self, node: &str) {
        self.rooms.forget(node);
    }

    /// When there is something to do.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let (at, _) = self.active.first()?;
        Some(now.max(*at))
    }

    /// Looks at every pod whose time has come: those of higher priority first, then the older.
    pub fn run(&mut self, store: &mut Store, now: Timestamp) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for key in self.due(store, now) {
            self.active.remove(&(self.not_before(&key), key.clone()));
            let Some(pod) = store.get::<Pod>(&key).filter(|pod| is_mine(pod)) else {
                continue;
            };
            self.rooms.refresh(store);
            if let Some(node) = place(&self.rooms, store, pod) {
                self.waiting.remove(&key);
                bind(store, &key, &node, now);
                self.rooms.forget(&node);
                verdicts.push(Verdict::Bound { pod: key, node });
            } else {
                self.back_off(&key, now);
                let changed = refuse(store, &key, now);
                verdicts.extend(changed.then_some(Verdict::Unschedulable { pod: key }));
            }
        }
        verdicts
    }

    fn due(&self, store: &Store, now: Timestamp) -> Vec<ObjectKey> {
        let due = self.active.iter().take_while(|(at, _)| *at <= now);
        let mut due: Vec<ObjectKey> = due.map(|(_, key)| key.clone()).collect();
        due.sort_by_cached_key(|key| {
            let pod = store.get::<Pod>(key);
            let priority = pod.and_then(|pod| pod.spec.as_ref()?.priority).unwrap_or(0);
            let created = pod.and_then(|pod| pod.metadata.creation_timestamp.clone());
            (std::cmp::Reverse(priority), created, key.clone())
        });
        due
    }

    fn back_off(&mut self, key: &ObjectKey, now: Timestamp) {
        let attempts = self.waiting.get(key).map_or(0, |waiting| waiting.attempts);
        let span = BACKOFF_FIRST
            .saturating_mul(1 << attempts.min(4))
            .min(BACKOFF_MAX);
        let waiting = Waiting {
            attempts: attempts + 1,
            not_before: now.saturating_add(span),
        };
        self.waiting.insert(key.clone(), waiting);
    }
}

/// Whether the pod waits for this scheduler.
fn is_mine(pod: &Pod) -> bool {
    let spec = pod.spec.as_ref();
    let scheduler = spec.and_then(|spec| spec.scheduler_name.as_deref());
    let gates = spec.and_then(|spec| spec.scheduling_gates.as_deref());
    scheduler.is_none_or(|name| name == NAME)
        && gates.unwrap_or_default().is_empty()
        && node_name(pod).is_none()
        && pod.metadata.deletion_timestamp.is_none()
        && !is_terminal(pod)
}

fn bind(store: &mut Store, key: &ObjectKey, node: &str, now: Timestamp) {
    let bound = store.update::<Pod>(key, |pod| {
        pod.spec.get_or_insert_default().node_name = Some(node.to_owned());
        set_pod(pod, "PodScheduled", Truth::True, None, now);
    });
    debug_assert!(bound.is_ok(), "the pod was read a moment ago");
}

/// Says that the pod found no place; false if that was said before.
fn refuse(store: &mut Store, key: &ObjectKey, now: Timestamp) -> bool {
    let said = store.get::<Pod>(key).is_some_and(|pod| {
        let conditions = pod
            .status
            .iter()
            .flat_map(|it| it.conditions.iter().flatten());
        let mut conditions = conditions.into_iter();
        conditions.any(|known| known.reason.as_deref() == Some("Unschedulable"))
            && !pod_is(pod, "PodScheduled")
    });
    let refused = store.update::<Pod>(key, |pod| {
        set_pod(
            pod,
            "PodScheduled",
            Truth::False,
            Some("Unschedulable"),
            now,
        );
    });
    debug_assert!(refused.is_ok(), "the pod was read a moment ago");
    !said
}

#[cfg(test)]
mod tests;

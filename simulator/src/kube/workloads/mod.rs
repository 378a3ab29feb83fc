//! The controllers of workloads: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob and
//! the one of disruption budgets.
//!
//! They look at everything there is and do what is missing. Pods are created at the pace of
//! kube-controller-manager's client: 20 a second, 30 at once ("kube-controller-manager",
//! `--kube-api-qps` and `--kube-api-burst`).

mod cron;
mod daemons;
mod jobs;
mod replicas;
mod revisions;
mod rollouts;
mod stateful;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, PodStatus, PodTemplateSpec};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use tidewright::model::id::{Uid, stable_hash};
use tidewright::model::time::Timestamp;

use super::budgets;
use super::conditions::ready_since;
use crate::event::Actor;
use crate::store::{Grace, ObjectKey, Store, Stored, is_terminal, uid};

/// Pods a second.
const PODS_PER_SECOND: u64 = 20;

/// Pods at once, after a pause.
const PODS_BURST: u64 = 30;

/// A pod in thousandths, the unit of the allowance.
const POD: u64 = 1_000;

/// The controllers, with what they may still create and what they remember.
#[derive(Clone, Debug)]
pub struct Workloads {
    allowance: u64,
    counted_at: Timestamp,
    named: u64,
    revisions: revisions::Revisions,
    tallies: jobs::Tallies,
}

impl Workloads {
    /// Controllers that have rested.
    pub fn new(now: Timestamp) -> Self {
        Self {
            allowance: PODS_BURST * POD,
            counted_at: now,
            named: 0,
            revisions: revisions::Revisions::default(),
            tallies: jobs::Tallies::default(),
        }
    }

    /// Does what is missing. The answer is when to look again although nothing has changed: when
    /// the pace allows more pods, or a time that something waits for has come.
    pub fn run(&mut self, store: &mut Store, now: Timestamp) -> Option<Timestamp> {
        self.count(now);
        let mut pass = Pass {
            store,
            workloads: self,
            now,
            again: None,
        };
        rollouts::run(&mut pass);
        replicas::run(&mut pass);
        stateful::run(&mut pass);
        cron::run(&mut pass);
        jobs::run(&mut pass);
        daemons::run(&mut pass);
        let again = pass.again;
        self.forget(store);
        if !store.all::<PodDisruptionBudget>().is_empty() {
            budgets::write_status(store);
        }
        again
    }

    /// Forgets what was remembered of owners that are gone.
    fn forget(&mut self, store: &Store) {
        let sets = store.all::<StatefulSet>().values().map(uid);
        let daemons = store.all::<DaemonSet>().values().map(uid);
        let revised: BTreeSet<Uid> = sets.chain(daemons).collect();
        self.revisions.retain(|owner| revised.contains(owner));
        let jobs: BTreeSet<Uid> = store.all::<Job>().values().map(uid).collect();
        self.tallies.retain(|job| jobs.contains(job));
    }

    fn count(&mut self, now: Timestamp) {
        let millis = u64::try_from(now.since(self.counted_at).as_millis()).unwrap_or(u64::MAX);
        let earned = millis.saturating_mul(PODS_PER_SECOND * POD / 1_000);
        self.allowance = self.allowance.saturating_add(earned).min(PODS_BURST * POD);
        self.counted_at = now;
    }
}

/// One look of the controllers at everything.
struct Pass<'a> {
    store: &'a mut Store,
    workloads: &'a mut Workloads,
    now: Timestamp,
    again: Option<Timestamp>,
}

impl Pass<'_> {
    /// Looks again at an instant, if it lies ahead.
    fn look_again(&mut self, at: Timestamp) {
        if at > self.now {
            self.again = Some(self.again.map_or(at, |known| known.min(at)));
        }
    }

    /// Creates up to `count` pods: as many as the pace allows, and the rest later.
    fn create(&mut self, wanted: &Wanted<'_>, count: usize) {
        for _ in 0..count {
            if self.workloads.allowance < POD {
                let pause = Duration::from_millis(1_000 / PODS_PER_SECOND);
                self.look_again(self.now.saturating_add(pause));
                return;
            }
            self.workloads.allowance -= POD;
            self.workloads.named += 1;
            let pod = wanted.pod(self.workloads.named);
            let created = self.store.create_pod(pod, self.now);
            debug_assert!(created.is_ok(), "a name is counted, or was looked for");
        }
    }

    /// Tells a pod to go.
    fn stop(&mut self, pod: &ObjectKey) {
        let stopped = self
            .store
            .delete_pod(pod, Grace::OfPod, Actor::User, self.now);
        debug_assert!(stopped.is_ok(), "it was listed a moment ago");
    }

    /// Whether a pod has been ready for so long; if it is on the way there, it is looked at again.
    fn is_available(&mut self, pod: &Pod, min_ready_seconds: Option<i32>) -> bool {
        let seconds = u64::try_from(min_ready_seconds.unwrap_or(0)).unwrap_or(0);
        let Some(since) = ready_since(pod).filter(|_| is_active(pod)) else {
            return false;
        };
        let from = since.saturating_add(Duration::from_secs(seconds));
        self.look_again(from);
        from <= self.now
    }
}

/// A pod that a controller wants.
struct Wanted<'a> {
    owner: OwnerReference,
    namespace: &'a str,
    template: &'a PodTemplateSpec,
    name: Name,
    /// The node that it is for, if it is for one.
    node: Option<&'a str>,
    /// Labels that the controller adds.
    labels: Vec<(&'static str, String)>,
    /// Annotations that the controller adds.
    annotations: Vec<(&'static str, String)>,
}

/// How a pod is named.
enum Name {
    /// After this, with a suffix that occurs once.
    After(String),
    /// So.
    Exactly(String),
}

impl<'a> Wanted<'a> {
    /// A pod of this template that is named after its owner.
    fn of<T: Stored>(owner: &T, namespace: &'a str, template: &'a PodTemplateSpec) -> Self {
        let owner = reference(owner);
        Self {
            name: Name::After(owner.name.clone()),
            owner,
            namespace,
            template,
            node: None,
            labels: Vec::new(),
            annotations: Vec::new(),
        }
    }

    fn pod(&self, number: u64) -> Pod {
        let metadata = self.template.metadata.clone().unwrap_or_default();
        let mut spec = self.template.spec.clone().unwrap_or_default();
        if let Some(node) = self.node {
            daemons::pin(&mut spec, node);
        }
        let name = match &self.name {
            Name::Exactly(name) => name.clone(),
            Name::After(stem) => {
                let hash = stable_hash([stem.as_str(), &number.to_string()]);
                let suffix = format!("{hash:016x}");
                format!("{stem}-{}", &suffix[..8])
            }
        };
        Pod {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: Some(self.namespace.to_owned()),
                labels: with(metadata.labels, &self.labels),
                annotations: with(metadata.annotations, &self.annotations),
                owner_references: Some(vec![self.owner.clone()]),
                ..ObjectMeta::default()
            },
            spec: Some(spec),
            status: Some(PodStatus {
                phase: Some("Pending".to_owned()),
                ..PodStatus::default()
            }),
        }
    }
}

type Texts = BTreeMap<String, String>;

fn with(known: Option<Texts>, added: &[(&'static str, String)]) -> Option<Texts> {
    if added.is_empty() {
        return known;
    }
    let mut all = known.unwrap_or_default();
    let added = added.iter();
    all.extend(added.map(|(key, value)| ((*key).to_owned(), value.clone())));
    Some(all)
}

/// The reference with which an object owns others.
fn reference<T: Stored>(object: &T) -> OwnerReference {
    OwnerReference {
        api_version: T::api_version(&()).into_owned(),
        kind: T::kind(&()).into_owned(),
        name: object.meta().name.clone().unwrap_or_default(),
        uid: uid(object).to_string(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The objects of a kind that are to stay, with their keys.
fn staying<T: Stored>(store: &Store) -> Vec<(ObjectKey, T)> {
    let all = store.all::<T>().iter();
    let staying = all.filter(|(_, object)| object.meta().deletion_timestamp.is_none());
    staying
        .map(|(key, object)| (key.clone(), object.clone()))
        .collect()
}

/// The pods of an owner, by key.
fn pods_of<'a>(store: &'a Store, owner: &Uid) -> Vec<(&'a ObjectKey, &'a Pod)> {
    let pods = store.all::<Pod>().iter();
    let own = pods.filter(|(_, pod)| {
        let owners = pod.metadata.owner_references.iter().flatten();
        owners.into_iter().any(|known| known.uid == owner.as_str())
    });
    own.collect()
}

/// The same, as pods of one's own.
fn own_pods(store: &Store, owner: &Uid) -> Vec<(ObjectKey, Pod)> {
    let pods = pods_of(store, owner).into_iter();
    pods.map(|(key, pod)| (key.clone(), pod.clone())).collect()
}

/// Whether a pod runs or waits and is to stay.
fn is_active(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !is_terminal(pod)
}

/// A number of objects that may be left out.
fn count(number: Option<i32>, unset: usize) -> usize {
    number.map_or(unset, |number| usize::try_from(number).unwrap_or(0))
}

/// A number of objects as the API writes it.
fn written(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;

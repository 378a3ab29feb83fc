//! The controllers of workloads: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob and
//! the one of disruption budgets.
//!
//! They look at what was touched and at what owns it, and do what is missing. Pods are created at
//! the pace of kube-controller-manager's client: 20 a second, 30 at once
//! ("kube-controller-manager", `--kube-api-qps` and `--kube-api-burst`).

mod cron;
mod daemons;
mod due;
mod jobs;
mod replicas;
mod revisions;
mod rollouts;
mod stateful;

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus, PodTemplateSpec};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use tidewright::model::id::{Uid, stable_hash};
use tidewright::model::time::Timestamp;

use super::budgets;
use super::conditions::ready_since;
use crate::event::Actor;
use crate::store::{Grace, ObjectKey, Store, Stored, Touch, Touched, is_terminal, uid};

use due::Due;

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
    due: Due,
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
            due: Due::default(),
        }
    }

    /// Something was touched: whoever it concerns looks at it in the next run.
    pub fn touched(&mut self, store: &Store, touched: &Touched) {
        self.due.touched(store, touched);
        if touched.how == Touch::Gone {
            self.revisions.forget(&touched.uid);
            self.tallies.forget(&touched.uid);
        }
    }

    /// Does what is missing. The answer is when to look again although nothing has changed: when
    /// the pace allows more pods, or a time that something waits for has come.
    pub fn run(&mut self, store: &mut Store, now: Timestamp) -> Option<Timestamp> {
        self.count(now);
        let mut pass = Pass {
            due: self.due.take(now),
            subject: None,
            store,
            workloads: self,
            now,
            paced: None,
        };
        rollouts::run(&mut pass);
        replicas::run(&mut pass);
        stateful::run(&mut pass);
        cron::run(&mut pass);
        jobs::run(&mut pass);
        daemons::run(&mut pass);
        let paced = pass.paced;
        if !store.all::<PodDisruptionBudget>().is_empty() {
            budgets::write_status(store);
        }
        paced.into_iter().chain(self.due.next()).min()
    }

    fn count(&mut self, now: Timestamp) {
        let millis = u64::try_from(now.since(self.counted_at).as_millis()).unwrap_or(u64::MAX);
        let earned = millis.saturating_mul(PODS_PER_SECOND * POD / 1_000);
        self.allowance = self.allowance.saturating_add(earned).min(PODS_BURST * POD);
        self.counted_at = now;
    }
}

/// One run of the controllers.
struct Pass<'a> {
    store: &'a mut Store,
    workloads: &'a mut Workloads,
    due: Due,
    /// Whom a controller looks at.
    subject: Option<Uid>,
    now: Timestamp,
    /// When the pace allows what it did not.
    paced: Option<Timestamp>,
}

impl Pass<'_> {
    /// The objects of a kind that are due and to stay, with their keys.
    fn due<T: Stored>(&self) -> Vec<(ObjectKey, T)> {
        let all = self.store.all::<T>().iter();
        let due = all.filter(|(_, object)| self.due.has(*object));
        staying(due)
    }

    /// A controller turns to an object: it is the one that is looked at again.
    fn turn_to<T: Stored>(&mut self, object: &T) {
        self.subject = Some(uid(object));
    }

    /// Looks again at an instant, if it lies ahead.
    fn look_again(&mut self, at: Timestamp) {
        if let Some(subject) = self.subject.as_ref().filter(|_| at > self.now) {
            self.workloads.due.at(at, subject);
        }
    }

    /// Creates up to `count` pods: as many as the pace allows, and the rest later.
    fn create(&mut self, wanted: &Wanted<'_>, count: usize) {
        for _ in 0..count {
            if self.workloads.allowance < POD {
                let pause = Duration::from_millis(1_000 / PODS_PER_SECOND);
                self.paced = Some(self.now.saturating_add(pause));
                match wanted.node {
                    Some(node) => self.workloads.due.add_node(node),
                    None => self.workloads.due.add(&wanted.owner.uid.as_str().into()),
                }
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
        let from = available_from(pod, min_ready_seconds);
        self.has_come(from)
    }

    /// Whether an instant has come; if it lies ahead, it is waited for.
    fn has_come(&mut self, from: Option<Timestamp>) -> bool {
        let Some(from) = from else {
            return false;
        };
        self.look_again(from);
        from <= self.now
    }
}

/// When a pod that is to stay has been ready for so long; none while it is not ready.
fn available_from(pod: &Pod, min_ready_seconds: Option<i32>) -> Option<Timestamp> {
    let seconds = u64::try_from(min_ready_seconds.unwrap_or(0)).unwrap_or(0);
    let since = ready_since(pod).filter(|_| is_active(pod))?;
    Some(since.saturating_add(Duration::from_secs(seconds)))
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

/// Those of some objects that are to stay.
fn staying<'a, T: Stored + 'a>(
    objects: impl Iterator<Item = (&'a ObjectKey, &'a T)>,
) -> Vec<(ObjectKey, T)> {
    let staying = objects.filter(|(_, object)| object.meta().deletion_timestamp.is_none());
    staying
        .map(|(key, object)| (key.clone(), object.clone()))
        .collect()
}

/// The pods of an owner, by key.
fn pods_of<'a>(store: &'a Store, owner: &'a Uid) -> impl Iterator<Item = (&'a ObjectKey, &'a Pod)> {
    store.owned::<Pod>(owner)
}

/// The same, as pods of one's own.
fn own_pods(store: &Store, owner: &Uid) -> Vec<(ObjectKey, Pod)> {
    let pods = pods_of(store, owner);
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

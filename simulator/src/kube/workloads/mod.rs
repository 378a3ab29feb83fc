//! The controllers of workloads: Deployment, ReplicaSet, DaemonSet and Job.
//!
//! They look at what was touched and at what owns it, and do what is missing. Pods are created at
//! the pace of kube-controller-manager's client: 20 a second, 30 at once ("kube-controller-manager",
//! `--kube-api-qps` and `--kube-api-burst`).

mod daemons;
mod due;
mod jobs;
mod replicas;

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use tidewright::model::id::{Uid, stable_hash};
use tidewright::model::time::Timestamp;

use crate::store::{ObjectKey, Store, Stored, Touched, is_terminal, uid};

use due::Due;

/// Pods a second.
const PODS_PER_SECOND: u64 = 20;

/// Pods at once, after a pause.
const PODS_BURST: u64 = 30;

/// A pod in thousandths, the unit of the allowance.
const POD: u64 = 1_000;

/// The controllers, with what they may still create.
#[derive(Clone, Debug)]
pub struct Workloads {
    allowance: u64,
    counted_at: Timestamp,
    named: u64,
    due: Due,
}

impl Workloads {
    /// Controllers that have rested.
    pub fn new(now: Timestamp) -> Self {
        Self {
            allowance: PODS_BURST * POD,
            counted_at: now,
            named: 0,
            due: Due::default(),
        }
    }

    /// Something was touched: whoever it concerns looks at it in the next run.
    pub fn touched(&mut self, touched: &Touched) {
        self.due.touched(touched);
    }

    /// Does what is missing. The answer is when to go on, if the pace left something undone.
    pub fn run(&mut self, store: &mut Store, now: Timestamp) -> Option<Timestamp> {
        self.count(now);
        let due = std::mem::take(&mut self.due);
        replicas::deployments(store, &due, now);
        replicas::replica_sets(self, store, &due, now);
        jobs::run(self, store, &due, now);
        daemons::run(self, store, &due, now);
        let done = self.due.is_empty();
        (!done).then(|| now.saturating_add(Duration::from_millis(1_000 / PODS_PER_SECOND)))
    }

    fn count(&mut self, now: Timestamp) {
        let millis = u64::try_from(now.since(self.counted_at).as_millis()).unwrap_or(u64::MAX);
        let earned = millis.saturating_mul(PODS_PER_SECOND * POD / 1_000);
        self.allowance = self.allowance.saturating_add(earned).min(PODS_BURST * POD);
        self.counted_at = now;
    }

    /// Creates up to `count` pods; if the pace leaves some for later, their owner stays due.
    fn create(&mut self, store: &mut Store, wanted: &Wanted<'_>, count: usize, now: Timestamp) {
        for _ in 0..count {
            if self.allowance < POD {
                self.due.again(wanted);
                return;
            }
            self.allowance -= POD;
            self.named += 1;
            let pod = wanted.pod(self.named);
            let created = store.create(pod, now);
            debug_assert!(created.is_ok(), "names are counted and never occur twice");
        }
    }
}

/// A pod that a controller wants.
struct Wanted<'a> {
    owner: OwnerReference,
    namespace: &'a str,
    template: &'a PodTemplateSpec,
    /// The node that it is for, if it is for one.
    node: Option<&'a str>,
}

impl Wanted<'_> {
    fn pod(&self, number: u64) -> Pod {
        let metadata = self.template.metadata.clone().unwrap_or_default();
        let hash = stable_hash([self.owner.name.as_str(), &number.to_string()]);
        let suffix = format!("{hash:016x}");
        let mut spec = self.template.spec.clone().unwrap_or_default();
        if let Some(node) = self.node {
            daemons::pin(&mut spec, node);
        }
        Pod {
            metadata: ObjectMeta {
                name: Some(format!("{}-{}", self.owner.name, &suffix[..8])),
                namespace: Some(self.namespace.to_owned()),
                labels: metadata.labels,
                annotations: metadata.annotations,
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

/// The reference with which an object owns others.
fn owner<T: Stored>(object: &T) -> OwnerReference {
    OwnerReference {
        api_version: T::api_version(&()).into_owned(),
        kind: T::kind(&()).into_owned(),
        name: object.meta().name.clone().unwrap_or_default(),
        uid: uid(object).to_string(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The pods of an owner, by key.
fn pods_of<'a>(store: &'a Store, owner: &Uid) -> Vec<(&'a ObjectKey, &'a Pod)> {
    let keys = store.owned_by::<Pod>(owner).into_iter();
    let pods = keys.filter_map(|key| store.all::<Pod>().get_key_value(&key));
    pods.collect()
}

/// Whether a pod runs or waits and is to stay.
fn is_active(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !is_terminal(pod)
}

/// Whether an object was told to go: its controller then does nothing more for it.
fn is_going<T: Stored>(object: &T) -> bool {
    object.meta().deletion_timestamp.is_some()
}

#[cfg(test)]
mod tests;

//! The ordinary Kubernetes objects that a simulated cluster is filled with.

use std::sync::LazyLock;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::diagnostic::Diagnostic;
use super::objects::{self, Built, Kind, Others, Registry};
use super::source::Source;
use super::{Accepted, metadata, settle};

/// An object that a simulated cluster can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Manifest {
    /// `v1` Pod.
    Pod(Box<Pod>),
    /// `v1` Node.
    Node(Box<Node>),
    /// `v1` Namespace.
    Namespace(Box<Namespace>),
    /// `apps/v1` Deployment.
    Deployment(Box<Deployment>),
    /// `apps/v1` ReplicaSet.
    ReplicaSet(Box<ReplicaSet>),
    /// `apps/v1` DaemonSet.
    DaemonSet(Box<DaemonSet>),
    /// `apps/v1` StatefulSet.
    StatefulSet(Box<StatefulSet>),
    /// `batch/v1` Job.
    Job(Box<Job>),
    /// `batch/v1` CronJob.
    CronJob(Box<CronJob>),
    /// `policy/v1` PodDisruptionBudget.
    PodDisruptionBudget(Box<PodDisruptionBudget>),
    /// `scheduling.k8s.io/v1` PriorityClass.
    PriorityClass(Box<PriorityClass>),
}

/// Reads manifests, in the order of the sources. An object of a kind that a simulated cluster does
/// not know is an error: whoever writes it expects it to have an effect.
pub fn load(sources: &[Source]) -> Result<Accepted<Vec<Manifest>>, Vec<Diagnostic>> {
    let reading = objects::read(sources, &REGISTRY);
    let manifests = reading.items.into_iter().map(|item| item.object);
    settle(manifests.collect(), reading.diagnostics)
}

static REGISTRY: Registry<Manifest> = Registry {
    kinds: &KINDS,
    others: Others::Refuse,
};

static KINDS: [Kind<Manifest>; 11] = [
    Kind {
        api_version: "v1",
        name: "Pod",
        schema: &POD,
        build: |value| build(value, Manifest::Pod),
    },
    Kind {
        api_version: "v1",
        name: "Node",
        schema: &NODE,
        build: |value| build(value, Manifest::Node),
    },
    Kind {
        api_version: "v1",
        name: "Namespace",
        schema: &NAMESPACE,
        build: |value| build(value, Manifest::Namespace),
    },
    Kind {
        api_version: "apps/v1",
        name: "Deployment",
        schema: &DEPLOYMENT,
        build: |value| build(value, Manifest::Deployment),
    },
    Kind {
        api_version: "apps/v1",
        name: "ReplicaSet",
        schema: &REPLICA_SET,
        build: |value| build(value, Manifest::ReplicaSet),
    },
    Kind {
        api_version: "apps/v1",
        name: "DaemonSet",
        schema: &DAEMON_SET,
        build: |value| build(value, Manifest::DaemonSet),
    },
    Kind {
        api_version: "apps/v1",
        name: "StatefulSet",
        schema: &STATEFUL_SET,
        build: |value| build(value, Manifest::StatefulSet),
    },
    Kind {
        api_version: "batch/v1",
        name: "Job",
        schema: &JOB,
        build: |value| build(value, Manifest::Job),
    },
    Kind {
        api_version: "batch/v1",
        name: "CronJob",
        schema: &CRON_JOB,
        build: |value| build(value, Manifest::CronJob),
    },
    Kind {
        api_version: "policy/v1",
        name: "PodDisruptionBudget",
        schema: &DISRUPTION_BUDGET,
        build: |value| build(value, Manifest::PodDisruptionBudget),
    },
    Kind {
        api_version: "scheduling.k8s.io/v1",
        name: "PriorityClass",
        schema: &PRIORITY_CLASS,
        build: |value| build(value, Manifest::PriorityClass),
    },
];

static POD: LazyLock<Value> = LazyLock::new(schema_of::<Pod>);
static NODE: LazyLock<Value> = LazyLock::new(schema_of::<Node>);
static NAMESPACE: LazyLock<Value> = LazyLock::new(schema_of::<Namespace>);
static DEPLOYMENT: LazyLock<Value> = LazyLock::new(schema_of::<Deployment>);
static REPLICA_SET: LazyLock<Value> = LazyLock::new(schema_of::<ReplicaSet>);
static DAEMON_SET: LazyLock<Value> = LazyLock::new(schema_of::<DaemonSet>);
static STATEFUL_SET: LazyLock<Value> = LazyLock::new(schema_of::<StatefulSet>);
static JOB: LazyLock<Value> = LazyLock::new(schema_of::<Job>);
static CRON_JOB: LazyLock<Value> = LazyLock::new(schema_of::<CronJob>);
static DISRUPTION_BUDGET: LazyLock<Value> = LazyLock::new(schema_of::<PodDisruptionBudget>);
static PRIORITY_CLASS: LazyLock<Value> = LazyLock::new(schema_of::<PriorityClass>);

fn schema_of<T: JsonSchema>() -> Value {
    metadata::completed(schemars::schema_for!(T).to_value())
}

fn build<T: DeserializeOwned>(
    value: Value,
    wrap: fn(Box<T>) -> Manifest,
) -> Result<Built<Manifest>, serde_json::Error> {
    let object = wrap(Box::new(serde_json::from_value(value)?));
    Ok(Built {
        object,
        violations: Vec::new(),
        remarks: Vec::new(),
    })
}

//! The scenario file, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Number;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tidewright::api::nodeclass::{EC2NodeClass, EC2NodeClassSpec};
use tidewright::api::nodepool::{NodePool, NodePoolSpec};

use super::cloud_file::{InterruptFile, PricesFile, QuotaFile, ZoneOutageFile};
use super::services::{Scaling, Service};
use crate::faults::FaultSettings;
use crate::setup::ObjectKind;

/// A scenario: a world, what is done to it, and what must come of it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScenarioFile {
    /// Its name.
    pub name: String,
    /// What it is about, in one sentence.
    pub description: String,
    /// Files and folders with NodePools and node classes. None given: the serverless policy.
    pub policies: Option<Vec<String>>,
    /// Files and folders with other objects that are there from the beginning.
    #[serde(default)]
    pub manifests: Vec<String>,
    /// A file with the objects of a cluster, as `kubectl get -o json` prints them. Where it has
    /// NodePools and `policies` is left out, there are no others.
    pub cluster: Option<String>,
    /// What the cloud sells. None given: all of us-east-2.
    pub catalog: Option<String>,
    /// How machines boot.
    #[serde(default)]
    pub boot_profile: Profile,
    /// What all chance comes from.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The first instant.
    #[schemars(extend("format" = "date-time"))]
    pub start: Option<String>,
    /// Settings of the engine that differ from what is usual.
    #[serde(default)]
    pub settings: SettingsFile,
    /// Workloads that are there from the beginning, and how many pods they have when.
    #[serde(default)]
    pub services: Vec<Service>,
    /// How many pods other workloads have when.
    #[serde(default)]
    pub replicas: Vec<Scaling>,
    /// What is done to the world.
    #[serde(default)]
    pub timeline: Vec<Happens>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: FaultSettings,
    /// When the world ends, after its start.
    pub until: String,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expectations,
}

const fn default_seed() -> u64 {
    1
}

/// The boot profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// As it was measured; only our part differs.
    #[default]
    Reference,
    /// The same image, with what it needs already on it.
    CachedImage,
    /// An image made to boot fast.
    Fast,
}

impl Profile {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::CachedImage => "cached-image",
            Self::Fast => "fast",
        }
    }
}

/// Settings of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsFile {
    /// A batch ends when no new pod came for so long.
    pub batch_idle_duration: Option<String>,
    /// A batch ends after so long in any case.
    pub batch_max_duration: Option<String>,
}

/// Something that is done to the world. Of several things at one time the order is that of the
/// fields here.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Happens {
    /// When, after the start.
    pub at: String,
    /// Spot prices begin to move.
    pub prices: Option<PricesFile>,
    /// The cloud has so many machines left.
    pub capacity: Option<CapacityFile>,
    /// The account may run so many vCPUs.
    pub quota: Option<QuotaFile>,
    /// A zone is lost for a while.
    pub zone_outage: Option<ZoneOutageFile>,
    /// Machines are taken away.
    pub interrupt: Option<InterruptFile>,
    /// Objects are created or replaced.
    pub apply: Option<Applied>,
    /// A workload is scaled.
    pub scale: Option<Scaled>,
    /// An object is deleted.
    pub delete: Option<Deleted>,
    /// The kubelets of some nodes fall silent.
    pub silence: Option<Silence>,
    /// The controller dies and starts again.
    #[serde(default)]
    pub crash_controller: bool,
}

/// Kubelets that fall silent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Silence {
    /// How many: the first nodes that are ready, by name.
    pub nodes: u32,
    /// For how long; left out, for ever.
    pub lasts: Option<String>,
}

/// Objects to be applied.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Applied {
    /// Files and folders.
    pub manifests: Vec<String>,
    /// A NodePool.
    pub node_pool: Option<Box<PoolFile>>,
    /// A node class.
    pub node_class: Option<Box<ClassFile>>,
    /// A pod.
    pub pod: Option<Box<Pod>>,
    /// A Deployment.
    pub deployment: Option<Box<Deployment>>,
    /// A ReplicaSet.
    pub replica_set: Option<Box<ReplicaSet>>,
    /// A DaemonSet.
    pub daemon_set: Option<Box<DaemonSet>>,
    /// A StatefulSet.
    pub stateful_set: Option<Box<StatefulSet>>,
    /// A Job.
    pub job: Option<Box<Job>>,
    /// A CronJob.
    pub cron_job: Option<Box<CronJob>>,
    /// A PodDisruptionBudget.
    pub pod_disruption_budget: Option<Box<PodDisruptionBudget>>,
    /// A PriorityClass.
    pub priority_class: Option<Box<PriorityClass>>,
}

/// A NodePool. The type of the API leaves the shape of its metadata open.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoolFile {
    /// Its name, and what else belongs to every object.
    pub metadata: ObjectMeta,
    /// What it asks for.
    pub spec: NodePoolSpec,
}

impl PoolFile {
    /// The object.
    pub fn object(&self) -> NodePool {
        let mut pool = NodePool::new("", self.spec.clone());
        pool.metadata = self.metadata.clone();
        pool
    }
}

/// A node class.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClassFile {
    /// Its name, and what else belongs to every object.
    pub metadata: ObjectMeta,
    /// What it asks for.
    pub spec: EC2NodeClassSpec,
}

impl ClassFile {
    /// The object.
    pub fn object(&self) -> EC2NodeClass {
        let mut class = EC2NodeClass::new("", self.spec.clone());
        class.metadata = self.metadata.clone();
        class
    }
}

/// A workload and its new size.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaled {
    /// The kind.
    pub kind: ScalableKind,
    /// The namespace.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// How many pods.
    pub replicas: u32,
}

/// What can be scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ScalableKind {
    /// A Deployment.
    Deployment,
    /// A ReplicaSet.
    ReplicaSet,
    /// A StatefulSet.
    StatefulSet,
}

impl ScalableKind {
    /// The kind of the object.
    pub const fn object(self) -> ObjectKind {
        match self {
            Self::Deployment => ObjectKind::Deployment,
            Self::ReplicaSet => ObjectKind::ReplicaSet,
            Self::StatefulSet => ObjectKind::StatefulSet,
        }
    }
}

/// An object to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deleted {
    /// The kind.
    pub kind: DeletableKind,
    /// The namespace; kinds without one have none.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// What can be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum DeletableKind {
    /// A NodePool.
    NodePool,
    /// A NodeClaim.
    NodeClaim,
    /// A node class.
    #[serde(rename = "EC2NodeClass")]
    NodeClass,
    /// A pod.
    Pod,
    /// A node.
    Node,
    /// A Deployment.
    Deployment,
    /// A ReplicaSet.
    ReplicaSet,
    /// A DaemonSet.
    DaemonSet,
    /// A StatefulSet.
    StatefulSet,
    /// A Job.
    Job,
    /// A CronJob.
    CronJob,
    /// A PodDisruptionBudget.
    PodDisruptionBudget,
    /// A PriorityClass.
    PriorityClass,
}

pub(super) fn default_namespace() -> String {
    "default".to_owned()
}

/// What the cloud has left of the offerings that match; what is left out matches all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapacityFile {
    /// How they are paid for.
    pub capacity_type: Option<PaidFor>,
    /// The instance type.
    pub instance_type: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// How many; left out, as many as anybody wants.
    pub machines: Option<u32>,
}

/// How machines are paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PaidFor {
    /// Spare capacity.
    Spot,
    /// At the list price.
    OnDemand,
}

/// What must come of a run. What is left out may be anything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectations {
    /// From the creation of the first pod that waited to its answer.
    pub first_answer_seconds: Option<Bound>,
    /// What of it our decision and calls took.
    pub our_seconds: Option<Bound>,
    /// From the last pod's end until nothing of ours is left.
    pub all_nodes_gone_seconds: Option<Bound>,
    /// How long pods waited.
    pub pod_wait_seconds: Option<WaitBounds>,
    /// Machines bought.
    pub nodes_launched: Option<LaunchBounds>,
    /// The most machines at once.
    pub nodes_peak: Option<Bound>,
    /// Pods told to leave.
    pub evictions: Option<Bound>,
    /// Machines of which the controller heard that they are lost.
    pub interruption_notices: Option<Bound>,
    /// Machines that were taken away.
    pub machines_taken: Option<Bound>,
    /// The longest time in which a service had fewer pods that answer than before.
    pub pod_gap_seconds: Option<Bound>,
    /// What it cost, in dollars.
    pub cost_usd: Option<MoneyBound>,
    /// From an offering's being sold out to the next call for the same claims.
    pub fallback_seconds: Option<Bound>,
    /// The pods without a place at the end.
    pub unplaced: Option<UnplacedBound>,
}

/// Bounds of a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Bound {
    /// It is at least this.
    pub min: Option<Number>,
    /// It is at most this.
    pub max: Option<Number>,
}

/// Bounds of an amount of money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct MoneyBound {
    /// It is at least this, as a decimal text.
    pub min: Option<String>,
    /// It is at most this, as a decimal text.
    pub max: Option<String>,
}

/// Bounds of waiting times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitBounds {
    /// Of the middle.
    pub p50: Option<Bound>,
    /// Of all but five of a hundred.
    pub p95: Option<Bound>,
    /// Of the longest.
    pub max: Option<Bound>,
}

/// How many machines are bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LaunchBounds {
    /// Spot machines.
    pub spot: Option<u64>,
    /// On-demand machines.
    pub on_demand: Option<u64>,
}

/// The pods without a place at the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnplacedBound {
    /// How many.
    pub pods: u64,
    /// Words that the reason of each must contain.
    #[serde(default)]
    pub because: Vec<String>,
}

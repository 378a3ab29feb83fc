//! What a world is made of, and what is done to it from outside.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use tidewright::cloud::region::Region;
use tidewright::engine::Settings;
use tidewright::model::catalog::CapacityType;
use tidewright::model::time::Timestamp;

use crate::boot::BootProfile;
use crate::cloud::SpotMarket;
use crate::faults::{FaultSettings, Sabotage};

/// A world before its first step.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What all its chance comes from.
    pub seed: u64,
    /// Its first instant.
    pub start: Timestamp,
    /// NodePools and node classes, and other objects there from the beginning.
    pub objects: Vec<Object>,
    /// A cluster that was there before, as it was found.
    pub cluster: Vec<Object>,
    /// What the cloud sells.
    pub region: Arc<Region>,
    /// How machines boot.
    pub boot: BootProfile,
    /// What goes wrong.
    pub faults: FaultSettings,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// The settings of the engine.
    pub settings: Settings,
    /// What happens when.
    pub timeline: Vec<(Duration, Happening)>,
}

/// An object that can be applied.
#[derive(Clone, Debug)]
pub enum Object {
    /// A NodePool.
    NodePool(Box<tidewright::api::nodepool::NodePool>),
    /// A node class.
    NodeClass(Box<tidewright::api::nodeclass::EC2NodeClass>),
    /// A NodeClaim with its machine.
    NodeClaim(Box<tidewright::api::nodeclaim::NodeClaim>),
    /// A pod without an owner.
    Pod(Box<Pod>),
    /// A node of somebody else.
    Node(Box<Node>),
    /// A Deployment.
    Deployment(Box<Deployment>),
    /// A ReplicaSet without a Deployment.
    ReplicaSet(Box<ReplicaSet>),
    /// A DaemonSet.
    DaemonSet(Box<DaemonSet>),
    /// A StatefulSet.
    StatefulSet(Box<StatefulSet>),
    /// A Job.
    Job(Box<Job>),
    /// A CronJob.
    CronJob(Box<CronJob>),
    /// A PodDisruptionBudget.
    PodDisruptionBudget(Box<PodDisruptionBudget>),
    /// A PriorityClass.
    PriorityClass(Box<PriorityClass>),
}

/// The kinds that a user can delete by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// NodePool.
    NodePool,
    /// NodeClaim.
    NodeClaim,
    /// EC2NodeClass.
    NodeClass,
    /// Pod.
    Pod,
    /// Node.
    Node,
    /// Deployment.
    Deployment,
    /// ReplicaSet.
    ReplicaSet,
    /// DaemonSet.
    DaemonSet,
    /// StatefulSet.
    StatefulSet,
    /// Job.
    Job,
    /// CronJob.
    CronJob,
    /// PodDisruptionBudget.
    PodDisruptionBudget,
    /// PriorityClass.
    PriorityClass,
}

impl ObjectKind {
    /// Whether objects of this kind live in namespaces.
    pub const fn has_namespace(self) -> bool {
        match self {
            Self::Pod
            | Self::Deployment
            | Self::ReplicaSet
            | Self::DaemonSet
            | Self::StatefulSet
            | Self::Job
            | Self::CronJob
            | Self::PodDisruptionBudget => true,
            Self::NodePool
            | Self::NodeClaim
            | Self::NodeClass
            | Self::Node
            | Self::PriorityClass => false,
        }
    }
}

/// The kind as the API writes it.
impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodePool => "NodePool",
            Self::NodeClaim => "NodeClaim",
            Self::NodeClass => "EC2NodeClass",
            Self::Pod => "Pod",
            Self::Node => "Node",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::DaemonSet => "DaemonSet",
            Self::StatefulSet => "StatefulSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::PriorityClass => "PriorityClass",
        })
    }
}

/// What is done to a world from outside.
#[derive(Clone, Debug)]
pub enum Happening {
    /// An object is created, or replaced.
    Apply(Object),
    /// An object is deleted.
    Delete {
        /// The kind.
        kind: ObjectKind,
        /// The namespace; empty for kinds without one.
        namespace: String,
        /// The name.
        name: String,
    },
    /// An object is deleted that has no name yet when the world is made.
    DeleteAny {
        /// The kind: NodeClaim or Node.
        kind: ObjectKind,
        /// Its place among those there are, by name, over and over again.
        place: usize,
    },
    /// A Deployment, ReplicaSet or StatefulSet is scaled.
    Scale {
        /// The kind.
        kind: ObjectKind,
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
        /// How many pods.
        replicas: u32,
    },
    /// The cloud has so many machines left of the offerings that match; what a filter leaves out
    /// matches all. `None` is as many as anybody wants.
    Capacity {
        /// How they are paid for.
        capacity_type: Option<CapacityType>,
        /// The instance type.
        instance_type: Option<String>,
        /// The zone.
        zone: Option<String>,
        /// How many.
        machines: Option<u32>,
    },
    /// Spot prices begin to move.
    Prices(SpotMarket),
    /// Machines are taken away.
    Interrupt(Interrupt),
    /// A zone is lost: its machines go without a word, and nothing is sold there for so long.
    ZoneOutage {
        /// The zone.
        zone: String,
        /// How long.
        lasts: Duration,
    },
    /// The account may run so many vCPUs of a capacity type; `None` is as many as anybody wants.
    Quota {
        /// How they are paid for.
        capacity_type: CapacityType,
        /// How many.
        vcpus: Option<u32>,
    },
    /// The kubelets of some nodes fall silent.
    Silence {
        /// How many: the first that are ready, by name.
        nodes: u32,
        /// For how long; none is for ever.
        span: Option<Duration>,
    },
    /// The controller dies and starts again.
    CrashController,
}

/// Machines that are taken away, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// By whom.
    pub how: Taking,
    /// How many of those that match.
    pub share: Share,
    /// The instance type; all if none.
    pub instance_type: Option<String>,
    /// The zone; all if none.
    pub zone: Option<String>,
    /// They are told within so long, each at a time of its own.
    pub within: Duration,
    /// So long before, a rebalance is recommended.
    pub rebalance_before: Option<Duration>,
}

/// How machines are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Taking {
    /// Spot machines, by the cloud, two minutes after a notice.
    Spot,
    /// By the cloud, which takes the hardware out of service, some days after it has said so.
    Retired,
    /// Terminated by somebody.
    Terminated,
    /// Stopped by somebody, and not terminated.
    Stopped,
}

impl Taking {
    /// The name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Retired => "retired",
            Self::Terminated => "terminated",
            Self::Stopped => "stopped",
        }
    }
}

/// How many of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// So many.
    Machines(u32),
    /// So many of a hundred, begun ones count.
    Percent(u32),
}

impl Share {
    /// How many of `all`.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Machines(count) => usize::try_from(count).map_or(all, |it| it.min(all)),
            Self::Percent(percent) => {
                let percent = usize::try_from(percent.min(100)).unwrap_or(100);
                (all * percent).div_ceil(100)
            }
        }
    }
}

/// `6 machines`, `33 % of the machines`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machines(1) => f.write_str("1 machine"),
            Self::Machines(count) => write!(f, "{count} machines"),
            Self::Percent(percent) => write!(f, "{percent} % of the machines"),
        }
    }
}

//! What moves the engine. Nothing else does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::effect::{EffectId, PlanAnswer};
use crate::cluster::Change;
use crate::model::catalog::{Catalog, OfferingKey};
use crate::model::claim::{Machine, NodeClaim};
use crate::model::id::{LaunchGroup, ProviderId};
use crate::model::time::Timestamp;
use crate::planner::Options;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed; the wake-up that was asked for.
    Tick,
    /// A watch reported something.
    Observed(Change),
    /// An effect was carried out, or was not.
    Done {
        /// Which.
        id: EffectId,
        /// How it ended.
        outcome: EffectOutcome,
    },
    /// What can be bought has changed.
    Catalog(Arc<Catalog>),
    /// The cloud says something of a machine. It may say so twice, late or not at all.
    Cloud(CloudEvent),
    /// This process leads, or no longer does.
    Leadership(Leadership),
    /// The settings are so.
    Settings(Settings),
}

/// Something that the cloud says of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent {
    /// The machine.
    pub machine: ProviderId,
    /// What becomes of it.
    pub kind: CloudEventKind,
}

/// What becomes of a machine (EC2 documentation, "Spot Instance interruption notices", "EC2 instance
/// rebalance recommendations" and "State change events"; AWS Health documentation, "scheduledChange").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloudEventKind {
    /// The cloud takes the spot machine back in two minutes.
    SpotInterrupted,
    /// The spot machine is more likely than others to be taken back.
    RebalanceRecommended,
    /// The hardware will be taken out of service.
    ChangeScheduled,
    /// It stops or has stopped, and may exist as long as it is not terminated.
    Stopping,
    /// It has been terminated.
    Terminated,
}

impl CloudEventKind {
    /// The kinds.
    pub const ALL: [Self; 5] = [
        Self::SpotInterrupted,
        Self::RebalanceRecommended,
        Self::ChangeScheduled,
        Self::Stopping,
        Self::Terminated,
    ];

    /// The reason of the event that people are shown, as Karpenter writes it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::SpotInterrupted => "SpotInterrupted",
            Self::RebalanceRecommended => "SpotRebalanceRecommendation",
            Self::ChangeScheduled => "InstanceUnhealthy",
            Self::Stopping => "InstanceStopping",
            Self::Terminated => "InstanceTerminating",
        }
    }

    /// Whether the machine is lost, sooner or later.
    pub const fn is_loss(self) -> bool {
        match self {
            Self::SpotInterrupted | Self::ChangeScheduled | Self::Stopping | Self::Terminated => {
                true
            }
            Self::RebalanceRecommended => false,
        }
    }
}

/// Whether this process acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leadership {
    /// Another one acts; this one only learns.
    Standby,
    /// It acts.
    Leading,
}

/// What an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A batch ends when no new pod came for so long (`--batch-idle-duration`).
    pub batch_idle: Duration,
    /// A batch ends after so long in any case (`--batch-max-duration`).
    pub batch_max: Duration,
    /// How the planner decides.
    pub plan: Options,
}

/// How an effect ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectOutcome {
    /// It is done, and there is nothing more to say.
    Done,
    /// The claim was created, and looks like this.
    ClaimCreated(Box<NodeClaim>),
    /// The cloud answered a fleet call.
    Launched(LaunchOutcome),
    /// These machines exist.
    Machines(Vec<MachineFact>),
    /// The plan is ready.
    Planned(Box<PlanAnswer>),
    /// What the effect depended on is no longer so.
    PreconditionFailed,
    /// The API server refused.
    Api(ApiError),
    /// The cloud refused.
    Cloud(CloudError),
    /// No answer came before the deadline: it may have been carried out.
    Unknown,
}

/// What a fleet call brought: machines, failures, or some of each (EC2 documentation,
/// "CreateFleet", on requests of type `instant`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchOutcome {
    /// The machines bought, in no particular order.
    pub machines: Vec<Machine>,
    /// The offerings that could not serve.
    pub failures: Vec<OfferingFailure>,
}

/// An offering that could not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferingFailure {
    /// Which.
    pub offering: OfferingKey,
    /// EC2's error code, such as `InsufficientInstanceCapacity`.
    pub code: Arc<str>,
}

/// A machine as the cloud lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineFact {
    /// The machine.
    pub machine: Machine,
    /// The group of claims it was bought for, from its tags.
    pub launch_group: Option<LaunchGroup>,
    /// All its tags.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    /// When it was bought.
    pub launched_at: Timestamp,
}

impl MachineFact {
    /// Its id.
    pub fn provider_id(&self) -> &ProviderId {
        &self.machine.provider_id
    }
}

/// Why the API server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiError {
    /// The object is not there.
    NotFound,
    /// An object of that name is there already.
    AlreadyExists,
    /// Somebody else changed the object in between.
    Conflict,
    /// A disruption budget of the pod forbids it for now (status 429).
    TooManyRequests,
    /// It may not be done, ever (status 403 or 422).
    Rejected,
    /// The server is not well; try again.
    Unavailable,
}

/// Why the cloud refused a whole call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloudError {
    /// There is no such machine.
    NotFound,
    /// Too many calls (`RequestLimitExceeded`).
    Throttled,
    /// The call is wrong or not allowed; repeating it will not help.
    Refused {
        /// EC2's error code.
        code: Arc<str>,
    },
    /// The cloud is not well; try again.
    Unavailable,
}

//! What the engine wants done. A shell carries it out and decides nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::notice::Notice;
use crate::model::catalog::{CapacityType, OfferingKey};
use crate::model::claim::ClaimSpec;
use crate::model::id::{ClaimName, LaunchGroup, LaunchToken, NodeName, PodKey, ProviderId, Uid};
use crate::model::node_class::NodeClassRef;
use crate::model::price::Price;
use crate::model::time::Timestamp;
use crate::planner::disruption::{DisruptionInput, DisruptionPlan};
use crate::planner::{Plan, PlanInput};

pub use crate::model::patch::{ClaimPatch, NodePatch};

/// What a step came to.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What to do. The effects of one step do not depend on one another.
    pub effects: Vec<Effect>,
    /// What people should know.
    pub notices: Vec<Notice>,
    /// When to call again at the latest, with [`super::Input::Tick`].
    pub wake_at: Option<Timestamp>,
}

/// The number of an effect, unique within the life of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub u64);

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its number; the answer repeats it.
    pub id: EffectId,
    /// What to do, and to which object.
    pub action: Action,
    /// What must still be so when it is done; otherwise the answer is
    /// [`super::EffectOutcome::PreconditionFailed`].
    pub precondition: Precondition,
    /// Two effects with the same key want the same thing: doing both must be like doing one.
    pub idempotency_key: Arc<str>,
    /// When the shell gives up waiting and answers [`super::EffectOutcome::Unknown`].
    pub deadline: Timestamp,
}

/// What must be so for an effect to make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: it makes sense in any case, or the action itself says all.
    None,
    /// The object of the action still has this uid.
    Uid(Uid),
    /// The object still has this uid and has not been told to go.
    Alive(Uid),
    /// These claims exist with these uids, none has been told to go, and all carry the group's
    /// annotation.
    Group(LaunchGroup, BTreeMap<ClaimName, Uid>),
}

/// The kinds of effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create a NodeClaim of this name.
    CreateClaim {
        /// The name, which makes a repetition harmless.
        name: ClaimName,
        /// What it says.
        spec: Box<ClaimSpec>,
    },
    /// Change a NodeClaim.
    PatchClaim {
        /// The claim.
        name: ClaimName,
        /// The change.
        patch: ClaimPatch,
    },
    /// Tell a NodeClaim to go; its finalizer holds it until the machine is gone.
    DeleteClaim {
        /// The claim.
        name: ClaimName,
    },
    /// Take our finalizer from a NodeClaim.
    ReleaseClaim {
        /// The claim.
        name: ClaimName,
    },
    /// Buy machines.
    Launch(Box<LaunchRequest>),
    /// Give a machine back.
    Terminate {
        /// The machine.
        provider_id: ProviderId,
    },
    /// Look which machines exist.
    ListMachines(MachineFilter),
    /// Change a Node.
    PatchNode {
        /// The node.
        name: NodeName,
        /// The change.
        patch: NodePatch,
    },
    /// Tell a Node to go; its finalizer holds it until it is drained.
    DeleteNode {
        /// The node.
        name: NodeName,
    },
    /// Take our finalizer from a Node.
    ReleaseNode {
        /// The node.
        name: NodeName,
    },
    /// Move a pod away.
    Evict(Eviction),
    /// Think.
    Plan(Box<PlanRequest>),
}

/// The removal of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// The pod.
    pub pod: PodKey,
    /// How.
    pub mode: EvictionMode,
}

/// How a pod is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvictionMode {
    /// Through the eviction API, which respects disruption budgets of pods.
    Evict,
    /// By deletion with this grace, because the node's time is up.
    Delete {
        /// What is left of the time.
        grace: Duration,
    },
}

/// Which machines to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineFilter {
    /// All of this cluster.
    All,
    /// Those bought for one group.
    Group(LaunchGroup),
}

/// One fleet call: machines for a group of claims of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchRequest {
    /// The group, a tag of every machine.
    pub group: LaunchGroup,
    /// What makes a repetition of this very request harmless.
    pub token: LaunchToken,
    /// The claims, by name; as many machines are wanted.
    pub claims: BTreeMap<ClaimName, Uid>,
    /// How machines are set up.
    pub node_class: NodeClassRef,
    /// How machines are paid for.
    pub capacity_type: CapacityType,
    /// Where machines may come from, the cheapest first; never empty, all of `capacity_type`.
    pub offerings: Vec<RankedOffering>,
    /// Tags of the machines.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
}

/// An offering of a [`LaunchRequest`], with what the claim's status will say of its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedOffering {
    /// The offering.
    pub key: OfferingKey,
    /// Its price.
    pub price: Price,
}

/// Something to think about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanRequest {
    /// Where do these pods go?
    Provision(PlanInput),
    /// Which nodes go?
    Disrupt(DisruptionInput),
}

/// The answer to a [`PlanRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanAnswer {
    /// Where the pods go.
    Provision(Plan),
    /// Which nodes go.
    Disrupt(DisruptionPlan),
}

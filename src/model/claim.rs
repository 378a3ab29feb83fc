//! NodeClaims: one wanted machine each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::catalog::{CapacityType, OfferingKey};
use super::id::{ClaimName, LaunchGroup, NodeName, PoolName, ProviderId, TypeName, Uid, ZoneName};
use super::labels::{LabelKey, LabelValue};
use super::node_class::NodeClassRef;
use super::requirement::Requirements;
use super::resources::Resources;
use super::taint::Taint;
use super::time::Timestamp;

/// What is wanted of a machine. It never changes after the claim is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSpec {
    /// The pool that it belongs to.
    pub pool: PoolName,
    /// How the machine is set up.
    pub node_class: NodeClassRef,
    /// What the machine must be; among them the instance types it may be.
    pub requirements: Requirements,
    /// What pods will take of it, with the least overhead of DaemonSets.
    pub requests: Resources,
    /// Taints for as long as it lives.
    pub taints: Vec<Taint>,
    /// Taints that somebody else takes away when the node is set up.
    pub startup_taints: Vec<Taint>,
    /// Labels for the node.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Annotations for the node.
    pub annotations: BTreeMap<Arc<str>, Arc<str>>,
    /// The age at which it is replaced; none means never.
    pub expire_after: Option<Duration>,
    /// The longest that draining may take; none means as long as it takes.
    pub termination_grace: Option<Duration>,
}

/// A NodeClaim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeClaim {
    /// The name.
    pub name: ClaimName,
    /// The uid.
    pub uid: Uid,
    /// When the object was created.
    pub created: Timestamp,
    /// When it was told to go.
    pub deleting: Option<Timestamp>,
    /// Whether our finalizer holds it.
    pub held: bool,
    /// What is wanted.
    pub spec: ClaimSpec,
    /// The fleet call that buys for it, once that has been decided.
    pub launch_group: Option<LaunchGroup>,
    /// How far it has come.
    pub phase: ClaimPhase,
    /// When a pod last came to or left its node.
    pub last_pod_event: Option<Timestamp>,
}

/// How far a claim has come.
///
/// | Phase | The machine | The node |
/// |---|---|---|
/// | `Pending` | not bought, or not known to be | none |
/// | `Launched` | bought | not seen |
/// | `Registered` | running | seen, labelled and tainted as wanted |
/// | `Initialized` | running | ready, with all it promised |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimPhase {
    /// Nothing is bought.
    Pending,
    /// The machine is bought.
    Launched {
        /// The machine.
        machine: Machine,
        /// Since when.
        at: Timestamp,
    },
    /// The node has joined.
    Registered {
        /// The machine.
        machine: Machine,
        /// The node.
        node: NodeName,
        /// Since when.
        at: Timestamp,
    },
    /// The node can be used in full.
    Initialized {
        /// The machine.
        machine: Machine,
        /// The node.
        node: NodeName,
        /// Since when.
        at: Timestamp,
    },
}

/// A machine that was bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its id.
    pub provider_id: ProviderId,
    /// What it is.
    pub instance_type: TypeName,
    /// Where it is.
    pub zone: ZoneName,
    /// How it is paid for.
    pub capacity_type: CapacityType,
    /// The labels that follow from that.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// What it has.
    pub capacity: Resources,
    /// What pods may use.
    pub allocatable: Resources,
}

impl Machine {
    /// The offering it was bought from.
    pub fn offering(&self) -> OfferingKey {
        OfferingKey {
            capacity_type: self.capacity_type,
            instance_type: self.instance_type.clone(),
            zone: self.zone.clone(),
        }
    }
}

impl ClaimPhase {
    /// The machine, once it is bought.
    pub fn machine(&self) -> Option<&Machine> {
        match self {
            Self::Pending => None,
            Self::Launched { machine, .. }
            | Self::Registered { machine, .. }
            | Self::Initialized { machine, .. } => Some(machine),
        }
    }

    /// The node, once it has joined.
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::Pending | Self::Launched { .. } => None,
            Self::Registered { node, .. } | Self::Initialized { node, .. } => Some(node),
        }
    }

    /// When the node became usable.
    pub fn initialized_at(&self) -> Option<Timestamp> {
        match self {
            Self::Initialized { at, .. } => Some(*at),
            Self::Pending | Self::Launched { .. } | Self::Registered { .. } => None,
        }
    }
}

impl NodeClaim {
    /// The labels that its node has or will have: what was asked for, what the machine is, and
    /// the labels of the pool, which win.
    pub fn labels(&self) -> BTreeMap<LabelKey, LabelValue> {
        let mut labels = self.spec.requirements.labels();
        if let Some(machine) = self.phase.machine() {
            labels.extend(machine.labels.clone());
        }
        labels.extend(self.spec.labels.clone());
        labels
    }
}

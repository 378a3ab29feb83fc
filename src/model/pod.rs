//! Pods, as placement sees them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::id::{NodeName, PodKey, Uid};
use super::labels::{LabelKey, LabelValue};
use super::requirement::Requirements;
use super::resources::Resources;
use super::taint::Toleration;
use super::time::Timestamp;
use super::topology::{Neighbours, Weighted};

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Namespace and name.
    pub key: PodKey,
    /// The uid.
    pub uid: Uid,
    /// When the object was created.
    pub created: Timestamp,
    /// The controller that made it.
    pub owner: Option<Owner>,
    /// Its labels.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Where it may and wants to run.
    pub scheduling: Scheduling,
    /// How far it has come.
    pub phase: PodPhase,
    /// Where it is.
    pub placement: Placement,
    /// When it was told to go.
    pub deleting: Option<Timestamp>,
    /// When its node took it up; none before.
    pub started: Option<Timestamp>,
    /// How long it may take to stop.
    pub termination_grace: Duration,
    /// Whether it wants to be left alone.
    pub do_not_disrupt: DoNotDisrupt,
    /// Whether the cluster depends on it: pods of the priority classes `system-cluster-critical`
    /// and `system-node-critical` are evicted last.
    pub critical: bool,
    /// The annotation `controller.kubernetes.io/pod-deletion-cost`.
    pub deletion_cost: i32,
}

/// What a pod says about where it runs. Pods of one template share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheduling {
    /// What it takes, with `pods: 1`, init containers, sidecars and overhead counted as the
    /// scheduler does.
    pub requests: Requests,
    /// The node selector.
    pub node_selector: Requirements,
    /// Required node affinity: one of these, or anything when there is none.
    pub node_affinity: Vec<Requirements>,
    /// Preferred node affinity, in the order written.
    pub node_affinity_preferred: Vec<Weighted<Requirements>>,
    /// The taints it endures.
    pub tolerations: Vec<Toleration>,
    /// What it says about other pods.
    pub neighbours: Neighbours,
    /// The scheduler that is to place it.
    pub scheduler_name: Arc<str>,
    /// Its priority.
    pub priority: i32,
    /// What it asks for that is not acted on yet. A pod with a binding entry is refused.
    pub unsupported: Vec<UnsupportedField>,
}

/// Resources, ordered so that they can be part of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requests(pub Resources);

impl PartialOrd for Requests {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Requests {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.iter().cmp(other.0.iter())
    }
}

/// The object that a pod belongs to (its controller reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Group and version, such as `apps/v1`.
    pub api_version: Arc<str>,
    /// The kind.
    pub kind: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// The uid.
    pub uid: Uid,
}

impl Owner {
    /// Whether pods of this owner belong to one node and go with it.
    pub fn is_node_bound(&self) -> bool {
        self.is_daemon_set() || (&*self.api_version, &*self.kind) == ("v1", "Node")
    }

    /// Whether it is a DaemonSet.
    pub fn is_daemon_set(&self) -> bool {
        (&*self.api_version, &*self.kind) == ("apps/v1", "DaemonSet")
    }

    fn is_stateful_set(&self) -> bool {
        (&*self.api_version, &*self.kind) == ("apps/v1", "StatefulSet")
    }
}

/// How far a pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodPhase {
    /// Not running yet.
    Pending,
    /// Running.
    Running,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
}

/// Where a pod is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// The scheduler has not looked at it yet, or has a place in mind.
    Unscheduled,
    /// The scheduler found no place (condition `PodScheduled` with reason `Unschedulable`).
    Unschedulable,
    /// It preempts others on this node and waits for them to go.
    Nominated(NodeName),
    /// It has a node.
    Bound(NodeName),
}

/// The annotation `karpenter.sh/do-not-disrupt` of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoNotDisrupt {
    /// It may be moved.
    No,
    /// It may not be moved.
    Always,
    /// It may not be moved until it has run for so long.
    For(Duration),
}

/// A field that says something about scheduling and is not acted on yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnsupportedField {
    /// Its path, such as `spec.topologySpreadConstraints[0]`.
    pub path: Arc<str>,
    /// What leaving it out means.
    pub weight: FieldWeight,
}

/// What it means that a field is not acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldWeight {
    /// The pod could be placed where it must not be: it is refused.
    Binding,
    /// The pod could be placed where it would rather not be: it is placed and this is reported.
    Preference,
}

impl fmt::Display for UnsupportedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl Scheduling {
    /// What it takes.
    pub fn resources(&self) -> &Resources {
        &self.requests.0
    }

    /// The alternatives that a node must satisfy one of: the node selector with each term of the
    /// required node affinity. Never empty.
    pub fn alternatives(&self) -> Vec<Requirements> {
        if self.node_affinity.is_empty() {
            return vec![self.node_selector.clone()];
        }
        let terms = self.node_affinity.iter();
        terms
            .map(|term| self.node_selector.intersect(term))
            .collect()
    }

    /// The fields that keep this pod from being placed.
    pub fn refusing_fields(&self) -> impl Iterator<Item = &UnsupportedField> {
        let fields = self.unsupported.iter();
        fields.filter(|field| field.weight == FieldWeight::Binding)
    }

    /// The fields that the pod is placed without.
    pub fn ignored_fields(&self) -> impl Iterator<Item = &UnsupportedField> {
        let fields = self.unsupported.iter();
        fields.filter(|field| field.weight == FieldWeight::Preference)
    }
}

impl Pod {
    /// Whether it has come to its end.
    pub fn is_terminal(&self) -> bool {
        match self.phase {
            PodPhase::Succeeded | PodPhase::Failed => true,
            PodPhase::Pending | PodPhase::Running => false,
        }
    }

    /// Whether it runs or waits and is to stay.
    pub fn is_active(&self) -> bool {
        !self.is_terminal() && self.deleting.is_none()
    }

    /// The node it is bound to.
    pub fn node(&self) -> Option<&NodeName> {
        match &self.placement {
            Placement::Bound(node) => Some(node),
            Placement::Unscheduled | Placement::Unschedulable | Placement::Nominated(_) => None,
        }
    }

    /// Whether it belongs to one node: pods of DaemonSets and static pods.
    pub fn is_node_bound(&self) -> bool {
        self.owner.as_ref().is_some_and(Owner::is_node_bound)
    }

    /// Whether the scheduler gave up on it and a new node might help.
    pub fn is_provisionable(&self) -> bool {
        self.placement == Placement::Unschedulable && self.is_active() && !self.is_node_bound()
    }

    /// Whether it needs a new place when its node goes. A terminating pod of a StatefulSet does:
    /// its successor of the same name waits for it.
    pub fn is_reschedulable(&self) -> bool {
        let returns = self.owner.as_ref().is_some_and(Owner::is_stateful_set);
        let stays = self.is_active() || (self.deleting.is_some() && returns && !self.is_terminal());
        stays && !self.is_node_bound()
    }

    /// Whether it may not be disrupted at `now`. A pod that has not started yet has its whole
    /// time before it.
    pub fn is_protected(&self, now: Timestamp) -> bool {
        match self.do_not_disrupt {
            DoNotDisrupt::No => false,
            DoNotDisrupt::Always => self.is_active(),
            DoNotDisrupt::For(span) => {
                let unused = |started: Timestamp| now.since(started) < span;
                self.is_active() && self.started.is_none_or(unused)
            }
        }
    }
}

/// A DaemonSet: what runs on every node that it tolerates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonSet {
    /// Namespace and name.
    pub key: PodKey,
    /// The uid.
    pub uid: Uid,
    /// Where its pods run and what they take.
    pub scheduling: Scheduling,
}

//! How each thing that the engine wants is written as an effect: precondition, key, patience.
//!
//! The key says what is wanted of which object (by uid, so that a successor of the same name is
//! not confused with it). Two orders with one key want the same.

use super::effect::{
    Action, ClaimPatch, Eviction, EvictionMode, LaunchRequest, MachineFilter, NodePatch,
    PlanRequest, Precondition,
};
use super::in_flight::Order;
use super::limits::{API_CALL_MAX, CLOUD_CALL_MAX, PLAN_MAX};
use crate::cluster::NodeId;
use crate::model::claim::{ClaimSpec, NodeClaim};
use crate::model::id::{ClaimName, ProviderId};
use crate::model::node::Node;
use crate::model::pod::Pod;

pub(super) fn create_claim(name: &ClaimName, spec: &ClaimSpec) -> Order {
    let action = Action::CreateClaim {
        name: name.clone(),
        spec: Box::new(spec.clone()),
    };
    order(action, Precondition::None, format!("create {name}")).about([NodeId::Claim(name.clone())])
}

pub(super) fn patch_claim(claim: &NodeClaim, patch: ClaimPatch) -> Order {
    let uid = claim.uid.clone();
    let (word, precondition) = match &patch {
        ClaimPatch::LaunchGroup(_) => ("group", Precondition::Alive(uid)),
        ClaimPatch::Launched(_) => ("launched", Precondition::Uid(uid)),
        ClaimPatch::Registered(_) => ("registered", Precondition::Uid(uid)),
        ClaimPatch::Initialized => ("initialized", Precondition::Uid(uid)),
        ClaimPatch::TerminationDeadline(_) => ("deadline", Precondition::Uid(uid)),
        ClaimPatch::LastPodEvent(_) => ("pod event", Precondition::Uid(uid)),
    };
    let key = format!("{word} {} {}", claim.name, claim.uid);
    let name = claim.name.clone();
    order(Action::PatchClaim { name, patch }, precondition, key).about_claim(claim)
}

pub(super) fn delete_claim(claim: &NodeClaim) -> Order {
    let name = claim.name.clone();
    let key = format!("delete {name} {}", claim.uid);
    let precondition = Precondition::Alive(claim.uid.clone());
    order(Action::DeleteClaim { name }, precondition, key).about_claim(claim)
}

pub(super) fn release_claim(claim: &NodeClaim) -> Order {
    let name = claim.name.clone();
    let key = format!("release {name} {}", claim.uid);
    let precondition = Precondition::Uid(claim.uid.clone());
    order(Action::ReleaseClaim { name }, precondition, key).about_claim(claim)
}

pub(super) fn launch(request: LaunchRequest) -> Order {
    let key = format!("launch {} {}", request.group, request.token);
    let precondition = Precondition::Group(request.group.clone(), request.claims.clone());
    let claims: Vec<NodeId> = request.claims.keys().cloned().map(NodeId::Claim).collect();
    let action = Action::Launch(Box::new(request));
    let patience = CLOUD_CALL_MAX;
    Order {
        patience,
        ..order(action, precondition, key).about(claims)
    }
}

pub(super) fn terminate(machine: &ProviderId, subject: Option<NodeId>) -> Order {
    let provider_id = machine.clone();
    let key = terminate_key(machine);
    let patience = CLOUD_CALL_MAX;
    Order {
        patience,
        ..order(Action::Terminate { provider_id }, Precondition::None, key).about(subject)
    }
}

pub(super) fn terminate_key(machine: &ProviderId) -> String {
    format!("terminate {machine}")
}

pub(super) fn list(filter: MachineFilter, subjects: Vec<NodeId>) -> Order {
    let key = match &filter {
        MachineFilter::All => "list".to_owned(),
        MachineFilter::Group(group) => format!("list {group}"),
    };
    let patience = CLOUD_CALL_MAX;
    Order {
        patience,
        ..order(Action::ListMachines(filter), Precondition::None, key).about(subjects)
    }
}

pub(super) fn patch_node(node: &Node, subject: NodeId, patch: NodePatch) -> Order {
    let word = match &patch {
        NodePatch::Register { .. } => "register",
        NodePatch::Initialized => "initialize",
        NodePatch::Disrupted => "taint",
        NodePatch::NotDisrupted => "untaint",
    };
    let key = format!("{word} {} {}", node.name, node.uid);
    let name = node.name.clone();
    let precondition = Precondition::Uid(node.uid.clone());
    order(Action::PatchNode { name, patch }, precondition, key).about([subject])
}

pub(super) fn delete_node(node: &Node, subject: NodeId) -> Order {
    let name = node.name.clone();
    let key = format!("delete node {name} {}", node.uid);
    let precondition = Precondition::Alive(node.uid.clone());
    order(Action::DeleteNode { name }, precondition, key).about([subject])
}

pub(super) fn release_node(node: &Node, subject: NodeId) -> Order {
    let name = node.name.clone();
    let key = format!("release node {name} {}", node.uid);
    let precondition = Precondition::Uid(node.uid.clone());
    order(Action::ReleaseNode { name }, precondition, key).about([subject])
}

pub(super) fn evict(pod: &Pod, mode: EvictionMode, subject: NodeId) -> Order {
    let word = match mode {
        EvictionMode::Evict => "evict",
        EvictionMode::Delete { .. } => "force out",
    };
    let key = format!("{word} {} {}", pod.key, pod.uid);
    let eviction = Eviction {
        pod: pod.key.clone(),
        mode,
    };
    let precondition = Precondition::Uid(pod.uid.clone());
    order(Action::Evict(eviction), precondition, key).about([subject])
}

pub(super) fn plan(request: PlanRequest) -> Order {
    let key = match &request {
        PlanRequest::Provision(_) => PLAN_PODS,
        PlanRequest::Disrupt(_) => PLAN_DISRUPTION,
    };
    let action = Action::Plan(Box::new(request));
    Order {
        patience: PLAN_MAX,
        ..order(action, Precondition::None, key.to_owned())
    }
}

/// The key of the plan that places pods.
const PLAN_PODS: &str = "plan pods";
/// The key of the plan that says which nodes go.
const PLAN_DISRUPTION: &str = "plan disruption";

fn order(action: Action, precondition: Precondition, key: String) -> Order {
    Order {
        action,
        precondition,
        key,
        patience: API_CALL_MAX,
        subjects: Vec::new(),
    }
}

impl Order {
    fn about(self, subjects: impl IntoIterator<Item = NodeId>) -> Self {
        let subjects = subjects.into_iter().collect();
        Self { subjects, ..self }
    }

    fn about_claim(self, claim: &NodeClaim) -> Self {
        self.about([NodeId::Claim(claim.name.clone())])
    }
}

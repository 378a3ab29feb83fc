//! From a claim to a node that can be used.
//!
//! | State | What is done | Leaves it when | To |
//! |---|---|---|---|
//! | expected | `CreateClaim` | the API server confirms it, or a watch shows it | pending |
//! | pending | buying: see `launch` | the cloud has sold a machine | launched |
//! | pending | | [`LAUNCH_MAX`] has passed | given up |
//! | launched | nothing: the machine boots | a node with its provider id is there | joining |
//! | launched | | [`REGISTRATION_MAX`] has passed | given up |
//! | joining | `PatchNode` `Register` | that is done | registered |
//! | registered | nothing: the kubelet and others set the node up | ready, no startup taint, all resources there | ready |
//! | registered | | [`INITIALIZATION_MAX`] has passed and nothing runs there | given up |
//! | ready | `PatchNode` `Initialized` | that is done | initialised |
//!
//! Each step is known here at once and written to the claim beside, in order, until the API server
//! has it; nothing waits for that, but for the launch group, which is the record of intent.

use std::collections::BTreeMap;

use super::effect::{ClaimPatch, NodePatch};
use super::limits::{
    INITIALIZATION_MAX, LAUNCH_MAX, NOMINATION_MAX, POD_EVENT_WRITE, REGISTRATION_MAX,
};
use super::notice::NoticeKind;
use super::orders;
use super::state::{State, claim_ref, named};
use crate::cluster::{ClaimFact, NodeId, NodeSource, NodeState};
use crate::model::claim::{ClaimPhase, NodeClaim};
use crate::model::id::{ClaimName, NodeName};
use crate::model::labels::{LabelKey, LabelValue, keys};
use crate::model::node::{Node, NodeReady};
use crate::model::time::Timestamp;

/// Looks at one node or claim.
pub(super) fn react(state: &mut State, id: &NodeId) {
    let NodeId::Claim(name) = id else {
        return;
    };
    let Some(node_state) = state.cluster.node_state(id).cloned() else {
        return;
    };
    if state.cluster.is_expected(name) {
        create(state, name, &node_state);
        return;
    }
    save(state, name, &node_state);
    if !node_state.going {
        advance(state, name, &node_state);
    }
}

/// Pods came to or left these nodes.
pub(super) fn pod_events(state: &mut State) {
    let at = state.now;
    for id in std::mem::take(&mut state.news.pod_events) {
        if let NodeId::Claim(name) = &id {
            let dirty = state.cluster.advance(name, ClaimFact::PodEvent { at });
            state.absorb(dirty);
        }
    }
}

fn create(state: &mut State, name: &ClaimName, node_state: &NodeState) {
    if let Some(claim) = node_state.claim() {
        state.order(orders::create_claim(name, &claim.spec));
    }
}

/// Writes the next step that the API server does not have.
fn save(state: &mut State, name: &ClaimName, node_state: &NodeState) {
    let (Some(claim), Some(fact)) = (node_state.claim(), state.cluster.unsaved(name)) else {
        return;
    };
    if let ClaimFact::PodEvent { .. } = fact
        && let Some(saved) = state.cluster.saved_pod_event(name)
    {
        let due = saved.saturating_add(POD_EVENT_WRITE);
        if due > state.now {
            state.agenda.at(&NodeId::Claim(name.clone()), due);
            return;
        }
    }
    if let Some(patch) = patch(&fact) {
        state.order(orders::patch_claim(claim, patch));
    }
}

/// How a step is written; deletion is no patch.
pub(super) fn patch(fact: &ClaimFact) -> Option<ClaimPatch> {
    Some(match fact {
        ClaimFact::LaunchGroup(group) => ClaimPatch::LaunchGroup(group.clone()),
        ClaimFact::Launched { machine, .. } => ClaimPatch::Launched(machine.clone()),
        ClaimFact::Registered { node, .. } => ClaimPatch::Registered(node.clone()),
        ClaimFact::Initialized { .. } => ClaimPatch::Initialized,
        ClaimFact::PodEvent { at } => ClaimPatch::LastPodEvent(*at),
        ClaimFact::Deleting { .. } => return None,
    })
}

fn advance(state: &mut State, name: &ClaimName, node_state: &NodeState) {
    let (claim, node) = match &node_state.source {
        NodeSource::InFlight(claim) => (claim.clone(), None),
        NodeSource::Managed(claim, node) => (claim.clone(), Some(node.clone())),
        NodeSource::Unmanaged(_) => return,
    };
    match (&claim.phase, node) {
        (ClaimPhase::Pending, _) => {
            let due = claim.created.saturating_add(LAUNCH_MAX);
            if is_over(state, name, due) {
                let message = "no machine could be bought within 5 minutes".to_owned();
                state.give_up(name, "LaunchTimeout", message);
            }
        }
        (ClaimPhase::Launched { at, .. }, None) => {
            let due = at.saturating_add(REGISTRATION_MAX);
            if is_over(state, name, due) {
                let message = "the machine did not join within 15 minutes".to_owned();
                state.give_up(name, "RegistrationTimeout", message);
            }
        }
        (ClaimPhase::Launched { .. }, Some(node)) => register(state, &claim, &node),
        (ClaimPhase::Registered { at, .. }, Some(node)) if is_set_up(&claim, &node) => {
            initialize(state, &claim, &node, *at);
        }
        (ClaimPhase::Registered { at, .. }, _) => {
            let due = at.saturating_add(INITIALIZATION_MAX);
            let is_used = node_state.pods.values().any(|pod| !pod.is_node_bound());
            if is_over(state, name, due) && !is_used {
                let message = "the node was not ready for use within 15 minutes".to_owned();
                state.give_up(name, "InitializationTimeout", message);
            }
        }
        (ClaimPhase::Initialized { .. }, _) => {}
    }
}

/// Whether a time has come; if not, the claim is looked at when it has.
fn is_over(state: &mut State, name: &ClaimName, due: Timestamp) -> bool {
    if due > state.now {
        state.agenda.at(&NodeId::Claim(name.clone()), due);
    }
    due <= state.now
}

fn register(state: &mut State, claim: &NodeClaim, node: &Node) {
    if node.is_registered() {
        registered(state, &claim.name, &node.name);
        return;
    }
    let patch = NodePatch::Register {
        claim: claim.name.clone(),
        claim_uid: claim.uid.clone(),
        labels: labels(claim),
        annotations: claim.spec.annotations.clone(),
        taints: [&*claim.spec.taints, &claim.spec.startup_taints].concat(),
    };
    let id = NodeId::Claim(claim.name.clone());
    state.order(orders::patch_node(node, id, patch));
}

fn labels(claim: &NodeClaim) -> BTreeMap<LabelKey, LabelValue> {
    let mut labels = claim.labels();
    labels.insert(keys::NODE_POOL.into(), claim.spec.pool.as_str().into());
    labels.insert(keys::REGISTERED.into(), "true".into());
    labels
}

/// The node is ours now.
pub(super) fn registered(state: &mut State, claim: &ClaimName, node: &NodeName) {
    let Some(known) = state.cluster.claim(claim).cloned() else {
        return;
    };
    let ClaimPhase::Launched { at, .. } = known.phase else {
        return;
    };
    let took = state.now.since(at).as_secs();
    let message = format!("node {node} joined {took} s after its machine was bought");
    state.notice(
        NoticeKind::Registered,
        claim_ref(claim),
        "Registered",
        message,
    );
    let fact = ClaimFact::Registered {
        node: node.clone(),
        at: state.now,
    };
    let dirty = state.cluster.advance(claim, fact);
    state.absorb(dirty);
}

/// Whether a node can be used in full: it is ready, nothing keeps pods away for the time of its
/// setting up, and it offers every resource that was asked for.
fn is_set_up(claim: &NodeClaim, node: &Node) -> bool {
    let startup = &claim.spec.startup_taints;
    let waits = |taint| node.taints.iter().any(|it| it == taint);
    node.ready == NodeReady::Ready
        && !startup.iter().any(waits)
        && !node
            .taints
            .iter()
            .any(crate::model::taint::Taint::is_ephemeral)
        && claim
            .spec
            .requests
            .iter()
            .all(|(name, _)| node.allocatable.get(&name) > 0)
}

fn initialize(state: &mut State, claim: &NodeClaim, node: &Node, since: Timestamp) {
    if node.is_initialized() {
        initialized(state, &claim.name);
        return;
    }
    let id = NodeId::Claim(claim.name.clone());
    let due = since.saturating_add(INITIALIZATION_MAX);
    is_over(state, &claim.name, due);
    state.order(orders::patch_node(node, id, NodePatch::Initialized));
}

/// The node can be used. Pods that were promised to it have to come soon now.
pub(super) fn initialized(state: &mut State, claim: &ClaimName) {
    let Some(known) = state.cluster.claim(claim).cloned() else {
        return;
    };
    let ClaimPhase::Registered { node, .. } = &known.phase else {
        return;
    };
    let took = state.now.since(known.created).as_secs();
    let message = format!("it can be used, {took} s after it was claimed");
    let node = named("Node", node.as_str());
    state.notice(NoticeKind::Initialized, node, "Initialized", message);
    let until = state.now.saturating_add(NOMINATION_MAX);
    let id = NodeId::Claim(claim.clone());
    state.cluster.close_nominations(&id, until);
    let fact = ClaimFact::Initialized { at: state.now };
    let dirty = state.cluster.advance(claim, fact);
    state.absorb(dirty);
}

//! From a claim that goes to nothing.
//!
//! | State | What is done | Leaves it when | To |
//! |---|---|---|---|
//! | decided | `DeleteClaim` | the API server knows | deleting |
//! | node deleted by a user | the claim is decided on | | decided |
//! | deleting, no machine known | nothing, or `ListMachines` of its group if it may have been bought for | nothing was bought | released |
//! | | | a machine is found (see `launch`) | deleting |
//! | deleting | the termination deadline is written; `PatchNode` `Disrupted`, `DeleteNode` | its nodes are marked | draining |
//! | draining | `Evict` tier by tier; `Delete` what is out of time | nothing is left to wait for | drained |
//! | drained | `Terminate` until the machine is gone | it is not found, or missing in a list | gone |
//! | gone | `ReleaseNode` on each node | no node is left | released |
//! | released | `ReleaseClaim` | that is done | |
//!
//! The tiers are those of Karpenter: pods before pods of DaemonSets, and critical ones after all
//! others. A node on which nothing but its own pods runs is not drained: they go with it.

use std::sync::Arc;
use std::time::Duration;

use super::effect::{ClaimPatch, EvictionMode, MachineFilter, NodePatch};
use super::launch;
use super::limits::{EVICTIONS_MAX, STUCK_TERMINATING};
use super::notice::NoticeKind;
use super::orders;
use super::state::{State, claim_ref};
use crate::cluster::{NodeId, NodeState};
use crate::model::claim::NodeClaim;
use crate::model::id::ProviderId;
use crate::model::labels::keys;
use crate::model::node::Node;
use crate::model::pod::Pod;
use crate::model::taint::{Taint, TaintEffect, tolerates};
use crate::model::time::Timestamp;

/// Looks at one node or claim.
pub(super) fn react(state: &mut State, id: &NodeId) {
    let Some(node_state) = state.cluster.node_state(id).cloned() else {
        return;
    };
    let Some(claim) = node_state.claim().cloned() else {
        return;
    };
    let was_node_deleted = node_state
        .node()
        .is_some_and(|node| node.deleting.is_some());
    if was_node_deleted && claim.deleting.is_none() && !state.marking.contains_key(&claim.name) {
        let dirty = state.cluster.mark_going(&claim.name);
        state.absorb(dirty);
    }
    if claim.deleting.is_some() {
        finish(state, id, &claim, &node_state);
    } else if state.cluster.is_deletion_unsaved(&claim.name)
        && !state.marking.contains_key(&claim.name)
        && !state.cluster.is_expected(&claim.name)
    {
        state.order(orders::delete_claim(&claim));
    }
}

fn finish(state: &mut State, id: &NodeId, claim: &NodeClaim, node_state: &NodeState) {
    match claim.phase.machine() {
        Some(machine) => {
            let machine = machine.provider_id.clone();
            give_back(state, id, claim, node_state, &machine);
        }
        None => release_unbought(state, id, claim),
    }
}

/// A claim without machine may have one that nobody told us of.
fn release_unbought(state: &mut State, id: &NodeId, claim: &NodeClaim) {
    if let Some(group) = &claim.launch_group {
        if launch::is_launching(state, group) {
            // Its answer brings us back here.
            return;
        }
        if state.groups.get(group).is_none_or(|it| it.doubtful) {
            let filter = MachineFilter::Group(group.clone());
            state.order(orders::list(filter, vec![id.clone()]));
            return;
        }
    }
    if claim.held {
        state.order(orders::release_claim(claim));
    }
}

fn give_back(
    state: &mut State,
    id: &NodeId,
    claim: &NodeClaim,
    node_state: &NodeState,
    machine: &ProviderId,
) {
    let nodes: Vec<Arc<Node>> = state.cluster.nodes_of_machine(machine).cloned().collect();
    let deadline = deadline(claim);
    if !state.gone.contains(machine) {
        write_deadline(state, claim, deadline);
        for node in &nodes {
            mark(state, id, node);
        }
        let is_drained =
            nodes.iter().all(|node| is_closed(node)) && drain(state, id, node_state, deadline);
        if is_drained {
            state.order(orders::terminate(machine, Some(id.clone())));
        }
        return;
    }
    for node in &nodes {
        if node.deleting.is_none() {
            state.order(orders::delete_node(node, id.clone()));
        } else if node.held {
            state.order(orders::release_node(node, id.clone()));
        }
    }
    if nodes.is_empty() && claim.held {
        state.order(orders::release_claim(claim));
    }
}

fn deadline(claim: &NodeClaim) -> Option<Timestamp> {
    let grace = claim.spec.termination_grace?;
    Some(claim.deleting?.saturating_add(grace))
}

/// The deadline follows from the claim; it is written for people, once for each process.
fn write_deadline(state: &mut State, claim: &NodeClaim, deadline: Option<Timestamp>) {
    if let Some(deadline) = deadline
        && !state.deadlines.contains(&claim.uid)
    {
        let patch = ClaimPatch::TerminationDeadline(deadline);
        state.order(orders::patch_claim(claim, patch));
    }
}

fn mark(state: &mut State, id: &NodeId, node: &Node) {
    if !is_closed(node) {
        state.order(orders::patch_node(node, id.clone(), NodePatch::Disrupted));
    }
    if node.deleting.is_none() {
        state.order(orders::delete_node(node, id.clone()));
    }
}

/// The taint of a node that goes.
fn disrupted() -> Taint {
    Taint::new(keys::DISRUPTED, "", TaintEffect::NoSchedule)
}

/// Whether new pods stay away from a node.
pub(super) fn is_closed(node: &Node) -> bool {
    node.taints.contains(&disrupted())
}

/// Asks pods to leave; says whether nothing is left to wait for.
fn drain(
    state: &mut State,
    id: &NodeId,
    node_state: &NodeState,
    deadline: Option<Timestamp>,
) -> bool {
    let now = state.now;
    let taint = disrupted();
    let waits = |pod: &&Arc<Pod>| is_waited_for(pod, &taint, now);
    let waiting: Vec<Arc<Pod>> = node_state.pods.values().filter(waits).cloned().collect();
    let own_only = waiting.iter().all(|pod| pod.is_node_bound());
    if waiting.is_empty() || (own_only && !state.drained_pods.contains(id)) {
        return true;
    }
    state.drained_pods.insert(id.clone());
    let tier = waiting.iter().map(|pod| tier(pod)).min();
    let mut asked = 0;
    for pod in waiting.iter().filter(|pod| pod.deleting.is_none()) {
        let mode = match deadline {
            Some(deadline) if is_out_of_time(pod, deadline, now) => EvictionMode::Delete {
                grace: deadline.since(now).max(GRACE_MIN),
            },
            Some(_) | None if Some(self::tier(pod)) == tier && !pod.is_protected(now) => {
                EvictionMode::Evict
            }
            Some(_) | None => continue,
        };
        if asked < EVICTIONS_MAX {
            asked += 1;
            state.order(orders::evict(pod, mode, id.clone()));
        }
    }
    wake(state, id, &waiting, deadline);
    false
}

/// The API server takes a grace of zero for "at once and without the kubelet".
const GRACE_MIN: Duration = Duration::from_secs(1);

/// Whether a drain waits for a pod: not for one that is stuck, belongs to the machine itself, or
/// endures the taint and so wants to stay to the end.
fn is_waited_for(pod: &Pod, taint: &Taint, now: Timestamp) -> bool {
    let stuck = |at: Timestamp| now > at.saturating_add(STUCK_TERMINATING);
    let is_static = pod.is_node_bound() && !is_of_daemon_set(pod);
    !is_static && !tolerates(&pod.scheduling.tolerations, taint) && !pod.deleting.is_some_and(stuck)
}

fn is_of_daemon_set(pod: &Pod) -> bool {
    pod.owner
        .as_ref()
        .is_some_and(crate::model::pod::Owner::is_daemon_set)
}

/// Who goes first.
fn tier(pod: &Pod) -> (bool, bool) {
    (pod.critical, is_of_daemon_set(pod))
}

/// Whether a pod that is asked now may still be running when the node's time is up.
fn is_out_of_time(pod: &Pod, deadline: Timestamp, now: Timestamp) -> bool {
    now >= deadline.saturating_sub(pod.termination_grace)
}

/// Looks again when a pod runs out of time, or is stuck.
fn wake(state: &mut State, id: &NodeId, waiting: &[Arc<Pod>], deadline: Option<Timestamp>) {
    let stuck = |pod: &Arc<Pod>| {
        let soon = Duration::from_millis(1);
        Some(
            pod.deleting?
                .saturating_add(STUCK_TERMINATING)
                .saturating_add(soon),
        )
    };
    let forced = |pod: &Arc<Pod>| Some(deadline?.saturating_sub(pod.termination_grace));
    let ends = waiting.iter().filter_map(stuck);
    let ends = ends.chain(waiting.iter().filter_map(forced));
    let unprotected = waiting
        .iter()
        .filter_map(|pod| protected_until(pod, state.now));
    let times: Vec<Timestamp> = ends.chain(unprotected).collect();
    for when in times.into_iter().filter(|when| *when > state.now) {
        state.agenda.at(id, when);
    }
}

fn protected_until(pod: &Pod, now: Timestamp) -> Option<Timestamp> {
    use crate::model::pod::DoNotDisrupt;
    match pod.do_not_disrupt {
        DoNotDisrupt::For(span) if pod.is_protected(now) => Some(pod.started?.saturating_add(span)),
        DoNotDisrupt::For(_) | DoNotDisrupt::No | DoNotDisrupt::Always => None,
    }
}

/// A machine is gone for sure.
pub(super) fn machine_gone(state: &mut State, machine: &ProviderId) {
    if !state.gone.insert(machine.clone()) {
        return;
    }
    let Some(claim) = state.cluster.claim_of_machine(machine).cloned() else {
        return;
    };
    let lived = state.now.since(claim.created).as_secs();
    let message = format!("machine {machine} is gone, {lived} s after it was claimed");
    let object = claim_ref(&claim.name);
    state.notice(NoticeKind::Terminated, object, "Terminated", message);
    state.agenda.now(NodeId::Claim(claim.name.clone()));
}

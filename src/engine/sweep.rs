//! Both directions of "what does not belong together": machines without a claim, and claims
//! without a machine.
//!
//! | Found | What is done |
//! |---|---|
//! | a machine of a group whose claims wait | the group is doubtful: it is looked up and adopted |
//! | a machine of no claim, older than [`ORPHAN_AGE`] | `Terminate` |
//! | a claim that goes, its machine not in the list although it was given back | the machine is gone |
//! | a claim whose machine is missing in [`MISSING_LISTS`] lists, its node not ready | given up, and the machine is gone |
//! | a node that we hold, of no claim | `Terminate`, `DeleteNode`, `ReleaseNode` |

use std::collections::{BTreeMap, BTreeSet};

use super::effect::MachineFilter;
use super::input::MachineFact;
use super::limits::{MISSING_LISTS, ORPHAN_AGE, SWEEP_EVERY};
use super::notice::NoticeKind;
use super::state::{State, named};
use super::{drain, launch, orders};
use crate::cluster::{NodeId, NodeSource};
use crate::model::claim::{ClaimPhase, NodeClaim};
use crate::model::id::{ClaimName, LaunchGroup, ProviderId};
use crate::model::node::NodeReady;
use crate::model::time::Timestamp;

#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    due: Option<Timestamp>,
    /// In how many lists in a row the machine of a claim was missing.
    missing: BTreeMap<ClaimName, u32>,
}

impl Sweep {
    /// Lists all machines, if it is time to.
    pub(super) fn react(&mut self, state: &mut State) {
        if self.due.is_none_or(|due| due <= state.now) {
            state.order(orders::list(MachineFilter::All, Vec::new()));
            self.due = Some(state.now.saturating_add(SWEEP_EVERY));
            state.look_at_everything();
            forget(state);
        }
    }

    /// The clock was set back: the next list is due within a minute in any case.
    pub(super) fn clock_set_back(&mut self, now: Timestamp) {
        let latest = now.saturating_add(SWEEP_EVERY);
        self.due = self.due.map(|due| due.min(latest));
    }

    /// When to list next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due
    }

    /// The machines that exist, as far as the cloud knows.
    pub(super) fn listed(&mut self, state: &mut State, facts: &[MachineFact]) {
        for fact in facts {
            machine(state, fact);
        }
        let listed: BTreeSet<&ProviderId> = facts.iter().map(MachineFact::provider_id).collect();
        let claims: Vec<_> = state.cluster.claims().cloned().collect();
        self.missing
            .retain(|name, _| state.cluster.claim(name).is_some());
        for claim in claims {
            self.claim(state, &claim, &listed);
        }
    }

    fn claim(&mut self, state: &mut State, claim: &NodeClaim, listed: &BTreeSet<&ProviderId>) {
        let Some(machine) = claim.phase.machine().map(|it| it.provider_id.clone()) else {
            return;
        };
        if listed.contains(&machine) || is_young(claim, state.now) {
            self.missing.remove(&claim.name);
            return;
        }
        let missing = self.missing.entry(claim.name.clone()).or_default();
        *missing = missing.saturating_add(1);
        let was_given_back =
            claim.deleting.is_some() && state.in_flight.was_done(&orders::terminate_key(&machine));
        if was_given_back {
            drain::machine_gone(state, &machine);
        } else if *missing >= MISSING_LISTS && !has_ready_node(state, &machine) {
            drain::machine_gone(state, &machine);
            if claim.deleting.is_none() {
                let message = format!("machine {machine} does not exist any more");
                state.give_up(&claim.name, "MachineGone", message);
            }
        }
    }
}

fn is_young(claim: &NodeClaim, now: Timestamp) -> bool {
    match &claim.phase {
        ClaimPhase::Launched { at, .. } => now.since(*at) < ORPHAN_AGE,
        ClaimPhase::Pending | ClaimPhase::Registered { .. } | ClaimPhase::Initialized { .. } => {
            false
        }
    }
}

fn has_ready_node(state: &State, machine: &ProviderId) -> bool {
    let mut nodes = state.cluster.nodes_of_machine(machine);
    nodes.any(|node| node.ready == NodeReady::Ready)
}

fn machine(state: &mut State, fact: &MachineFact) {
    let id = fact.provider_id();
    let is_known = state.cluster.claim_of_machine(id).is_some() || state.gone.contains(id);
    let age = state.now.since(fact.launched_at);
    if is_known || age < ORPHAN_AGE {
        return;
    }
    if let Some(group) = &fact.launch_group {
        if launch::is_launching(state, group) {
            return;
        }
        if doubt(state, group) {
            return;
        }
    }
    if state.order(orders::terminate(id, None)) {
        let message = format!(
            "no NodeClaim knows it, {} s after it was bought",
            age.as_secs()
        );
        state.notice(
            NoticeKind::Swept,
            named("Machine", id.as_str()),
            "Orphan",
            message,
        );
    }
}

/// Claims wait for the machines of this group: looks them up.
fn doubt(state: &mut State, group: &LaunchGroup) -> bool {
    let of_group = |claim: &&std::sync::Arc<NodeClaim>| {
        claim.launch_group.as_ref() == Some(group) && claim.phase == ClaimPhase::Pending
    };
    let waiting: Vec<NodeId> = state
        .cluster
        .claims()
        .filter(of_group)
        .map(|claim| NodeId::Claim(claim.name.clone()))
        .collect();
    if waiting.is_empty() {
        return false;
    }
    state.groups.entry(group.clone()).or_default().doubtful = true;
    for id in waiting {
        state.agenda.now(id);
    }
    true
}

/// Looks at one node that no claim stands behind: if our finalizer holds it, it was ours.
pub(super) fn react(state: &mut State, id: &NodeId) {
    let Some(node_state) = state.cluster.node_state(id).cloned() else {
        return;
    };
    let NodeSource::Unmanaged(node) = &node_state.source else {
        return;
    };
    let Some(machine) = node.provider_id.as_ref().filter(|_| node.held) else {
        return;
    };
    let settled = node.created.saturating_add(ORPHAN_AGE);
    if settled > state.now && node.deleting.is_none() {
        state.agenda.at(id, settled);
    } else if !state.gone.contains(machine) {
        state.order(orders::terminate(machine, Some(id.clone())));
    } else if node.deleting.is_none() {
        state.order(orders::delete_node(node, id.clone()));
    } else {
        state.order(orders::release_node(node, id.clone()));
    }
}

/// Forgets what concerns objects that are no more.
fn forget(state: &mut State) {
    let uids: BTreeSet<_> = state.cluster.claims().map(|it| it.uid.clone()).collect();
    state.deadlines.retain(|uid| uids.contains(uid));
    let snapshot = state.cluster.snapshot().clone();
    state
        .drained_pods
        .retain(|id| snapshot.nodes.contains_key(id));
    let cluster = &state.cluster;
    let is_used = |machine: &ProviderId| {
        cluster.claim_of_machine(machine).is_some()
            || cluster.nodes_of_machine(machine).next().is_some()
    };
    state.gone.retain(is_used);
}

//! What the cloud says of its machines, and what is done about it.
//!
//! | Said | What is done |
//! |---|---|
//! | spot machine is taken back | the offering is left out for a while, the claim goes |
//! | rebalance is recommended | it is told, and nothing else |
//! | change is scheduled, machine stops | the claim goes |
//! | machine was terminated | the claim goes, and is not drained: nothing runs there any more |
//!
//! That is what Karpenter does (Karpenter documentation, "Interruption"). A claim that goes is drained as any
//! other; what its pods need is bought at once (see `provision`). None of this is by choice, so no
//! budget is asked.
//!
//! Messages come twice, late, in any order, or not at all. A claim that goes already goes; one whose
//! message was lost is found by the sweep.

use super::drain;
use super::input::{CloudEvent, CloudEventKind};
use super::limits::{ANNOUNCED_MAX, SOLD_OUT_FOR};
use super::notice::NoticeKind;
use super::state::{State, claim_ref, named};
use crate::model::catalog::CapacityType;
use crate::model::claim::{Machine, NodeClaim};

/// The cloud has said something. It is looked at once the claims are known.
pub(super) fn heard(state: &mut State, event: CloudEvent) {
    if state.announced.len() < ANNOUNCED_MAX {
        state.announced.push(event);
    }
}

/// Looks at what the cloud has said.
pub(super) fn react(state: &mut State) {
    for event in std::mem::take(&mut state.announced) {
        look(state, &event);
    }
}

fn look(state: &mut State, event: &CloudEvent) {
    let claim = state.cluster.claim_of_machine(&event.machine).cloned();
    let machine = claim.as_ref().and_then(|claim| claim.phase.machine());
    let (Some(claim), Some(machine)) = (&claim, machine) else {
        let object = named("Machine", event.machine.as_str());
        let message = format!("no NodeClaim has it: {}", sentence(event.kind));
        state.notice(NoticeKind::Announced, object, "UnknownMachine", message);
        return;
    };
    match event.kind {
        CloudEventKind::SpotInterrupted => {
            leave_out(state, machine);
            lose(state, claim, event.kind);
        }
        CloudEventKind::RebalanceRecommended => tell(state, claim, event.kind),
        CloudEventKind::ChangeScheduled | CloudEventKind::Stopping => {
            lose(state, claim, event.kind);
        }
        CloudEventKind::Terminated => {
            lose(state, claim, event.kind);
            drain::machine_gone(state, &event.machine);
        }
    }
}

/// Where one spot machine was taken back, the next would be taken back soon.
fn leave_out(state: &mut State, machine: &Machine) {
    if machine.capacity_type == CapacityType::Spot {
        let until = state.now.saturating_add(SOLD_OUT_FOR);
        state.sold_out.insert(machine.offering(), until);
    }
}

/// The claim goes. A decision that could still have been taken back no longer can.
fn lose(state: &mut State, claim: &NodeClaim, kind: CloudEventKind) {
    let is_undecided = state.marking.remove(&claim.name).is_some();
    let is_deleting = claim.deleting.is_some() || state.cluster.is_deletion_unsaved(&claim.name);
    if is_deleting && !is_undecided {
        return;
    }
    tell(state, claim, kind);
    let dirty = state.cluster.mark_going(&claim.name);
    state.absorb(dirty);
    state
        .agenda
        .now(crate::cluster::NodeId::Claim(claim.name.clone()));
    state.news.hurry = true;
}

fn tell(state: &mut State, claim: &NodeClaim, kind: CloudEventKind) {
    let object = claim_ref(&claim.name);
    let message = sentence(kind).to_owned();
    state.notice(NoticeKind::Announced, object, kind.reason(), message);
}

const fn sentence(kind: CloudEventKind) -> &'static str {
    match kind {
        CloudEventKind::SpotInterrupted => "the cloud takes the spot machine back in two minutes",
        CloudEventKind::RebalanceRecommended => "the cloud may take the spot machine back soon",
        CloudEventKind::ChangeScheduled => "the cloud takes the machine out of service",
        CloudEventKind::Stopping => "the machine is being stopped, and not by us",
        CloudEventKind::Terminated => "the machine was terminated, and not by us",
    }
}

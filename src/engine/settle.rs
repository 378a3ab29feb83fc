//! What the end of an effect means. Every answer is legal for every effect: one that does not fit
//! counts as a failure that says nothing, and the effect is wanted again as long as its reason lasts.

use std::sync::Arc;

use super::effect::{Action, EffectId, MachineFilter, NodePatch, PlanAnswer, Precondition};
use super::engine::Engine;
use super::in_flight::Flight;
use super::input::{ApiError, CloudError, EffectOutcome};
use super::limits::{CREATIONS_MAX, ECHO_MAX, TERMINATION_POLL};
use super::notice::NoticeKind;
use super::state::{State, Thinking, claim_ref, named, pod_ref};
use super::{disrupt, drain, launch, lifecycle, provision};
use crate::cluster::{Change, ClaimFact, NodeId};
use crate::model::id::{ClaimName, NodeName, ProviderId, Uid};

/// An effect has ended.
pub(super) fn done(engine: &mut Engine, id: EffectId, outcome: EffectOutcome) {
    let Some(flight) = engine.state.in_flight.take(id) else {
        let message = "an answer came that nobody waits for".to_owned();
        let object = named("Effect", &id.to_string());
        engine
            .state
            .notice(NoticeKind::Unexpected, object, "LateAnswer", message);
        return;
    };
    for subject in &flight.subjects {
        engine.state.agenda.now(subject.clone());
    }
    match &flight.action {
        Action::Plan(_) => planned(engine, &flight, outcome),
        Action::ListMachines(filter) => listed(engine, &flight, filter, outcome),
        Action::Launch(request) => {
            launch::answered(&mut engine.state, request, &flight.key, outcome);
        }
        Action::CreateClaim { .. }
        | Action::PatchClaim { .. }
        | Action::DeleteClaim { .. }
        | Action::ReleaseClaim { .. }
        | Action::Terminate { .. }
        | Action::PatchNode { .. }
        | Action::DeleteNode { .. }
        | Action::ReleaseNode { .. }
        | Action::Evict(_) => written(&mut engine.state, &flight, outcome),
    }
}

fn planned(engine: &mut Engine, flight: &Flight, outcome: EffectOutcome) {
    let Engine {
        state,
        batch,
        disrupt,
        ..
    } = engine;
    let answer = match outcome {
        EffectOutcome::Planned(answer) => Some(*answer),
        EffectOutcome::Done
        | EffectOutcome::ClaimCreated(_)
        | EffectOutcome::Launched(_)
        | EffectOutcome::Machines(_)
        | EffectOutcome::PreconditionFailed
        | EffectOutcome::Api(_)
        | EffectOutcome::Cloud(_)
        | EffectOutcome::Unknown => None,
    };
    match (state.thinking.take(), answer) {
        (Some(Thinking::Provision(input)), Some(PlanAnswer::Provision(plan))) => {
            provision::planned(state, batch, &input, &plan);
        }
        (Some(Thinking::Disrupt), Some(PlanAnswer::Disrupt(plan))) => disrupt.planned(state, &plan),
        (Some(Thinking::Provision(input)), _) => {
            state.in_flight.back_off(&flight.key, state.now);
            provision::failed(state, batch, &input);
        }
        (Some(Thinking::Disrupt) | None, _) => {
            state.in_flight.back_off(&flight.key, state.now);
            disrupt.failed();
        }
    }
}

fn listed(engine: &mut Engine, flight: &Flight, filter: &MachineFilter, outcome: EffectOutcome) {
    let Engine { state, sweep, .. } = engine;
    let EffectOutcome::Machines(facts) = outcome else {
        state.in_flight.back_off(&flight.key, state.now);
        return;
    };
    match filter {
        MachineFilter::All => sweep.listed(state, &facts),
        MachineFilter::Group(group) => launch::listed(state, group, facts),
    }
}

/// What an answer to a write comes to.
enum Verdict {
    /// It is done.
    Done,
    /// The object is not there.
    Gone,
    /// What the write rested on is no longer so.
    Changed,
    /// It may be tried again.
    Again,
    /// It may not be done.
    Refused,
}

fn verdict(outcome: &EffectOutcome) -> Verdict {
    match outcome {
        EffectOutcome::Done | EffectOutcome::ClaimCreated(_) => Verdict::Done,
        EffectOutcome::PreconditionFailed => Verdict::Changed,
        EffectOutcome::Api(ApiError::NotFound) | EffectOutcome::Cloud(CloudError::NotFound) => {
            Verdict::Gone
        }
        EffectOutcome::Api(ApiError::Rejected)
        | EffectOutcome::Cloud(CloudError::Refused { .. }) => Verdict::Refused,
        EffectOutcome::Api(
            ApiError::AlreadyExists
            | ApiError::Conflict
            | ApiError::TooManyRequests
            | ApiError::Unavailable,
        )
        | EffectOutcome::Cloud(CloudError::Throttled | CloudError::Unavailable)
        | EffectOutcome::Launched(_)
        | EffectOutcome::Machines(_)
        | EffectOutcome::Planned(_)
        | EffectOutcome::Unknown => Verdict::Again,
    }
}

fn written(state: &mut State, flight: &Flight, outcome: EffectOutcome) {
    if let Action::CreateClaim { name, .. } = &flight.action {
        created(state, &flight.key, name, outcome);
        return;
    }
    match verdict(&outcome) {
        Verdict::Done => {
            let until = state.now.saturating_add(ECHO_MAX);
            state.in_flight.rest(&flight.key, until);
            effect_done(state, flight);
        }
        Verdict::Gone => effect_gone(state, flight),
        // With the uid as its only condition, a broken one means that this object is not there.
        Verdict::Changed if matches!(flight.precondition, Precondition::Uid(_)) => {
            effect_gone(state, flight);
        }
        Verdict::Changed | Verdict::Again => {
            state.in_flight.back_off(&flight.key, state.now);
        }
        Verdict::Refused => {
            state.in_flight.back_off(&flight.key, state.now);
            let object = named("Effect", &flight.key);
            let message = format!("it was refused and will be tried again: {outcome:?}");
            state.notice(NoticeKind::Unexpected, object, "Refused", message);
        }
    }
}

fn created(state: &mut State, key: &Arc<str>, name: &ClaimName, outcome: EffectOutcome) {
    if let EffectOutcome::ClaimCreated(claim) = outcome {
        let dirty = state.cluster.claim_created(*claim);
        state.absorb(dirty);
        return;
    }
    state.in_flight.back_off(key, state.now);
    let is_final = match verdict(&outcome) {
        Verdict::Refused | Verdict::Changed | Verdict::Gone => true,
        Verdict::Done | Verdict::Again => state.in_flight.failures(key) >= CREATIONS_MAX,
    };
    if is_final && state.cluster.is_expected(name) {
        let message = format!("the claim could not be created: {outcome:?}");
        state.notice(
            NoticeKind::GivenUp,
            claim_ref(name),
            "CreationFailed",
            message,
        );
        let dirty = state.cluster.withdraw_claim(name);
        state.absorb(dirty);
        state.news.hurry = true;
    }
}

fn uid_of(flight: &Flight) -> Option<&Uid> {
    match &flight.precondition {
        Precondition::Uid(uid) | Precondition::Alive(uid) => Some(uid),
        Precondition::None | Precondition::Group(..) => None,
    }
}

fn effect_done(state: &mut State, flight: &Flight) {
    match &flight.action {
        Action::PatchClaim { name, patch } => {
            let unsaved = state.cluster.unsaved(name);
            if let Some(fact) = unsaved.filter(|it| lifecycle::patch(it).as_ref() == Some(patch)) {
                let dirty = state.cluster.confirm(name, fact);
                state.absorb(dirty);
            }
            if let super::effect::ClaimPatch::TerminationDeadline(_) = patch {
                state.deadlines.extend(uid_of(flight).cloned());
            }
        }
        Action::DeleteClaim { name } => {
            let fact = ClaimFact::Deleting { at: state.now };
            let dirty = state.cluster.confirm(name, fact);
            state.absorb(dirty);
        }
        Action::ReleaseClaim { .. } | Action::ReleaseNode { .. } => effect_gone(state, flight),
        Action::Terminate { provider_id } => {
            let until = state.now.saturating_add(TERMINATION_POLL);
            state.in_flight.rest(&flight.key, until);
            look_at_machine(state, provider_id);
        }
        Action::PatchNode { name, patch } => node_patched(state, flight, name, patch),
        Action::Evict(eviction) => {
            let message = "asked to leave its node, which goes".to_owned();
            state.notice(
                NoticeKind::Evicted,
                pod_ref(&eviction.pod),
                "Evicted",
                message,
            );
        }
        Action::DeleteNode { .. }
        | Action::CreateClaim { .. }
        | Action::Launch(_)
        | Action::ListMachines(_)
        | Action::Plan(_) => {}
    }
}

fn look_at_machine(state: &mut State, machine: &ProviderId) {
    if let Some(claim) = state.cluster.claim_of_machine(machine) {
        state.agenda.now(NodeId::Claim(claim.name.clone()));
    }
}

fn node_patched(state: &mut State, flight: &Flight, node: &NodeName, patch: &NodePatch) {
    let claim = flight.subjects.iter().find_map(|id| match id {
        NodeId::Claim(name) => Some(name),
        NodeId::Node(_) => None,
    });
    let Some(claim) = claim else {
        return;
    };
    match patch {
        NodePatch::Register { claim, .. } => lifecycle::registered(state, claim, node),
        NodePatch::Initialized => lifecycle::initialized(state, claim),
        NodePatch::Disrupted => disrupt::marked(state, claim),
        NodePatch::NotDisrupted => {}
    }
}

/// The object of an effect is not there any more.
fn effect_gone(state: &mut State, flight: &Flight) {
    let dirty = match (&flight.action, uid_of(flight)) {
        (
            Action::PatchClaim { name, .. }
            | Action::DeleteClaim { name }
            | Action::ReleaseClaim { name },
            Some(uid),
        ) => state.cluster.claim_vanished(name, uid),
        (
            Action::PatchNode { name, .. }
            | Action::DeleteNode { name }
            | Action::ReleaseNode { name },
            Some(uid),
        ) => state.cluster.node_vanished(name, uid),
        (Action::Evict(eviction), Some(uid)) => {
            let pod = state.cluster.pod(&eviction.pod);
            if pod.is_none_or(|pod| pod.uid != *uid) {
                return;
            }
            state.cluster.apply(Change::PodGone(eviction.pod.clone()))
        }
        (Action::Terminate { provider_id }, _) => {
            drain::machine_gone(state, provider_id);
            return;
        }
        (
            Action::CreateClaim { .. }
            | Action::PatchClaim { .. }
            | Action::DeleteClaim { .. }
            | Action::ReleaseClaim { .. }
            | Action::Launch(_)
            | Action::ListMachines(_)
            | Action::PatchNode { .. }
            | Action::DeleteNode { .. }
            | Action::ReleaseNode { .. }
            | Action::Evict(_)
            | Action::Plan(_),
            _,
        ) => return,
    };
    state.absorb(dirty);
}

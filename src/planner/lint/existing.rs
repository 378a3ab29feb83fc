//! Pods placed on what exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{overhead, satisfies, untolerated};
use super::{LintFinding, sum};
use crate::cluster::NodeState;
use crate::model::claim::NodeClaim;
use crate::model::id::PodKey;
use crate::model::labels::keys;
use crate::model::pod::{Owner, Pod, Scheduling};
use crate::model::requirement::Requirements;
use crate::model::resources::Resources;
use crate::model::taint::tolerates_all;
use crate::planner::{ExistingPlacement, Plan, PlanInput};

/// What is wrong with the placements.
pub(super) fn findings(
    input: &PlanInput,
    plan: &Plan,
    pods: &BTreeMap<&PodKey, &Arc<Pod>>,
) -> Vec<LintFinding> {
    let placements = plan.existing.iter();
    let findings = placements.flat_map(|placement| {
        let pods: Vec<&Pod> = placement.pods.iter().map(|key| &**pods[key]).collect();
        match input.snapshot.nodes.get(&placement.node) {
            Some(state) if !is_leaving(state) => check(input, placement, state, &pods),
            Some(_) | None => vec![no_place(placement)],
        }
    });
    findings.collect()
}

fn no_place(placement: &ExistingPlacement) -> LintFinding {
    let node = placement.node.clone();
    LintFinding::NoPlace { node }
}

fn is_leaving(state: &NodeState) -> bool {
    state.going
        || state.claim().is_some_and(|claim| claim.deleting.is_some())
        || state.node().is_some_and(|node| node.deleting.is_some())
}

fn check(
    input: &PlanInput,
    placement: &ExistingPlacement,
    state: &NodeState,
    pods: &[&Pod],
) -> Vec<LintFinding> {
    let taints = state.taints();
    let untolerated = pods.iter().filter_map(|pod| {
        Some(LintFinding::Untolerated {
            pod: pod.key.clone(),
            taint: untolerated(pod, &taints)?.clone(),
        })
    });
    let mut findings: Vec<_> = untolerated.collect();
    match (state.allocatable(), state.claim()) {
        (Some(allocatable), _) => {
            let daemons = missing_daemons(input, state);
            let taken = sum([&state.requested(), &daemons]);
            findings.extend(overfull(placement, pods, &taken, &allocatable));
            findings.extend(mislabelled(placement, state, pods));
        }
        (None, Some(claim)) => findings.extend(on_claim(input, placement, claim, (state, pods))),
        (None, None) => findings.push(no_place(placement)),
    }
    findings
}

fn overfull(
    placement: &ExistingPlacement,
    pods: &[&Pod],
    taken: &Resources,
    allocatable: &Resources,
) -> Option<LintFinding> {
    let new = pods.iter().map(|pod| pod.scheduling.resources());
    let needed = sum(new.chain([taken]));
    Some(LintFinding::Overfull {
        place: placement.node.to_string(),
        shortfall: needed.first_shortfall(allocatable)?,
    })
}

fn mislabelled(
    placement: &ExistingPlacement,
    state: &NodeState,
    pods: &[&Pod],
) -> Vec<LintFinding> {
    let labels = Requirements::from_labels(&state.labels());
    let fits = |pod: &Pod| {
        let mut alternatives = pod.scheduling.alternatives().into_iter();
        alternatives.any(|asked| labels.compatible(&asked, |_| false).is_ok())
    };
    let wrong = pods.iter().filter(|pod| !fits(pod));
    let findings = wrong.map(|pod| LintFinding::Labels {
        pod: pod.key.clone(),
        place: placement.node.to_string(),
    });
    findings.collect()
}

/// What DaemonSets will still take of a node.
fn missing_daemons(input: &PlanInput, state: &NodeState) -> Resources {
    let (labels, taints) = (Requirements::from_labels(&state.labels()), state.taints());
    let belongs = |it: &&Scheduling| {
        let mut alternatives = it.alternatives().into_iter();
        tolerates_all(&it.tolerations, &taints).is_ok()
            && alternatives.any(|asked| labels.compatible(&asked, |_| false).is_ok())
    };
    let sets = input.snapshot.daemon_sets.values();
    let wanted = sum(sets
        .map(|set| &set.scheduling)
        .filter(belongs)
        .map(Scheduling::resources));
    let running = state.pods.values();
    let running = running.filter(|pod| pod.owner.as_ref().is_some_and(Owner::is_daemon_set));
    wanted.saturating_sub(&sum(running.map(|pod| pod.scheduling.resources())))
}

/// A claim without a machine has to hold its pods whichever of its types it becomes.
fn on_claim(
    input: &PlanInput,
    placement: &ExistingPlacement,
    claim: &NodeClaim,
    (state, pods): (&NodeState, &[&Pod]),
) -> Vec<LintFinding> {
    let Some(pool) = input.snapshot.pools.get(&claim.spec.pool) else {
        return vec![no_place(placement)];
    };
    let mut findings = Vec::new();
    let asked = &claim.spec.requirements;
    for it in input.catalog.of(&claim.spec.pool) {
        let named = asked.allows(keys::INSTANCE_TYPE, it.name.as_str());
        if !named || asked.intersects(&it.requirements).is_err() {
            continue;
        }
        let taken = sum([&state.requested(), &overhead(&input.snapshot, pool, it)]);
        findings.extend(overfull(placement, pods, &taken, &it.allocatable()));
        let wrong = pods.iter().filter(|pod| !satisfies(&claim.spec, it, pod));
        findings.extend(wrong.map(|pod| LintFinding::Labels {
            pod: pod.key.clone(),
            place: format!("{} as {}", placement.node, it.name),
        }));
    }
    findings
}

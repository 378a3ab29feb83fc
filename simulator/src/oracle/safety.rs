//! What may never happen.

use std::collections::BTreeMap;
use std::time::Duration;

use tidewright::engine::CloudEventKind;
use tidewright::model::catalog::OfferingKey;
use tidewright::model::id::{ClaimName, LaunchGroup, NodeName, PodKey, PoolName, ProviderId, Uid};
use tidewright::model::resources::Resources;
use tidewright::model::time::Timestamp;

use super::Scene;
use super::pools::{PoolRules, plus};
use crate::event::{Actor, Event};
use crate::faults::FaultKind;
use crate::trace::ClaimTrace;

/// How long an offering without capacity is left alone.
const SOLD_OUT_FOR: Duration = Duration::from_mins(3);

/// A fleet call that reaches the cloud so soon after another one failed was sent before the answer
/// to that came back: the slowest answer takes a second.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A decision is carried out so long after the state that it rests on: watches lag, plans take
/// seconds, and marking a node takes calls. A deletion by a user, a budget that closed or a node
/// that went within this time cannot be held against it.
const DECISION_AGE_MAX: Duration = Duration::from_secs(45);

/// What the safety oracles remember besides the trace.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The offerings that failed, and when the controller was told. Each is marked if the answer
    /// was lost: what nobody was told cannot be heeded.
    sold_out: BTreeMap<OfferingKey, Timestamp>,
    last_sold_out: Vec<OfferingKey>,
}

/// Looks at one entry.
pub(super) fn after(scene: &mut Scene<'_>, memory: &mut Memory) {
    match &scene.entry.event {
        Event::PodEvicted {
            pod,
            node,
            protected,
            forced,
            ..
        } => protected_pod_stays(scene, pod, node, *protected && !*forced),
        Event::ClaimDeleting {
            claim,
            by: Actor::Controller,
        } => {
            budget_is_kept(scene, claim);
        }
        Event::FleetCalled {
            group,
            claims,
            offerings,
            ..
        } => {
            intent_comes_first(scene, group, claims);
            sold_out_is_left_alone(scene, memory, offerings);
            memory.last_sold_out.clear();
        }
        Event::SoldOut { offering } => {
            memory.sold_out.insert(offering.clone(), scene.entry.at);
            memory.last_sold_out.push(offering.clone());
        }
        Event::Fault(FaultKind::AnswerLost | FaultKind::AnswerSlow) => {
            for offering in memory.last_sold_out.drain(..) {
                memory.sold_out.remove(&offering);
            }
        }
        Event::CloudSaid {
            machine,
            kind: CloudEventKind::SpotInterrupted,
        } => interrupted(scene, memory, machine),
        Event::ControllerStarted => memory.sold_out.clear(),
        Event::MachineBought {
            group: Some(group), ..
        } => {
            bought_once(scene, group);
            limits_are_kept(scene, group);
        }
        Event::MachineBought { group: None, .. }
        | Event::ClaimDeleting { .. }
        | Event::Fault(_)
        | Event::PodCreated { .. }
        | Event::PodUnschedulable { .. }
        | Event::PodBound { .. }
        | Event::PodReady { .. }
        | Event::PodEnded { .. }
        | Event::ClaimCreated { .. }
        | Event::ClaimMatched { .. }
        | Event::ClaimGone { .. }
        | Event::PricesMoved { .. }
        | Event::MachineBooting { .. }
        | Event::MachineTerminated { .. }
        | Event::NodeJoined { .. }
        | Event::NodeReady { .. }
        | Event::NodeDeleting { .. }
        | Event::NodeGone { .. }
        | Event::Notice(_)
        | Event::Promised { .. }
        | Event::CloudSaid { .. }
        | Event::MachineTaken { .. }
        | Event::Happened { .. } => {}
    }
}

/// Where one spot machine is taken back, the next would be. A machine that no claim has yet tells
/// nobody where that is.
fn interrupted(scene: &Scene<'_>, memory: &mut Memory, machine: &ProviderId) {
    let known = scene.trace.claim_with(machine).is_some();
    if let Some(machine) = scene.trace.machines.get(machine).filter(|_| known) {
        let offering = machine.offering.clone();
        memory.sold_out.insert(offering, scene.entry.at);
    }
}

fn protected_pod_stays(scene: &mut Scene<'_>, pod: &PodKey, node: &NodeName, broken: bool) {
    scene.check(
        "do-not-disrupt",
        !broken,
        || vec![format!("pod {pod}"), format!("node {node}")],
        || {
            "a pod annotated karpenter.sh/do-not-disrupt was evicted before its node's time was up"
                .into()
        },
    );
}

/// A node that works and that the controller gives back of its own accord counts against the
/// budgets of its pool. A pool that is deleted takes its nodes with it.
fn budget_is_kept(scene: &mut Scene<'_>, name: &ClaimName) {
    let Some(claim) = scene.trace.claim(name) else {
        return;
    };
    let Some(rules) = scene.pools.get(&claim.pool) else {
        return;
    };
    if rules.is_deleting || !is_choice(scene, claim, name) {
        return;
    }
    let pool = claim.pool.clone();
    let now = scene.entry.at;
    let nodes = count(scene, &pool, |claim| is_gone_since(claim, now));
    let going = count(scene, &pool, |claim| {
        is_going(scene, claim) && !has_stopped(scene, claim)
    });
    let allowed = allowed(rules, nodes, now);
    scene.check(
        "budget",
        allowed.is_none_or(|allowed| going <= allowed),
        || vec![format!("NodePool {pool}"), format!("NodeClaim {name}")],
        || {
            let allowed = allowed.unwrap_or_default();
            format!("{going} of {nodes} nodes go at once, the budgets allow {allowed}")
        },
    );
}

/// The most that the budgets allowed at some time while the decision may have been made.
fn allowed(rules: &PoolRules, nodes: u64, now: Timestamp) -> Option<u64> {
    let before = rules.allowed(nodes, now.saturating_sub(DECISION_AGE_MAX))?;
    Some(rules.allowed(nodes, now)?.max(before))
}

/// Whether the node of a claim was ready, nobody had told it to go before, and its machine is not
/// lost.
fn is_choice(scene: &Scene<'_>, claim: &ClaimTrace, name: &ClaimName) -> bool {
    let node = scene.trace.node_of(name);
    let works = node.is_some_and(|node| node.ready.is_some() && node.deleting.is_none());
    let is_now = claim.deleting.is_some_and(|(at, _)| at == scene.entry.at);
    works && is_now && lost(scene, claim).is_none()
}

/// Since when it is known, or true, that the machine of a claim is lost.
fn lost(scene: &Scene<'_>, claim: &ClaimTrace) -> Option<Timestamp> {
    let machine = scene.trace.machines.get(claim.machine.as_ref()?)?;
    machine.announced.into_iter().chain(machine.taken).min()
}

fn count(scene: &Scene<'_>, pool: &PoolName, keep: impl Fn(&ClaimTrace) -> bool) -> u64 {
    let claims = scene.trace.claims.values();
    let counted = claims.filter(|claim| claim.pool == *pool && keep(claim));
    u64::try_from(counted.count()).expect("claims are counted in memory")
}

fn is_gone_since(claim: &ClaimTrace, now: Timestamp) -> bool {
    claim
        .gone
        .is_none_or(|gone| now.since(gone) <= DECISION_AGE_MAX)
}

fn is_going(scene: &Scene<'_>, claim: &ClaimTrace) -> bool {
    let by_choice = lost(scene, claim).is_none();
    let counts = |(at, by): (Timestamp, Actor)| match by {
        Actor::Controller if by_choice => true,
        Actor::Controller | Actor::User => scene.entry.at.since(at) > DECISION_AGE_MAX,
    };
    claim.gone.is_none() && claim.deleting.is_some_and(counts)
}

/// A claim whose machine has stopped is only waiting to be forgotten.
fn has_stopped(scene: &Scene<'_>, claim: &ClaimTrace) -> bool {
    let machine = claim.machine.as_ref();
    let machine = machine.and_then(|machine| scene.trace.machines.get(machine));
    machine.is_some_and(|machine| !machine.is_running())
}

/// Nothing is bought for a claim that does not exist or was told to go.
fn intent_comes_first(
    scene: &mut Scene<'_>,
    group: &LaunchGroup,
    claims: &BTreeMap<ClaimName, Uid>,
) {
    let missing = claims.iter().find(|(_, uid)| {
        let claim = scene.trace.claims.get(*uid);
        claim.is_none_or(|claim| claim.gone.is_some() || claim.deleting.is_some())
    });
    let missing = missing.map(|(name, _)| name.clone());
    scene.check(
        "intent",
        missing.is_none(),
        || vec![format!("launch group {group}")],
        || {
            let name = missing.map_or_else(String::new, |name| name.to_string());
            format!("machines were asked for, but NodeClaim {name} does not exist or is going")
        },
    );
}

fn sold_out_is_left_alone(scene: &mut Scene<'_>, memory: &Memory, offerings: &[OfferingKey]) {
    let now = scene.entry.at;
    let left_alone = SOLD_OUT_FOR.saturating_sub(scene.faults.clock_error_max());
    let known = offerings.iter().find(|offering| {
        let failed = memory.sold_out.get(offering);
        failed.is_some_and(|at| now.since(*at) > ANSWER_MAX && now.since(*at) < left_alone)
    });
    scene.check(
        "sold-out",
        known.is_none(),
        || known.iter().map(|it| format!("offering {it}")).collect(),
        || "it is asked for again within three minutes of having had no capacity".into(),
    );
}

/// A group of claims never has more machines than claims. While lists lag behind it may for a
/// while, because nobody can know; the surplus is then an orphan, which has a bound of its own.
fn bought_once(scene: &mut Scene<'_>, group: &LaunchGroup) {
    let Some(known) = scene.trace.groups.get(group) else {
        return;
    };
    let running = scene.trace.running_machines(known);
    let claims = known.claims.len();
    let excused = scene.faults.list_stale_permille > 0;
    scene.check(
        "launched-once",
        excused || running <= claims,
        || vec![format!("launch group {group}")],
        || format!("{running} machines run for {claims} NodeClaims"),
    );
}

/// What runs for a pool stays within its limits. A surplus machine is not counted: that it exists
/// is found by another oracle.
fn limits_are_kept(scene: &mut Scene<'_>, bought_for: &LaunchGroup) {
    let Some(pool) = scene.trace.pool_of(bought_for).cloned() else {
        return;
    };
    let mut machines = 0;
    let mut sum = Resources::ZERO;
    for (id, group) in &scene.trace.groups {
        if scene.trace.pool_of(id) != Some(&pool) {
            continue;
        }
        let running = group.machines.iter().filter_map(|machine| {
            let machine = scene.trace.machines.get(machine)?;
            machine.is_running().then_some(&machine.offering)
        });
        for offering in running.take(group.claims.len()) {
            machines += 1;
            if let Some(capacity) = scene.capacity.get(&offering.instance_type) {
                sum = plus(&sum, capacity);
            }
        }
    }
    let rules = scene.pools.get(&pool);
    let broken = rules.and_then(|rules| rules.broken_limit(machines, &sum));
    scene.check(
        "limits",
        broken.is_none(),
        || vec![format!("NodePool {pool}")],
        || broken.clone().unwrap_or_default(),
    );
}

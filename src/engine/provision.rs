//! From pods without a place to promises and claims.
//!
//! The machine of states is that of the batch (see `batch`). A plan is taken in command by command:
//! what it rests on is compared with what is true now, and only what has changed is left out.
//!
//! Pods of nodes that go are demand before they have left: machines boot while they are still
//! running. The room is promised to them until they are told to leave; their successors, which their
//! owners create then, take it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::Batch;
use super::effect::PlanRequest;
use super::limits::{NOMINATION_MAX, PLAN_RETRY};
use super::notice::NoticeKind;
use super::state::{PoolRest, State, Thinking, claim_ref, pod_ref};
use super::{launch, offers, orders};
use crate::cluster::{NodeId, NodeState, Snapshot};
use crate::model::id::{ClaimName, PodKey, PoolName, stable_hash};
use crate::model::labels::is_well_known;
use crate::model::pod::Pod;
use crate::model::pool::{NodePool, PoolUsable};
use crate::model::reason::Unschedulable;
use crate::model::requirement::Requirements;
use crate::model::resources::{ResourceName, Resources};
use crate::model::taint::tolerates_all;
use crate::model::time::Timestamp;
use crate::planner::{ExistingPlacement, Plan, PlanInput, PlannedClaim, Unplaced, lint};

/// Takes note of pods that changed, and asks for a plan when it is time.
pub(super) fn react(state: &mut State, batch: &mut Batch) {
    for key in std::mem::take(&mut state.news.pods) {
        note(state, batch, &key);
    }
    if std::mem::take(&mut state.news.room) {
        batch.room();
    }
    if std::mem::take(&mut state.news.hurry) {
        batch.close_at_once();
    }
    let is_due = batch
        .due(&state.settings)
        .is_some_and(|due| due <= state.now);
    if is_due && state.thinking.is_none() {
        think(state, batch);
    }
}

/// Looks at one node: if it goes, its pods need a place.
pub(super) fn look(state: &mut State, id: &NodeId) {
    let keys: Vec<PodKey> = leaving(state, id).map(|pod| pod.key.clone()).collect();
    state.news.pods.extend(keys);
}

/// The pods that will have to leave a node, and whose successors need a place. Nobody creates a
/// successor for a pod without an owner, and one that is protected stays as long as it likes. A
/// node that is being marked may still be kept.
fn leaving<'a>(state: &'a State, id: &'a NodeId) -> impl Iterator<Item = &'a Arc<Pod>> {
    let node_state = state.cluster.node_state(id);
    let goes = node_state.filter(|it| {
        let claim = it.claim();
        it.going && claim.is_some_and(|claim| !state.marking.contains_key(&claim.name))
    });
    let pods = goes.into_iter().flat_map(|it| it.reschedulable_pods());
    pods.filter(|pod| {
        let comes_back = pod.owner.is_some() && pod.deleting.is_none();
        comes_back && !pod.is_protected(state.now)
    })
}

/// Whether a pod needs a place: it has none, or will lose it.
fn needs_place(state: &State, pod: &Pod) -> bool {
    if pod.is_provisionable() {
        return true;
    }
    let Some(node) = pod.node() else {
        return false;
    };
    let id = state.cluster.id_of(node);
    leaving(state, &id).any(|it| it.key == pod.key)
}

fn note(state: &State, batch: &mut Batch, key: &PodKey) {
    let pod = state.cluster.pod(key).filter(|pod| needs_place(state, pod));
    let Some(pod) = pod.filter(|_| !state.cluster.is_nominated(key)) else {
        batch.remove(key);
        return;
    };
    if batch.add(key, &pod.uid, state.now) && !could_take(state.cluster.snapshot(), pod) {
        batch.close_at_once();
    }
}

/// Whether something that exists or is on its way could be for this pod, if there is room.
fn could_take(snapshot: &Snapshot, pod: &Pod) -> bool {
    snapshot
        .nodes
        .values()
        .filter(|it| it.claim().is_some() && !it.going)
        .any(|it| is_for(it, pod))
}

fn is_for(node_state: &NodeState, pod: &Pod) -> bool {
    let labels = Requirements::from_labels(&node_state.labels());
    let is_unbought = node_state.allocatable().is_none();
    let fits = |asked: &Requirements| {
        let undefined = |key: &str| is_unbought && is_well_known(key);
        labels.compatible(asked, undefined).is_ok()
    };
    let tolerations = &pod.scheduling.tolerations;
    tolerates_all(tolerations, &node_state.taints()).is_ok()
        && pod.scheduling.alternatives().iter().any(fits)
}

fn think(state: &mut State, batch: &mut Batch) {
    batch.planned(state.now);
    let input = question(state);
    batch.keep_only(&input.pending);
    if input.pending.is_empty() {
        return;
    }
    if state.order(orders::plan(PlanRequest::Provision(input.clone()))) {
        state.thinking = Some(Thinking::Provision(Box::new(input)));
    } else {
        // The last plan came to nothing, and the next has to wait.
        failed(state, batch, &input);
        batch.postpone(state.now.saturating_add(PLAN_RETRY));
    }
}

/// The question where pods go that have no place, or will lose it, and are promised none, as
/// things are.
pub(super) fn question(state: &State) -> PlanInput {
    let snapshot = state.cluster.snapshot();
    let unbound = snapshot.unbound.values();
    let unbound = unbound.filter(|pod| pod.is_provisionable());
    let leaving = snapshot.nodes.keys().flat_map(|id| leaving(state, id));
    let waiting = unbound.chain(leaving);
    let waiting = waiting.filter(|pod| !state.cluster.is_nominated(&pod.key));
    let waiting: BTreeMap<&PodKey, &Arc<Pod>> = waiting.map(|pod| (&pod.key, pod)).collect();
    PlanInput {
        snapshot: usable(state.cluster.snapshot(), &state.resting_pools),
        // Sorted by key, as the map is: an answer is compared with it pod by pod.
        pending: waiting.into_values().cloned().collect(),
        catalog: state.catalog.clone(),
        sold_out: state.sold_out.clone(),
        now: state.now,
        options: state.settings.plan.clone(),
    }
}

/// The cluster, with the pools that rest marked as not usable.
fn usable(snapshot: &Snapshot, resting: &BTreeMap<PoolName, PoolRest>) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for (name, rest) in resting {
        if let Some(pool) = snapshot.pools.get(name) {
            let mut pool = NodePool::clone(pool);
            pool.usable = PoolUsable::No {
                because: rest.because.clone(),
            };
            Arc::make_mut(&mut snapshot.pools).insert(name.clone(), Arc::new(pool));
        }
    }
    snapshot
}

/// Takes in a plan: each command on its own.
pub(super) fn planned(state: &mut State, batch: &mut Batch, input: &PlanInput, plan: &Plan) {
    let findings = lint(input, plan);
    if let Some(finding) = findings.first() {
        let count = launch::count(findings.len(), "finding");
        let message = format!("a plan is dropped, {count}; the first: {finding}");
        let object = super::state::named("Plan", "provision");
        state.notice(NoticeKind::Unexpected, object, "PlanBroken", message);
        failed(state, batch, input);
        return;
    }
    for placement in &plan.existing {
        place(state, batch, input, placement);
    }
    for planned in &plan.claims {
        claim(state, batch, input, planned);
    }
    for unplaced in &plan.unplaced {
        unplaced_pod(state, batch, unplaced);
    }
}

/// The plan did not come about: its pods queue again.
pub(super) fn failed(state: &mut State, batch: &mut Batch, input: &PlanInput) {
    for pod in &input.pending {
        requeue(state, batch, &pod.key);
    }
}

fn requeue(state: &mut State, batch: &mut Batch, key: &PodKey) {
    batch.remove(key);
    state.news.pods.insert(key.clone());
}

/// The pods that are as the plan saw them, and still without a place. The others queue again.
fn still_waiting(
    state: &mut State,
    batch: &mut Batch,
    input: &PlanInput,
    keys: &[PodKey],
) -> Vec<Arc<Pod>> {
    let (mut same, mut changed) = (Vec::new(), Vec::new());
    for key in keys {
        match unchanged(state, input, key) {
            Some(pod) => same.push(pod),
            None => changed.push(key),
        }
    }
    for key in changed {
        requeue(state, batch, key);
    }
    same
}

fn unchanged(state: &State, input: &PlanInput, key: &PodKey) -> Option<Arc<Pod>> {
    let now = state.cluster.pod(key)?;
    let then = input
        .pending
        .binary_search_by(|pod| pod.key.cmp(key))
        .ok()?;
    let then = &input.pending[then];
    let same = now.uid == then.uid && now.scheduling == then.scheduling;
    let waits = needs_place(state, now) && !state.cluster.is_nominated(key);
    (same && waits).then(|| now.clone())
}

fn outdated(state: &mut State, batch: &mut Batch, pods: &[Arc<Pod>], because: &str) {
    for pod in pods {
        let message = format!("planned again: {because}");
        state.notice(NoticeKind::Outdated, pod_ref(&pod.key), "Outdated", message);
        requeue(state, batch, &pod.key);
    }
    state.news.hurry |= !pods.is_empty();
}

fn place(state: &mut State, batch: &mut Batch, input: &PlanInput, placement: &ExistingPlacement) {
    let pods = still_waiting(state, batch, input, &placement.pods);
    let id = &placement.node;
    let (Some(now), Some(then)) = (
        state.cluster.node_state(id).cloned(),
        input.snapshot.nodes.get(id),
    ) else {
        outdated(state, batch, &pods, &format!("{id} is gone"));
        return;
    };
    if now.going || !still_takes(&now, then, &pods) {
        outdated(state, batch, &pods, &format!("{id} has changed since"));
        return;
    }
    let until = now.is_initialized();
    let until = until.then(|| state.now.saturating_add(NOMINATION_MAX));
    for pod in &pods {
        let message = format!("should be placed on {id}, which exists or is on its way");
        nominate(state, batch, pod, id, Promise { until, message });
    }
}

/// Whether a node is as the plan saw it, or has changed only in ways that leave room.
fn still_takes(now: &NodeState, then: &NodeState, pods: &[Arc<Pod>]) -> bool {
    if now.generation == then.generation {
        return true;
    }
    let same = now.labels() == then.labels() && now.taints() == then.taints();
    let (Some(allocatable), Some(before)) = (now.allocatable(), then.allocatable()) else {
        // What a claim without machine can take depends on all that it may become.
        return false;
    };
    let mut added = pods.iter().map(|pod| pod.scheduling.resources());
    let wanted = added.try_fold(now.requested(), |sum, pod| sum.checked_add(pod));
    same && before.fits_in(&allocatable) && wanted.is_some_and(|it| it.fits_in(&allocatable))
}

/// What is promised to a pod.
struct Promise {
    /// When the promise is void.
    until: Option<Timestamp>,
    message: String,
}

fn nominate(state: &mut State, batch: &mut Batch, pod: &Pod, target: &NodeId, promise: Promise) {
    let Promise { until, mut message } = promise;
    if pod.node().is_some() {
        message.insert_str(0, "its node goes, its successor ");
    }
    let left_out: Vec<&str> = pod
        .scheduling
        .ignored_fields()
        .map(|it| &*it.path)
        .collect();
    if !left_out.is_empty() {
        message.push_str("; not acted on yet and left out: ");
        message.push_str(&left_out.join(", "));
    }
    batch.remove(&pod.key);
    let dirty = state.cluster.nominate(&pod.key, target, until);
    state.absorb(dirty);
    state.notice(
        NoticeKind::Nominated,
        pod_ref(&pod.key),
        "Nominated",
        message,
    );
}

fn claim(state: &mut State, batch: &mut Batch, input: &PlanInput, planned: &PlannedClaim) {
    let pods = still_waiting(state, batch, input, &planned.pods);
    if pods.is_empty() {
        return;
    }
    if let Err(because) = pool_allows(state, planned) {
        outdated(state, batch, &pods, &because);
        return;
    }
    let name = claim_name(state, &planned.pool, &pods);
    announce(state, &name, planned, &pods);
    let spec = planned.spec.clone();
    let dirty = state.cluster.expect_claim(name.clone(), spec, state.now);
    state.absorb(dirty);
    let id = NodeId::Claim(name);
    for pod in &pods {
        let message = format!("should be placed on {id}, which is being bought");
        let until = None;
        nominate(state, batch, pod, &id, Promise { until, message });
    }
}

/// Whether the pool is there and has room for one more claim, whatever it becomes.
fn pool_allows(state: &State, planned: &PlannedClaim) -> Result<(), String> {
    let snapshot = state.cluster.snapshot();
    let pool = snapshot.pools.get(&planned.pool);
    let pool = pool.filter(|pool| pool.deleting.is_none() && pool.usable == PoolUsable::Yes);
    let Some(pool) = pool else {
        return Err(format!("NodePool {} cannot be used now", planned.pool));
    };
    let mut held = snapshot.nodes_of(&pool.name).map(|(_, it)| held(state, it));
    let new = offers::largest(&planned.spec, &state.catalog);
    let used = held.try_fold(new, |sum, it| sum.checked_add(&it));
    let Some(used) = used else {
        return Err(format!(
            "NodePool {} holds more than can be counted",
            pool.name
        ));
    };
    match pool.limits.first_exceeded(&used) {
        Some(over) => Err(format!("limit of NodePool {}: {over}", pool.name)),
        None => Ok(()),
    }
}

/// What a node counts against its pool's limits.
fn held(state: &State, node_state: &NodeState) -> Resources {
    match (node_state.capacity(), node_state.claim()) {
        (Some(capacity), _) => capacity.with(&ResourceName::NODES, 1),
        (None, Some(claim)) => offers::largest(&claim.spec, &state.catalog),
        (None, None) => Resources::ZERO,
    }
}

/// A name that the same decision always gets, and that no other claim has.
fn claim_name(state: &State, pool: &PoolName, pods: &[Arc<Pod>]) -> ClaimName {
    let mut uids: Vec<&str> = pods.iter().map(|pod| pod.uid.as_str()).collect();
    uids.sort_unstable();
    let instant = state.now.as_millis().to_string();
    // Node names and labels end at 63 characters; a dash and eight digits follow.
    let prefix: String = pool.as_str().chars().take(54).collect();
    for salt in 0_u32.. {
        let salt = salt.to_string();
        let parts = [pool.as_str(), &instant, &salt].into_iter();
        let hash = stable_hash(parts.chain(uids.iter().copied())) >> 32;
        let name: ClaimName = format!("{prefix}-{hash:08x}").into();
        if state.cluster.claim(&name).is_none() {
            return name;
        }
    }
    unreachable!("there are fewer claims than salts")
}

fn announce(state: &mut State, name: &ClaimName, planned: &PlannedClaim, pods: &[Arc<Pod>]) {
    let cheapest = &planned.cheapest;
    let types = planned.instance_types.len();
    let message = format!(
        "{} at ${} per hour, the cheapest of {}; for {}",
        cheapest.offering,
        cheapest.price,
        launch::count(types, "type"),
        names(pods),
    );
    state.notice(
        NoticeKind::ClaimCreated,
        claim_ref(name),
        "Provisioned",
        message,
    );
}

fn names(pods: &[Arc<Pod>]) -> String {
    match pods {
        [] => "no pod".to_owned(),
        [pod] => format!("pod {}", pod.key),
        [pod, rest @ ..] => format!("pod {} and {} more", pod.key, rest.len()),
    }
}

fn unplaced_pod(state: &mut State, batch: &mut Batch, unplaced: &Unplaced) {
    let pod = state.cluster.pod(&unplaced.pod);
    let waits = pod.is_some_and(|pod| needs_place(state, pod));
    if waits && batch.stuck(&unplaced.pod, &unplaced.reason) {
        let message = unplaced.reason.to_string();
        let reason = unplaced.reason.name();
        if unplaced.reason == Unschedulable::WorkSpent {
            batch.room();
        }
        state.notice(
            NoticeKind::Unplaced,
            pod_ref(&unplaced.pod),
            reason,
            message,
        );
    }
}

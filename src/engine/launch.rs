//! Buying: from claims that exist to machines.
//!
//! | State of a group | What is done | Leaves it when | To |
//! |---|---|---|---|
//! | claims of one shape, without a group | wait for those expected | all exist | marked |
//! | marked | `PatchClaim` `LaunchGroup` on each | each has it | clear, or doubtful if another process chose the group |
//! | doubtful | `ListMachines` of the group | the list is here; what it shows is adopted | clear |
//! | clear | `Launch` with the preferred offerings | the answer is here | clear with what is left |
//! | | | no answer came | doubtful |
//! | clear | nothing is left to buy | | given up |
//!
//! A claim leaves its group when it has a machine. Nothing is asked for one that goes; but it gets its
//! part of what was bought before, and so counts against the limits until that is gone. What an
//! answer says is sold out is left out at once, so that the next request of the same step asks for
//! something else: other spot offerings first, then on-demand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::effect::{LaunchRequest, MachineFilter, RankedOffering};
use super::input::{CloudError, EffectOutcome, LaunchOutcome, MachineFact, OfferingFailure};
use super::limits::{GROUP_CLAIMS_MAX, POOL_REST, SOLD_OUT_FOR};
use super::notice::NoticeKind;
use super::state::{GroupMemory, PoolRest, State, claim_ref, named};
use super::{offers, orders};
use crate::cluster::{ClaimFact, NodeId};
use crate::model::catalog::CapacityType;
use crate::model::claim::{ClaimPhase, Machine, NodeClaim};
use crate::model::id::{ClaimName, LaunchGroup, LaunchToken, ProviderId, Uid, stable_hash};
use crate::model::labels::keys;

/// Looks at the groups of everything that is not bought yet, if one of these nodes has to do
/// with it.
pub(super) fn react(state: &mut State, due: &BTreeSet<NodeId>) {
    let concerns = |id: &NodeId| match id {
        NodeId::Claim(name) => {
            let claim = state.cluster.claim(name);
            claim.is_none_or(|claim| claim.phase == ClaimPhase::Pending)
        }
        NodeId::Node(_) => false,
    };
    if !due.iter().any(concerns) {
        return;
    }
    form_groups(state);
    let waiting = unbought_by_group(state);
    for (group, claims) in &waiting {
        buy(state, group, claims);
    }
    state.groups.retain(|group, _| waiting.contains_key(group));
}

fn is_waiting(state: &State, claim: &NodeClaim) -> bool {
    let id = NodeId::Claim(claim.name.clone());
    let node_state = state.cluster.node_state(&id);
    claim.phase == ClaimPhase::Pending && node_state.is_some_and(|it| !it.going)
}

/// Chooses a group for claims that have none, unless a claim of the same shape is still to come.
fn form_groups(state: &mut State) {
    let mut shapes: Vec<Vec<Arc<NodeClaim>>> = Vec::new();
    let waiting = state.cluster.claims();
    let waiting = waiting.filter(|it| it.launch_group.is_none() && is_waiting(state, it));
    for claim in waiting.cloned() {
        match shapes.iter_mut().find(|it| it[0].spec == claim.spec) {
            Some(shape) => shape.push(claim),
            None => shapes.push(vec![claim]),
        }
    }
    for claims in shapes {
        if claims.iter().any(|it| state.cluster.is_expected(&it.name)) {
            continue;
        }
        for members in claims.chunks(GROUP_CLAIMS_MAX) {
            form_group(state, members);
        }
    }
}

fn form_group(state: &mut State, members: &[Arc<NodeClaim>]) {
    let group = LaunchGroup::of(members.iter().map(|claim| &claim.uid));
    state.groups.insert(group.clone(), GroupMemory::default());
    for claim in members {
        let fact = ClaimFact::LaunchGroup(group.clone());
        let dirty = state.cluster.advance(&claim.name, fact);
        state.absorb(dirty);
    }
}

fn unbought_by_group(state: &State) -> BTreeMap<LaunchGroup, Vec<Arc<NodeClaim>>> {
    let mut groups: BTreeMap<LaunchGroup, Vec<Arc<NodeClaim>>> = BTreeMap::new();
    for claim in state.cluster.claims() {
        if let Some(group) = &claim.launch_group
            && claim.phase == ClaimPhase::Pending
        {
            groups.entry(group.clone()).or_default().push(claim.clone());
        }
    }
    groups
}

/// One look at one group.
fn buy(state: &mut State, group: &LaunchGroup, claims: &[Arc<NodeClaim>]) {
    let alive = claims.iter().filter(|claim| is_waiting(state, claim));
    let alive: Vec<Arc<NodeClaim>> = alive.cloned().collect();
    let is_unsaved = |claim: &Arc<NodeClaim>| {
        let unsaved = state.cluster.unsaved(&claim.name);
        matches!(unsaved, Some(ClaimFact::LaunchGroup(_)))
    };
    if alive.is_empty() || alive.iter().any(is_unsaved) || is_launching(state, group) {
        return;
    }
    if memory(state, group).doubtful {
        look_up(state, group, &alive);
        return;
    }
    let first = &alive[0];
    let next = offers::next(&first.spec, &state.catalog, &state.sold_out, state.now);
    match next {
        Some((capacity_type, offerings)) => {
            let request = request(state, group, &alive, capacity_type, offerings);
            send(state, request);
        }
        None => {
            for claim in &alive {
                let message = "nothing that the claim allows can be bought at present";
                state.give_up(&claim.name, "InsufficientCapacity", message.to_owned());
            }
        }
    }
}

/// What is remembered of a group. One that is not remembered was chosen by a process before this
/// one, and may have been bought for.
fn memory(state: &mut State, group: &LaunchGroup) -> GroupMemory {
    let known = state.groups.entry(group.clone());
    let unknown = GroupMemory {
        answers: 0,
        doubtful: true,
    };
    known.or_insert(unknown).clone()
}

/// Whether a fleet call for the group is on its way.
pub(super) fn is_launching(state: &State, group: &LaunchGroup) -> bool {
    use super::effect::Action;
    let mut flights = state.in_flight.flights();
    flights.any(|flight| match &flight.action {
        Action::Launch(request) => request.group == *group,
        Action::CreateClaim { .. }
        | Action::PatchClaim { .. }
        | Action::DeleteClaim { .. }
        | Action::ReleaseClaim { .. }
        | Action::Terminate { .. }
        | Action::ListMachines(_)
        | Action::PatchNode { .. }
        | Action::DeleteNode { .. }
        | Action::ReleaseNode { .. }
        | Action::Evict(_)
        | Action::Plan(_) => false,
    })
}

fn look_up(state: &mut State, group: &LaunchGroup, claims: &[Arc<NodeClaim>]) {
    let names = claims.iter().map(|claim| claim.name.clone());
    let subjects = names.map(NodeId::Claim).collect();
    state.order(orders::list(MachineFilter::Group(group.clone()), subjects));
}

fn request(
    state: &State,
    group: &LaunchGroup,
    claims: &[Arc<NodeClaim>],
    capacity_type: CapacityType,
    offerings: Vec<RankedOffering>,
) -> LaunchRequest {
    let spec = &claims[0].spec;
    let uids = claims.iter().map(|it| (it.name.clone(), it.uid.clone()));
    let claims: BTreeMap<ClaimName, Uid> = uids.collect();
    let answers = state.groups.get(group).map_or(0, |memory| memory.answers);
    let tags = [
        (keys::NODE_POOL, spec.pool.as_str()),
        (keys::EC2_NODE_CLASS, &*spec.node_class.name),
        (keys::LAUNCH_GROUP, group.as_str()),
    ];
    LaunchRequest {
        group: group.clone(),
        token: token(group, answers, &claims, &offerings),
        claims,
        node_class: spec.node_class.clone(),
        capacity_type,
        offerings,
        tags: tags.map(|(key, value)| (key.into(), value.into())).into(),
    }
}

/// The same for the same request, so that one sent again buys nothing twice. A request after a
/// definite answer is another one, even if it asks for the same. Offerings are named by zone and type
/// and in no order, as the cloud is told them: prices that have moved make no other request.
fn token(
    group: &LaunchGroup,
    answers: u32,
    claims: &BTreeMap<ClaimName, Uid>,
    offerings: &[RankedOffering],
) -> LaunchToken {
    let answers = answers.to_string();
    let mut offered: Vec<String> = offerings.iter().map(|it| it.key.to_string()).collect();
    offered.sort_unstable();
    let parts = [group.as_str(), &answers].into_iter();
    let parts = parts.chain(claims.values().map(Uid::as_str));
    let parts = parts.chain(offered.iter().map(String::as_str));
    format!("{:016x}", stable_hash(parts)).into()
}

fn send(state: &mut State, request: LaunchRequest) {
    let group = request.group.clone();
    let first = request.claims.first_key_value();
    let (first, _) = first.expect("a request is made for claims that wait");
    let object = claim_ref(first);
    let cheapest = &request.offerings[0];
    let message = format!(
        "asks for {} of {} {} offerings, the cheapest {} at ${} per hour",
        count(request.claims.len(), "machine"),
        request.offerings.len(),
        request.capacity_type,
        cheapest.key,
        cheapest.price,
    );
    if state.order(orders::launch(request)) {
        state.notice(NoticeKind::LaunchRequested, object, "Launching", message);
        // Until the answer is here, machines may exist that nobody knows of.
        let memory = state.groups.entry(group).or_default();
        memory.doubtful = true;
    }
}

pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// The answer to a fleet call.
pub(super) fn answered(
    state: &mut State,
    request: &LaunchRequest,
    key: &Arc<str>,
    outcome: EffectOutcome,
) {
    match outcome {
        EffectOutcome::Launched(outcome) => launched(state, request, outcome),
        EffectOutcome::PreconditionFailed
        | EffectOutcome::Cloud(CloudError::Throttled | CloudError::NotFound) => {
            certain(state, &request.group);
            state.in_flight.back_off(key, state.now);
        }
        EffectOutcome::Cloud(CloudError::Refused { code }) => refused(state, request, &code),
        // Without a word from the cloud it may have bought: the group stays doubtful.
        EffectOutcome::Cloud(CloudError::Unavailable)
        | EffectOutcome::Unknown
        | EffectOutcome::Done
        | EffectOutcome::ClaimCreated(_)
        | EffectOutcome::Machines(_)
        | EffectOutcome::Planned(_)
        | EffectOutcome::Api(_) => {
            state.in_flight.back_off(key, state.now);
        }
    }
}

/// The call bought nothing, for sure.
fn certain(state: &mut State, group: &LaunchGroup) {
    state.groups.entry(group.clone()).or_default().doubtful = false;
}

fn launched(state: &mut State, request: &LaunchRequest, outcome: LaunchOutcome) {
    let memory = state.groups.entry(request.group.clone()).or_default();
    memory.answers = memory.answers.saturating_add(1);
    memory.doubtful = false;
    let made_progress = !outcome.machines.is_empty();
    assign(state, &request.group, outcome.machines);
    let mut excluded = false;
    for failure in &outcome.failures {
        excluded |= exclude(state, failure);
    }
    if !made_progress && !excluded {
        let codes: BTreeSet<&str> = outcome.failures.iter().map(|it| &*it.code).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        refused(state, request, &codes.join(", "));
    }
}

/// Leaves an offering out if its failure says that there is nothing of it.
fn exclude(state: &mut State, failure: &OfferingFailure) -> bool {
    if !SOLD_OUT_CODES.contains(&&*failure.code) {
        return false;
    }
    let until = state.now.saturating_add(SOLD_OUT_FOR);
    let name = failure.offering.to_string();
    let message = format!("{}: left out until {until}", failure.code);
    let offering = named("Offering", &name);
    state.notice(NoticeKind::SoldOut, offering, "SoldOut", message);
    state.sold_out.insert(failure.offering.clone(), until);
    true
}

/// EC2's codes for "there is nothing of that kind for you at present", as Karpenter reads them.
const SOLD_OUT_CODES: [&str; 8] = [
    "InsufficientInstanceCapacity",
    "MaxSpotInstanceCountExceeded",
    "VcpuLimitExceeded",
    "UnfulfillableCapacity",
    "Unsupported",
    "InsufficientFreeAddressesInSubnet",
    "MaxFleetCountExceeded",
    "ReservationCapacityExceeded",
];

/// The request is wrong, and to repeat it would not help: the claims are given up, and the pool
/// rests.
fn refused(state: &mut State, request: &LaunchRequest, code: &str) {
    certain(state, &request.group);
    for name in request.claims.keys() {
        let Some(claim) = state.cluster.claim(name).cloned() else {
            continue;
        };
        if claim.phase != ClaimPhase::Pending {
            continue;
        }
        let rest = PoolRest {
            because: format!("the cloud refused its last launch: {code}").into(),
            until: state.now.saturating_add(POOL_REST),
        };
        state.resting_pools.insert(claim.spec.pool.clone(), rest);
        let message = format!("the cloud refused to launch: {code}");
        state.give_up(name, "LaunchRefused", message);
    }
}

/// The machines that exist for a group, after it was doubtful.
pub(super) fn listed(state: &mut State, group: &LaunchGroup, facts: Vec<MachineFact>) {
    let memory = state.groups.entry(group.clone()).or_default();
    memory.answers = memory.answers.saturating_add(u32::from(!facts.is_empty()));
    memory.doubtful = false;
    assign(
        state,
        group,
        facts.into_iter().map(|it| it.machine).collect(),
    );
}

/// Gives machines to the claims of their group that have none, by sorted provider id and sorted
/// uid, so that every process comes to the same. Claims that go come last, but are not left out: such
/// a claim would be released at once, and while the machine is still being stopped, nothing would
/// count it against the limits of its pool. What is left over is given back.
fn assign(state: &mut State, group: &LaunchGroup, mut machines: Vec<Machine>) {
    machines.retain(|it| is_free(state, &it.provider_id));
    machines.sort_by(|a, b| a.provider_id.cmp(&b.provider_id));
    machines.dedup_by(|a, b| a.provider_id == b.provider_id);
    let claims = unbought_by_group(state).remove(group).unwrap_or_default();
    let (mut claims, mut going): (Vec<_>, Vec<_>) =
        claims.into_iter().partition(|it| is_waiting(state, it));
    claims.sort_by(|a, b| a.uid.cmp(&b.uid));
    going.sort_by(|a, b| a.uid.cmp(&b.uid));
    let mut claims = claims.into_iter().chain(going);
    for machine in machines {
        match claims.next() {
            Some(claim) => bought(state, &claim, machine),
            None => surplus(state, group, &machine),
        }
    }
}

fn is_free(state: &State, machine: &ProviderId) -> bool {
    state.cluster.claim_of_machine(machine).is_none() && !state.gone.contains(machine)
}

fn bought(state: &mut State, claim: &NodeClaim, machine: Machine) {
    let offering = machine.offering();
    let price = state.catalog.price(&claim.spec.pool, &offering);
    let price = price.map_or_else(String::new, |price| format!(" at ${price} per hour"));
    let message = format!("{offering}{price}, machine {}", machine.provider_id);
    let object = claim_ref(&claim.name);
    state.notice(NoticeKind::Launched, object, "Launched", message);
    let fact = ClaimFact::Launched {
        machine: Box::new(machine),
        at: state.now,
    };
    let dirty = state.cluster.advance(&claim.name, fact);
    state.absorb(dirty);
}

fn surplus(state: &mut State, group: &LaunchGroup, machine: &Machine) {
    if state.order(orders::terminate(&machine.provider_id, None)) {
        let message = format!("no claim of launch group {group} needs it");
        let object = named("Machine", machine.provider_id.as_str());
        state.notice(NoticeKind::Swept, object, "Surplus", message);
    }
}

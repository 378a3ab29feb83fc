//! Giving back what is not needed.
//!
//! | State | What is done | Leaves it when | To |
//! |---|---|---|---|
//! | quiet | nothing | something changed, or the time has come that the last answer named | curious |
//! | curious | `Plan` `Disrupt`, unless pods wait for a plan | the answer is here | quiet, and marking for each node that still is as it was |
//! | marking | `PatchNode` `Disrupted` | that is done and no pod came in between | decided: see `drain` |
//! | marking | | a pod came, or [`MARKING_MAX`] has passed | taken back |

use std::collections::BTreeMap;

use super::effect::{NodePatch, PlanRequest};
use super::limits::{DISRUPTION_IDLE, MARKING_MAX};
use super::notice::NoticeKind;
use super::state::{Marking, State, Thinking, claim_ref};
use super::{drain, orders};
use crate::cluster::{NodeId, NodeSource, NodeState};
use crate::model::id::{ClaimName, PoolName};
use crate::model::node::NodeReady;
use crate::model::reason::{Blocked, DisruptionReason};
use crate::model::time::Timestamp;
use crate::planner::disruption::{Command, DisruptionInput, DisruptionPlan, Removal};

/// When to look for nodes that can go.
#[derive(Clone, Debug, Default)]
pub(super) struct Disrupt {
    looked: Option<Timestamp>,
    look_again: Option<Timestamp>,
    curious: bool,
    /// What was last told of each node that stays, by the reason's name.
    told: BTreeMap<ClaimName, &'static str>,
}

impl Disrupt {
    /// Looks for nodes that can go, if it is time to.
    pub(super) fn react(&mut self, state: &mut State, pods_wait: bool) {
        self.curious |= std::mem::take(&mut state.news.disruption);
        let due = self.due();
        let is_time = due.is_some_and(|due| due <= state.now);
        if !is_time || pods_wait || state.thinking.is_some() || !has_nodes(state) {
            return;
        }
        let input = question(state);
        self.looked = Some(state.now);
        if state.order(orders::plan(PlanRequest::Disrupt(input))) {
            state.thinking = Some(Thinking::Disrupt);
            self.look_again = None;
            self.curious = false;
        }
    }

    /// Whether there is a reason to look for nodes that can go, be it due or not.
    pub(super) fn wants_plan(&self, state: &State) -> bool {
        self.curious && has_nodes(state)
    }

    fn due(&self) -> Option<Timestamp> {
        let rested = self.looked.map(|at| at.saturating_add(DISRUPTION_IDLE));
        let curious = self.curious.then(|| rested.unwrap_or(Timestamp::EPOCH));
        [curious, self.look_again].into_iter().flatten().min()
    }

    /// When to look next; none while something else is waited for that ends in a step of its own.
    pub(super) fn next(&self, state: &State, pods_wait: bool) -> Option<Timestamp> {
        let is_free = state.thinking.is_none() && !pods_wait;
        self.due().filter(|_| has_nodes(state) && is_free)
    }

    /// Takes in an answer: each command on its own.
    pub(super) fn planned(&mut self, state: &mut State, plan: &DisruptionPlan) {
        // What passed while the plan was made is looked at again at once: the plan did not see it.
        self.look_again = plan.look_again;
        self.tell(state, plan);
        for command in &plan.commands {
            for removal in &command.remove {
                if !accept(state, command, removal) {
                    self.curious = true;
                }
            }
        }
    }

    /// Tells why nodes stay, of each node once until the reason is another.
    fn tell(&mut self, state: &mut State, plan: &DisruptionPlan) {
        let mut told = BTreeMap::new();
        for kept in &plan.kept {
            let NodeId::Claim(name) = &kept.node else {
                continue;
            };
            if !is_worth_telling(&kept.because) {
                continue;
            }
            let reason = kept.because.name();
            if self.told.get(name) != Some(&reason) {
                let message = format!("the node stays: {}", kept.because);
                state.notice(NoticeKind::Kept, claim_ref(name), reason, message);
            }
            told.insert(name.clone(), reason);
        }
        self.told = told;
    }

    /// The clock was set back: what was to be looked at later may be due.
    pub(super) fn clock_set_back(&mut self, now: Timestamp) {
        self.looked = self.looked.map(|at| at.min(now));
        self.curious = true;
    }

    /// The plan did not come about.
    pub(super) fn failed(&mut self) {
        self.curious = true;
    }
}

/// Whether there is a node that could go.
fn has_nodes(state: &State) -> bool {
    let mut claims = state.cluster.claims();
    claims.any(|claim| claim.phase.initialized_at().is_some())
}

/// The question which nodes can go, as things are.
pub(super) fn question(state: &State) -> DisruptionInput {
    DisruptionInput {
        snapshot: state.cluster.snapshot().clone(),
        catalog: state.catalog.clone(),
        now: state.now,
    }
}

/// Whether people may ask why a node stays. That pods need it or come to it, that it is being set
/// up, or that it goes already, is seen from the node itself.
const fn is_worth_telling(because: &Blocked) -> bool {
    match because {
        Blocked::NodeProtected
        | Blocked::PodProtected { .. }
        | Blocked::Never
        | Blocked::NotQuiet { .. }
        | Blocked::Budget { .. } => true,
        Blocked::NotManaged
        | Blocked::NotInitialized
        | Blocked::Going
        | Blocked::Nominated { .. }
        | Blocked::InUse { .. } => false,
    }
}

fn accept(state: &mut State, command: &Command, removal: &Removal) -> bool {
    let id = NodeId::Claim(removal.claim.clone());
    let Some(node_state) = state.cluster.node_state(&id).cloned() else {
        return outdated(state, removal, "the claim is gone");
    };
    let same = node_state
        .claim()
        .is_some_and(|claim| claim.uid == removal.uid);
    if !same || node_state.generation != removal.generation || node_state.going {
        return outdated(state, removal, "the node has changed since");
    }
    if !is_still_free(&node_state, state.now) {
        return outdated(state, removal, "a pod needs the node now");
    }
    if !budget_allows(state, &command.pool, command.reason) {
        return outdated(
            state,
            removal,
            "the budgets of the pool allow no more at present",
        );
    }
    mark(state, command.reason, removal);
    true
}

fn outdated(state: &mut State, removal: &Removal, because: &str) -> bool {
    let message = format!("not disrupted after all: {because}");
    let object = claim_ref(&removal.claim);
    state.notice(NoticeKind::Outdated, object, "Outdated", message);
    false
}

/// Whether nobody would miss the node.
fn is_still_free(node_state: &NodeState, now: Timestamp) -> bool {
    let is_protected = node_state.pods.values().any(|pod| pod.is_protected(now));
    let is_node_protected = node_state.node().is_some_and(|node| node.do_not_disrupt);
    node_state.reschedulable_pods().next().is_none()
        && node_state.nominated.is_empty()
        && !is_protected
        && !is_node_protected
}

/// Whether one more node of the pool may go now. Nodes that go for any reason, or are not ready,
/// count (Karpenter documentation, "Disruption Budgets").
fn budget_allows(state: &State, pool: &PoolName, reason: DisruptionReason) -> bool {
    let snapshot = state.cluster.snapshot();
    let Some(pool) = snapshot.pools.get(pool) else {
        return false;
    };
    let (mut nodes, mut unavailable): (u32, u32) = (0, 0);
    for (_, node_state) in snapshot.nodes_of(&pool.name) {
        let NodeSource::Managed(_, node) = &node_state.source else {
            continue;
        };
        if node_state.is_initialized() {
            nodes = nodes.saturating_add(1);
            let is_ready = node.ready == NodeReady::Ready;
            unavailable = unavailable.saturating_add(u32::from(node_state.going || !is_ready));
        }
    }
    let allowed = pool.disruption.allowed(reason, nodes, state.now);
    allowed.is_none_or(|allowed| unavailable < allowed)
}

fn mark(state: &mut State, reason: DisruptionReason, removal: &Removal) {
    let message = format!("the node goes: {}", sentence(reason));
    let object = claim_ref(&removal.claim);
    state.notice(NoticeKind::Disrupted, object, reason.as_str(), message);
    let marking = Marking {
        uid: removal.uid.clone(),
        reason,
        since: state.now,
    };
    state.marking.insert(removal.claim.clone(), marking);
    let dirty = state.cluster.mark_going(&removal.claim);
    state.absorb(dirty);
}

const fn sentence(reason: DisruptionReason) -> &'static str {
    match reason {
        DisruptionReason::Empty => "no pod needs it any more",
        DisruptionReason::Underutilized => "its pods fit elsewhere for less",
        DisruptionReason::Drifted => "it is no longer what its pool asks for",
    }
}

/// Looks at one node: is it being marked, or marked without a reason?
pub(super) fn react(state: &mut State, id: &NodeId) {
    let NodeId::Claim(name) = id else {
        return;
    };
    let Some(node_state) = state.cluster.node_state(id).cloned() else {
        state.marking.remove(name);
        return;
    };
    let NodeSource::Managed(claim, node) = &node_state.source else {
        state.marking.remove(name);
        return;
    };
    if let Some(marking) = state.marking.get(name).cloned() {
        let due = marking.since.saturating_add(MARKING_MAX);
        if marking.uid != claim.uid || claim.deleting.is_some() {
            state.marking.remove(name);
        } else if drain::is_closed(node) {
            marked(state, name);
        } else if due <= state.now {
            take_back(state, name, "it could not be marked in time");
        } else {
            state.agenda.at(id, due);
            state.order(orders::patch_node(node, id.clone(), NodePatch::Disrupted));
        }
    } else if !node_state.going && drain::is_closed(node) {
        state.order(orders::patch_node(
            node,
            id.clone(),
            NodePatch::NotDisrupted,
        ));
    }
}

/// New pods stay away now. If none came in between, the claim is deleted.
pub(super) fn marked(state: &mut State, name: &ClaimName) {
    if !state.marking.contains_key(name) {
        return;
    }
    let id = NodeId::Claim(name.clone());
    let node_state = state.cluster.node_state(&id).cloned();
    if node_state.is_some_and(|it| is_still_free(&it, state.now)) {
        state.marking.remove(name);
        state.agenda.now(id);
    } else {
        take_back(state, name, "a pod came in between");
    }
}

fn take_back(state: &mut State, name: &ClaimName, because: &str) {
    state.marking.remove(name);
    let message = format!("the node stays: {because}");
    state.notice(NoticeKind::Outdated, claim_ref(name), "Outdated", message);
    let dirty = state.cluster.unmark_going(name);
    state.absorb(dirty);
}

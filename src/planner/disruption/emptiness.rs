//! Empty nodes go once they have been quiet for long enough, as far as the budgets allow.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget::{Allowance, next_change};
use super::candidate::Candidate;
use super::{Command, DisruptionInput, DisruptionPlan, Kept, Removal};
use crate::cluster::{NodeId, NodeState};
use crate::model::id::PoolName;
use crate::model::pod::{DoNotDisrupt, Pod};
use crate::model::pool::NodePool;
use crate::model::reason::{Blocked, DisruptionReason};
use crate::model::time::Timestamp;

const REASON: DisruptionReason = DisruptionReason::Empty;

/// The plan: one command for each pool with nodes that can go, in the order of the pools' names.
pub(super) fn plan(input: &DisruptionInput) -> DisruptionPlan {
    let mut plan = DisruptionPlan::default();
    let mut ready: BTreeMap<&PoolName, Vec<(&NodeId, Candidate<'_>)>> = BTreeMap::new();
    for (id, state) in input.snapshot.nodes.iter() {
        match examined(input, state) {
            Ok(candidate) => ready
                .entry(&candidate.pool.name)
                .or_default()
                .push((id, candidate)),
            Err(because) => {
                let change = passes_at(input, state, &because);
                plan.look_again = earlier(plan.look_again, change);
                plan.keep(id, because);
            }
        }
    }
    for candidates in ready.into_values() {
        plan.admit(input, candidates);
    }
    plan.kept.sort_by(|a, b| a.node.cmp(&b.node));
    plan
}

/// The node as a candidate that is empty and has been quiet, or what speaks against that.
fn examined<'a>(
    input: &'a DisruptionInput,
    state: &'a NodeState,
) -> Result<Candidate<'a>, Blocked> {
    let candidate = Candidate::of(input, state)?;
    let mut pods = state.reschedulable_pods();
    if let Some(pod) = pods.next() {
        let others = u32::try_from(pods.count()).unwrap_or(u32::MAX);
        return Err(Blocked::InUse {
            pods: others.saturating_add(1),
            pod: pod.key.clone(),
        });
    }
    let until = quiet_at(&candidate).ok_or(Blocked::Never)?;
    if until > input.now {
        return Err(Blocked::NotQuiet { until });
    }
    Ok(candidate)
}

/// When the node has been quiet for as long as its pool demands; none if the pool never gives
/// nodes back. A node that no pod ever came to counts from when it could be used.
fn quiet_at(candidate: &Candidate<'_>) -> Option<Timestamp> {
    let after = candidate.pool.disruption.consolidate_after?;
    let claim = candidate.claim;
    let since = claim.last_pod_event.or(claim.phase.initialized_at())?;
    Some(since.saturating_add(after))
}

/// When this answer may change although nothing happens.
fn passes_at(input: &DisruptionInput, state: &NodeState, because: &Blocked) -> Option<Timestamp> {
    match because {
        Blocked::NotQuiet { until } => Some(*until),
        Blocked::PodProtected { .. } => {
            let pods = state.pods.values();
            pods.filter_map(|pod| unprotected_at(pod, input.now)).min()
        }
        Blocked::NotManaged
        | Blocked::NotInitialized
        | Blocked::Going
        | Blocked::Nominated { .. }
        | Blocked::NodeProtected
        | Blocked::InUse { .. }
        | Blocked::Never
        | Blocked::Budget { .. } => None,
    }
}

fn unprotected_at(pod: &Arc<Pod>, now: Timestamp) -> Option<Timestamp> {
    match pod.do_not_disrupt {
        DoNotDisrupt::For(span) if pod.is_protected(now) => Some(pod.started?.saturating_add(span)),
        DoNotDisrupt::No | DoNotDisrupt::Always | DoNotDisrupt::For(_) => None,
    }
}

impl DisruptionPlan {
    fn keep(&mut self, node: &NodeId, because: Blocked) {
        let node = node.clone();
        self.kept.push(Kept { node, because });
    }

    /// Lets as many nodes of one pool go as its budgets allow, by name.
    fn admit(&mut self, input: &DisruptionInput, candidates: Vec<(&NodeId, Candidate<'_>)>) {
        let Some(pool) = candidates.first().map(|(_, candidate)| candidate.pool) else {
            return;
        };
        let allowance = Allowance::of(&input.snapshot, pool, REASON, input.now);
        let mut left = allowance.left;
        let mut remove = Vec::new();
        for (id, candidate) in candidates {
            if left > 0 {
                left -= 1;
                remove.push(candidate.removal());
            } else {
                self.hold_back(input, pool, id, allowance.allowed.unwrap_or(u32::MAX));
            }
        }
        if !remove.is_empty() {
            self.commands.push(Command {
                reason: REASON,
                pool: pool.name.clone(),
                remove,
            });
        }
    }

    fn hold_back(&mut self, input: &DisruptionInput, pool: &NodePool, id: &NodeId, allowed: u32) {
        let reason = REASON;
        self.keep(id, Blocked::Budget { reason, allowed });
        let change = next_change(pool, REASON, input.now);
        self.look_again = earlier(self.look_again, change);
    }
}

impl Candidate<'_> {
    fn removal(&self) -> Removal {
        Removal {
            claim: self.claim.name.clone(),
            uid: self.claim.uid.clone(),
            generation: self.state.generation,
        }
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

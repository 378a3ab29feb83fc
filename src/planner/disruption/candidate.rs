//! Which nodes may be disrupted at all.

use super::DisruptionInput;
use crate::cluster::{NodeSource, NodeState};
use crate::model::claim::NodeClaim;
use crate::model::node::Node;
use crate::model::pool::NodePool;
use crate::model::reason::Blocked;

/// A node that may be disrupted.
pub(super) struct Candidate<'a> {
    pub(super) pool: &'a NodePool,
    pub(super) claim: &'a NodeClaim,
    pub(super) state: &'a NodeState,
}

impl<'a> Candidate<'a> {
    /// The node as a candidate, or what speaks against it whatever the reason to disrupt it.
    pub(super) fn of(input: &'a DisruptionInput, state: &'a NodeState) -> Result<Self, Blocked> {
        let (claim, pool) = managed(input, state).ok_or(Blocked::NotManaged)?;
        if is_leaving(state) {
            return Err(Blocked::Going);
        }
        let node = match &state.source {
            NodeSource::Managed(_, node) if state.is_initialized() => node,
            NodeSource::Managed(..) | NodeSource::InFlight(_) | NodeSource::Unmanaged(_) => {
                return Err(Blocked::NotInitialized);
            }
        };
        unprotected(input, state, node)?;
        Ok(Self { pool, claim, state })
    }
}

/// Whether the node is on its way out, whoever decided that.
pub(super) fn is_leaving(state: &NodeState) -> bool {
    let claim = state.claim().and_then(|claim| claim.deleting);
    let node = state.node().and_then(|node| node.deleting);
    state.going || claim.is_some() || node.is_some()
}

fn managed<'a>(
    input: &'a DisruptionInput,
    state: &'a NodeState,
) -> Option<(&'a NodeClaim, &'a NodePool)> {
    let claim = state.claim()?;
    let pool = input.snapshot.pools.get(&claim.spec.pool)?;
    Some((claim, pool))
}

/// Annotations protect a node from every disruption that nobody asked for; those of its pods too,
/// even of pods that would go with the node.
fn unprotected(input: &DisruptionInput, state: &NodeState, node: &Node) -> Result<(), Blocked> {
    if node.do_not_disrupt {
        return Err(Blocked::NodeProtected);
    }
    if let Some(pod) = state.nominated.keys().next() {
        let pod = pod.clone();
        return Err(Blocked::Nominated { pod });
    }
    let mut protected = state
        .pods
        .values()
        .filter(|pod| pod.is_protected(input.now));
    match protected.next() {
        None => Ok(()),
        Some(pod) => Err(Blocked::PodProtected {
            pod: pod.key.clone(),
        }),
    }
}

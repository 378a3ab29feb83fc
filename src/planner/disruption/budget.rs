//! How many nodes of a pool may go now.

use super::candidate::is_leaving;
use crate::cluster::{NodeState, Snapshot};
use crate::model::node::NodeReady;
use crate::model::pool::{Budget, NodePool};
use crate::model::reason::DisruptionReason;
use crate::model::time::Timestamp;

/// What the budgets of a pool leave for one reason.
pub(super) struct Allowance {
    /// How many may be disrupted at once; none means that no budget has a say.
    pub(super) allowed: Option<u32>,
    /// How many more may go now.
    pub(super) left: u32,
}

impl Allowance {
    /// Every usable node of the pool counts. Those that are not ready or on their way out have
    /// used up a part of the budgets, whatever the reason.
    pub(super) fn of(
        snapshot: &Snapshot,
        pool: &NodePool,
        reason: DisruptionReason,
        now: Timestamp,
    ) -> Self {
        let nodes = snapshot.nodes_of(&pool.name).map(|(_, state)| state);
        let usable: Vec<_> = nodes.filter(|state| state.is_initialized()).collect();
        let consuming = count(usable.iter().filter(|state| is_consuming(state)));
        let allowed = pool.disruption.allowed(reason, count(usable.iter()), now);
        Self {
            allowed,
            left: allowed.unwrap_or(u32::MAX).saturating_sub(consuming),
        }
    }
}

/// When a budget that speaks about this reason next opens or closes.
pub(super) fn next_change(
    pool: &NodePool,
    reason: DisruptionReason,
    now: Timestamp,
) -> Option<Timestamp> {
    let speaks = |budget: &&Budget| {
        let reasons = budget.reasons.as_ref();
        reasons.is_none_or(|reasons| reasons.contains(&reason))
    };
    let speaking = pool.disruption.budgets.iter().filter(speaks);
    let windows = speaking.filter_map(|budget| budget.window.as_ref());
    windows.filter_map(|window| window.next_change(now)).min()
}

fn is_consuming(state: &NodeState) -> bool {
    let ready = state
        .node()
        .is_some_and(|node| node.ready == NodeReady::Ready);
    !ready || is_leaving(state)
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

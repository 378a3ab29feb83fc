//! The limits of a pool as a packing constraint.

use super::PlanInput;
use super::market::Market;
use super::overhead::{rest, total};
use crate::cluster::NodeState;
use crate::model::labels::keys;
use crate::model::pool::Limits;
use crate::model::resources::{ResourceName, Resources, Shortfall};

/// What a pool holds, and what it may hold. A planned claim reserves what its dearest possible
/// outcome takes, so that the limits hold whatever is bought.
pub(super) struct Room<'a> {
    limits: &'a Limits,
    used: Resources,
}

impl<'a> Room<'a> {
    /// The room beside the nodes and claims that the pool has. Those on their way out count
    /// until they are gone.
    pub(super) fn new(input: &PlanInput, market: &Market<'a>) -> Self {
        let pool = market.template.pool;
        let nodes = input.snapshot.nodes_of(&pool.name);
        let held: Vec<_> = nodes.map(|(_, state)| counted(state, market)).collect();
        Self {
            limits: &pool.limits,
            used: total(&held),
        }
    }

    /// Whether there is room for one more machine.
    pub(super) fn holds(&self, counted: &Resources) -> bool {
        self.exceeded_with(counted).is_none()
    }

    pub(super) fn take(&mut self, counted: &Resources) {
        self.used = total([&self.used, counted]);
    }

    pub(super) fn release(&mut self, counted: &Resources) {
        self.used = rest(&self.used, counted);
    }

    /// The first limit that one more machine would break.
    pub(super) fn exceeded_with(&self, counted: &Resources) -> Option<Shortfall> {
        // Most pools have no limit, and the sum need not be made.
        self.limits.iter().next()?;
        self.limits.first_exceeded(&total([&self.used, counted]))
    }

    /// Bounds for one claim: what it has `reserved`, and one of `shares` equal parts of what is
    /// left.
    pub(super) fn share(&self, reserved: &Resources, shares: i64) -> Limits {
        Limits::new(self.limits.iter().map(|(name, most)| {
            let left = most.saturating_sub(self.used.get(name)).max(0);
            let granted = reserved.get(name).saturating_add(left / shares.max(1));
            (name.clone(), granted)
        }))
    }
}

/// What a node counts: its capacity, or as long as it has no machine the greatest capacity that
/// it may get; of a type unknown now at least what was requested.
fn counted(state: &NodeState, market: &Market<'_>) -> Resources {
    let capacity = state.capacity().unwrap_or_else(|| {
        let Some(claim) = state.claim() else {
            return Resources::ZERO;
        };
        let possible = market.types.iter().map(|goods| &goods.instance_type);
        let possible = possible.filter(|it| {
            let asked = &claim.spec.requirements;
            asked.allows(keys::INSTANCE_TYPE, it.name.as_str())
                && asked.intersects(&it.requirements).is_ok()
        });
        possible.fold(claim.spec.requests.clone(), |most, it| {
            most.max(&it.capacity)
        })
    });
    capacity.with(&ResourceName::NODES, 1)
}

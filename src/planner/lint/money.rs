//! The sums of money, and the proof of the bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claims::{may_buy, sales};
use super::node::overhead;
use super::{LintFinding, MoneyFault, sum};
use crate::model::id::PodKey;
use crate::model::pod::Pod;
use crate::model::price::Price;
use crate::model::resources::Resources;
use crate::planner::{Dual, Plan, PlanInput};

/// What is wrong with cost, bound and certificate.
pub(super) fn findings(
    input: &PlanInput,
    plan: &Plan,
    pods: &BTreeMap<&PodKey, &Arc<Pod>>,
) -> Vec<LintFinding> {
    let prices = plan.claims.iter().map(|claim| claim.cheapest.price);
    let cost = prices.fold(Price::ZERO, Price::saturating_add);
    let placed = plan.claims.iter().flat_map(|claim| &claim.pods);
    let demand = sum(placed.map(|key| pods[key].scheduling.resources()));
    let duals = &plan.certificate.duals;
    let proved = duals.iter().map(Dual::bound).max().unwrap_or(Price::ZERO);
    let offers = if duals.is_empty() {
        Vec::new()
    } else {
        offers(input)
    };
    let faults = [
        (plan.cost_per_hour != cost, MoneyFault::Cost),
        (plan.bound_per_hour > cost, MoneyFault::BoundAboveCost),
        (plan.bound_per_hour > proved, MoneyFault::BoundWithoutProof),
        (
            duals.iter().any(|it| !holds(it, &demand, &offers)),
            MoneyFault::Dual,
        ),
    ];
    let faults = faults.into_iter().filter(|(is_fault, _)| *is_fault);
    faults
        .map(|(_, what)| LintFinding::Money { what })
        .collect()
}

fn holds(dual: &Dual, demand: &Resources, offers: &[(Price, Resources)]) -> bool {
    let undercut = |(price, usable): &(Price, Resources)| {
        dual.is_undercut_by(*price, usable.get(&dual.resource))
    };
    let counted = dual.demand <= demand.get(&dual.resource);
    counted && dual.per_units > 0 && !offers.iter().any(undercut)
}

/// Everything for sale: the price, and what is left for pods.
fn offers(input: &PlanInput) -> Vec<(Price, Resources)> {
    let mut offers = Vec::new();
    for pool in input.snapshot.pools.values().filter(|pool| may_buy(pool)) {
        let asked = &pool.template.requirements;
        for it in input.catalog.of(&pool.name) {
            let cheapest = sales(input, it, asked).map(|offering| offering.price).min();
            if asked.intersects(&it.requirements).is_ok()
                && let Some(price) = cheapest
            {
                let daemons = overhead(&input.snapshot, pool, it);
                let left = it.allocatable().checked_sub(&daemons);
                // More than there is: such a machine holds no pod.
                offers.extend(left.map(|left| (price, left)));
            }
        }
    }
    offers
}

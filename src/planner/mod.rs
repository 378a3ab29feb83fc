//! Decisions: pure functions from a snapshot to a plan.
//!
//! [`plan`] places pods: on nodes, on claims in flight, on new claims. [`disruption::plan`] says
//! which nodes go. Both answer with reasons for everything that they did not do. [`lint()`] checks
//! an answer without knowing how it was found.

mod bitset;
mod bound;
mod class;
pub mod disruption;
mod draft;
mod finish;
mod input;
mod limits;
mod lint;
mod market;
pub mod offering;
mod overhead;
mod pack;
mod place;
mod plan_types;
mod template;

pub use input::{Options, PlanInput, PreferencePolicy};
pub use lint::{Asked, Contradiction, LintFinding, MoneyFault, lint};
pub use plan_types::{
    Certificate, Cheapest, Dual, ExistingPlacement, Plan, PlannedClaim, Unplaced, Work,
};

use pack::Packed;

use crate::model::price::Price;

/// Places the pending pods. Equal inputs give equal plans, whatever the order of the pods.
pub fn plan(input: &PlanInput) -> Plan {
    let mut packed = pack::pack(input);
    let (bound_per_hour, certificate) = bound::bound(input, &packed);
    let claims = finish::claims(input, &mut packed);
    let cost_per_hour = claims.iter().fold(Price::ZERO, |sum, claim| {
        sum.saturating_add(claim.cheapest.price)
    });
    let work = Work {
        evaluations: packed.evaluations,
        classes: u64::try_from(packed.queue.classes.len()).unwrap_or(u64::MAX),
    };
    Plan {
        claims,
        existing: existing(input, &packed),
        unplaced: unplaced(input, packed),
        cost_per_hour,
        bound_per_hour,
        certificate,
        work,
    }
}

fn existing(input: &PlanInput, packed: &Packed<'_>) -> Vec<ExistingPlacement> {
    let used = packed.places.iter().filter(|place| !place.pods.is_empty());
    let placements = used.map(|place| ExistingPlacement {
        node: place.id.clone(),
        pods: place
            .pods
            .iter()
            .map(|pod| input.pending[pod.0].key.clone())
            .collect(),
    });
    let mut placements: Vec<_> = placements.collect();
    placements.sort_by(|a, b| a.node.cmp(&b.node));
    placements
}

fn unplaced(input: &PlanInput, packed: Packed<'_>) -> Vec<Unplaced> {
    let unplaced = packed.unplaced.into_iter().map(|(pod, reason)| Unplaced {
        pod: input.pending[pod.0].key.clone(),
        reason,
    });
    let mut unplaced: Vec<_> = unplaced.collect();
    unplaced.sort_by(|a, b| a.pod.cmp(&b.pod));
    unplaced
}

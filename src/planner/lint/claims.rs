//! New claims: each by itself, and all of them against the limits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::node::{overhead, satisfies, untolerated};
use super::{Contradiction, LintFinding, sum};
use crate::cluster::NodeState;
use crate::model::catalog::{InstanceType, Offering};
use crate::model::id::{PodKey, TypeName};
use crate::model::labels::{LabelValue, keys};
use crate::model::pod::Pod;
use crate::model::pool::{NodePool, PoolUsable};
use crate::model::requirement::{Requirement, Requirements, ValueSet};
use crate::model::resources::{ResourceName, Resources};
use crate::planner::{Plan, PlanInput, PlannedClaim};

/// The most types that the requirements of a claim may name (Karpenter's `MaxInstanceTypes`).
const TYPES_MAX: usize = 600;

/// What is wrong with the claims.
pub(super) fn findings(
    input: &PlanInput,
    plan: &Plan,
    pods: &BTreeMap<&PodKey, &Arc<Pod>>,
) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    for claim in &plan.claims {
        let pods: Vec<&Pod> = claim.pods.iter().map(|key| &**pods[key]).collect();
        match input.snapshot.pools.get(&claim.pool) {
            Some(pool) if may_buy(pool) => check(input, pool, claim, &pods, &mut findings),
            Some(_) | None => findings.push(LintFinding::NoPool {
                pool: claim.pool.clone(),
            }),
        }
    }
    findings.extend(over_limits(input, plan));
    findings
}

/// Whether the pool may be used.
pub(super) fn may_buy(pool: &NodePool) -> bool {
    pool.usable == PoolUsable::Yes && pool.deleting.is_none()
}

/// The offerings of a type that are for sale where these requirements allow.
pub(super) fn sales<'a>(
    input: &'a PlanInput,
    it: &'a InstanceType,
    requirements: &'a Requirements,
) -> impl Iterator<Item = &'a Offering> {
    it.offerings.iter().filter(move |offering| {
        let sold_out = input.sold_out.contains(&offering.key(&it.name), input.now);
        let allowed = requirements.intersects(&offering.requirements).is_ok();
        offering.available && allowed && !sold_out
    })
}

fn check(
    input: &PlanInput,
    pool: &NodePool,
    claim: &PlannedClaim,
    pods: &[&Pod],
    findings: &mut Vec<LintFinding>,
) {
    let Some(first) = claim.pods.first() else {
        let nobody = PodKey::new("", "");
        let what = Contradiction::NoPods;
        return findings.push(LintFinding::Contradiction { pod: nobody, what });
    };
    findings.extend(pods.iter().filter_map(|pod| {
        Some(LintFinding::Untolerated {
            pod: pod.key.clone(),
            taint: untolerated(pod, &claim.spec.taints)?.clone(),
        })
    }));
    let load = sum(pods.iter().map(|pod| pod.scheduling.resources()));
    let mut types = Vec::new();
    for name in &claim.instance_types {
        match input.catalog.instance_type(&claim.pool, name) {
            Some(it) if is_for_sale(input, pool, claim, it) => types.push(it),
            Some(_) | None => findings.push(LintFinding::NotForSale {
                pool: claim.pool.clone(),
                instance_type: name.clone(),
            }),
        }
    }
    for it in &types {
        let taken = sum([&load, &overhead(&input.snapshot, pool, it)]);
        let shortfall = taken.first_shortfall(&it.allocatable());
        findings.extend(shortfall.map(|shortfall| LintFinding::Overfull {
            place: it.name.to_string(),
            shortfall,
        }));
        let wrong = pods.iter().filter(|pod| !satisfies(&claim.spec, it, pod));
        findings.extend(wrong.map(|pod| LintFinding::Labels {
            pod: pod.key.clone(),
            place: it.name.to_string(),
        }));
    }
    let faults = [
        (
            claim.spec.taints != pool.template.taints,
            Contradiction::Taints,
        ),
        (!types_agree(input, claim, &types), Contradiction::Types),
        (!has_variety(claim, &types), Contradiction::MinValues),
        (
            !requests_agree(claim, &load, &types),
            Contradiction::Requests,
        ),
        (!is_cheapest(input, claim, &types), Contradiction::Cheapest),
    ];
    let faults = faults.into_iter().filter(|(is_fault, _)| *is_fault);
    findings.extend(faults.map(|(_, what)| LintFinding::Contradiction {
        pod: first.clone(),
        what,
    }));
}

fn is_for_sale(
    input: &PlanInput,
    pool: &NodePool,
    claim: &PlannedClaim,
    it: &InstanceType,
) -> bool {
    let asked = &claim.spec.requirements;
    let pool_allows = pool
        .template
        .requirements
        .intersects(&it.requirements)
        .is_ok();
    pool_allows
        && asked.intersects(&it.requirements).is_ok()
        && sales(input, it, asked).next().is_some()
}

fn types_agree(input: &PlanInput, claim: &PlannedClaim, types: &[&Arc<InstanceType>]) -> bool {
    let asked = claim.spec.requirements.get(keys::INSTANCE_TYPE);
    let listed: BTreeSet<&str> = claim.instance_types.iter().map(TypeName::as_str).collect();
    let named = match asked.map(|it| &it.values) {
        Some(ValueSet::Only(values)) => values.iter().map(LabelValue::as_str).collect(),
        Some(ValueSet::AllBut { .. }) | None => BTreeSet::new(),
    };
    let rank = |it: &Arc<InstanceType>| {
        sales(input, it, &claim.spec.requirements)
            .map(|offering| offering.rank)
            .min()
    };
    listed == named && listed.len() <= TYPES_MAX && types.is_sorted_by_key(|it| rank(it))
}

fn has_variety(claim: &PlannedClaim, types: &[&Arc<InstanceType>]) -> bool {
    let enough = |asked: &Requirement| {
        let Some(least) = asked.min_values else {
            return true;
        };
        let key = asked.key.as_str();
        let known = types.iter().filter_map(|it| it.requirements.get(key));
        let values: BTreeSet<&str> = known
            .flat_map(|it| match &it.values {
                ValueSet::Only(values) => values.iter().map(LabelValue::as_str).collect(),
                ValueSet::AllBut { .. } => Vec::new(),
            })
            .collect();
        u32::try_from(values.len()).is_ok_and(|count| count >= least)
    };
    claim.spec.requirements.iter().all(enough)
}

fn requests_agree(claim: &PlannedClaim, load: &Resources, types: &[&Arc<InstanceType>]) -> bool {
    let requests = &claim.spec.requests;
    load.fits_in(requests) && types.iter().all(|it| requests.fits_in(&it.allocatable()))
}

fn is_cheapest(input: &PlanInput, claim: &PlannedClaim, types: &[&Arc<InstanceType>]) -> bool {
    let offering = &claim.cheapest.offering;
    let named = types.iter().find(|it| it.name == offering.instance_type);
    let all = types
        .iter()
        .flat_map(|it| sales(input, it, &claim.spec.requirements));
    let best = all.map(|it| it.rank).min();
    let sold = named.and_then(|it| {
        let mut sales = sales(input, it, &claim.spec.requirements);
        sales.find(|sale| sale.key(&it.name) == *offering)
    });
    sold.is_some_and(|it| Some(it.rank) == best && it.price == claim.cheapest.price)
}

/// Whatever is bought for each claim, the limits have to hold.
fn over_limits(input: &PlanInput, plan: &Plan) -> Vec<LintFinding> {
    let buying: BTreeSet<_> = plan.claims.iter().map(|claim| &claim.pool).collect();
    let pools = buying
        .iter()
        .filter_map(|name| input.snapshot.pools.get(*name));
    let over = pools.filter_map(|pool| {
        let held = input.snapshot.nodes_of(&pool.name);
        let held = held.map(|(_, state)| most_held(input, state));
        let new = plan.claims.iter().filter(|claim| claim.pool == pool.name);
        let new = new.map(|claim| {
            let types = claim.instance_types.iter();
            most(types.filter_map(|name| input.catalog.instance_type(&pool.name, name)))
        });
        let all: Vec<Resources> = held.chain(new).collect();
        let mut used = sum(&all);
        let nodes = i64::try_from(all.len()).unwrap_or(i64::MAX);
        used.set(&ResourceName::NODES, nodes);
        let shortfall = pool.limits.first_exceeded(&used)?;
        let pool = pool.name.clone();
        Some(LintFinding::OverLimit { pool, shortfall })
    });
    over.collect()
}

fn most_held(input: &PlanInput, state: &NodeState) -> Resources {
    if let Some(capacity) = state.capacity() {
        return capacity;
    }
    let Some(claim) = state.claim() else {
        return Resources::ZERO;
    };
    let types = input.catalog.of(&claim.spec.pool).iter();
    let asked = &claim.spec.requirements;
    let types = types.filter(|it| {
        asked.allows(keys::INSTANCE_TYPE, it.name.as_str())
            && asked.intersects(&it.requirements).is_ok()
    });
    most(types).max(&claim.spec.requests)
}

fn most<'a>(types: impl Iterator<Item = &'a Arc<InstanceType>>) -> Resources {
    types.fold(Resources::ZERO, |most, it| most.max(&it.capacity))
}

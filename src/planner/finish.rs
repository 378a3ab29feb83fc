//! From packed drafts to the claims of the plan.

use std::collections::BTreeMap;

use super::PlanInput;
use super::bitset::BitSet;
use super::draft::Draft;
use super::limits::Room;
use super::market::{Goods, Market, open_offerings};
use super::overhead::{least, total};
use super::pack::{Opened, Packed};
use super::plan_types::{Cheapest, PlannedClaim};
use crate::model::catalog::{InstanceType, Offering};
use crate::model::claim::ClaimSpec;
use crate::model::id::{PoolName, TypeName};
use crate::model::labels::{is_well_known, keys};
use crate::model::requirement::{Requirement, Requirements, ValueSet};
use crate::model::resources::Resources;

/// The most instance types that a claim names, as in Karpenter (`MaxInstanceTypes`).
const INSTANCE_TYPES_MAX: usize = 600;

/// The claims in the order of the plan.
pub(super) fn claims(input: &PlanInput, packed: &mut Packed<'_>) -> Vec<PlannedClaim> {
    let opened = std::mem::take(&mut packed.opened);
    let mut waiting: BTreeMap<PoolName, i64> = BTreeMap::new();
    for it in &opened {
        *waiting.entry(it.pool.clone()).or_default() += 1;
    }
    let mut claims: Vec<PlannedClaim> = opened
        .into_iter()
        .map(|it| {
            let sharers = waiting.get_mut(&it.pool).expect("every pool was counted");
            let claim = finished(input, packed, &it, *sharers);
            *sharers -= 1;
            claim
        })
        .collect();
    claims.sort_by(|a, b| {
        let by_pool = a.pool.cmp(&b.pool);
        let by_price = b.cheapest.price.cmp(&a.cheapest.price);
        by_pool.then(by_price).then_with(|| a.pods.cmp(&b.pods))
    });
    claims
}

fn finished(
    input: &PlanInput,
    packed: &mut Packed<'_>,
    opened: &Opened,
    sharers: i64,
) -> PlannedClaim {
    let known = "every pool of the snapshot has a market and a room";
    let market = packed.markets.get(&opened.pool).expect(known);
    let room = packed.rooms.get_mut(&opened.pool).expect(known);
    let draft = &opened.draft;
    let kept = widened(market, room, draft, sharers);
    let sales = by_price(input, market, draft, &kept);
    let (first, offering) = sales
        .first()
        .expect("a draft keeps a type that is for sale");
    let cheapest = Cheapest {
        offering: offering.key(&first.instance_type.name),
        price: offering.price,
    };
    let goods: Vec<&Goods> = sales.iter().map(|(goods, _)| *goods).collect();
    PlannedClaim {
        pool: opened.pool.clone(),
        pods: draft
            .pods
            .iter()
            .map(|pod| input.pending[pod.0].key.clone())
            .collect(),
        spec: spec(input, market, draft, &goods),
        instance_types: goods
            .iter()
            .map(|it| it.instance_type.name.clone())
            .collect(),
        cheapest,
    }
}

/// The types of a draft that the limits allow. What its core reserved is sure; what is left in the
/// room is dealt out evenly among the claims of the pool, so that whatever is bought for each of
/// them, the limits hold.
fn widened(market: &Market<'_>, room: &mut Room<'_>, draft: &Draft, sharers: i64) -> BitSet {
    let bounds = room.share(&draft.reserved, sharers);
    let mut kept = draft.types.clone();
    kept.retain(|index| {
        bounds
            .first_exceeded(&market.types[index].counted)
            .is_none()
    });
    room.release(&draft.reserved);
    let counted = kept.iter().map(|index| &market.types[index].counted);
    room.take(&counted.fold(Resources::ZERO, |most, it| most.max(it)));
    kept
}

/// The types by the cheapest offering that the claim allows, as many as it may name. Those that
/// `minValues` rests on are among them.
fn by_price<'m>(
    input: &'m PlanInput,
    market: &'m Market<'_>,
    draft: &'m Draft,
    kept: &BitSet,
) -> Vec<(&'m Goods, &'m Offering)> {
    let mut sales: Vec<(usize, &Goods, &Offering)> = kept
        .iter()
        .filter_map(|index| {
            let goods = &market.types[index];
            let cheapest = cheapest(input, &goods.instance_type, &draft.requirements)?;
            Some((index, goods, cheapest))
        })
        .collect();
    sales.sort_by_key(|(_, goods, offering)| (offering.rank, &goods.instance_type.name));
    let mut spare = INSTANCE_TYPES_MAX.saturating_sub(draft.core.len());
    sales.retain(|(index, _, _)| {
        let is_spare = !draft.core.contains(index);
        let stays = !is_spare || spare > 0;
        spare -= usize::from(is_spare && stays);
        stays
    });
    let sales = sales.into_iter();
    sales
        .map(|(_, goods, offering)| (goods, offering))
        .collect()
}

fn cheapest<'m>(
    input: &'m PlanInput,
    instance_type: &'m InstanceType,
    requirements: &'m Requirements,
) -> Option<&'m Offering> {
    let open = open_offerings(instance_type, requirements, &input.sold_out, input.now);
    open.min_by_key(|it| (it.rank, it.capacity_type, &it.zone))
}

fn spec(input: &PlanInput, market: &Market<'_>, draft: &Draft, goods: &[&Goods]) -> ClaimSpec {
    let template = &market.template.pool.template;
    let overhead = goods.iter().map(|goods| goods.overhead.clone());
    let overhead = overhead.reduce(|one, other| least(&one, &other));
    let settled = |key: &str| is_well_known(key) || market.settles(key) || key == keys::HOSTNAME;
    ClaimSpec {
        pool: market.template.pool.name.clone(),
        node_class: template.node_class.clone(),
        labels: market.template.labels_of(&draft.requirements, settled),
        requirements: requirements(input, draft, goods),
        requests: total([&draft.load, &overhead.unwrap_or_default()]),
        taints: template.taints.clone(),
        startup_taints: template.startup_taints.clone(),
        annotations: market.template.annotations(),
        expire_after: template.expire_after,
        termination_grace: template.termination_grace,
    }
}

/// What the claim asks for: what was packed, with the types by name, and of zones and capacity
/// types those where one of them is for sale.
fn requirements(input: &PlanInput, draft: &Draft, goods: &[&Goods]) -> Requirements {
    let mut requirements = draft.requirements.clone();
    requirements.remove(keys::HOSTNAME);
    let types = goods.iter().map(|goods| &goods.instance_type);
    let offerings: Vec<&Offering> = types
        .clone()
        .flat_map(|it| open_offerings(it, &draft.requirements, &input.sold_out, input.now))
        .collect();
    let zones = offerings.iter().map(|it| it.zone.as_str());
    let capacity_types = offerings.iter().map(|it| it.capacity_type.as_str());
    let names = types.map(|it| TypeName::as_str(&it.name));
    for (key, set) in [
        (keys::INSTANCE_TYPE, ValueSet::only(names)),
        (keys::ZONE, ValueSet::only(zones)),
        (keys::CAPACITY_TYPE, ValueSet::only(capacity_types)),
    ] {
        requirements.add(Requirement::of(key, set));
    }
    requirements
}

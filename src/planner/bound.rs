//! A lower bound on what new machines cost, and its proof.
//!
//! Whoever buys machines for a demand of one resource pays for each unit at least what the
//! offering with the most of it for its price takes. That holds for every packing and every
//! resource, so the greatest of these bounds holds too.

use std::collections::BTreeMap;

use super::PlanInput;
use super::market::{Market, open_offerings};
use super::overhead::total;
use super::pack::Packed;
use super::plan_types::{Certificate, Dual};
use super::template::unusable;
use crate::model::id::PoolName;
use crate::model::price::Price;
use crate::model::resources::{ResourceName, Resources};

/// What the demand of the pods on new claims costs at least, and why.
pub(super) fn bound(input: &PlanInput, packed: &Packed<'_>) -> (Price, Certificate) {
    let demand = total(packed.opened.iter().map(|opened| &opened.draft.load));
    let offers = offers(input, &packed.markets);
    let duals = demand.iter().filter(|(_, amount)| *amount > 0);
    let duals = duals.filter_map(|(name, amount)| dual(&offers, name, amount));
    // The first resource wins among equals.
    let best = duals.reduce(|best, dual| {
        if dual.bound() > best.bound() {
            dual
        } else {
            best
        }
    });
    match best {
        None => (Price::ZERO, Certificate::default()),
        Some(dual) => (dual.bound(), Certificate { duals: vec![dual] }),
    }
}

/// The cheapest price of each type of each pool, and what it leaves for pods.
fn offers<'m>(
    input: &PlanInput,
    markets: &'m BTreeMap<PoolName, Market<'_>>,
) -> Vec<(Price, &'m Resources)> {
    let usable = |market: &&Market<'_>| unusable(market.template.pool).is_none();
    let goods = markets.values().filter(usable).flat_map(|market| {
        let goods = market.allowed.iter().map(|index| &market.types[index]);
        goods.map(|goods| (&market.template.requirements, goods))
    });
    let offers = goods.filter_map(|(requirements, goods)| {
        let it = &goods.instance_type;
        let open = open_offerings(it, requirements, &input.sold_out, input.now);
        let price = open.map(|offering| offering.price).min()?;
        Some((price, &goods.usable))
    });
    offers.collect()
}

fn dual(offers: &[(Price, &Resources)], resource: ResourceName, demand: i64) -> Option<Dual> {
    let useful = offers
        .iter()
        .filter(|(_, usable)| usable.get(&resource) > 0);
    let cost = |(price, usable): &(Price, &Resources), other: &(Price, &Resources)| {
        i128::from(price.as_micros()) * i128::from(other.1.get(&resource))
            - i128::from(other.0.as_micros()) * i128::from(usable.get(&resource))
    };
    let (price, usable) = *useful.min_by(|a, b| cost(a, b).cmp(&0))?;
    let per_units = usable.get(&resource);
    Some(Dual {
        resource,
        demand,
        price,
        per_units,
    })
}

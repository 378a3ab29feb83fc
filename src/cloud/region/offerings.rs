//! Where a type is sold, and for how much.

use std::collections::BTreeMap;

use crate::model::catalog::{CapacityType, Offering};
use crate::model::id::{TypeName, ZoneName};
use crate::model::labels::keys;
use crate::model::node_class::NodeClass;
use crate::model::price::{Price, PriceError, rank_prices};
use crate::model::requirement::Requirement;

use super::RegionError;
use super::availability;
use super::facts::{PriceOrigin, Priced, RegionFile, TypeFacts, Zone};
use super::labels;

/// One way to buy a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) zone: ZoneName,
    pub(super) zone_id: String,
    pub(super) capacity_type: CapacityType,
    pub(super) price: Price,
    pub(super) origin: PriceOrigin,
    pub(super) rank: u32,
}

/// The ways to buy each type. Prices are ranked among all of the region, so that offerings of
/// different types compare.
pub(super) fn sales(file: &RegionFile) -> Result<BTreeMap<TypeName, Vec<Sale>>, RegionError> {
    let mut sales = Vec::new();
    let mut texts = Vec::new();
    for (index, facts) in file.types.iter().enumerate() {
        let name = TypeName::from(facts.name.as_str());
        for price in facts.prices() {
            let sale = sale(&file.zones, price).map_err(|source| {
                let field = format!("types[{index}].{}", price.field());
                RegionError::Price { field, source }
            })?;
            sales.push((name.clone(), sale));
            texts.push(price.quote.text());
        }
    }
    let ranks = rank_prices(&texts).expect("every text has been read as a price");
    let mut by_type: BTreeMap<TypeName, Vec<Sale>> = BTreeMap::new();
    for ((name, sale), rank) in sales.into_iter().zip(ranks) {
        by_type.entry(name).or_default().push(Sale { rank, ..sale });
    }
    for sales in by_type.values_mut() {
        sales.sort_by(|a, b| (&a.zone, a.capacity_type).cmp(&(&b.zone, b.capacity_type)));
    }
    Ok(by_type)
}

/// A sale whose rank is not known yet.
fn sale(zones: &[Zone], priced: Priced<'_>) -> Result<Sale, PriceError> {
    Ok(Sale {
        zone: zone_name(zones, priced.zone),
        zone_id: priced.zone.to_owned(),
        capacity_type: priced.usage_class.capacity_type(),
        price: Price::parse_decimal(priced.quote.text())?,
        origin: priced.quote.origin(),
        rank: 0,
    })
}

fn zone_name(zones: &[Zone], id: &str) -> ZoneName {
    let zone = zones.iter().find(|zone| zone.id == id);
    zone.expect("the zones of offerings have been checked")
        .name
        .as_str()
        .into()
}

/// What is sold of this type to this class. A zone that the class has no subnet in stays listed,
/// because machines that run there already have a price.
pub(super) fn offerings(facts: &TypeFacts, sales: &[Sale], class: &NodeClass) -> Vec<Offering> {
    let starts = availability::starts(facts, class.ami_family);
    let offering = |sale: &Sale| {
        let Sale {
            zone,
            zone_id,
            capacity_type,
            price,
            origin: _,
            rank,
        } = sale;
        let mut offering = Offering::new(zone.clone(), *capacity_type, *price, *rank);
        let zone_id = Requirement::one_of(keys::ZONE_ID, [zone_id.as_str()]);
        offering.requirements.add(zone_id);
        offering.requirements.extend(labels::no_reservation());
        offering.available = starts && (class.zones.is_empty() || class.zones.contains(zone));
        offering
    };
    sales.iter().map(offering).collect()
}

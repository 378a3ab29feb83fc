//! Where a type is sold, and for how much.

use std::collections::BTreeMap;

use crate::model::catalog::{CapacityType, Offering};
use crate::model::id::{TypeName, ZoneName};
use crate::model::labels::keys;
use crate::model::node_class::{AmiFamily, NodeClass};
use crate::model::price::{Price, PriceError, rank_prices};
use crate::model::requirement::Requirement;

use super::RegionError;
use super::facts::{PriceText, RegionFile, TypeFacts, Zone, ZoneOffering};
use super::labels;

/// One way to buy a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) zone: ZoneName,
    pub(super) zone_id: String,
    pub(super) capacity_type: CapacityType,
    pub(super) price: Price,
    pub(super) rank: u32,
}

/// The ways to buy each type. Prices are ranked among all of the region, so that offerings of
/// different types compare.
pub(super) fn sales(file: &RegionFile) -> Result<BTreeMap<TypeName, Vec<Sale>>, RegionError> {
    let mut sales = Vec::new();
    let mut texts = Vec::new();
    for (index, facts) in file.types.iter().enumerate() {
        for (place, offered) in facts.offerings.iter().enumerate() {
            for price in offered.prices() {
                let sale = sale(&file.zones, offered, price).map_err(|source| {
                    let field = format!("types[{index}].offerings[{place}].{}", price.field);
                    RegionError::Price { field, source }
                })?;
                sales.push((TypeName::from(facts.name.as_str()), sale));
                texts.push(price.text);
            }
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
fn sale(zones: &[Zone], offered: &ZoneOffering, price: PriceText<'_>) -> Result<Sale, PriceError> {
    Ok(Sale {
        zone: zone_name(zones, &offered.zone),
        zone_id: offered.zone.clone(),
        capacity_type: price.usage_class.capacity_type(),
        price: Price::parse_decimal(price.text)?,
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
    let boots = boots(facts, class.ami_family);
    let offering = |sale: &Sale| {
        let Sale {
            zone,
            zone_id,
            capacity_type,
            price,
            rank,
        } = sale;
        let mut offering = Offering::new(zone.clone(), *capacity_type, *price, *rank);
        let zone_id = Requirement::one_of(keys::ZONE_ID, [zone_id.as_str()]);
        offering.requirements.add(zone_id);
        offering.requirements.extend(labels::no_reservation());
        offering.available = boots && (class.zones.is_empty() || class.zones.contains(zone));
        offering
    };
    sales.iter().map(offering).collect()
}

/// Amazon Linux 2023 does not support the first Graviton machines (Amazon Linux documentation,
/// "System requirements").
fn boots(facts: &TypeFacts, family: AmiFamily) -> bool {
    match family {
        AmiFamily::Al2023 => !facts.name.starts_with("a1."),
        AmiFamily::Al2
        | AmiFamily::Bottlerocket
        | AmiFamily::Windows2019
        | AmiFamily::Windows2022
        | AmiFamily::Windows2025
        | AmiFamily::Custom => true,
    }
}

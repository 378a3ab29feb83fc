//! Where a type is sold, and for how much.

use crate::model::catalog::{CapacityType, Offering};
use crate::model::id::ZoneName;
use crate::model::labels::keys;
use crate::model::node_class::{AmiFamily, NodeClass};
use crate::model::price::Price;
use crate::model::requirement::Requirement;

use super::facts::{TypeFacts, UsageClass, ZoneOffering};
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

/// The prices of a zone, with the field that each is written in.
pub(super) fn prices(
    offered: &ZoneOffering,
) -> impl Iterator<Item = (CapacityType, UsageClass, &'static str, &str)> {
    let spot = offered.spot.as_deref();
    let on_demand = offered.on_demand.as_deref();
    [
        (CapacityType::Spot, UsageClass::Spot, "spot", spot),
        (
            CapacityType::OnDemand,
            UsageClass::OnDemand,
            "onDemand",
            on_demand,
        ),
    ]
    .into_iter()
    .filter_map(|(capacity_type, class, field, price)| Some((capacity_type, class, field, price?)))
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

//! Which offerings a launch may use.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::market::open_offerings;
use super::template::Variety;
use crate::model::catalog::{CapacityType, Catalog, InstanceType, OfferingKey, SoldOut};
use crate::model::claim::ClaimSpec;
use crate::model::id::TypeName;
use crate::model::labels::keys;
use crate::model::price::Price;
use crate::model::requirement::Requirements;
use crate::model::resources::ResourceName;
use crate::model::time::Timestamp;

/// The most instance types in one fleet request, as in Karpenter's AWS provider.
const INSTANCE_TYPES_MAX: usize = 60;

/// Resources of machines that are too dear for pods that do not ask for them.
const EXOTIC: [&str; 5] = [
    "nvidia.com/gpu",
    "amd.com/gpu",
    "aws.amazon.com/neuron",
    "aws.amazon.com/neuroncore",
    "habana.ai/gaudi",
];

/// An offering that a launch may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Its place among all offerings by the price as written.
    pub rank: u32,
    /// The offering.
    pub offering: OfferingKey,
    /// Its price.
    pub price: Price,
}

/// The offerings that a launch of this claim may use now, the cheapest first; none if nothing is
/// left or what is left breaks `minValues`.
///
/// As Karpenter's AWS provider does, and unless the claim has `minValues`, bare metal and
/// accelerators are left out where a plain machine will do, and spot where it is dearer than the
/// cheapest on-demand offering.
pub fn launchable(
    spec: &ClaimSpec,
    catalog: &Catalog,
    sold_out: &SoldOut,
    now: Timestamp,
) -> Vec<Ranked> {
    let suits = |it: &&Arc<InstanceType>| {
        spec.requirements
            .allows(keys::INSTANCE_TYPE, it.name.as_str())
            && spec.requirements.intersects(&it.requirements).is_ok()
            && spec.requests.fits_in(&it.allocatable())
    };
    let mut types: Vec<&InstanceType> = catalog
        .of(&spec.pool)
        .iter()
        .filter(suits)
        .map(AsRef::as_ref)
        .filter(|it| {
            open_offerings(it, &spec.requirements, sold_out, now)
                .next()
                .is_some()
        })
        .collect();
    let has_min_values = spec.requirements.iter().any(|it| it.min_values.is_some());
    if !has_min_values {
        drop_exotic(&mut types);
    }
    let open = types.iter().flat_map(|it| {
        let open = open_offerings(it, &spec.requirements, sold_out, now);
        open.map(|offering| Ranked {
            rank: offering.rank,
            offering: offering.key(&it.name),
            price: offering.price,
        })
    });
    let mut ranked: Vec<Ranked> = open.collect();
    ranked.sort_by(|a, b| (a.rank, &a.offering).cmp(&(b.rank, &b.offering)));
    if !has_min_values {
        drop_dear_spot(&mut ranked);
    }
    truncate(&mut ranked);
    if keeps_min_values(&spec.requirements, &types, &ranked) {
        ranked
    } else {
        Vec::new()
    }
}

fn drop_exotic(types: &mut Vec<&InstanceType>) {
    let is_exotic = |it: &InstanceType| {
        let metal = it
            .name
            .as_str()
            .split('.')
            .any(|part| part.starts_with("metal"));
        let named = EXOTIC.map(ResourceName::from);
        metal || named.iter().any(|name| it.capacity.get(name) > 0)
    };
    if types.iter().any(|it| !is_exotic(it)) {
        types.retain(|it| !is_exotic(it));
    }
}

fn drop_dear_spot(ranked: &mut Vec<Ranked>) {
    let on_demand = |it: &&Ranked| it.offering.capacity_type == CapacityType::OnDemand;
    let Some(cheapest) = ranked.iter().find(on_demand).map(|it| it.rank) else {
        return;
    };
    ranked.retain(|it| it.offering.capacity_type != CapacityType::Spot || it.rank <= cheapest);
}

/// Keeps the offerings of the cheapest types.
fn truncate(ranked: &mut Vec<Ranked>) {
    let mut kept: BTreeSet<TypeName> = BTreeSet::new();
    ranked.retain(|it| {
        let name = &it.offering.instance_type;
        let stays = kept.contains(name) || kept.len() < INSTANCE_TYPES_MAX;
        if stays {
            kept.insert(name.clone());
        }
        stays
    });
}

fn keeps_min_values(asked: &Requirements, types: &[&InstanceType], ranked: &[Ranked]) -> bool {
    let named: BTreeSet<&TypeName> = ranked.iter().map(|it| &it.offering.instance_type).collect();
    let mut variety = Variety::new(asked);
    for it in types.iter().filter(|it| named.contains(&it.name)) {
        variety.count(&it.requirements);
    }
    variety.is_met()
}

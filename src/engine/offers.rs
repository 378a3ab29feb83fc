//! What a launch group buys next, and what its claims may come to count at most.

use super::effect::RankedOffering;
use crate::model::catalog::{CapacityType, Catalog, InstanceType, SoldOut};
use crate::model::claim::ClaimSpec;
use crate::model::labels::keys;
use crate::model::resources::{ResourceName, Resources};
use crate::model::time::Timestamp;
use crate::planner::offering;

/// The offerings of the preferred capacity type among those that can be bought at present, the
/// cheapest first; none when nothing is left.
pub(super) fn next(
    spec: &ClaimSpec,
    catalog: &Catalog,
    sold_out: &SoldOut,
    now: Timestamp,
) -> Option<(CapacityType, Vec<RankedOffering>)> {
    let all = offering::launchable(spec, catalog, sold_out, now);
    let preferred = all.iter().map(|it| it.offering.capacity_type).min()?;
    let chosen = all.into_iter();
    let chosen = chosen.filter(|it| it.offering.capacity_type == preferred);
    let ranked = chosen.map(|it| RankedOffering {
        key: it.offering,
        price: it.price,
    });
    Some((preferred, ranked.collect()))
}

/// The most that a claim without machine may come to count against its pool's limits: of each
/// resource what the largest of its types has.
pub(super) fn largest(spec: &ClaimSpec, catalog: &Catalog) -> Resources {
    let types = catalog.of(&spec.pool).iter();
    let allowed = types.filter(|it| allows(spec, it));
    let largest = allowed.fold(Resources::ZERO, |most, it| most.max(&it.capacity));
    largest.with(&ResourceName::NODES, 1)
}

fn allows(spec: &ClaimSpec, instance_type: &InstanceType) -> bool {
    let name = instance_type.name.as_str();
    spec.requirements.allows(keys::INSTANCE_TYPE, name)
}

//! Which types a pool or class may have, the cheapest first.

use std::fmt;
use std::sync::Arc;

use tidewright::cloud::region::{Region, Unavailable};
use tidewright::model::catalog::{InstanceType, Offering};
use tidewright::model::node_class::NodeClass;
use tidewright::model::pool::NodePool;

/// How much of the catalogue is listed.
#[derive(Clone, Debug)]
pub enum Scope {
    /// What this pool may buy.
    Pool(Box<NodePool>),
    /// What any pool of the class may buy.
    Class,
    /// That, and what cannot be bought.
    Everything,
}

/// Instance types as nodes of one class are.
#[derive(Clone, Debug)]
pub struct Listing {
    /// What can be bought by ascending price, then the rest by name.
    pub types: Vec<Listed>,
}

/// One instance type.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The type with those of its offerings that are listed.
    pub instance_type: InstanceType,
    /// Why it cannot be bought, if so.
    pub unavailable: Option<Because>,
}

/// Why a type is never bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The region or the class rules it out.
    Unavailable(Unavailable),
    /// The node would keep more for itself than there is.
    NothingLeft,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => why.fmt(f),
            Self::NothingLeft => f.write_str("the node keeps more than it has"),
        }
    }
}

/// Lists the types of a region as nodes of a class.
pub fn list(region: &Region, class: &NodeClass, scope: &Scope) -> Listing {
    let types = region.instance_types(class).into_iter();
    let mut types: Vec<Listed> = types
        .filter_map(|it| {
            let unavailable = unavailable(region, class, &it);
            listed(it, unavailable, scope)
        })
        .collect();
    // A price is a rank among all prices of the region; equal ones are told apart by name.
    let place = |it: &Listed| {
        let cheapest = it.for_sale().map(|offering| offering.rank).min();
        (cheapest.is_none(), cheapest, it.instance_type.name.clone())
    };
    types.sort_by_cached_key(place);
    Listing { types }
}

impl Listed {
    /// The offerings that can be bought.
    pub fn for_sale(&self) -> impl Iterator<Item = &Offering> {
        let offerings = self.instance_type.offerings.iter();
        offerings.filter(|offering| offering.available)
    }
}

/// The type with the offerings that belong to the scope; nothing if it does not belong there.
fn listed(whole: Arc<InstanceType>, unavailable: Option<Because>, scope: &Scope) -> Option<Listed> {
    let mut instance_type = Arc::unwrap_or_clone(whole);
    if unavailable.is_some() {
        for offering in &mut instance_type.offerings {
            offering.available = false;
        }
    }
    match scope {
        Scope::Everything => {}
        Scope::Class => instance_type.offerings.retain(|it| it.available),
        Scope::Pool(pool) => {
            let asked = &pool.template.requirements;
            asked.intersects(&instance_type.requirements).ok()?;
            let allows = |it: &Offering| asked.intersects(&it.requirements).is_ok();
            instance_type
                .offerings
                .retain(|it| it.available && allows(it));
        }
    }
    let belongs = match scope {
        Scope::Everything => true,
        Scope::Class | Scope::Pool(_) => !instance_type.offerings.is_empty(),
    };
    belongs.then_some(Listed {
        instance_type,
        unavailable,
    })
}

/// A node that keeps more than it has is refused by the planner too: nothing could run there.
fn unavailable(
    region: &Region,
    class: &NodeClass,
    instance_type: &InstanceType,
) -> Option<Because> {
    if let Some(why) = region.unavailable(&instance_type.name, class) {
        return Some(Because::Unavailable(why));
    }
    let allocatable = instance_type.allocatable();
    let below_zero = allocatable.iter().any(|(_, amount)| amount < 0);
    below_zero.then_some(Because::NothingLeft)
}

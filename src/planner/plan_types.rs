//! What the planner answers.

use crate::cluster::NodeId;
use crate::model::catalog::OfferingKey;
use crate::model::claim::ClaimSpec;
use crate::model::id::{PodKey, PoolName, TypeName};
use crate::model::price::Price;
use crate::model::reason::Unschedulable;
use crate::model::resources::ResourceName;

/// The answer. Every pending pod occurs exactly once: in a claim, in a placement, or unplaced.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// New machines, by pool, then by cheapest price descending, then by first pod.
    pub claims: Vec<PlannedClaim>,
    /// Pods that fit on what there is or is on its way, by node.
    pub existing: Vec<ExistingPlacement>,
    /// Pods without a place, by name.
    pub unplaced: Vec<Unplaced>,
    /// What the new machines cost per hour at their cheapest offerings.
    pub cost_per_hour: Price,
    /// What any set of new machines for the same pods must cost at least.
    pub bound_per_hour: Price,
    /// Why the bound holds.
    pub certificate: Certificate,
    /// What the answer took.
    pub work: Work,
}

/// A machine to be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedClaim {
    /// The pool.
    pub pool: PoolName,
    /// The pods it is for, in the order they were placed.
    pub pods: Vec<PodKey>,
    /// The claim to be created. Its requirements name the instance types.
    pub spec: ClaimSpec,
    /// The types that all its pods fit on, the cheapest first.
    pub instance_types: Vec<TypeName>,
    /// The cheapest offering.
    pub cheapest: Cheapest,
}

/// An offering and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cheapest {
    /// The offering.
    pub offering: OfferingKey,
    /// Its price.
    pub price: Price,
}

/// Pods placed on something that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingPlacement {
    /// The node or claim.
    pub node: NodeId,
    /// The pods, in the order they were placed.
    pub pods: Vec<PodKey>,
}

/// A pod without a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The pod.
    pub pod: PodKey,
    /// Why.
    pub reason: Unschedulable,
}

/// The proof of the lower bound: a price for each unit of a resource that no offering undercuts.
///
/// If no machine offers `per_units` units of the resource for less than `price`, then machines for
/// a demand of `demand` units cost at least `price` × `demand` / `per_units`. Of several resources
/// each bound holds alone; they do not add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The duals: for each resource that takes part, its unit price and the demand.
    pub duals: Vec<Dual>,
}

/// One resource of a [`Certificate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dual {
    /// The resource.
    pub resource: ResourceName,
    /// How much of it the pods on new machines take.
    pub demand: i64,
    /// Micro-dollars per hour that `per_units` units cost at least.
    pub price: Price,
    /// The number of units of that price.
    pub per_units: i64,
}

impl Dual {
    /// What the demand costs at least, rounded down.
    pub fn bound(&self) -> Price {
        let micros = i128::from(self.price.as_micros()) * i128::from(self.demand.max(0));
        let floor = micros / i128::from(self.per_units.max(1));
        Price::from_micros(u64::try_from(floor).unwrap_or(u64::MAX))
    }

    /// Whether an offering sells the resource for less, so that the bound does not hold.
    pub fn is_undercut_by(&self, price: Price, units: i64) -> bool {
        let theirs = i128::from(price.as_micros()) * i128::from(self.per_units);
        let ours = i128::from(self.price.as_micros()) * i128::from(units);
        theirs < ours
    }
}

/// What an answer took, in counts: the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// One pod class looked at against one place.
    pub evaluations: u64,
    /// Groups of pods that placement cannot tell apart.
    pub classes: u64,
}

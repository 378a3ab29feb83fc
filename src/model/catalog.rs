//! What can be bought: instance types and their offerings.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::id::{PoolName, TypeName, ZoneName};
use super::price::Price;
use super::requirement::{Requirement, Requirements};
use super::resources::Resources;
use super::time::Timestamp;

use super::labels::keys;

/// How a machine is paid for. The order is the order of preference: what is paid for already,
/// then what is cheap, then what is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapacityType {
    /// Out of a capacity reservation.
    Reserved,
    /// Spare capacity that may be taken back.
    Spot,
    /// By the second, for as long as wanted.
    OnDemand,
}

impl CapacityType {
    /// All of them, the preferred ones first.
    pub const ALL: [Self; 3] = [Self::Reserved, Self::Spot, Self::OnDemand];

    /// The capacity type of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// The value of the label `karpenter.sh/capacity-type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
        }
    }
}

impl fmt::Display for CapacityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place where an instance type is sold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offering {
    /// The zone.
    pub zone: ZoneName,
    /// How it is paid for.
    pub capacity_type: CapacityType,
    /// What it costs.
    pub price: Price,
    /// Its place among all offerings of the catalogue by the price as written: prices that round
    /// to the same micro-dollar keep their order. Equal prices share a place.
    pub rank: u32,
    /// Whether it is sold at all at present.
    pub available: bool,
    /// Everything its labels will be, zone and capacity type included.
    pub requirements: Requirements,
}

/// What a node keeps for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overhead {
    /// For the kubelet and the container runtime.
    pub kube_reserved: Resources,
    /// For the operating system.
    pub system_reserved: Resources,
    /// What must stay free, or pods are evicted.
    pub eviction_threshold: Resources,
}

/// A kind of machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceType {
    /// The name.
    pub name: TypeName,
    /// What its labels can be; a label with one value is settled.
    pub requirements: Requirements,
    /// What the machine has.
    pub capacity: Resources,
    /// What of it pods cannot use.
    pub overhead: Overhead,
    /// Where it is sold, by zone and capacity type.
    pub offerings: Vec<Offering>,
}

impl InstanceType {
    /// What pods, those of DaemonSets included, can use. Below zero where a small machine is
    /// promised away entirely: nothing fits there.
    pub fn allocatable(&self) -> Resources {
        let Overhead {
            kube_reserved,
            system_reserved,
            eviction_threshold,
        } = &self.overhead;
        [kube_reserved, system_reserved, eviction_threshold]
            .into_iter()
            .try_fold(self.capacity.clone(), |left, part| left.checked_sub(part))
            .expect("sizes of machines are far from the ends of the range")
    }
}

/// One offering by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferingKey {
    /// How it is paid for.
    pub capacity_type: CapacityType,
    /// The instance type.
    pub instance_type: TypeName,
    /// The zone.
    pub zone: ZoneName,
}

/// `spot m6a.xlarge in us-east-2a`.
impl fmt::Display for OfferingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} in {}",
            self.capacity_type, self.instance_type, self.zone
        )
    }
}

impl Offering {
    /// An offering, with the labels that follow from zone and capacity type.
    pub fn new(zone: ZoneName, capacity_type: CapacityType, price: Price, rank: u32) -> Self {
        let requirements = [
            Requirement::one_of(keys::ZONE, [zone.as_str()]),
            Requirement::one_of(keys::CAPACITY_TYPE, [capacity_type.as_str()]),
        ];
        Self {
            requirements: requirements.into_iter().collect(),
            zone,
            capacity_type,
            price,
            rank,
            available: true,
        }
    }

    /// Its name, as an offering of this type.
    pub fn key(&self, instance_type: &TypeName) -> OfferingKey {
        OfferingKey {
            capacity_type: self.capacity_type,
            instance_type: instance_type.clone(),
            zone: self.zone.clone(),
        }
    }
}

/// The instance types that a pool can use, sorted by name.
pub type InstanceTypes = Arc<[Arc<InstanceType>]>;

/// What every pool can buy. Pools differ, because the size of a node depends on its class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    by_pool: BTreeMap<PoolName, InstanceTypes>,
}

impl Catalog {
    /// Nothing to buy.
    pub const fn new() -> Self {
        Self {
            by_pool: BTreeMap::new(),
        }
    }

    /// Sets what a pool can buy.
    pub fn set(&mut self, pool: PoolName, mut types: Vec<Arc<InstanceType>>) {
        types.sort_by(|a, b| a.name.cmp(&b.name));
        self.by_pool.insert(pool, types.into());
    }

    /// What a pool can buy, sorted by name; nothing for a pool unknown here.
    pub fn of(&self, pool: &PoolName) -> &[Arc<InstanceType>] {
        self.by_pool.get(pool).map_or(&[], |types| types)
    }

    /// One type of a pool.
    pub fn instance_type(&self, pool: &PoolName, name: &TypeName) -> Option<&Arc<InstanceType>> {
        let types = self.of(pool);
        let position = types.binary_search_by(|known| known.name.cmp(name)).ok()?;
        types.get(position)
    }

    /// The price of a machine that runs, whether or not more of its kind are sold.
    pub fn price(&self, pool: &PoolName, key: &OfferingKey) -> Option<Price> {
        let offerings = &self.instance_type(pool, &key.instance_type)?.offerings;
        let same = |offering: &&Offering| {
            offering.zone == key.zone && offering.capacity_type == key.capacity_type
        };
        Some(offerings.iter().find(same)?.price)
    }
}

/// The offerings that a launch found sold out, and until when they are not tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoldOut(BTreeMap<OfferingKey, Timestamp>);

impl SoldOut {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Leaves an offering out until an instant.
    pub fn insert(&mut self, key: OfferingKey, until: Timestamp) {
        self.0.insert(key, until);
    }

    /// Leaves nothing out for longer than until then.
    pub fn shorten(&mut self, until_max: Timestamp) {
        for until in self.0.values_mut() {
            *until = (*until).min(until_max);
        }
    }

    /// Forgets what has passed.
    pub fn expire(&mut self, now: Timestamp) {
        self.0.retain(|_, until| *until > now);
    }

    /// Whether an offering is left out at `now`.
    pub fn contains(&self, key: &OfferingKey, now: Timestamp) -> bool {
        self.until(key, now).is_some()
    }

    /// Until when an offering is left out, if it is at `now`.
    pub fn until(&self, key: &OfferingKey, now: Timestamp) -> Option<Timestamp> {
        self.0.get(key).copied().filter(|until| *until > now)
    }

    /// When the first entry ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// The entries by offering.
    pub fn iter(&self) -> impl Iterator<Item = (&OfferingKey, Timestamp)> {
        self.0.iter().map(|(key, until)| (key, *until))
    }
}

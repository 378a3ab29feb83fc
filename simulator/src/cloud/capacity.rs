//! How many machines the cloud has left.
//!
//! A pool is what one offering is bought from. Rules say how many machines the pools that they
//! match have left; the newest rule that matches speaks, and without one there is no end.

use std::collections::BTreeMap;
use std::fmt;

use tidewright::model::catalog::{CapacityType, OfferingKey};
use tidewright::model::id::stable_hash;
use tidewright::model::time::Timestamp;

/// So many machines are left of the offerings that match; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapacityRule {
    /// How they are paid for.
    pub capacity_type: Option<CapacityType>,
    /// The instance type.
    pub instance_type: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// How many of each; none means as many as anybody wants.
    pub machines: Option<u32>,
}

impl CapacityRule {
    fn matches(&self, key: &OfferingKey) -> bool {
        let same = |asked: &Option<String>, name: &str| asked.as_ref().is_none_or(|it| it == name);
        self.capacity_type.is_none_or(|it| it == key.capacity_type)
            && same(&self.instance_type, key.instance_type.as_str())
            && same(&self.zone, key.zone.as_str())
    }
}

/// `2 machines of spot m6a.xlarge in us-east-2a`.
impl fmt::Display for CapacityRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.machines {
            Some(machines) => write!(f, "{machines} machines of ")?,
            None => f.write_str("any number of machines of ")?,
        }
        let paid = self
            .capacity_type
            .map_or("every kind", CapacityType::as_str);
        let instance_type = self.instance_type.as_deref().unwrap_or("of every type");
        let zone = self.zone.as_deref().unwrap_or("every zone");
        write!(f, "{paid} {instance_type} in {zone}")
    }
}

/// What is left of every pool.
#[derive(Clone, Debug, Default)]
pub(super) struct Capacity {
    rules: Vec<(CapacityRule, BTreeMap<OfferingKey, u32>)>,
    outages: BTreeMap<OfferingKey, Timestamp>,
    closed_zones: BTreeMap<String, Timestamp>,
}

impl Capacity {
    pub(super) fn add(&mut self, rule: CapacityRule) {
        self.rules.push((rule, BTreeMap::new()));
    }

    /// The pool has nothing until `until`.
    pub(super) fn outage(&mut self, key: OfferingKey, until: Timestamp) {
        self.outages.insert(key, until);
    }

    /// The zone has nothing until `until`.
    pub(super) fn close_zone(&mut self, zone: &str, until: Timestamp) {
        self.closed_zones.insert(zone.to_owned(), until);
    }

    /// Whether a machine can be bought from this pool.
    pub(super) fn has(&self, key: &OfferingKey, now: Timestamp) -> bool {
        let zone = self.closed_zones.get(key.zone.as_str());
        let ends = [self.outages.get(key), zone];
        let out = ends.into_iter().flatten().any(|until| *until > now);
        let rule = self.rules.iter().rev().find(|(rule, _)| rule.matches(key));
        let left = rule.is_none_or(|(rule, taken)| {
            let taken = taken.get(key).copied().unwrap_or(0);
            rule.machines.is_none_or(|machines| taken < machines)
        });
        !out && left
    }

    /// A machine was bought from this pool.
    pub(super) fn take(&mut self, key: &OfferingKey) {
        let mut rules = self.rules.iter_mut().rev();
        if let Some((_, taken)) = rules.find(|(rule, _)| rule.matches(key)) {
            *taken.entry(key.clone()).or_default() += 1;
        }
    }

    /// How deep a pool is, 0 for an empty one to 3: what `price-capacity-optimized` looks at.
    /// It is a property of the world and so depends on the seed alone.
    pub(super) fn depth(&self, key: &OfferingKey, seed: u64, now: Timestamp) -> u8 {
        if !self.has(key, now) {
            return 0;
        }
        let seed = seed.to_string();
        let parts = [&seed, key.instance_type.as_str(), key.zone.as_str()];
        match stable_hash(parts) % 10 {
            0 => 1,
            1..=3 => 2,
            _ => 3,
        }
    }
}

//! What a region sells: instance types, their size for a node class, and their offerings.
//!
//! A region is read from a file of facts ([`facts`]) and never asks anybody. It lists every type
//! that EC2 has there; what cannot be bought stays listed with the reason. What a node of a class can
//! be follows from facts and class alone, with the formulas of Karpenter's AWS provider
//! in exact integers. Where Karpenter computes in floating point, its results are up to one
//! mebibyte of memory, or one byte of an eviction threshold, above ours.

mod availability;
mod capacity;
mod check;
pub mod facts;
mod labels;
mod offerings;
mod overhead;
mod reprice;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::catalog::{Catalog, InstanceType, OfferingKey};
use crate::model::claim::Machine;
use crate::model::id::{PoolName, ProviderId, TypeName};
use crate::model::labels::keys;
use crate::model::node_class::NodeClass;
use crate::model::price::Price;
use crate::model::resources::Resources;

use facts::{PriceOrigin, RegionFile, TypeFacts, Zone};
use offerings::Sale;

pub use availability::Unavailable;
pub use check::RegionError;

/// What a region sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    name: String,
    about: BTreeMap<String, String>,
    zones: Vec<Zone>,
    types: BTreeMap<TypeName, Sold>,
}

/// A type and the ways to buy it, by zone and capacity type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sold {
    facts: TypeFacts,
    sales: Vec<Sale>,
}

/// The types of one region as nodes of some classes are, each class once.
#[derive(Clone, Debug, Default)]
pub struct Sizes(Vec<(NodeClass, Vec<Arc<InstanceType>>)>);

impl Sizes {
    fn of(&self, class: &NodeClass) -> Option<Vec<Arc<InstanceType>>> {
        let found = self.0.iter().find(|(known, _)| known == class);
        found.map(|(_, types)| types.clone())
    }

    fn keep(&mut self, class: &NodeClass, types: &[Arc<InstanceType>]) {
        if !self.0.iter().any(|(known, _)| known == class) {
            self.0.push((class.clone(), types.to_vec()));
        }
    }
}

impl Region {
    /// Reads a region; the caller knows the name of the file and adds it to the error.
    pub fn from_json(text: &str) -> Result<Self, RegionError> {
        let file: RegionFile = serde_json::from_str(text).map_err(RegionError::Format)?;
        check::check(&file)?;
        let mut sales = offerings::sales(&file)?;
        let sold = file.types.into_iter().map(|facts| {
            let name = TypeName::from(facts.name.as_str());
            let sales = sales.remove(&name).unwrap_or_default();
            (name, Sold { facts, sales })
        });
        Ok(Self {
            name: file.region,
            about: file.about,
            zones: file.zones,
            types: sold.collect(),
        })
    }

    /// The region's name, such as `us-east-2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the facts come from, and of which date they are.
    pub fn about(&self) -> &BTreeMap<String, String> {
        &self.about
    }

    /// The zones as the file lists them.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// Everything that can be bought, sorted by type, then zone and capacity type.
    pub fn offerings(&self) -> impl Iterator<Item = OfferingKey> + '_ {
        self.types.iter().flat_map(|(name, sold)| {
            sold.sales.iter().map(|sale| OfferingKey {
                capacity_type: sale.capacity_type,
                instance_type: name.clone(),
                zone: sale.zone.clone(),
            })
        })
    }

    /// What an offering costs.
    pub fn price(&self, key: &OfferingKey) -> Option<Price> {
        Some(self.sale(key)?.price)
    }

    /// Where the price of an offering is from.
    pub fn price_origin(&self, key: &OfferingKey) -> Option<PriceOrigin> {
        Some(self.sale(key)?.origin)
    }

    fn sale(&self, key: &OfferingKey) -> Option<&Sale> {
        let sales = &self.types.get(&key.instance_type)?.sales;
        let same = |sale: &&Sale| sale.zone == key.zone && sale.capacity_type == key.capacity_type;
        sales.iter().find(same)
    }

    /// Why nothing of this type can be bought for this class.
    pub fn unavailable(&self, name: &TypeName, class: &NodeClass) -> Option<Unavailable> {
        match self.types.get(name) {
            Some(sold) => availability::unavailable(&self.zones, &sold.facts, class),
            None => Some(Unavailable::NotInRegion),
        }
    }

    /// The same region with the types of these families only.
    #[must_use]
    pub fn limited_to(&self, families: &BTreeSet<&str>) -> Self {
        let is_kept = |name: &TypeName| {
            let family = name.as_str().split_once('.').map(|(family, _)| family);
            family.is_some_and(|family| families.contains(family))
        };
        let types = self.types.iter().filter(|(name, _)| is_kept(name));
        Self {
            name: self.name.clone(),
            about: self.about.clone(),
            zones: self.zones.clone(),
            types: types
                .map(|(name, sold)| (name.clone(), sold.clone()))
                .collect(),
        }
    }

    /// What pools can buy, each with the class that it uses. Pools of equal classes share it.
    pub fn catalog<'a>(
        &self,
        pools: impl IntoIterator<Item = (PoolName, &'a NodeClass)>,
    ) -> Catalog {
        self.catalog_from(&mut Sizes::default(), pools)
    }

    /// The same, with what has been computed before for equal classes. What no pool uses any more is
    /// forgotten.
    pub fn catalog_from<'a>(
        &self,
        known: &mut Sizes,
        pools: impl IntoIterator<Item = (PoolName, &'a NodeClass)>,
    ) -> Catalog {
        let mut catalog = Catalog::new();
        let mut used = Sizes::default();
        for (pool, class) in pools {
            let found = used.of(class).or_else(|| known.of(class));
            let types = found.unwrap_or_else(|| self.instance_types(class));
            used.keep(class, &types);
            catalog.set(pool, types);
        }
        *known = used;
        catalog
    }

    /// Every type as nodes of this class are, sorted by name.
    pub fn instance_types(&self, class: &NodeClass) -> Vec<Arc<InstanceType>> {
        let types = self.types.iter();
        types
            .map(|(name, sold)| Arc::new(self.sized(name, sold, class)))
            .collect()
    }

    /// One type as nodes of this class are.
    pub fn instance_type(&self, name: &TypeName, class: &NodeClass) -> Option<InstanceType> {
        let sold = self.types.get(name)?;
        Some(self.sized(name, sold, class))
    }

    /// What machines of each type have when they are set up as this class says.
    pub fn capacities(&self, class: &NodeClass) -> BTreeMap<TypeName, Resources> {
        let types = self.types.iter();
        types
            .map(|(name, sold)| (name.clone(), capacity::capacity(&sold.facts, class)))
            .collect()
    }

    fn sized(&self, name: &TypeName, sold: &Sold, class: &NodeClass) -> InstanceType {
        let Sold { facts, sales } = sold;
        let capacity = capacity::capacity(facts, class);
        InstanceType {
            name: name.clone(),
            requirements: labels::requirements(self, facts, class),
            overhead: overhead::overhead(facts, class, &capacity),
            capacity,
            offerings: offerings::offerings(facts, sales, class),
        }
    }

    /// The machine that a purchase of this offering for this class yields; none where it is not
    /// sold to that class.
    pub fn machine(&self, key: &OfferingKey, class: &NodeClass, id: ProviderId) -> Option<Machine> {
        let bought = self.instance_type(&key.instance_type, class)?;
        let offering = bought
            .offerings
            .iter()
            .find(|offering| offering.available && offering.key(&key.instance_type) == *key)?;
        let mut labels = bought
            .requirements
            .intersect(&offering.requirements)
            .labels();
        // Nobody asks for dedicated hardware by accident: what is not asked for is shared.
        labels.insert(keys::INSTANCE_TENANCY.into(), "default".into());
        Some(Machine {
            provider_id: id,
            instance_type: key.instance_type.clone(),
            zone: key.zone.clone(),
            capacity_type: key.capacity_type,
            labels,
            allocatable: bought.allocatable(),
            capacity: bought.capacity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::CapacityType;
    use crate::model::labels::LabelValue;
    use crate::model::node_class::{AmiFamily, NodeClassRef};

    const M5_LARGE: &str = r#"{
        "name": "m5.large", "architecture": "x86_64", "cpuManufacturer": "Intel", "cpus": 2,
        "memoryMib": 8192, "hypervisor": "nitro", "usageClasses": ["on-demand", "spot"],
        "network": {"interfaces": 3, "addressesPerInterface": 10},
        "onDemand": {"read": "0.096"},
        "offerings": [{"zone": "use2-az2", "spot": {"model": "0.0351"}}, {"zone": "use2-az1"}]
    }"#;

    fn region_text(types: &str) -> String {
        let zones = r#"[{"name": "b", "id": "use2-az1"}, {"name": "a", "id": "use2-az2"}]"#;
        format!(r#"{{"about": {{}}, "region": "us-east-2", "zones": {zones}, "types": [{types}]}}"#)
    }

    fn region(types: &str) -> Region {
        Region::from_json(&region_text(types)).expect("the region is right")
    }

    pub(super) fn m5_large() -> TypeFacts {
        serde_json::from_str(M5_LARGE).expect("the facts are right")
    }

    pub(super) fn class(ami_family: AmiFamily) -> NodeClass {
        let reference = NodeClassRef {
            group: "karpenter.k8s.aws".into(),
            kind: "EC2NodeClass".into(),
            name: "default".into(),
        };
        NodeClass {
            ami_family,
            ..NodeClass::with_defaults(reference)
        }
    }

    fn key(capacity_type: CapacityType, instance_type: &str, zone: &str) -> OfferingKey {
        OfferingKey {
            capacity_type,
            instance_type: instance_type.into(),
            zone: zone.into(),
        }
    }

    #[test]
    fn prices_rank_across_types_by_the_decimals_as_written() {
        let a1 = M5_LARGE
            .replace("m5.large", "a1.large")
            .replace("0.096", "0.0350999999")
            .replace("0.0351\"", "0.096\"");
        let region = region(&format!("{M5_LARGE}, {a1}"));
        let types = region.instance_types(&class(AmiFamily::Bottlerocket));
        let ranks = types.iter().flat_map(|kind| {
            let name = kind.name.clone();
            kind.offerings.iter().map(move |offering| {
                let key = offering.key(&name).to_string();
                (key, offering.price.as_micros(), offering.rank)
            })
        });
        let expected = [
            ("spot a1.large in a", 96_000, 2),
            ("on-demand a1.large in a", 35_100, 0),
            ("on-demand a1.large in b", 35_100, 0),
            ("spot m5.large in a", 35_100, 1),
            ("on-demand m5.large in a", 96_000, 2),
            ("on-demand m5.large in b", 96_000, 2),
        ];
        let expected = expected.map(|(key, micros, rank)| (String::from(key), micros, rank));
        assert_eq!(ranks.collect::<Vec<_>>(), expected);
        let offered: Vec<String> = region.offerings().map(|key| key.to_string()).collect();
        assert_eq!(offered, expected.map(|(key, ..)| key));
    }

    #[test]
    fn prices_that_move_keep_all_offerings_in_order() {
        let a1 = M5_LARGE
            .replace("m5.large", "a1.large")
            .replace("0.096", "0.0350999999");
        let mut region = region(&format!("{M5_LARGE}, {a1}"));
        let spot = |name| key(CapacityType::Spot, name, "a");
        let (a1, m5) = (spot("a1.large"), spot("m5.large"));
        let ranks = |region: &Region, class: &NodeClass| {
            let types = region.instance_types(class).into_iter();
            let offered = types.flat_map(|it| {
                let name = it.name.clone();
                let ranked = it.offerings.clone().into_iter();
                ranked.map(move |it| (it.rank, it.price.as_micros(), it.key(&name).to_string()))
            });
            let mut ranks: Vec<_> = offered.collect();
            ranks.sort();
            ranks
        };
        let class = class(AmiFamily::Bottlerocket);
        let elsewhere = key(CapacityType::Spot, "m5.large", "b");
        let moved = [(m5.clone(), 96_000), (a1.clone(), 20_000), (elsewhere, 1)];
        let moved = moved.map(|(key, micros)| (key, Price::from_micros(micros)));
        region.reprice(&moved.into());
        let expected = [
            (0, 20_000, "spot a1.large in a"),
            (1, 35_100, "on-demand a1.large in a"),
            (1, 35_100, "on-demand a1.large in b"),
            (2, 96_000, "spot m5.large in a"),
            (3, 96_000, "on-demand m5.large in a"),
            (3, 96_000, "on-demand m5.large in b"),
        ];
        let expected = expected.map(|(rank, micros, key)| (rank, micros, key.to_owned()));
        assert_eq!(ranks(&region, &class), expected);
        assert_eq!(region.price(&m5), Some(Price::from_micros(96_000)));
    }

    #[test]
    fn a_class_buys_where_it_has_subnets_and_what_its_images_boot_on() {
        let region = region(&format!(
            "{M5_LARGE}, {}",
            M5_LARGE.replace("m5.large", "a1.large")
        ));
        let mut class = class(AmiFamily::Al2023);
        class.zones.insert("b".into());
        let id = || ProviderId::from("id");
        let sold = |instance_type, zone| {
            let key = key(CapacityType::OnDemand, instance_type, zone);
            assert!(region.price(&key).is_some(), "{key}");
            region.machine(&key, &class, id()).is_some()
        };
        assert!(sold("m5.large", "b"));
        assert!(!sold("m5.large", "a"));
        assert!(!sold("a1.large", "b"));
        let unsold = key(CapacityType::Spot, "m5.large", "b");
        assert_eq!(region.price(&unsold), None);
        assert_eq!(region.machine(&unsold, &class, id()), None);
        let types = region.instance_types(&class);
        let zones = types[1].requirements.get(keys::ZONE);
        assert_eq!(
            zones.map(ToString::to_string),
            Some(format!("{} In [b]", keys::ZONE))
        );
    }

    #[test]
    fn a_machine_has_the_labels_that_its_purchase_settles() {
        let key = key(CapacityType::Spot, "m5.large", "a");
        let class = class(AmiFamily::Al2023);
        let machine = region(M5_LARGE)
            .machine(&key, &class, "id".into())
            .expect("it is sold");
        let labels = [
            (keys::ZONE, Some("a")),
            (keys::ZONE_ID, Some("use2-az2")),
            (keys::CAPACITY_TYPE, Some("spot")),
            (keys::INSTANCE_TENANCY, Some("default")),
            (keys::INSTANCE_TYPE, Some("m5.large")),
            (keys::OS, Some("linux")),
            (keys::CAPACITY_RESERVATION_ID, None),
            (keys::INSTANCE_GPU_NAME, None),
        ];
        for (label, value) in labels {
            let found = machine.labels.get(label).map(LabelValue::as_str);
            assert_eq!(found, value, "{label}");
        }
        assert_eq!(machine.offering(), key);
        assert_eq!(machine.capacity.pods(), 29);
        assert_eq!(machine.allocatable.cpu_millis(), 1_930);
    }

    #[test]
    fn windows_runs_on_one_architecture() {
        let arm = M5_LARGE.replace("x86_64", "arm64");
        let cases = [
            (
                M5_LARGE,
                AmiFamily::Windows2019,
                Some("windows"),
                Some("10.0.17763"),
            ),
            (
                M5_LARGE,
                AmiFamily::Windows2025,
                Some("windows"),
                Some("10.0.26100"),
            ),
            (&arm, AmiFamily::Windows2022, None, Some("10.0.20348")),
            (&arm, AmiFamily::Bottlerocket, Some("linux"), None),
        ];
        for (facts, family, os, build) in cases {
            let types = region(facts).instance_types(&class(family));
            let labels = types[0].requirements.labels();
            let found = |key: &str| labels.get(key).map(LabelValue::as_str);
            assert_eq!(found(keys::OS), os, "{family:?}");
            assert_eq!(found(keys::WINDOWS_BUILD), build, "{family:?}");
        }
    }

    #[test]
    fn pools_of_equal_classes_share_their_types() {
        let (plain, other) = (class(AmiFamily::Al2023), class(AmiFamily::Bottlerocket));
        let region = region(M5_LARGE);
        let pools = ["a", "b", "c"].map(PoolName::from);
        let classes = [&plain, &other, &plain];
        let mut known = Sizes::default();
        let catalog = region.catalog_from(&mut known, pools.iter().cloned().zip(classes));
        let [a, b, c] = pools.clone().map(|pool| catalog.of(&pool)[0].clone());
        assert!(Arc::ptr_eq(&a, &c));
        assert!(!Arc::ptr_eq(&a, &b));
        // The next catalogue has them from the last, and forgets what nobody uses.
        let mut next = |class| {
            let pool = (pools[1].clone(), class);
            let catalog = region.catalog_from(&mut known, [pool]);
            catalog.of(&pools[1])[0].clone()
        };
        assert!(Arc::ptr_eq(&next(&plain), &a));
        assert!(!Arc::ptr_eq(&next(&other), &b));
    }

    #[test]
    fn what_cannot_be_bought_says_why() {
        let mac = M5_LARGE
            .replace("m5.large", "mac1.metal")
            .replace("x86_64", "mac");
        let without_price = r#"{
            "name": "m9.large", "architecture": "x86_64", "cpuManufacturer": "Intel", "cpus": 2,
            "memoryMib": 8192, "usageClasses": ["on-demand"],
            "network": {"interfaces": 3, "addressesPerInterface": 10},
            "offerings": [{"zone": "use2-az1"}]
        }"#;
        let a1 = M5_LARGE.replace("m5.large", "a1.large");
        let region = region(&[M5_LARGE, &mac, &a1, without_price].join(", "));
        let mut class = class(AmiFamily::Al2023);
        let types = region.instance_types(&class);
        let check = |name: &str, class: &NodeClass, expected| {
            assert_eq!(region.unavailable(&name.into(), class), expected, "{name}");
        };
        check("m5.large", &class, None);
        check("m5.huge", &class, Some(Unavailable::NotInRegion));
        check("mac1.metal", &class, Some(Unavailable::MacOnly));
        check("a1.large", &class, Some(Unavailable::ImageDoesNotStart));
        check("m9.large", &class, Some(Unavailable::NoPrice));
        class.zones.insert("elsewhere".into());
        check("m5.large", &class, Some(Unavailable::NoSubnet));
        let mac = types
            .iter()
            .find(|found| found.name.as_str() == "mac1.metal");
        let labels = mac.expect("it is listed").requirements.labels();
        assert_eq!(labels.get(keys::OS), None);
        assert_eq!(labels.get(keys::ARCH), None);
    }

    #[test]
    fn a_region_can_be_limited_to_families() {
        let a1 = M5_LARGE.replace("m5.large", "a1.large");
        let region = region(&format!("{M5_LARGE}, {a1}"));
        let limited = region.limited_to(&BTreeSet::from(["m5", "r5"]));
        let class = class(AmiFamily::Bottlerocket);
        assert_eq!(
            limited.instance_types(&class),
            region.instance_types(&class)[1..]
        );
    }

    /// Replaces a text in a region that is right and expects the error, its causes included.
    fn check(from: &str, to: &str, expected: &str) {
        let text = region_text(M5_LARGE).replace(from, to);
        let error = Region::from_json(&text).expect_err(expected);
        let chain: Vec<String> = anyhow::Error::from(error)
            .chain()
            .map(ToString::to_string)
            .collect();
        assert!(chain.join(": ").starts_with(expected), "{chain:?}");
    }

    #[test]
    fn what_is_no_region_is_refused_with_its_field() {
        check("{", "", "the region cannot be read: ");
        check(
            r#""cpus": 2"#,
            r#""cpu": 2"#,
            "the region cannot be read: unknown field `cpu`",
        );
        check(
            r#""cpus": 2"#,
            r#""cpus": 0"#,
            r#"types[0].cpus: "0" must be at least 1"#,
        );
        check(
            "m5.large",
            "m5",
            r#"types[0].name: "m5" must be a family and a size"#,
        );
        check(
            "Intel",
            "",
            r#"types[0].cpuManufacturer: "" must be 1 to 63 letters"#,
        );
        check(
            "0.0351",
            "cheap",
            r#"types[0].offerings[0].spot is not a price: "cheap" is not a price"#,
        );
        check(
            r#"["on-demand", "spot"]"#,
            r#"["on-demand"]"#,
            r#"types[0].offerings[0].spot: "0.0351" is a price for something that"#,
        );
        check(
            "use2-az1\"}]",
            "use2-az3\"}]",
            r#"types[0].offerings[1].zone: "use2-az3" is not the id of a zone"#,
        );
        check(
            "use2-az1\"}]",
            "use2-az2\"}]",
            r#"types[0].offerings[1].zone: "use2-az2" is listed twice"#,
        );
        check(
            r#""name": "a""#,
            r#""name": "b""#,
            r#"zones[1].name: "b" is listed twice"#,
        );
        let twice = region_text(&format!("{M5_LARGE}, {M5_LARGE}"));
        let error = Region::from_json(&twice).expect_err("it is listed twice");
        assert_eq!(
            error.to_string(),
            r#"types[1].name: "m5.large" is listed twice"#
        );
    }
}

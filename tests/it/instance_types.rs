//! Labels, capacity and overhead of instance types, compared with what Karpenter's AWS provider
//! computed for the same facts and settings. `tests/fixtures/instance-types/README.md` describes
//! the tables.

use std::collections::{BTreeMap, BTreeSet};

use tidewright::cloud::region::Region;
use tidewright::model::catalog::InstanceType;
use tidewright::model::node_class::{
    EvictionThreshold, FabricInterfaces, InstanceStore, MemoryOverhead, NodeClass, NodeClassRef,
};
use tidewright::model::requirement::{Requirement, ValueSet};
use tidewright::model::resources::{ResourceName, Resources};

const SOLD: &str = include_str!("../../simulator/catalog/us-east-2.json");
const FURTHER_TYPES: &str = include_str!("../fixtures/instance-types/types.json");
const LABELS: &str = include_str!("../fixtures/instance-types/labels.tsv");
const SIZES: &str = include_str!("../fixtures/instance-types/sizes.tsv");
const VARIANTS: &str = include_str!("../fixtures/instance-types/variants.tsv");

/// A table whose first line names its columns.
struct Table<'a> {
    columns: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Table<'a> {
    fn parse(text: &'a str) -> Self {
        let mut lines = text.lines().map(|line| line.split('\t').collect());
        let columns = lines.next().expect("a table has a first line");
        Self {
            columns,
            rows: lines.collect(),
        }
    }

    /// The cells of a row after the first `skipped`, with the names of their columns.
    fn cells(&self, row: &[&'a str], skipped: usize) -> Vec<(&'a str, &'a str)> {
        assert_eq!(row.len(), self.columns.len(), "{row:?}");
        let columns = self.columns.iter().copied();
        columns.zip(row.iter().copied()).skip(skipped).collect()
    }
}

/// The node class of each variant by name.
fn variants() -> BTreeMap<&'static str, NodeClass> {
    let class = |line: &'static str| {
        let (name, settings) = line.split_once('\t').unwrap_or((line, ""));
        let mut class = NodeClass::with_defaults(NodeClassRef {
            group: "karpenter.k8s.aws".into(),
            kind: "EC2NodeClass".into(),
            name: name.into(),
        });
        for setting in settings.split_whitespace() {
            let (key, value) = setting.split_once('=').expect("a setting has a value");
            set(&mut class, key, value);
        }
        (name, class)
    };
    VARIANTS.lines().map(class).collect()
}

fn set(class: &mut NodeClass, key: &str, value: &str) {
    let kubelet = &mut class.kubelet;
    match key {
        "pods-max" => kubelet.pods_max = Some(number(value)),
        "pods-per-core" => kubelet.pods_per_core = Some(number(value)),
        "reserved-interfaces" => class.reserved_enis = number(value),
        "memory-lost-ppm" => {
            let share = MemoryOverhead::from_parts_per_million(number(value));
            class.memory_overhead = share.expect("a share of the whole");
        }
        "local-disks" => {
            assert_eq!(value, "joined");
            class.instance_store = InstanceStore::Raid0;
        }
        "volume" => class.root_volume_bytes = Some(number(value)),
        "eviction-memory" => kubelet.eviction_memory = Some(threshold(value)),
        "eviction-disk" => kubelet.eviction_disk = Some(threshold(value)),
        "fabric" => {
            let (total, on_default_card) = value.split_once('/').expect("two counts");
            class.fabric_interfaces = Some(FabricInterfaces {
                total: number(total),
                on_default_card: number(on_default_card),
            });
        }
        _ => {
            let (whose, resource) = key.split_once('-').expect("a reservation");
            let resource = ResourceName::from(resource);
            match whose {
                "kube" => drop(kubelet.kube_reserved.insert(resource, number(value))),
                "system" => kubelet.system_reserved.set(&resource, number(value)),
                other => panic!("no such setting: {other}"),
            }
        }
    }
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{text} is not a number that fits"))
}

fn threshold(text: &str) -> EvictionThreshold {
    match text.strip_suffix('%') {
        Some(share) => EvictionThreshold::MilliPercent(number(share)),
        None => EvictionThreshold::Bytes(number(text)),
    }
}

fn types(class: &NodeClass) -> BTreeMap<String, InstanceType> {
    let regions =
        [SOLD, FURTHER_TYPES].map(|text| Region::from_json(text).expect("the files are regions"));
    let types = regions
        .iter()
        .flat_map(|region| region.instance_types(class));
    types
        .map(|found| (found.name.to_string(), (*found).clone()))
        .collect()
}

/// The set that a cell stands for: `-` is no label, `""` the empty value.
fn values(cell: &str) -> ValueSet {
    match cell {
        "-" => ValueSet::NONE,
        r#""""# => ValueSet::only([""]),
        listed => ValueSet::only(listed.split(' ')),
    }
}

fn amount(found: &InstanceType, column: &str) -> i64 {
    let (part, resource) = column.split_once(' ').expect("a part and a resource");
    let resources: &Resources = match part {
        "capacity" => &found.capacity,
        "kube" => &found.overhead.kube_reserved,
        "system" => &found.overhead.system_reserved,
        "eviction" => &found.overhead.eviction_threshold,
        "allocatable" => &found.allocatable(),
        other => panic!("no such part: {other}"),
    };
    resources.get(&resource.into())
}

#[track_caller]
fn assert_none(differences: &[String]) {
    let shown = differences.iter().take(20).cloned().collect::<Vec<_>>();
    let count = differences.len();
    assert!(count == 0, "{count} differences:\n{}", shown.join("\n"));
}

#[test]
fn labels_are_those_of_karpenter() {
    let table = Table::parse(LABELS);
    let variants = variants();
    let found = types(&variants["default"]);
    let expected: BTreeSet<&str> = table.rows.iter().map(|row| row[0]).collect();
    let names: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, expected);
    let mut differences = Vec::new();
    for row in &table.rows {
        let found = &found[row[0]].requirements;
        let cells = table.cells(row, 1);
        for requirement in found.iter() {
            let key = requirement.key.as_str();
            if !cells.iter().any(|(column, _)| *column == key) {
                differences.push(format!("{}: {requirement} is more than expected", row[0]));
            }
        }
        for (key, cell) in cells {
            let expected = Requirement::of(key, values(cell));
            if found.get(key) != Some(&expected) {
                let found = found.get(key).map(ToString::to_string);
                differences.push(format!("{}: {expected}, found {found:?}", row[0]));
            }
        }
    }
    assert_none(&differences);
}

#[test]
fn sizes_are_those_of_karpenter_in_every_variant() {
    let table = Table::parse(SIZES);
    let variants = variants();
    let types: BTreeMap<&str, _> = variants
        .iter()
        .map(|(name, class)| (*name, types(class)))
        .collect();
    let seen: BTreeSet<&str> = table.rows.iter().map(|row| row[1]).collect();
    assert_eq!(seen, types.keys().copied().collect());
    let mut differences = Vec::new();
    for row in &table.rows {
        let found = &types[row[1]][row[0]];
        for (column, cell) in table.cells(row, 2) {
            let (expected, found) = (number::<i64>(cell), amount(found, column));
            if expected != found {
                let place = format!("{} {}: {column}", row[0], row[1]);
                differences.push(format!("{place} {expected}, found {found}"));
            }
        }
    }
    assert_none(&differences);
}

/// Class by class the labels stay the same; only sizes differ.
#[test]
fn no_setting_of_the_kubelet_changes_a_label() {
    let variants = variants();
    let default = types(&variants["default"]);
    for (name, class) in &variants {
        for (found, default) in types(class).values().zip(default.values()) {
            assert_eq!(found.requirements, default.requirements, "{name}");
        }
    }
}

#[test]
fn every_type_of_the_catalogue_is_sold_in_every_zone_both_ways() {
    let region = Region::from_json(SOLD).expect("the catalogue is a region");
    let class = &variants()["default"];
    let types = region.instance_types(class);
    assert_eq!(types.len(), 69);
    for found in &types {
        let available = found.offerings.iter().filter(|offering| offering.available);
        assert_eq!(available.count(), 6, "{}", found.name);
    }
}

//! Labels, capacity and overhead of instance types, compared with what Karpenter's AWS provider
//! computed for the same facts and settings. `tests/fixtures/instance-types/README.md` describes
//! the tables. The comparison is printed, and must be what `compared.txt` beside them says;
//! `TIDEWRIGHT_BLESS=1` writes that file anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use tidewright::cloud::region::facts::PriceOrigin;
use tidewright::cloud::region::{Region, Unavailable};
use tidewright::model::catalog::{CapacityType, InstanceType};
use tidewright::model::labels::keys;
use tidewright::model::node_class::{
    EvictionThreshold, FabricInterfaces, InstanceStore, MemoryOverhead, NodeClass, NodeClassRef,
};
use tidewright::model::requirement::{Requirement, ValueSet};
use tidewright::model::resources::{ResourceName, Resources};

const SOLD: &str = include_str!("../../simulator/catalog/us-east-2.json");
const LABELS: &str = include_str!("../fixtures/instance-types/labels.tsv");
const SIZES: &str = include_str!("../fixtures/instance-types/sizes.tsv");
const VARIANTS: &str = include_str!("../fixtures/instance-types/variants.tsv");
const COMPARED: &str = "tests/fixtures/instance-types/compared.txt";

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

fn region() -> Region {
    Region::from_json(SOLD).expect("the catalogue is a region")
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

/// A difference that is right, because Karpenter's value is a rounded or a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Listed {
    /// Karpenter's table of documented bandwidths has another number than EC2 tells.
    Bandwidth,
    /// It has none.
    NoBandwidth,
    /// The share of memory that is never seen, in floating point, comes out a mebibyte larger.
    MebibyteOfMemory,
    /// A share that is an eviction threshold, in floating point, comes out a byte larger.
    ByteOfThreshold,
}

impl Listed {
    const ALL: [Self; 4] = [
        Self::Bandwidth,
        Self::NoBandwidth,
        Self::MebibyteOfMemory,
        Self::ByteOfThreshold,
    ];
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bandwidth => "another network bandwidth",
            Self::NoBandwidth => "no network bandwidth with Karpenter",
            Self::MebibyteOfMemory => "a mebibyte of memory",
            Self::ByteOfThreshold => "a byte of an eviction threshold",
        })
    }
}

/// A value that is not Karpenter's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    listed: Option<Listed>,
    text: String,
}

fn label_difference(found: &InstanceType, key: &str, cell: &str) -> Option<Difference> {
    let expected = Requirement::of(key, values(cell));
    let ours = found.requirements.get(key);
    if ours == Some(&expected) {
        return None;
    }
    let listed = match (key == keys::INSTANCE_NETWORK_BANDWIDTH, cell) {
        (true, "-") => Some(Listed::NoBandwidth),
        (true, _) => Some(Listed::Bandwidth),
        (false, _) => None,
    };
    let ours = ours.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let ours = ours.strip_prefix(&format!("{key} In ")).unwrap_or(&ours);
    Some(Difference {
        listed,
        text: format!("{key} {cell}, here {ours}"),
    })
}

fn size_difference(found: &InstanceType, column: &str, cell: &str) -> Option<Difference> {
    const MEBIBYTE: i64 = 1 << 20;
    let (expected, ours) = (number::<i64>(cell), amount(found, column));
    let listed = match (column, ours - expected) {
        (_, 0) => return None,
        ("capacity memory" | "allocatable memory", MEBIBYTE) => Some(Listed::MebibyteOfMemory),
        ("eviction memory" | "eviction ephemeral-storage", -1)
        | ("allocatable memory" | "allocatable ephemeral-storage", 1) => {
            Some(Listed::ByteOfThreshold)
        }
        _ => None,
    };
    Some(Difference {
        listed,
        text: format!("{column} {expected}, here {ours}"),
    })
}

/// Everything in which the labels of a type differ.
fn label_differences(found: &InstanceType, cells: &[(&str, &str)]) -> Vec<Difference> {
    let is_known = |key: &str| cells.iter().any(|(known, _)| *known == key);
    let more = found.requirements.iter();
    let more = more.filter(|ours| !is_known(ours.key.as_str()));
    let more = more.map(|ours| Difference {
        listed: None,
        text: format!("{ours} is more than expected"),
    });
    let cells = cells.iter();
    let differences = cells.filter_map(|(key, cell)| label_difference(found, key, cell));
    more.chain(differences).collect()
}

/// What comes of the comparison of every row.
#[derive(Default)]
struct Comparison {
    rows: usize,
    equal: usize,
    listed: BTreeMap<Listed, usize>,
    wrong: usize,
    /// Each difference of a type once, whatever the variant.
    texts: BTreeSet<String>,
}

impl Comparison {
    fn add(&mut self, place: &str, differences: &[Difference]) {
        self.rows += 1;
        let worst = differences.iter().map(|it| it.listed).min();
        match worst {
            None => self.equal += 1,
            Some(None) => self.wrong += 1,
            Some(Some(listed)) => *self.listed.entry(listed).or_default() += 1,
        }
        let texts = differences.iter().map(|difference| {
            let kind = difference.listed.map_or("wrong", |_| "listed");
            format!("{kind}: {place}: {}", difference.text)
        });
        self.texts.extend(texts);
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>5} rows, each a type in a variant", self.rows)?;
        writeln!(f, "{:>5} equal", self.equal)?;
        for kind in Listed::ALL {
            let count = self.listed.get(&kind).copied().unwrap_or_default();
            writeln!(f, "{count:>5} listed difference: {kind}")?;
        }
        writeln!(f, "{:>5} wrong\n", self.wrong)?;
        self.texts.iter().try_for_each(|text| writeln!(f, "{text}"))
    }
}

fn compare(region: &Region) -> Comparison {
    let (labels, sizes) = (Table::parse(LABELS), Table::parse(SIZES));
    let variants = variants();
    let seen: BTreeSet<&str> = sizes.rows.iter().map(|row| row[1]).collect();
    assert_eq!(seen, variants.keys().copied().collect());
    let labels: BTreeMap<&str, Vec<(&str, &str)>> = labels
        .rows
        .iter()
        .map(|row| (row[0], labels.cells(row, 1)))
        .collect();
    let mut comparison = Comparison::default();
    for row in &sizes.rows {
        let (name, variant) = (row[0], row[1]);
        let found = region.instance_type(&name.into(), &variants[variant]);
        let found = found.expect("the catalogue has every type of the tables");
        let mut differences = label_differences(&found, &labels[name]);
        let cells = sizes.cells(row, 2).into_iter();
        let sizes = cells.filter_map(|(column, cell)| size_difference(&found, column, cell));
        differences.extend(sizes);
        comparison.add(name, &differences);
    }
    comparison
}

#[test]
fn types_are_as_karpenter_computes_them_in_every_variant() {
    let comparison = compare(&region());
    let text = comparison.to_string();
    println!("{text}");
    assert_eq!(comparison.wrong, 0, "{text}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMPARED);
    if std::env::var_os("TIDEWRIGHT_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the file can be written");
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        listed == text,
        "{COMPARED} says something else; if this is right, set TIDEWRIGHT_BLESS:\n{text}"
    );
}

/// The comparison finds what differs: a wrong bandwidth is listed, a wrong count of processors is
/// not forgiven.
#[test]
fn the_comparison_tells_what_is_wrong_from_what_is_listed() {
    let changed = SOLD
        .replacen(r#""bandwidthMbps": 500"#, r#""bandwidthMbps": 501"#, 1)
        .replacen(r#""cpus": 96"#, r#""cpus": 95"#, 1);
    let changed = Region::from_json(&changed).expect("the changed catalogue is a region");
    let (right, found) = (compare(&region()), compare(&changed));
    let bandwidths = |found: &Comparison| found.listed[&Listed::Bandwidth];
    assert!(bandwidths(&found) > bandwidths(&right));
    assert!(found.wrong > 0 && found.equal < right.equal);
}

/// EC2 has types there that Karpenter leaves out, because they are no nodes.
#[test]
fn what_karpenter_does_not_list_is_no_node() {
    let (region, class) = (region(), &variants()["default"]);
    let table = Table::parse(LABELS);
    let known: BTreeSet<&str> = table.rows.iter().map(|row| row[0]).collect();
    let all = region.instance_types(class);
    assert_eq!(all.len(), 1_226);
    assert_eq!(known.len(), 1_220);
    for found in all.iter().filter(|it| !known.contains(it.name.as_str())) {
        let reason = region.unavailable(&found.name, class);
        assert_eq!(reason, Some(Unavailable::MacOnly), "{}", found.name);
    }
}

/// What can be bought has a price and somewhere to be bought; what cannot be has a reason.
#[test]
fn a_type_is_offered_or_says_why_not() {
    let (region, class) = (region(), &variants()["default"]);
    let mut counts: BTreeMap<Option<Unavailable>, usize> = BTreeMap::new();
    for found in region.instance_types(class) {
        let is_offered = found.offerings.iter().any(|offering| offering.available);
        let reason = region.unavailable(&found.name, class);
        assert_eq!(is_offered, reason.is_none(), "{}: {reason:?}", found.name);
        *counts.entry(reason).or_default() += 1;
    }
    let expected = [
        (None, 1_085),
        (Some(Unavailable::MacOnly), 6),
        (Some(Unavailable::ImageDoesNotStart), 6),
        (Some(Unavailable::NoPrice), 129),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[test]
fn every_price_says_where_it_is_from() {
    let region = region();
    let mut counts: BTreeMap<(CapacityType, PriceOrigin), usize> = BTreeMap::new();
    for offering in region.offerings() {
        let origin = region.price_origin(&offering).expect("it is offered");
        *counts.entry((offering.capacity_type, origin)).or_default() += 1;
    }
    let expected = [
        ((CapacityType::Spot, PriceOrigin::Read), 480),
        ((CapacityType::Spot, PriceOrigin::Model), 2_732),
        ((CapacityType::OnDemand, PriceOrigin::Read), 480),
        ((CapacityType::OnDemand, PriceOrigin::Elsewhere), 2_754),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

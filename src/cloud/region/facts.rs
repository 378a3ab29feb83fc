//! The file format of a region: what EC2 says about its instance types, and what they cost.
//!
//! Fields are those of the EC2 API's `DescribeInstanceTypes`, as far as labels, capacity and
//! overhead follow from them, and one fact that no public API tells: the number of branch interfaces
//! as the VPC resource controller knows it. Each price says where it is from.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::model::catalog::CapacityType;

/// A region as its file writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionFile {
    /// Where the facts come from, and of which date they are.
    pub about: BTreeMap<String, String>,
    /// The region, such as `us-east-2`.
    pub region: String,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// What it sells.
    pub types: Vec<TypeFacts>,
}

/// A zone. Its name means another place in another account, its id does not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// The name, such as `us-east-2a`.
    pub name: String,
    /// The id, such as `use2-az1`.
    pub id: String,
}

/// What is known of an instance type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TypeFacts {
    /// The name, such as `m6a.xlarge`.
    pub name: String,
    /// The first architecture that it supports and nodes can have.
    pub architecture: Architecture,
    /// The maker of the processor as EC2 writes it.
    pub cpu_manufacturer: String,
    /// Virtual processors.
    pub cpus: u32,
    /// Sustained clock speed; zero where EC2 says nothing.
    #[serde(default)]
    pub clock_mhz: u32,
    /// Memory.
    pub memory_mib: u32,
    /// `nitro` or `xen`; none on bare metal.
    #[serde(default)]
    pub hypervisor: Option<String>,
    /// Whether Nitro enclaves are supported.
    #[serde(default)]
    pub nitro_enclaves: bool,
    /// Greatest bandwidth to block storage, where it does not have to be paid for.
    #[serde(default)]
    pub ebs_bandwidth_mbps: Option<u32>,
    /// How it can be paid for.
    pub usage_classes: Vec<UsageClass>,
    /// Its network.
    pub network: Network,
    /// The disks that it brings along.
    #[serde(default)]
    pub storage: Option<Storage>,
    /// Its GPUs, one entry for each kind.
    #[serde(default)]
    pub gpus: Vec<Gpu>,
    /// Its Neuron devices, one entry for each kind.
    #[serde(default)]
    pub neuron_devices: Vec<NeuronDevice>,
    /// Other accelerators, one entry for each kind.
    #[serde(default)]
    pub inference_accelerators: Vec<InferenceAccelerator>,
    /// The price on demand, which is the same in every zone. Without one the type cannot be bought,
    /// because nobody could say what it costs.
    #[serde(default)]
    pub on_demand: Option<Quote>,
    /// The zones that offer it.
    pub offerings: Vec<ZoneOffering>,
}

/// The instruction sets of machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Architecture {
    /// 64 bits of Intel or AMD.
    #[serde(rename = "x86_64")]
    X86,
    /// 64 bits of Arm.
    #[serde(rename = "arm64")]
    Arm,
    /// Whatever Apple builds: these machines start macOS and nothing else, so they are no nodes.
    #[serde(rename = "mac")]
    Mac,
}

/// The ways to pay that EC2 lists for a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UsageClass {
    /// By the second.
    OnDemand,
    /// Spare capacity.
    Spot,
}

impl UsageClass {
    /// What Kubernetes objects call it.
    pub const fn capacity_type(self) -> CapacityType {
        match self {
            Self::OnDemand => CapacityType::OnDemand,
            Self::Spot => CapacityType::Spot,
        }
    }
}

/// The network of a type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// Interfaces of the default card; those of other cards carry no pods.
    pub interfaces: u32,
    /// IPv4 addresses of each interface.
    pub addresses_per_interface: u32,
    /// Baseline bandwidth of all cards together; none where EC2 gives none.
    #[serde(default)]
    pub bandwidth_mbps: Option<u32>,
    /// Branch interfaces, for pods with security groups of their own.
    #[serde(default)]
    pub branch_interfaces: u32,
    /// Elastic fabric adapters.
    #[serde(default)]
    pub efa_interfaces: u32,
    /// Whether the hardware encrypts what passes between instances.
    #[serde(default)]
    pub encryption_in_transit: bool,
}

/// Disks of the machine itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// All of them together, in decimal gigabytes.
    pub gb: u32,
    /// Whether they speak NVMe.
    pub nvme: bool,
}

/// A kind of GPU.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gpu {
    /// The name as EC2 writes it.
    pub name: String,
    /// The maker.
    pub manufacturer: String,
    /// How many; zero where a machine has a share of one.
    pub count: u32,
    /// Memory of each.
    pub memory_mib: u32,
}

/// A kind of Neuron device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronDevice {
    /// The name as EC2 writes it.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Cores of each.
    pub cores: u32,
}

/// A kind of accelerator that EC2 lists for inference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InferenceAccelerator {
    /// The name as EC2 writes it.
    pub name: String,
    /// The maker.
    pub manufacturer: String,
    /// How many.
    pub count: u32,
}

/// A zone that offers a type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZoneOffering {
    /// The id of the zone.
    pub zone: String,
    /// The price of spare capacity; without one there is none to be bought.
    #[serde(default)]
    pub spot: Option<Quote>,
}

/// A price in dollars per hour as a decimal text, by its origin: `{"read": "0.0765"}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quote {
    /// Read in this region.
    Read(String),
    /// Read in another region.
    Elsewhere(String),
    /// In proportion to what its family costs here.
    Family(String),
    /// Computed by a model of the market.
    Model(String),
}

/// Where a price is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceOrigin {
    /// It was read in this region.
    Read,
    /// It was read in another region.
    Elsewhere,
    /// It is in proportion to what the family costs here.
    Family,
    /// A model of the market computed it.
    Model,
}

impl PriceOrigin {
    /// The word that files and reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Elsewhere => "elsewhere",
            Self::Family => "family",
            Self::Model => "model",
        }
    }
}

impl fmt::Display for PriceOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Quote {
    /// The decimal as written.
    pub fn text(&self) -> &str {
        match self {
            Self::Read(text) | Self::Elsewhere(text) | Self::Family(text) | Self::Model(text) => {
                text
            }
        }
    }

    /// Where it is from.
    pub const fn origin(&self) -> PriceOrigin {
        match self {
            Self::Read(_) => PriceOrigin::Read,
            Self::Elsewhere(_) => PriceOrigin::Elsewhere,
            Self::Family(_) => PriceOrigin::Family,
            Self::Model(_) => PriceOrigin::Model,
        }
    }
}

/// A price with what it buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced<'a> {
    /// How it is paid for.
    pub usage_class: UsageClass,
    /// The place of the zone among the type's offerings.
    pub place: usize,
    /// The id of the zone.
    pub zone: &'a str,
    /// The price.
    pub quote: &'a Quote,
}

impl Priced<'_> {
    /// The field of the type that holds it.
    pub fn field(&self) -> String {
        match self.usage_class {
            UsageClass::OnDemand => "onDemand".to_owned(),
            UsageClass::Spot => format!("offerings[{}].spot", self.place),
        }
    }
}

impl TypeFacts {
    /// The prices that are known, zone by zone.
    pub fn prices(&self) -> impl Iterator<Item = Priced<'_>> {
        self.offerings
            .iter()
            .enumerate()
            .flat_map(|(place, offered)| {
                let quotes = [
                    (UsageClass::OnDemand, &self.on_demand),
                    (UsageClass::Spot, &offered.spot),
                ];
                quotes.into_iter().filter_map(move |(usage_class, quote)| {
                    Some(Priced {
                        usage_class,
                        place,
                        zone: &offered.zone,
                        quote: quote.as_ref()?,
                    })
                })
            })
    }
}

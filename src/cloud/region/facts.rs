//! The file format of a region: what EC2 says about its instance types, and what they cost.
//!
//! Fields are those of the EC2 API's `DescribeInstanceTypes`, as far as labels, capacity and
//! overhead follow from them, and two facts that no public API tells: the baseline bandwidth as EC2
//! documents it and the number of branch interfaces as the VPC resource controller knows it.

use std::collections::BTreeMap;

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
    /// The first architecture that it supports and we know.
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
    /// The zones that offer it.
    pub offerings: Vec<ZoneOffering>,
}

/// The instruction sets that nodes can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Architecture {
    /// 64 bits of Intel or AMD.
    #[serde(rename = "x86_64")]
    X86,
    /// 64 bits of Arm.
    #[serde(rename = "arm64")]
    Arm,
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
    /// Baseline bandwidth as EC2 documents it; none where it gives none.
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

/// A zone that offers a type. A price is dollars per hour as a decimal text; without one the type
/// cannot be bought that way, because nobody could say what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZoneOffering {
    /// The id of the zone.
    pub zone: String,
    /// The price on demand.
    #[serde(default)]
    pub on_demand: Option<String>,
    /// The price of spare capacity.
    #[serde(default)]
    pub spot: Option<String>,
}

/// A price in a zone's offering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceText<'a> {
    /// What it is the price of.
    pub usage_class: UsageClass,
    /// The field that holds it.
    pub field: &'static str,
    /// The decimal as written.
    pub text: &'a str,
}

impl ZoneOffering {
    /// The prices that are known.
    pub fn prices(&self) -> impl Iterator<Item = PriceText<'_>> {
        let fields = [
            (UsageClass::OnDemand, "onDemand", &self.on_demand),
            (UsageClass::Spot, "spot", &self.spot),
        ];
        fields.into_iter().filter_map(|(usage_class, field, text)| {
            Some(PriceText {
                usage_class,
                field,
                text: text.as_deref()?,
            })
        })
    }
}

//! What the labels of an instance type can be.
//!
//! The keys and values are Karpenter's (documentation, "Well-Known Labels", and the provider's
//! instance types). Labels that a type lacks are said to be absent, so that a pod which asks for
//! one does not fit; they are not left open.

use crate::model::labels::keys;
use crate::model::node_class::{AmiFamily, NodeClass};
use crate::model::requirement::{Requirement, Requirements};

use super::Region;
use super::availability;
use super::facts::{Architecture, TypeFacts, Zone};

/// Everything that the labels of this type can be on a node of this class.
pub(super) fn requirements(region: &Region, facts: &TypeFacts, class: &NodeClass) -> Requirements {
    let mut all = Requirements::new();
    all.extend(identity(facts));
    all.extend(system(facts, class.ami_family));
    all.extend(place(region, facts, class));
    all.extend(purchase(facts));
    all.extend(hardware(facts));
    all.extend(network_and_disks(facts));
    all.extend(gpu(facts));
    all.extend(accelerator(facts));
    all
}

fn exactly(key: &str, value: &(impl ToString + ?Sized)) -> Requirement {
    Requirement::one_of(key, [value.to_string().as_str()])
}

fn if_known(key: &str, value: Option<impl ToString>) -> Requirement {
    match value {
        Some(value) => exactly(key, &value),
        None => absent(key),
    }
}

fn absent(key: &str) -> Requirement {
    Requirement::one_of(key, [])
}

/// Names as label values: `Radeon Pro V520` is `radeon-pro-v520`.
pub(super) fn kebab(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// The parts of a type's name.
#[derive(Debug, PartialEq, Eq)]
struct NameParts<'a> {
    family: &'a str,
    size: &'a str,
    category: Option<&'a str>,
    generation: Option<&'a str>,
}

/// Takes a name such as `g4dn.xlarge` apart. The category is the letters it begins with, the
/// generation the number that follows; families of large memory have their size in between, as
/// in `u-24tb1`.
fn name_parts(name: &str) -> NameParts<'_> {
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let (category, rest) = leading(family, |c| c.is_ascii_lowercase());
    let after_size = || -> Option<&str> {
        let (digits, rest) = leading(rest.strip_prefix('-')?, |c| c.is_ascii_digit());
        let rest = rest.strip_prefix("tb")?;
        (!digits.is_empty()).then_some(rest)
    };
    let (generation, _) = leading(after_size().unwrap_or(rest), |c| c.is_ascii_digit());
    let is_regular = !category.is_empty() && !generation.is_empty();
    NameParts {
        family,
        size,
        category: is_regular.then_some(category),
        generation: is_regular.then_some(generation),
    }
}

fn leading(text: &str, belongs: fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn identity(facts: &TypeFacts) -> [Requirement; 6] {
    let parts = name_parts(&facts.name);
    [
        exactly(keys::INSTANCE_TYPE, &facts.name),
        exactly(keys::INSTANCE_FAMILY, parts.family),
        exactly(keys::INSTANCE_SIZE, parts.size),
        if_known(keys::INSTANCE_CATEGORY, parts.category),
        if_known(keys::INSTANCE_GENERATION, parts.generation),
        exactly(
            keys::INSTANCE_CAPABILITY_FLEX,
            &parts.family.contains("-flex"),
        ),
    ]
}

/// The build numbers of Windows Server (Microsoft's release information).
fn windows_build(family: AmiFamily) -> Option<&'static str> {
    match family {
        AmiFamily::Al2 | AmiFamily::Al2023 | AmiFamily::Bottlerocket | AmiFamily::Custom => None,
        AmiFamily::Windows2019 => Some("10.0.17763"),
        AmiFamily::Windows2022 => Some("10.0.20348"),
        AmiFamily::Windows2025 => Some("10.0.26100"),
    }
}

/// Windows runs on `amd64` only: elsewhere a machine of that class has no system at all. Neither has
/// one that starts nothing but macOS, nor an architecture that Kubernetes has a name for.
fn system(facts: &TypeFacts, family: AmiFamily) -> [Requirement; 3] {
    let build = windows_build(family);
    let (arch, os) = match (facts.architecture, build) {
        (Architecture::X86, None) => (Some("amd64"), Some("linux")),
        (Architecture::X86, Some(_)) => (Some("amd64"), Some("windows")),
        (Architecture::Arm, None) => (Some("arm64"), Some("linux")),
        (Architecture::Arm, Some(_)) => (Some("arm64"), None),
        (Architecture::Mac, _) => (None, None),
    };
    [
        if_known(keys::ARCH, arch),
        if_known(keys::OS, os),
        if_known(keys::WINDOWS_BUILD, build),
    ]
}

fn place(region: &Region, facts: &TypeFacts, class: &NodeClass) -> [Requirement; 3] {
    let offered: Vec<&Zone> = availability::offered(region.zones(), facts, class).collect();
    [
        exactly(keys::REGION, region.name()),
        Requirement::one_of(keys::ZONE, offered.iter().map(|zone| zone.name.as_str())),
        Requirement::one_of(keys::ZONE_ID, offered.iter().map(|zone| zone.id.as_str())),
    ]
}

fn purchase(facts: &TypeFacts) -> Vec<Requirement> {
    let usage_classes = facts.usage_classes.iter();
    let capacity_types = usage_classes.map(|class| class.capacity_type().as_str());
    let mut all = vec![
        Requirement::one_of(keys::CAPACITY_TYPE, capacity_types),
        Requirement::one_of(keys::INSTANCE_TENANCY, ["default", "dedicated"]),
    ];
    all.extend(no_reservation());
    all
}

/// What is bought on demand or as spot runs in no capacity reservation.
pub(super) fn no_reservation() -> [Requirement; 3] {
    [
        absent(keys::CAPACITY_RESERVATION_ID),
        absent(keys::CAPACITY_RESERVATION_TYPE),
        absent(keys::CAPACITY_RESERVATION_INTERRUPTIBLE),
    ]
}

fn hardware(facts: &TypeFacts) -> [Requirement; 6] {
    [
        exactly(keys::INSTANCE_CPU, &facts.cpus),
        exactly(
            keys::INSTANCE_CPU_MANUFACTURER,
            &kebab(&facts.cpu_manufacturer),
        ),
        exactly(
            keys::INSTANCE_CPU_SUSTAINED_CLOCK_SPEED_MHZ,
            &facts.clock_mhz,
        ),
        exactly(keys::INSTANCE_MEMORY, &facts.memory_mib),
        // Bare metal has the label with an empty value.
        exactly(
            keys::INSTANCE_HYPERVISOR,
            facts.hypervisor.as_deref().unwrap_or_default(),
        ),
        exactly(keys::NITRO_SANDBOX, &facts.nitro_enclaves),
    ]
}

fn network_and_disks(facts: &TypeFacts) -> [Requirement; 4] {
    let nvme = facts.storage.as_ref().filter(|storage| storage.nvme);
    [
        if_known(keys::INSTANCE_EBS_BANDWIDTH, facts.ebs_bandwidth_mbps),
        if_known(
            keys::INSTANCE_NETWORK_BANDWIDTH,
            facts.network.bandwidth_mbps,
        ),
        exactly(
            keys::INSTANCE_ENCRYPTION_IN_TRANSIT_SUPPORTED,
            &facts.network.encryption_in_transit,
        ),
        if_known(keys::INSTANCE_LOCAL_NVME, nvme.map(|storage| storage.gb)),
    ]
}

/// A machine with two kinds of GPU could not be described by one label and has none.
fn gpu(facts: &TypeFacts) -> [Requirement; 4] {
    let only = match facts.gpus.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let manufacturer = only.map(|gpu| kebab(&gpu.manufacturer));
    [
        if_known(keys::INSTANCE_GPU_NAME, only.map(|gpu| kebab(&gpu.name))),
        if_known(keys::INSTANCE_GPU_MANUFACTURER, manufacturer),
        if_known(keys::INSTANCE_GPU_COUNT, only.map(|gpu| gpu.count)),
        if_known(keys::INSTANCE_GPU_MEMORY, only.map(|gpu| gpu.memory_mib)),
    ]
}

fn accelerator(facts: &TypeFacts) -> [Requirement; 3] {
    let neuron = facts.neuron_devices.as_slice();
    let inference = facts.inference_accelerators.as_slice();
    let only = match (neuron, inference) {
        // EC2 names no maker of Neuron devices: there is but one.
        ([device], _) => Some((device.name.as_str(), "aws", device.count)),
        ([], [other]) => Some((
            other.name.as_str(),
            other.manufacturer.as_str(),
            other.count,
        )),
        _ => None,
    };
    [
        if_known(
            keys::INSTANCE_ACCELERATOR_NAME,
            only.map(|(name, ..)| kebab(name)),
        ),
        if_known(
            keys::INSTANCE_ACCELERATOR_MANUFACTURER,
            only.map(|(_, manufacturer, _)| kebab(manufacturer)),
        ),
        if_known(
            keys::INSTANCE_ACCELERATOR_COUNT,
            only.map(|(.., count)| count),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart() {
        let cases = [
            ("m6a.xlarge", "m6a", "xlarge", Some(("m", "6"))),
            ("g4dn.metal", "g4dn", "metal", Some(("g", "4"))),
            (
                "u-24tb1.112xlarge",
                "u-24tb1",
                "112xlarge",
                Some(("u", "1")),
            ),
            (
                "u7in-24tb.224xlarge",
                "u7in-24tb",
                "224xlarge",
                Some(("u", "7")),
            ),
            ("m7i-flex.large", "m7i-flex", "large", Some(("m", "7"))),
            (
                "mac2-m2pro.metal",
                "mac2-m2pro",
                "metal",
                Some(("mac", "2")),
            ),
            ("r8gd.metal-24xl", "r8gd", "metal-24xl", Some(("r", "8"))),
            ("odd.large", "odd", "large", None),
            ("u-tb1.large", "u-tb1", "large", None),
        ];
        for (name, family, size, regular) in cases {
            let expected = NameParts {
                family,
                size,
                category: regular.map(|(category, _)| category),
                generation: regular.map(|(_, generation)| generation),
            };
            assert_eq!(name_parts(name), expected, "{name}");
        }
    }
}

//! What a machine has.

use crate::model::node_class::{AmiFamily, InstanceStore, NodeClass};
use crate::model::resources::{ResourceName, Resources};

use super::facts::{Architecture, TypeFacts};

const MEBIBYTE: i64 = 1 << 20;
const GIBIBYTE: i64 = 1 << 30;
const GIGABYTE: i64 = 1_000_000_000;

/// Memory that the firmware of Graviton machines keeps, which EC2 counts and the system never sees
/// (Karpenter's AWS provider).
const ARM_FIRMWARE_MIB: i64 = 64;

/// Pods of a Windows node, whose addresses do not come from its interfaces (EKS documentation).
const WINDOWS_PODS: i64 = 110;

/// Everything that a machine of this type has when it is set up so.
pub(super) fn capacity(facts: &TypeFacts, class: &NodeClass) -> Resources {
    let amounts = [
        (ResourceName::CPU, i64::from(facts.cpus) * 1_000),
        (ResourceName::MEMORY, memory(facts, class)),
        (ResourceName::EPHEMERAL_STORAGE, disk(facts, class)),
        (ResourceName::PODS, pods(facts, class)),
        ("nvidia.com/gpu".into(), gpus(facts, "nvidia")),
        ("amd.com/gpu".into(), gpus(facts, "amd")),
        ("habana.ai/gaudi".into(), gpus(facts, "habana")),
        ("aws.amazon.com/neuron".into(), neuron_devices(facts)),
        ("aws.amazon.com/neuroncore".into(), neuron_cores(facts)),
        (
            "vpc.amazonaws.com/efa".into(),
            fabric_adapters(facts, class),
        ),
        (
            "vpc.amazonaws.com/pod-eni".into(),
            facts.network.branch_interfaces.into(),
        ),
        (
            "vpc.amazonaws.com/PrivateIPv4Address".into(),
            windows_addresses(facts, class),
        ),
    ];
    let add = |sum: Resources, (name, amount): &(ResourceName, i64)| sum.with(name, *amount);
    amounts.iter().fold(Resources::new(), add)
}

fn is_windows(family: AmiFamily) -> bool {
    match family {
        AmiFamily::Al2 | AmiFamily::Al2023 | AmiFamily::Bottlerocket | AmiFamily::Custom => false,
        AmiFamily::Windows2019 | AmiFamily::Windows2022 | AmiFamily::Windows2025 => true,
    }
}

/// The memory EC2 promises, less what never reaches the system; the estimate of that is rounded up
/// to whole mebibytes, so that no pod is promised memory which is not there.
fn memory(facts: &TypeFacts, class: &NodeClass) -> i64 {
    let promised = match facts.architecture {
        Architecture::X86 | Architecture::Mac => i64::from(facts.memory_mib),
        Architecture::Arm => i64::from(facts.memory_mib) - ARM_FIRMWARE_MIB,
    };
    let lost = class.memory_overhead.of(promised);
    (promised - lost).max(0) * MEBIBYTE
}

/// Disk space for pods. Which volume of the class holds it has been settled when the class was
/// read; what is left are the defaults of the images.
fn disk(facts: &TypeFacts, class: &NodeClass) -> i64 {
    match (class.instance_store, &facts.storage) {
        (InstanceStore::Raid0, Some(storage)) => i64::from(storage.gb) * GIGABYTE,
        (InstanceStore::Raid0, None) | (InstanceStore::Unused, _) => class
            .root_volume_bytes
            .unwrap_or_else(|| default_volume(class.ami_family)),
    }
}

fn default_volume(family: AmiFamily) -> i64 {
    if is_windows(family) {
        50 * GIBIBYTE
    } else {
        20 * GIBIBYTE
    }
}

/// The most pods on a node: what the class says, or what its addresses allow.
pub(super) fn pods(facts: &TypeFacts, class: &NodeClass) -> i64 {
    let kubelet = &class.kubelet;
    let most = match kubelet.pods_max {
        Some(most) => most.into(),
        None if is_windows(class.ami_family) => WINDOWS_PODS,
        None => pods_by_address(facts, class, class.reserved_enis),
    };
    // Bottlerocket has no such setting, and zero means none.
    let per_core = kubelet
        .pods_per_core
        .filter(|per_core| *per_core > 0 && class.ami_family != AmiFamily::Bottlerocket);
    per_core.map_or(most, |per_core| {
        most.min(i64::from(per_core) * i64::from(facts.cpus))
    })
}

/// The pods that find an address: each interface has one address for itself and the others for
/// pods; the two pods more are those of the network and of kube-proxy, which every node runs on its
/// own address (Amazon VPC CNI, "eni-max-pods").
pub(super) fn pods_by_address(facts: &TypeFacts, class: &NodeClass, reserved: u32) -> i64 {
    let network = &facts.network;
    let fabric_only = class.fabric_interfaces.map_or(0, |efa| efa.on_default_card);
    let usable = i64::from(network.interfaces) - i64::from(reserved) - i64::from(fabric_only);
    if usable <= 0 {
        return 0;
    }
    usable * (i64::from(network.addresses_per_interface) - 1) + 2
}

fn gpus(facts: &TypeFacts, manufacturer: &str) -> i64 {
    let of_maker = facts
        .gpus
        .iter()
        .filter(|gpu| gpu.manufacturer.eq_ignore_ascii_case(manufacturer));
    of_maker.map(|gpu| i64::from(gpu.count)).sum()
}

fn neuron_devices(facts: &TypeFacts) -> i64 {
    let counts = facts
        .neuron_devices
        .iter()
        .map(|kind| i64::from(kind.count));
    counts.sum()
}

/// Karpenter counts the cores of the first kind of device; no type has two.
fn neuron_cores(facts: &TypeFacts) -> i64 {
    let first = facts.neuron_devices.first();
    first.map_or(0, |kind| i64::from(kind.count) * i64::from(kind.cores))
}

/// A class that lists its interfaces gets what it lists, even on a type without the hardware.
fn fabric_adapters(facts: &TypeFacts, class: &NodeClass) -> i64 {
    match class.fabric_interfaces {
        Some(listed) => listed.total.into(),
        None => facts.network.efa_interfaces.into(),
    }
}

/// Addresses that a Windows node hands out as a resource (VPC resource controller).
fn windows_addresses(facts: &TypeFacts, class: &NodeClass) -> i64 {
    if is_windows(class.ami_family) {
        (i64::from(facts.network.addresses_per_interface) - 1).max(0)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{class, m5_large};
    use super::*;

    #[test]
    fn images_differ_in_pods_disk_and_addresses() {
        let cases = [
            (AmiFamily::Al2, 8, 20, 0),
            (AmiFamily::Al2023, 8, 20, 0),
            (AmiFamily::Custom, 8, 20, 0),
            (AmiFamily::Bottlerocket, 29, 20, 0),
            (AmiFamily::Windows2019, 8, 50, 9),
            (AmiFamily::Windows2022, 8, 50, 9),
            (AmiFamily::Windows2025, 8, 50, 9),
        ];
        for (family, pods_at_four_a_core, gibibytes, addresses) in cases {
            let mut class = class(family);
            let expected_disk = gibibytes * GIBIBYTE;
            assert_eq!(disk(&m5_large(), &class), expected_disk, "{family:?}");
            let found = windows_addresses(&m5_large(), &class);
            assert_eq!(found, addresses, "{family:?}");
            class.kubelet.pods_per_core = Some(4);
            assert_eq!(pods(&m5_large(), &class), pods_at_four_a_core, "{family:?}");
        }
        let windows = class(AmiFamily::Windows2022);
        assert_eq!(pods(&m5_large(), &windows), 110);
    }

    #[test]
    fn interfaces_that_are_not_there_carry_no_pods() {
        let mut class = class(AmiFamily::Al2023);
        for (reserved, expected) in [(0, 29), (1, 20), (2, 11), (3, 0), (4, 0)] {
            class.reserved_enis = reserved;
            assert_eq!(pods(&m5_large(), &class), expected);
        }
    }
}

//! What a node keeps of its machine.

use crate::model::catalog::Overhead;
use crate::model::node_class::{AmiFamily, EvictionThreshold, NodeClass};
use crate::model::resources::{ResourceName, Resources};

use super::capacity::{pods, pods_by_address};
use super::facts::TypeFacts;

const MEBIBYTE: i64 = 1 << 20;
const GIBIBYTE: i64 = 1 << 30;

/// The kubelet evicts pods when less than this is free (Kubernetes documentation, "Node-pressure
/// Eviction").
const EVICTION_MEMORY: EvictionThreshold = EvictionThreshold::Bytes(100 * MEBIBYTE);
const EVICTION_DISK: EvictionThreshold = EvictionThreshold::MilliPercent(10_000);

/// Thousandths of a percent in the whole.
const WHOLE: u32 = 100_000;

/// What a node of this type and class keeps for itself.
pub(super) fn overhead(facts: &TypeFacts, class: &NodeClass, capacity: &Resources) -> Overhead {
    Overhead {
        kube_reserved: of_pods(&kube_reserved(facts, class)),
        system_reserved: of_pods(&class.kubelet.system_reserved),
        eviction_threshold: eviction_threshold(class, capacity),
    }
}

/// What is reserved of the resources that pods share. The kubelet also knows a reservation of
/// process ids; no machine counts those among what it has, and subtracted from nothing they would
/// make every machine one that is promised beyond its means.
fn of_pods(reserved: &Resources) -> Resources {
    let shared = [
        ResourceName::CPU,
        ResourceName::MEMORY,
        ResourceName::EPHEMERAL_STORAGE,
    ];
    shared.iter().fold(Resources::new(), |kept, name| {
        kept.with(name, reserved.get(name))
    })
}

/// The defaults are those of the EKS images (`bootstrap.sh` and nodeadm).
fn kube_reserved(facts: &TypeFacts, class: &NodeClass) -> Resources {
    let defaults = Resources::new()
        .with(
            &ResourceName::CPU,
            reserved_cpu(i64::from(facts.cpus) * 1_000),
        )
        .with(&ResourceName::MEMORY, reserved_memory(facts, class))
        .with(&ResourceName::EPHEMERAL_STORAGE, GIBIBYTE);
    let settings = class.kubelet.kube_reserved.iter();
    settings.fold(defaults, |reserved, (name, amount)| {
        reserved.with(name, *amount)
    })
}

/// Steps of the first cores, in thousandths, and the share of each step that is kept, in parts
/// per ten thousand.
const CPU_STEPS: [(i64, i64); 4] = [(1_000, 600), (1_000, 100), (2_000, 50), (i64::MAX, 25)];

fn reserved_cpu(millis: i64) -> i64 {
    let mut left = millis;
    let mut reserved = 0;
    for (width, share) in CPU_STEPS {
        let step = left.min(width);
        reserved += step * share / 10_000;
        left -= step;
    }
    reserved
}

/// 11 MiB for each pod that the node could have and 255 MiB besides.
///
/// All images but Bottlerocket's and those of Windows count the pods that the interfaces have
/// addresses for, whatever the class allows or reserves.
fn reserved_memory(facts: &TypeFacts, class: &NodeClass) -> i64 {
    let counted = match class.ami_family {
        AmiFamily::Al2 | AmiFamily::Al2023 | AmiFamily::Custom => pods_by_address(facts, class, 0),
        AmiFamily::Bottlerocket
        | AmiFamily::Windows2019
        | AmiFamily::Windows2022
        | AmiFamily::Windows2025 => pods(facts, class),
    };
    (11 * counted + 255) * MEBIBYTE
}

fn eviction_threshold(class: &NodeClass, capacity: &Resources) -> Resources {
    let kubelet = &class.kubelet;
    let thresholds = [
        (
            ResourceName::MEMORY,
            kubelet.eviction_memory.unwrap_or(EVICTION_MEMORY),
        ),
        (
            ResourceName::EPHEMERAL_STORAGE,
            kubelet.eviction_disk.unwrap_or(EVICTION_DISK),
        ),
    ];
    let amount = |name, threshold| match threshold {
        EvictionThreshold::Bytes(bytes) => bytes,
        EvictionThreshold::MilliPercent(share) => share_of(capacity.get(name), share),
    };
    thresholds
        .iter()
        .fold(Resources::new(), |all, (name, threshold)| {
            all.with(name, amount(name, *threshold))
        })
}

/// A share of an amount, rounded up. The whole means that the signal is off (Kubernetes'
/// `KubeletConfiguration`), which keeps nothing.
fn share_of(amount: i64, share: u32) -> i64 {
    if share == WHOLE {
        return 0;
    }
    let product = i128::from(amount) * i128::from(share);
    let whole = i128::from(WHOLE);
    let rounded_up = (product + whole - 1).div_euclid(whole);
    i64::try_from(rounded_up).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{class, m5_large};
    use super::*;

    /// 29 pods find an address, 20 are allowed.
    #[test]
    fn images_differ_in_the_pods_that_memory_is_kept_for() {
        let cases = [
            (AmiFamily::Al2, 11 * 29 + 255),
            (AmiFamily::Al2023, 11 * 29 + 255),
            (AmiFamily::Custom, 11 * 29 + 255),
            (AmiFamily::Bottlerocket, 11 * 20 + 255),
            (AmiFamily::Windows2022, 11 * 20 + 255),
        ];
        for (family, mebibytes) in cases {
            let mut class = class(family);
            class.kubelet.pods_max = Some(20);
            let reserved = kube_reserved(&m5_large(), &class);
            assert_eq!(reserved.memory_bytes(), mebibytes * MEBIBYTE, "{family:?}");
        }
    }

    #[test]
    fn process_ids_are_no_resource_of_pods() {
        let mut class = class(AmiFamily::Al2023);
        class.kubelet.kube_reserved.insert("pid".into(), 1_000);
        class.kubelet.system_reserved = Resources::new()
            .with(&"pid".into(), 1_000)
            .with(&ResourceName::CPU, 100);
        let capacity = super::super::capacity::capacity(&m5_large(), &class);
        let overhead = overhead(&m5_large(), &class, &capacity);
        assert_eq!(overhead.kube_reserved.get(&"pid".into()), 0);
        let cpu = Resources::new().with(&ResourceName::CPU, 100);
        assert_eq!(overhead.system_reserved, cpu);
    }

    #[test]
    fn cores_give_less_the_more_there_are() {
        let cases = [
            (1_000, 60),
            (2_000, 70),
            (4_000, 80),
            (8_000, 90),
            (96_000, 310),
            (192_000, 550),
        ];
        for (millis, reserved) in cases {
            assert_eq!(reserved_cpu(millis), reserved);
        }
    }

    #[test]
    fn shares_round_up_and_the_whole_is_off() {
        assert_eq!(share_of(1_000, 3_700), 37);
        assert_eq!(share_of(1_001, 3_700), 38);
        assert_eq!(share_of(1_001, 0), 0);
        assert_eq!(share_of(1_001, WHOLE), 0);
        assert_eq!(share_of(i64::MAX, WHOLE - 1), 9_223_279_803_134_407_260);
    }
}

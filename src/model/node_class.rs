//! Node classes: how machines of a pool are set up, as far as placement depends on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::id::ZoneName;
use super::resources::{ResourceName, Resources};

/// Which node class a NodePool or NodeClaim uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeClassRef {
    /// The API group, such as `karpenter.k8s.aws`.
    pub group: Arc<str>,
    /// The kind, such as `EC2NodeClass`.
    pub kind: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

/// `EC2NodeClass default`.
impl fmt::Display for NodeClassRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// The images that nodes boot from, as far as the size of a node depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AmiFamily {
    /// Amazon Linux 2.
    Al2,
    /// Amazon Linux 2023.
    Al2023,
    /// Bottlerocket.
    Bottlerocket,
    /// Windows Server 2019.
    Windows2019,
    /// Windows Server 2022.
    Windows2022,
    /// Windows Server 2025.
    Windows2025,
    /// The user's own.
    Custom,
}

/// What becomes of the disks that a machine brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceStore {
    /// They are left alone.
    Unused,
    /// They are joined and hold the pods' files.
    Raid0,
}

/// When the kubelet evicts pods: an amount left over, or a share of the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvictionThreshold {
    /// Bytes.
    Bytes(i64),
    /// Thousandths of a percent of the capacity.
    MilliPercent(u32),
}

/// The settings of the kubelet that decide how much of a machine pods may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubelet {
    /// The most pods on a node.
    pub pods_max: Option<u32>,
    /// The most pods for each CPU.
    pub pods_per_core: Option<u32>,
    /// What Kubernetes keeps for itself; a resource named here replaces the default.
    pub kube_reserved: BTreeMap<ResourceName, i64>,
    /// What the system keeps for itself.
    pub system_reserved: Resources,
    /// `evictionHard` for `memory.available`.
    pub eviction_memory: Option<EvictionThreshold>,
    /// `evictionHard` for `nodefs.available`.
    pub eviction_disk: Option<EvictionThreshold>,
}

/// The share of the promised memory that is taken never to reach the system, in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoryOverhead(u32);

impl MemoryOverhead {
    /// Karpenter's default of 7.5 %.
    pub const DEFAULT: Self = Self(75_000);

    const WHOLE: u32 = 1_000_000;

    /// So many parts per million; `None` above the whole.
    pub const fn from_parts_per_million(parts: u32) -> Option<Self> {
        if parts > Self::WHOLE {
            return None;
        }
        Some(Self(parts))
    }

    /// The share of an amount, rounded up.
    pub fn of(self, amount: i64) -> i64 {
        let whole = i128::from(Self::WHOLE);
        let product = i128::from(amount) * i128::from(self.0);
        let rounded_up = (product + whole - 1).div_euclid(whole);
        i64::try_from(rounded_up).expect("a part of an amount is no more than the amount")
    }
}

/// The network interfaces that carry fabric traffic alone, of those that a class lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FabricInterfaces {
    /// On all cards.
    pub total: u32,
    /// On the default card, where they take the place of interfaces for pods.
    pub on_default_card: u32,
}

/// A node class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeClass {
    /// Its group, kind and name.
    pub reference: NodeClassRef,
    /// The images.
    pub ami_family: AmiFamily,
    /// The kubelet's settings.
    pub kubelet: Kubelet,
    /// What becomes of local disks.
    pub instance_store: InstanceStore,
    /// The size of the volume that holds the pods' files, in bytes; none means the default.
    pub root_volume_bytes: Option<i64>,
    /// The zones that its subnets lie in; none known means all zones of the region.
    pub zones: BTreeSet<ZoneName>,
    /// Network interfaces of the default card that pods cannot use.
    pub reserved_enis: u32,
    /// The fabric interfaces, where the class lists its interfaces; none means that it does not,
    /// and a machine has those of its type.
    pub fabric_interfaces: Option<FabricInterfaces>,
    /// The memory that is never seen.
    pub memory_overhead: MemoryOverhead,
}

impl NodeClass {
    /// A class of that name that says nothing: what is used where the object is missing.
    pub fn with_defaults(reference: NodeClassRef) -> Self {
        Self {
            reference,
            ami_family: AmiFamily::Al2023,
            kubelet: Kubelet::default(),
            instance_store: InstanceStore::Unused,
            root_volume_bytes: None,
            zones: BTreeSet::new(),
            reserved_enis: 0,
            fabric_interfaces: None,
            memory_overhead: MemoryOverhead::DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unseen_memory_is_rounded_up() {
        let share = |parts| MemoryOverhead::from_parts_per_million(parts);
        assert_eq!(MemoryOverhead::DEFAULT.of(16_384), 1_229);
        assert_eq!(share(0).map(|none| none.of(16_384)), Some(0));
        assert_eq!(share(70_000).map(|some| some.of(100)), Some(7));
        assert_eq!(share(1_000_000).map(|all| all.of(i64::MAX)), Some(i64::MAX));
        assert_eq!(share(1_000_001), None);
    }
}

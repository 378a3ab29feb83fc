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
        }
    }
}

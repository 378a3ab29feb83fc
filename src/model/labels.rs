//! Names on objects: labels, annotations, taints and finalizers, and the rules about label keys.

use super::text::shared_text;

shared_text! {
    /// The key of a label, as written; [`normalize_key`] replaces retired aliases.
    LabelKey
}

shared_text! {
    /// The value of a label.
    LabelValue
}

/// Keys of labels, annotations and taints, and names of finalizers.
pub mod keys {
    /// Label: the NodePool that owns a NodeClaim or Node.
    pub const NODE_POOL: &str = "karpenter.sh/nodepool";
    /// Label: `spot`, `on-demand` or `reserved`.
    pub const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
    /// Label: the node has been registered.
    pub const REGISTERED: &str = "karpenter.sh/registered";
    /// Label: the node has been initialised.
    pub const INITIALIZED: &str = "karpenter.sh/initialized";
    /// Label on a Node: registration must not copy the NodeClaim's taints to it.
    pub const DO_NOT_SYNC_TAINTS: &str = "karpenter.sh/do-not-sync-taints";
    /// Label put on a node that drains, so that load balancers stop sending to it.
    pub const EXCLUDE_FROM_LOAD_BALANCERS: &str =
        "node.kubernetes.io/exclude-from-external-load-balancers";
    /// Label and EC2 tag: the name of a NodeClaim.
    pub const NODE_CLAIM: &str = "karpenter.sh/nodeclaim";

    /// Label: the name of the node.
    pub const HOSTNAME: &str = "kubernetes.io/hostname";
    /// Label: the zone by name, such as `us-east-2a`.
    pub const ZONE: &str = "topology.kubernetes.io/zone";
    /// Label: the region.
    pub const REGION: &str = "topology.kubernetes.io/region";
    /// Label: the instance type by name.
    pub const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";
    /// Label: `amd64` or `arm64`.
    pub const ARCH: &str = "kubernetes.io/arch";
    /// Label: `linux` or `windows`.
    pub const OS: &str = "kubernetes.io/os";
    /// Label: the build number of Windows.
    pub const WINDOWS_BUILD: &str = "node.kubernetes.io/windows-build";

    /// Label: the zone by id, such as `use2-az1`, which means the same place in every account.
    pub const ZONE_ID: &str = "topology.k8s.aws/zone-id";
    /// Label: number of virtual CPUs.
    pub const INSTANCE_CPU: &str = "karpenter.k8s.aws/instance-cpu";
    /// Label: maker of the CPU: `aws`, `intel` or `amd`.
    pub const INSTANCE_CPU_MANUFACTURER: &str = "karpenter.k8s.aws/instance-cpu-manufacturer";
    /// Label: sustained clock speed in MHz.
    pub const INSTANCE_CPU_SUSTAINED_CLOCK_SPEED_MHZ: &str =
        "karpenter.k8s.aws/instance-cpu-sustained-clock-speed-mhz";
    /// Label: memory in MiB.
    pub const INSTANCE_MEMORY: &str = "karpenter.k8s.aws/instance-memory";
    /// Label: greatest bandwidth to block storage in Mbit/s.
    pub const INSTANCE_EBS_BANDWIDTH: &str = "karpenter.k8s.aws/instance-ebs-bandwidth";
    /// Label: baseline network bandwidth in Mbit/s.
    pub const INSTANCE_NETWORK_BANDWIDTH: &str = "karpenter.k8s.aws/instance-network-bandwidth";
    /// Label: the letters an instance type begins with, such as `c`.
    pub const INSTANCE_CATEGORY: &str = "karpenter.k8s.aws/instance-category";
    /// Label: the generation number.
    pub const INSTANCE_GENERATION: &str = "karpenter.k8s.aws/instance-generation";
    /// Label: the part of an instance type before the dot.
    pub const INSTANCE_FAMILY: &str = "karpenter.k8s.aws/instance-family";
    /// Label: the part of an instance type after the dot.
    pub const INSTANCE_SIZE: &str = "karpenter.k8s.aws/instance-size";
    /// Label: whether the type is a flex type.
    pub const INSTANCE_CAPABILITY_FLEX: &str = "karpenter.k8s.aws/instance-capability-flex";
    /// Label: size of the local NVMe disks in GB.
    pub const INSTANCE_LOCAL_NVME: &str = "karpenter.k8s.aws/instance-local-nvme";
    /// Label: name of the GPU.
    pub const INSTANCE_GPU_NAME: &str = "karpenter.k8s.aws/instance-gpu-name";
    /// Label: maker of the GPU.
    pub const INSTANCE_GPU_MANUFACTURER: &str = "karpenter.k8s.aws/instance-gpu-manufacturer";
    /// Label: number of GPUs.
    pub const INSTANCE_GPU_COUNT: &str = "karpenter.k8s.aws/instance-gpu-count";
    /// Label: memory of one GPU in MiB.
    pub const INSTANCE_GPU_MEMORY: &str = "karpenter.k8s.aws/instance-gpu-memory";
    /// Label: name of the accelerator.
    pub const INSTANCE_ACCELERATOR_NAME: &str = "karpenter.k8s.aws/instance-accelerator-name";
    /// Label: maker of the accelerator.
    pub const INSTANCE_ACCELERATOR_MANUFACTURER: &str =
        "karpenter.k8s.aws/instance-accelerator-manufacturer";
    /// Label: number of accelerators.
    pub const INSTANCE_ACCELERATOR_COUNT: &str = "karpenter.k8s.aws/instance-accelerator-count";
    /// Label: `nitro`, `xen`, or empty for bare metal.
    pub const INSTANCE_HYPERVISOR: &str = "karpenter.k8s.aws/instance-hypervisor";
    /// Label: whether traffic between instances is encrypted by the hardware.
    pub const INSTANCE_ENCRYPTION_IN_TRANSIT_SUPPORTED: &str =
        "karpenter.k8s.aws/instance-encryption-in-transit-supported";
    /// Label: `default` or `dedicated`.
    pub const INSTANCE_TENANCY: &str = "karpenter.k8s.aws/instance-tenancy";
    /// Label: whether Nitro enclaves are supported.
    pub const NITRO_SANDBOX: &str = "karpenter.k8s.aws/nitro-sandbox";
    /// Label: the capacity reservation an instance runs in.
    pub const CAPACITY_RESERVATION_ID: &str = "karpenter.k8s.aws/capacity-reservation-id";
    /// Label: the kind of that reservation.
    pub const CAPACITY_RESERVATION_TYPE: &str = "karpenter.k8s.aws/capacity-reservation-type";
    /// Label: whether instances of that reservation may be taken back.
    pub const CAPACITY_RESERVATION_INTERRUPTIBLE: &str =
        "karpenter.k8s.aws/capacity-reservation-interruptible";
    /// Label: the placement group.
    pub const PLACEMENT_GROUP_ID: &str = "karpenter.k8s.aws/placement-group-id";
    /// Label: the partition within the placement group.
    pub const PLACEMENT_GROUP_PARTITION: &str = "karpenter.k8s.aws/placement-group-partition";
    /// Label on NodeClaims, and EC2 tag: the name of the EC2NodeClass.
    pub const EC2_NODE_CLASS: &str = "karpenter.k8s.aws/ec2nodeclass";

    /// Annotation: the pod or node must not be disrupted.
    pub const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";
    /// Annotation: hash of the fields of a NodePool whose change is drift.
    pub const NODE_POOL_HASH: &str = "karpenter.sh/nodepool-hash";
    /// Annotation: version of the recipe of [`NODE_POOL_HASH`].
    pub const NODE_POOL_HASH_VERSION: &str = "karpenter.sh/nodepool-hash-version";
    /// Annotation: RFC 3339 instant after which a NodeClaim's machine goes whatever still runs.
    pub const TERMINATION_TIMESTAMP: &str = "karpenter.sh/nodeclaim-termination-timestamp";
    /// Annotation: whether minValues were lowered to make a launch possible.
    pub const MIN_VALUES_RELAXED: &str = "karpenter.sh/nodeclaim-min-values-relaxed";
    /// Annotation: drivers of dynamic resources that initialisation waits for.
    pub const REQUESTED_DRA_DRIVERS: &str = "karpenter.sh/requested-dra-drivers";
    /// Annotation: a NodeOverlay changed the price this NodeClaim was chosen by.
    pub const PRICE_OVERLAY_APPLIED: &str = "karpenter.sh/price-overlay-applied";
    /// Annotation: a NodeOverlay changed the capacity this NodeClaim was chosen by.
    pub const CAPACITY_OVERLAY_APPLIED: &str = "karpenter.sh/capacity-overlay-applied";
    /// Annotation: compatibility of the provider.
    pub const PROVIDER_COMPATIBILITY: &str = "compatibility.karpenter.sh/provider";
    /// Annotation: the tag with the cluster's name has been put on the instance.
    pub const CLUSTER_NAME_TAGGED: &str = "compatibility.karpenter.k8s.aws/cluster-name-tagged";
    /// Annotation: hash of the fields of an EC2NodeClass whose change is drift.
    pub const EC2_NODE_CLASS_HASH: &str = "karpenter.k8s.aws/ec2nodeclass-hash";
    /// Annotation: version of the recipe of [`EC2_NODE_CLASS_HASH`].
    pub const EC2_NODE_CLASS_HASH_VERSION: &str = "karpenter.k8s.aws/ec2nodeclass-hash-version";
    /// Annotation: the instance carries the tags that need the node's name.
    pub const TAGGED: &str = "karpenter.k8s.aws/tagged";
    /// Annotation: the instance profile a NodeClaim was launched with.
    pub const INSTANCE_PROFILE_NAME: &str = "karpenter.k8s.aws/instance-profile-name";
    /// Annotation: how dear it is to evict this pod, relative to others.
    pub const POD_DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    /// Annotation: the launch group of a NodeClaim, which is the idempotency token of its fleet.
    pub const LAUNCH_GROUP: &str = "tidewright.dev/launch-group";

    /// Taint: the node is being disrupted.
    pub const DISRUPTED: &str = "karpenter.sh/disrupted";
    /// Taint: the node has booted and is not registered yet.
    pub const UNREGISTERED: &str = "karpenter.sh/unregistered";
    /// Taint: the node is not ready.
    pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
    /// Taint: the node has stopped answering.
    pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
    /// Taint: the cloud's controller has not initialised the node yet.
    pub const CLOUD_PROVIDER_UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

    /// Finalizer on NodeClaims and Nodes.
    pub const TERMINATION: &str = "karpenter.sh/termination";
    /// Finalizer on EC2NodeClasses.
    pub const EC2_NODE_CLASS_TERMINATION: &str = "karpenter.k8s.aws/termination";
}

/// The three values of the label [`keys::CAPACITY_TYPE`].
pub const CAPACITY_TYPES: [&str; 3] = ["spot", "on-demand", "reserved"];

/// Labels whose values Tidewright knows from the instance types, so that a NodePool need not
/// mention them for a pod to ask for them; sorted.
pub const WELL_KNOWN: [&str; 37] = [
    keys::CAPACITY_RESERVATION_ID,
    keys::CAPACITY_RESERVATION_INTERRUPTIBLE,
    keys::CAPACITY_RESERVATION_TYPE,
    keys::INSTANCE_ACCELERATOR_COUNT,
    keys::INSTANCE_ACCELERATOR_MANUFACTURER,
    keys::INSTANCE_ACCELERATOR_NAME,
    keys::INSTANCE_CAPABILITY_FLEX,
    keys::INSTANCE_CATEGORY,
    keys::INSTANCE_CPU,
    keys::INSTANCE_CPU_MANUFACTURER,
    keys::INSTANCE_CPU_SUSTAINED_CLOCK_SPEED_MHZ,
    keys::INSTANCE_EBS_BANDWIDTH,
    keys::INSTANCE_ENCRYPTION_IN_TRANSIT_SUPPORTED,
    keys::INSTANCE_FAMILY,
    keys::INSTANCE_GENERATION,
    keys::INSTANCE_GPU_COUNT,
    keys::INSTANCE_GPU_MANUFACTURER,
    keys::INSTANCE_GPU_MEMORY,
    keys::INSTANCE_GPU_NAME,
    keys::INSTANCE_HYPERVISOR,
    keys::INSTANCE_LOCAL_NVME,
    keys::INSTANCE_MEMORY,
    keys::INSTANCE_NETWORK_BANDWIDTH,
    keys::INSTANCE_SIZE,
    keys::INSTANCE_TENANCY,
    keys::NITRO_SANDBOX,
    keys::PLACEMENT_GROUP_ID,
    keys::PLACEMENT_GROUP_PARTITION,
    keys::CAPACITY_TYPE,
    keys::NODE_POOL,
    keys::ARCH,
    keys::OS,
    keys::INSTANCE_TYPE,
    keys::WINDOWS_BUILD,
    keys::ZONE_ID,
    keys::REGION,
    keys::ZONE,
];

/// Domains whose labels only the controller may set, unless they are well known. Subdomains
/// belong to them.
const RESTRICTED_DOMAINS: [&str; 2] = ["karpenter.sh", "karpenter.k8s.aws"];

/// Retired names of labels, and of the zone as the EBS driver calls it.
const ALIASES: [(&str, &str); 6] = [
    ("failure-domain.beta.kubernetes.io/zone", keys::ZONE),
    ("failure-domain.beta.kubernetes.io/region", keys::REGION),
    ("beta.kubernetes.io/arch", keys::ARCH),
    ("beta.kubernetes.io/os", keys::OS),
    ("beta.kubernetes.io/instance-type", keys::INSTANCE_TYPE),
    ("topology.ebs.csi.aws.com/zone", keys::ZONE),
];

/// Whether a NodePool may leave this label out and still offer it.
pub fn is_well_known(key: &str) -> bool {
    WELL_KNOWN.binary_search(&key).is_ok()
}

/// Whether users may not put this label on a NodePool, nor ask for it in a pod: the hostname,
/// and labels in the controller's own domains that are not well known.
pub fn is_restricted(key: &str) -> bool {
    if is_well_known(key) {
        return false;
    }
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    key == keys::HOSTNAME
        || RESTRICTED_DOMAINS
            .iter()
            .any(|root| is_within(domain, root))
}

fn is_within(domain: &str, root: &str) -> bool {
    match domain.strip_suffix(root) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

/// The name this label goes by today.
pub fn normalize_key(key: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == key);
    alias.map_or(key, |(_, name)| name)
}

/// Why a text cannot be the key or value of a label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// The part after the slash, or the whole key without one.
    #[error(
        "\"{key}\" is not a label key: its name must be 1 to 63 letters, digits, dots, dashes or underscores, with a letter or digit at both ends"
    )]
    KeyName {
        /// The key as given.
        key: String,
    },
    /// The part before the slash.
    #[error(
        "\"{key}\" is not a label key: its prefix must be a domain of lower-case letters, digits, dots and dashes, at most 253 long"
    )]
    KeyPrefix {
        /// The key as given.
        key: String,
    },
    /// A value.
    #[error(
        "\"{value}\" is not a label value: it must be empty or at most 63 letters, digits, dots, dashes or underscores, with a letter or digit at both ends"
    )]
    Value {
        /// The value as given.
        value: String,
    },
}

/// Checks a key against the rule for qualified names (Kubernetes documentation, "Labels and
/// Selectors").
pub fn check_key(key: &str) -> Result<(), LabelError> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix.is_some_and(|prefix| !is_domain(prefix)) {
        return Err(LabelError::KeyPrefix { key: key.into() });
    }
    if !is_name(name) {
        return Err(LabelError::KeyName { key: key.into() });
    }
    Ok(())
}

/// Checks a value against the rule for label values (Kubernetes documentation, "Labels and
/// Selectors").
pub fn check_value(value: &str) -> Result<(), LabelError> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(LabelError::Value {
        value: value.into(),
    })
}

const NAME_LENGTH_MAX: usize = 63;
const DOMAIN_LENGTH_MAX: usize = 253;

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends_well = |end: Option<&u8>| end.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= NAME_LENGTH_MAX
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_domain(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(alphanumeric)
            && bytes.last().is_some_and(alphanumeric)
            && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
    };
    text.len() <= DOMAIN_LENGTH_MAX && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_labels_are_sorted_valid_and_allowed() {
        assert!(WELL_KNOWN.is_sorted());
        for key in WELL_KNOWN {
            assert!(is_well_known(key) && !is_restricted(key), "{key}");
            assert_eq!(check_key(key), Ok(()));
            assert_eq!(normalize_key(key), key);
        }
    }

    #[test]
    fn the_controllers_domains_and_the_hostname_are_restricted() {
        let cases = [
            (keys::HOSTNAME, true),
            (keys::INITIALIZED, true),
            ("sub.karpenter.sh/anything", true),
            ("karpenter.k8s.aws/unheard-of", true),
            (keys::EC2_NODE_CLASS, true),
            ("notkarpenter.sh/label", false),
            ("kubernetes.io/anything", false),
            ("node-restriction.kubernetes.io/team", false),
            ("team", false),
        ];
        for (key, restricted) in cases {
            assert_eq!(is_restricted(key), restricted, "{key}");
        }
    }

    #[test]
    fn aliases_become_the_names_of_today() {
        assert_eq!(normalize_key("beta.kubernetes.io/arch"), keys::ARCH);
        assert_eq!(
            normalize_key("failure-domain.beta.kubernetes.io/region"),
            keys::REGION
        );
        assert_eq!(normalize_key("topology.ebs.csi.aws.com/zone"), keys::ZONE);
        assert_eq!(normalize_key("team"), "team");
    }

    #[test]
    fn keys_and_values_follow_kubernetes_rules() {
        let long = "x".repeat(63);
        let too_long = "x".repeat(64);
        for key in ["a", "A.b_c-d", "example.com/a", "a-1.b2/c", &long] {
            assert_eq!(check_key(key), Ok(()), "{key}");
        }
        for key in ["", "-a", "a-", "example.com/", "a b", "a/b/c", &too_long] {
            assert_eq!(check_key(key), Err(LabelError::KeyName { key: key.into() }));
        }
        let long_prefix = format!("{}/a", ["x"; 128].join("."));
        for key in [
            "/a",
            "Example.com/a",
            "a..b/c",
            "-a/b",
            "a_b/c",
            &long_prefix,
        ] {
            assert_eq!(
                check_key(key),
                Err(LabelError::KeyPrefix { key: key.into() })
            );
        }
        for value in ["", "1", "a.b", &long] {
            assert_eq!(check_value(value), Ok(()), "{value}");
        }
        for value in ["-1", "a/b", "a ", "\u{e9}", &too_long] {
            assert_eq!(
                check_value(value),
                Err(LabelError::Value {
                    value: value.into()
                })
            );
        }
    }
}

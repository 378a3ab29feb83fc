//! What is acted on: one row for each field that a user can write.
//!
//! The README's table is made from these rows, and so are the notices that a file gets for what
//! it says in vain. A row changes in the commit that changes what the code does.

use std::fmt;

use super::nodeclass::{EC2NodeClass, KubeletConfiguration, MetadataOptions};
use super::nodepool::{ConsolidationPolicy, NodePool};
use super::rules::FieldPath;

use Object::{EC2NodeClass as Class, Node, NodePool as Pool, Pod};
use Support::{Parsed, Refused, Works};

/// How far a field is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Support {
    /// It is read and acted upon.
    Works,
    /// It is read and checked, and nothing follows from it yet.
    Parsed,
    /// What uses it is not acted on at all, with this reason.
    Refused,
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Works => "works",
            Self::Parsed => "parsed",
            Self::Refused => "refused",
        })
    }
}

/// The object that a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// NodePool.
    NodePool,
    /// EC2NodeClass.
    EC2NodeClass,
    /// Pod, and the template of a DaemonSet.
    Pod,
    /// Node and NodeClaim.
    Node,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodePool => "NodePool",
            Self::EC2NodeClass => "EC2NodeClass",
            Self::Pod => "Pod",
            Self::Node => "Node, NodeClaim",
        })
    }
}

/// One field, or one value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Where it can be written.
    pub object: Object,
    /// The field; a value stands behind a colon.
    pub field: &'static str,
    /// How far it is followed.
    pub support: Support,
    /// What that means, as a half-sentence; may be empty.
    pub remark: &'static str,
}

/// A field that a file uses and that is not acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldNotice {
    /// The field.
    pub path: FieldPath,
    /// What happens instead.
    pub message: String,
}

/// `spec.replicas: not acted on yet; pools of a fixed size are not used`.
impl fmt::Display for FieldNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

const fn row(
    object: Object,
    field: &'static str,
    support: Support,
    remark: &'static str,
) -> Feature {
    Feature {
        object,
        field,
        support,
        remark,
    }
}

const POLICY_UNDERUTILIZED: &str = "spec.disruption.consolidationPolicy: WhenEmptyOrUnderutilized";
const POLICY_BALANCED: &str = "spec.disruption.consolidationPolicy: Balanced";
const EXPIRE_AFTER: &str = "spec.template.spec.expireAfter";
const REPLICAS: &str = "spec.replicas";

const ONLY_EMPTY: &str = "empty nodes go; nodes in use stay as they are";
const LATER: &str = "reaches the machine with the EC2 provider";

/// Every field, in the order of the table.
pub const FEATURES: &[Feature] = &[
    row(
        Pool,
        "spec.template.metadata.labels",
        Works,
        "on claims and nodes; pods can ask for them",
    ),
    row(
        Pool,
        "spec.template.metadata.annotations",
        Works,
        "on claims and nodes",
    ),
    row(Pool, "spec.template.spec.nodeClassRef", Works, ""),
    row(
        Pool,
        "spec.template.spec.requirements",
        Works,
        "all eight operators",
    ),
    row(
        Pool,
        "spec.template.spec.requirements[].minValues",
        Works,
        "kept strictly; never lowered to make a launch possible",
    ),
    row(Pool, "spec.template.spec.taints", Works, ""),
    row(
        Pool,
        "spec.template.spec.startupTaints",
        Works,
        "ignored until the node is initialised",
    ),
    row(
        Pool,
        "spec.template.spec.terminationGracePeriod",
        Works,
        "the longest that a drain may take",
    ),
    row(
        Pool,
        EXPIRE_AFTER,
        Parsed,
        "nodes are not replaced because of their age",
    ),
    row(
        Pool,
        "spec.limits",
        Works,
        "binds while a batch is packed; `nodes` counts nodes",
    ),
    row(Pool, "spec.weight", Works, ""),
    row(
        Pool,
        REPLICAS,
        Refused,
        "pools of a fixed size are not used",
    ),
    row(Pool, "spec.disruption.consolidateAfter", Works, ""),
    row(
        Pool,
        "spec.disruption.consolidationPolicy: WhenEmpty",
        Works,
        "",
    ),
    row(Pool, POLICY_UNDERUTILIZED, Parsed, ONLY_EMPTY),
    row(Pool, POLICY_BALANCED, Parsed, ONLY_EMPTY),
    row(
        Pool,
        "spec.disruption.budgets[].nodes",
        Works,
        "percentages are rounded up",
    ),
    row(
        Pool,
        "spec.disruption.budgets[].reasons",
        Works,
        "nodes go for the reason Empty only, so far",
    ),
    row(
        Pool,
        "spec.disruption.budgets[].schedule",
        Works,
        "with `duration`, in UTC",
    ),
    row(
        Class,
        "spec.amiFamily",
        Works,
        "decides the size of a node; so does an alias",
    ),
    row(Class, "spec.instanceStorePolicy", Works, ""),
    row(
        Class,
        "spec.blockDeviceMappings",
        Works,
        "the size of the volume that holds the pods' files; the rest reaches the machine with the EC2 provider",
    ),
    row(
        Class,
        "spec.networkInterfaces",
        Works,
        "interfaces for fabric traffic take the place of those for pods",
    ),
    row(
        Class,
        "spec.kubelet.maxPods",
        Works,
        "a number; an expression is refused",
    ),
    row(Class, "spec.kubelet.podsPerCore", Works, ""),
    row(
        Class,
        "spec.kubelet.kubeReserved",
        Works,
        "amounts; an expression is refused",
    ),
    row(
        Class,
        "spec.kubelet.systemReserved",
        Works,
        "as `kubeReserved`",
    ),
    row(
        Class,
        "spec.kubelet.evictionHard",
        Works,
        "`memory.available` and `nodefs.available`",
    ),
    row(
        Class,
        "spec.kubelet",
        Parsed,
        "its other settings reach the machine with the EC2 provider",
    ),
    row(
        Class,
        "spec.subnetSelectorTerms",
        Parsed,
        "subnets are looked up with the EC2 provider; the zones in `status.subnets` count",
    ),
    row(Class, "spec.securityGroupSelectorTerms", Parsed, LATER),
    row(
        Class,
        "spec.amiSelectorTerms",
        Parsed,
        "images are looked up with the EC2 provider; the family of an alias counts",
    ),
    row(
        Class,
        "spec.capacityReservationSelectorTerms",
        Parsed,
        "nothing is launched into reservations",
    ),
    row(Class, "spec.placementGroupSelector", Parsed, LATER),
    row(Class, "spec.associatePublicIPAddress", Parsed, LATER),
    row(Class, "spec.ipPrefixCount", Parsed, LATER),
    row(Class, "spec.userData", Parsed, LATER),
    row(Class, "spec.role", Parsed, LATER),
    row(Class, "spec.instanceProfile", Parsed, LATER),
    row(Class, "spec.tags", Parsed, LATER),
    row(Class, "spec.detailedMonitoring", Parsed, LATER),
    row(Class, "spec.metadataOptions", Parsed, LATER),
    row(
        Class,
        "spec.connectionTracking",
        Parsed,
        "does not narrow the instance types",
    ),
    row(Class, "spec.context", Parsed, LATER),
    row(
        Class,
        "spec.cpuOptions",
        Parsed,
        "does not narrow the instance types",
    ),
    row(
        Pod,
        "requests, limits, init containers, sidecars, pod-level resources, overhead",
        Works,
        "counted as the scheduler does",
    ),
    row(Pod, "spec.nodeSelector", Works, ""),
    row(
        Pod,
        "spec.affinity.nodeAffinity",
        Works,
        "required terms and preferred ones",
    ),
    row(
        Pod,
        "spec.affinity.nodeAffinity, matchFields",
        Refused,
        "in a required term; in a preferred one it is left out",
    ),
    row(Pod, "spec.tolerations", Works, ""),
    row(
        Pod,
        "spec.topologySpreadConstraints: DoNotSchedule",
        Refused,
        "",
    ),
    row(
        Pod,
        "spec.topologySpreadConstraints: ScheduleAnyway",
        Parsed,
        "the pod is placed without it",
    ),
    row(
        Pod,
        "spec.affinity.podAffinity, podAntiAffinity: required",
        Refused,
        "",
    ),
    row(
        Pod,
        "spec.affinity.podAffinity, podAntiAffinity: preferred",
        Parsed,
        "the pod is placed without it",
    ),
    row(
        Pod,
        "spec.containers[].ports[].hostPort",
        Refused,
        "so are ports of pods with `hostNetwork`",
    ),
    row(
        Pod,
        "spec.volumes[]",
        Works,
        "those that any node can provide, such as emptyDir, configMap, secret",
    ),
    row(
        Pod,
        "spec.volumes[].persistentVolumeClaim, ephemeral",
        Refused,
        "",
    ),
    row(Pod, "spec.resourceClaims", Refused, ""),
    row(Pod, "spec.schedulingGates, schedulingGroup", Refused, ""),
    row(
        Pod,
        "spec.priorityClassName",
        Works,
        "pods of the two system classes are evicted last",
    ),
    row(Pod, "spec.priority", Parsed, "pods are planned by size"),
    row(
        Pod,
        "spec.schedulerName",
        Parsed,
        "pods of every scheduler are planned for",
    ),
    row(
        Pod,
        "spec.terminationGracePeriodSeconds",
        Works,
        "when a drain has a deadline",
    ),
    row(
        Pod,
        "status.nominatedNodeName",
        Works,
        "a pod that preempts others is left to the scheduler",
    ),
    row(
        Pod,
        "karpenter.sh/do-not-disrupt",
        Works,
        "`true`, or a duration since the pod started",
    ),
    row(
        Pod,
        "controller.kubernetes.io/pod-deletion-cost",
        Parsed,
        "no cost of eviction is weighed",
    ),
    row(
        Node,
        "karpenter.sh/do-not-disrupt",
        Works,
        "`true` on a node",
    ),
    row(
        Node,
        "karpenter.sh/nodepool-hash",
        Parsed,
        "written on claims and nodes; a node that has drifted is not replaced",
    ),
];

/// Whether an object uses a field.
type Uses<T> = (&'static str, fn(&T) -> bool);

const NODE_POOL_USES: [Uses<NodePool>; 4] = [
    (EXPIRE_AFTER, |pool| {
        pool.spec.template.spec.expire_after != "Never"
    }),
    (REPLICAS, |pool| pool.spec.replicas.is_some()),
    (POLICY_UNDERUTILIZED, |pool| {
        let policy = pool.spec.disruption.consolidation_policy;
        policy == ConsolidationPolicy::WhenEmptyOrUnderutilized
    }),
    (POLICY_BALANCED, |pool| {
        pool.spec.disruption.consolidation_policy == ConsolidationPolicy::Balanced
    }),
];

const EC2_NODE_CLASS_USES: [Uses<EC2NodeClass>; 17] = [
    ("spec.kubelet", |class| {
        class.spec.kubelet.as_ref().is_some_and(has_other_settings)
    }),
    ("spec.subnetSelectorTerms", |class| {
        !class.spec.subnet_selector_terms.is_empty()
    }),
    ("spec.securityGroupSelectorTerms", |class| {
        !class.spec.security_group_selector_terms.is_empty()
    }),
    ("spec.amiSelectorTerms", |class| {
        !class.spec.ami_selector_terms.is_empty()
    }),
    ("spec.capacityReservationSelectorTerms", |class| {
        !class.spec.capacity_reservation_selector_terms.is_empty()
    }),
    ("spec.placementGroupSelector", |class| {
        class.spec.placement_group_selector.is_some()
    }),
    ("spec.associatePublicIPAddress", |class| {
        class.spec.associate_public_ip_address.is_some()
    }),
    ("spec.ipPrefixCount", |class| {
        class.spec.ip_prefix_count.is_some()
    }),
    ("spec.userData", |class| class.spec.user_data.is_some()),
    ("spec.role", |class| class.spec.role.is_some()),
    ("spec.instanceProfile", |class| {
        class.spec.instance_profile.is_some()
    }),
    ("spec.tags", |class| !class.spec.tags.is_empty()),
    ("spec.detailedMonitoring", |class| {
        class.spec.detailed_monitoring.is_some()
    }),
    ("spec.metadataOptions", |class| {
        class.spec.metadata_options != MetadataOptions::default()
    }),
    ("spec.connectionTracking", |class| {
        class.spec.connection_tracking.is_some()
    }),
    ("spec.context", |class| class.spec.context.is_some()),
    ("spec.cpuOptions", |class| class.spec.cpu_options.is_some()),
];

/// Whether a kubelet is told anything besides what decides the size of a node.
fn has_other_settings(kubelet: &KubeletConfiguration) -> bool {
    let size = KubeletConfiguration {
        max_pods: kubelet.max_pods.clone(),
        pods_per_core: kubelet.pods_per_core,
        system_reserved: kubelet.system_reserved.clone(),
        kube_reserved: kubelet.kube_reserved.clone(),
        eviction_hard: kubelet.eviction_hard.clone(),
        ..KubeletConfiguration::default()
    };
    *kubelet != size
}

/// The fields of a NodePool that are used and not acted on.
pub fn node_pool_notices(pool: &NodePool) -> Vec<FieldNotice> {
    notices(pool, Pool, &NODE_POOL_USES)
}

/// The fields of an EC2NodeClass that are used and not acted on.
pub fn ec2_node_class_notices(class: &EC2NodeClass) -> Vec<FieldNotice> {
    notices(class, Class, &EC2_NODE_CLASS_USES)
}

fn notices<T>(written: &T, object: Object, uses: &[Uses<T>]) -> Vec<FieldNotice> {
    let rows = FEATURES.iter().filter(|row| row.object == object);
    let in_vain = rows.filter(|row| {
        let mut uses = uses.iter();
        uses.any(|(field, is_used)| *field == row.field && is_used(written))
    });
    in_vain.map(notice).collect()
}

fn notice(row: &Feature) -> FieldNotice {
    let (field, value) = match row.field.split_once(": ") {
        Some((field, value)) => (field, format!("{value} is not acted on yet")),
        None => (row.field, "not acted on yet".to_owned()),
    };
    let segments = field.split('.');
    FieldNotice {
        path: segments.fold(FieldPath::ROOT, |path, segment| path.field(segment)),
        message: format!("{value}; {}", row.remark),
    }
}

/// The table of the README, as Markdown.
pub fn table() -> String {
    let mut table = String::from("| Object | Field | Support | Remark |\n|---|---|---|---|\n");
    for row in FEATURES {
        let Feature {
            object,
            field,
            support,
            remark,
        } = row;
        let line = format!("| {object} | `{field}` | {support} | {remark} |\n");
        table.push_str(&line);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_field_that_is_not_acted_on_has_its_notice() {
        for (object, uses) in [
            (Pool, NODE_POOL_USES.map(|(field, _)| field).to_vec()),
            (Class, EC2_NODE_CLASS_USES.map(|(field, _)| field).to_vec()),
        ] {
            let idle = FEATURES
                .iter()
                .filter(|row| row.object == object && row.support != Works);
            let idle: BTreeSet<&str> = idle.map(|row| row.field).collect();
            assert_eq!(idle, uses.into_iter().collect());
        }
    }

    #[test]
    fn rows_are_unique_and_what_is_noticed_says_what_happens_instead() {
        let mut seen = BTreeSet::new();
        for row in FEATURES {
            assert!(seen.insert((row.object, row.field)), "{}", row.field);
            let needs_remark = row.support != Works && matches!(row.object, Pool | Class);
            assert!(!needs_remark || !row.remark.is_empty(), "{}", row.field);
        }
    }

    fn told(notices: &[FieldNotice]) -> Vec<String> {
        notices.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_file_says_in_vain_is_noticed_once() {
        let pool = |spec: &serde_json::Value| {
            let class = serde_json::json!({"group": "g", "kind": "k", "name": "n"});
            let mut spec = spec.clone();
            spec["template"]["spec"]["requirements"] = serde_json::json!([]);
            spec["template"]["spec"]["nodeClassRef"] = class;
            let document = serde_json::json!({
                "apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {}, "spec": spec,
            });
            let pool: NodePool = serde_json::from_value(document).expect("a NodePool");
            told(&node_pool_notices(&pool))
        };
        let quiet = serde_json::json!({
            "disruption": {"consolidationPolicy": "WhenEmpty"},
            "template": {"spec": {"expireAfter": "Never"}},
        });
        assert_eq!(pool(&quiet), [""; 0]);
        let loud = serde_json::json!({
            "replicas": 1,
            "disruption": {"consolidationPolicy": "Balanced"},
            "template": {"spec": {"expireAfter": "1h"}},
        });
        assert_eq!(
            pool(&loud),
            [
                "spec.template.spec.expireAfter: not acted on yet; nodes are not replaced because of their age",
                "spec.replicas: not acted on yet; pools of a fixed size are not used",
                "spec.disruption.consolidationPolicy: Balanced is not acted on yet; empty nodes go; nodes in use stay as they are",
            ]
        );
        // The policy that a pool has when it names none is acted on no further than one it names.
        assert_eq!(
            pool(&serde_json::json!({"template": {"spec": {}}})).len(),
            2
        );
    }

    #[test]
    fn the_settings_of_a_node_class_that_decide_its_size_are_acted_on() {
        let class = |kubelet: serde_json::Value| {
            let document = serde_json::json!({
                "apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {},
                "spec": {
                    "subnetSelectorTerms": [], "securityGroupSelectorTerms": [], "amiSelectorTerms": [],
                    "kubelet": kubelet,
                },
            });
            let class: EC2NodeClass = serde_json::from_value(document).expect("an EC2NodeClass");
            told(&ec2_node_class_notices(&class))
        };
        let size = serde_json::json!({"maxPods": 10, "evictionHard": {"memory.available": "5%"}});
        assert_eq!(class(size), [""; 0]);
        let expected = "spec.kubelet: not acted on yet; its other settings reach the machine with the EC2 provider";
        assert_eq!(
            class(serde_json::json!({"clusterDNS": ["10.0.0.10"]})),
            [expected]
        );
        assert_eq!(
            class(serde_json::json!({"topologyManagerPolicy": "none"})),
            [expected]
        );
    }
}

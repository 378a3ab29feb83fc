//! What a pod says about where it runs, put together.

use k8s_openapi::api::core::v1 as k8s;

use super::unsupported::Unsupported;
use super::{neighbours, node_affinity, requests, tolerations};
use crate::api::rules::FieldPath;
use crate::model::pod::{Requests, Scheduling};
use crate::model::requirement::{Requirement, Requirements};

/// The scheduler of pods that name none.
const SCHEDULER_DEFAULT: &str = "default-scheduler";

/// The priorities of the classes that every cluster has. A pod that went through an API server
/// carries its priority; one out of a manifest may name the class alone.
const PRIORITIES: [(&str, i32); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];

/// Reads the spec at `path`; `unsupported` holds what has been met before.
pub(super) fn scheduling(
    own: &k8s::PodSpec,
    status: Option<&k8s::PodStatus>,
    path: &FieldPath,
    mut unsupported: Unsupported,
) -> Scheduling {
    let requests = requests::requests(own, status, path, &mut unsupported);
    let affinity = own.affinity.clone().unwrap_or_default();
    let affinity_path = path.field("affinity");
    let node_affinity = affinity.node_affinity.unwrap_or_default();
    let node_path = affinity_path.field("nodeAffinity");
    let required = node_affinity::required(&node_affinity, &node_path, &mut unsupported);
    let preferred = node_affinity::preferred(&node_affinity, &node_path, &mut unsupported);
    let tolerations = tolerations::tolerations(own, path, &mut unsupported);
    let neighbours = neighbours::neighbours(own, path, &mut unsupported);
    host_ports(own, path, &mut unsupported);
    volumes(own, path, &mut unsupported);
    others(own, path, &mut unsupported);
    let scheduler = own.scheduler_name.as_deref();
    Scheduling {
        requests: Requests(requests),
        node_selector: node_selector(own),
        node_affinity: required,
        node_affinity_preferred: preferred,
        tolerations,
        neighbours,
        scheduler_name: scheduler.unwrap_or(SCHEDULER_DEFAULT).into(),
        priority: priority(own),
        unsupported: unsupported.into_fields(),
    }
}

fn node_selector(own: &k8s::PodSpec) -> Requirements {
    let labels = own.node_selector.iter().flatten();
    labels
        .map(|(key, value)| Requirement::one_of(key, [value.as_str()]))
        .collect()
}

fn priority(own: &k8s::PodSpec) -> i32 {
    let class = own.priority_class_name.as_deref();
    let by_class = PRIORITIES
        .into_iter()
        .find(|(name, _)| Some(*name) == class);
    let of_class = by_class.map(|(_, priority)| priority);
    own.priority.or(of_class).unwrap_or(0)
}

/// Ports of the node, as the scheduler counts them: of containers and of sidecars. In the node's
/// own network every port is one (Kubernetes API reference, `ContainerPort`).
fn host_ports(own: &k8s::PodSpec, path: &FieldPath, unsupported: &mut Unsupported) {
    let host_network = own.host_network == Some(true);
    let containers = own.containers.iter().enumerate();
    let containers = containers.map(|(index, it)| (path.field("containers").index(index), it));
    let sidecars = own.init_containers.iter().flatten().enumerate();
    let sidecars = sidecars.map(|(index, it)| (path.field("initContainers").index(index), it));
    let sidecars = sidecars.filter(|(_, container)| requests::is_sidecar(container));
    for (path, container) in containers.chain(sidecars) {
        for (index, port) in container.ports.iter().flatten().enumerate() {
            if host_network || port.host_port.is_some_and(|port| port > 0) {
                unsupported.binding(&path.field("ports").index(index).field("hostPort"));
            }
        }
    }
}

/// Volumes that exist in one place only, or whose number a node limits.
fn volumes(own: &k8s::PodSpec, path: &FieldPath, unsupported: &mut Unsupported) {
    for (index, volume) in own.volumes.iter().flatten().enumerate() {
        let bound = [
            (
                volume.persistent_volume_claim.is_some(),
                "persistentVolumeClaim",
            ),
            (volume.ephemeral.is_some(), "ephemeral"),
            (
                volume.aws_elastic_block_store.is_some(),
                "awsElasticBlockStore",
            ),
            (volume.gce_persistent_disk.is_some(), "gcePersistentDisk"),
            (volume.azure_disk.is_some(), "azureDisk"),
            (volume.cinder.is_some(), "cinder"),
            (volume.iscsi.is_some(), "iscsi"),
            (volume.rbd.is_some(), "rbd"),
        ];
        for (_, field) in bound.into_iter().filter(|(is_used, _)| *is_used) {
            unsupported.binding(&path.field("volumes").index(index).field(field));
        }
    }
}

fn others(own: &k8s::PodSpec, path: &FieldPath, unsupported: &mut Unsupported) {
    for index in 0..own.resource_claims.iter().flatten().count() {
        unsupported.binding(&path.field("resourceClaims").index(index));
    }
    for index in 0..own.scheduling_gates.iter().flatten().count() {
        unsupported.binding(&path.field("schedulingGates").index(index));
    }
    if own.scheduling_group.is_some() {
        unsupported.binding(&path.field("schedulingGroup"));
    }
}

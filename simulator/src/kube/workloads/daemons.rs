//! DaemonSets: one pod on every node that they tolerate (Kubernetes documentation, "DaemonSet").

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec,
    Toleration,
};
use tidewright::model::time::Timestamp;

use super::due::Due;
use super::{Wanted, Workloads, is_active, is_going, owner};
use crate::event::Actor;
use crate::kube::scheduler::{Misfit, fits_labels_and_taints};
use crate::store::{Grace, ObjectKey, Store, node_made_for, uid};

/// What pods of DaemonSets tolerate without saying so ("Taints and tolerations" there).
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// Each DaemonSet has a pod on every node that takes it.
pub(super) fn run(workloads: &mut Workloads, store: &mut Store, due: &Due, now: Timestamp) {
    let sets = store.all::<DaemonSet>().clone();
    for (key, set) in sets.iter().filter(|(_, it)| !is_going(*it)) {
        let nodes: Vec<ObjectKey> = if due.has(set) {
            store.all::<Node>().keys().cloned().collect()
        } else {
            due.nodes().map(ObjectKey::cluster).collect()
        };
        let nodes = nodes.iter().map(|node| node.name.as_str());
        cover(workloads, store, (key, set), nodes, now);
    }
}

/// Sees to the pods of one DaemonSet on some nodes.
fn cover<'a>(
    workloads: &mut Workloads,
    store: &mut Store,
    (key, set): (&ObjectKey, &DaemonSet),
    nodes: impl Iterator<Item = &'a str>,
    now: Timestamp,
) {
    let Some(spec) = set.spec.as_ref() else {
        return;
    };
    for node in nodes {
        let Some(verdict) = judge(store, &spec.template, node) else {
            continue;
        };
        let pods = pods_for(store, set, node);
        if verdict.is_ok() && pods.is_empty() {
            let wanted = Wanted {
                owner: owner(set),
                namespace: &key.namespace,
                template: &spec.template,
                node: Some(node),
            };
            workloads.create(store, &wanted, 1, now);
        }
        for pod in pods.iter().filter(|_| verdict == Err(Misfit::Labels)) {
            let deleted = store.delete_pod(pod, Grace::OfPod, Actor::User, now);
            debug_assert!(deleted.is_ok(), "it was listed a moment ago");
        }
    }
}

/// Whether the pod of this template belongs on a node; none if the node is not to stay. Taints that
/// come and go while a node is set up or drained keep a pod away; only labels that no longer match
/// drive it out.
fn judge(store: &Store, template: &PodTemplateSpec, node: &str) -> Option<Result<(), Misfit>> {
    let known = store.get::<Node>(&ObjectKey::cluster(node));
    let staying = known.filter(|node| !is_going(*node))?;
    let mut spec = template.spec.clone().unwrap_or_default();
    pin(&mut spec, node);
    let pod = Pod {
        spec: Some(spec),
        ..Pod::default()
    };
    Some(fits_labels_and_taints(&pod, staying))
}

/// The active pods of a set that are for a node.
fn pods_for(store: &Store, set: &DaemonSet, node: &str) -> Vec<ObjectKey> {
    let set = uid(set);
    let own = store.pods_of_node(node).filter(|(_, pod)| {
        let owners = pod.metadata.owner_references.iter().flatten();
        owners.into_iter().any(|known| known.uid == set.as_str())
    });
    let here = own.filter(|(_, pod)| is_active(pod) && node_made_for(pod) == Some(node));
    here.map(|(key, _)| key.clone()).collect()
}

/// Ties a pod to a node by the node's name, and lets it endure what DaemonSets endure.
pub(super) fn pin(spec: &mut PodSpec, node: &str) {
    let name = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = spec.affinity.get_or_insert_default();
    let required = &mut affinity
        .node_affinity
        .get_or_insert_default()
        .required_during_scheduling_ignored_during_execution;
    let terms = &mut required
        .get_or_insert_with(NodeSelector::default)
        .node_selector_terms;
    if terms.is_empty() {
        terms.push(NodeSelectorTerm::default());
    }
    for term in terms {
        term.match_fields = Some(vec![name.clone()]);
    }
    let tolerated = TOLERATED.map(|(key, effect)| Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some(effect.to_owned()),
        ..Toleration::default()
    });
    spec.tolerations.get_or_insert_default().extend(tolerated);
}

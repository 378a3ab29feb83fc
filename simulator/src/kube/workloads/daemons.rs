//! DaemonSets: one pod on every node that they tolerate (Kubernetes documentation, "DaemonSet").

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec,
    Toleration,
};
use tidewright::model::time::Timestamp;

use super::{Wanted, Workloads, is_active, is_going, owner, pods_of};
use crate::event::Actor;
use crate::kube::scheduler::{Misfit, fits_labels_and_taints};
use crate::store::{Grace, ObjectKey, Store, Table, uid};

/// What pods of DaemonSets tolerate without saying so ("Taints and tolerations" there).
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// Each DaemonSet has a pod on every node that takes it; false if the pace left some for later.
pub(super) fn run(workloads: &mut Workloads, store: &mut Store, now: Timestamp) -> bool {
    let sets = store.all::<DaemonSet>().clone();
    let nodes = store.all::<Node>().clone();
    let mut done = true;
    for (key, set) in sets.iter().filter(|(_, it)| !is_going(*it)) {
        let Some(spec) = set.spec.as_ref() else {
            continue;
        };
        for (node, verdict) in judge(&spec.template, &nodes) {
            let pods = pods_for(store, set, node);
            if verdict.is_ok() && pods.is_empty() {
                let wanted = Wanted {
                    owner: owner(set),
                    namespace: &key.namespace,
                    template: &spec.template,
                    node: Some(node),
                };
                done &= workloads.create(store, &wanted, 1, now);
            }
            for pod in pods.iter().filter(|_| verdict == Err(Misfit::Labels)) {
                let deleted = store.delete_pod(pod, Grace::OfPod, Actor::User, now);
                debug_assert!(deleted.is_ok(), "it was listed a moment ago");
            }
        }
    }
    done
}

/// For each node that is to stay, whether the pod of this template belongs there. Taints that
/// come and go while a node is set up or drained keep a pod away; only labels that no longer
/// match drive it out.
fn judge<'a>(
    template: &PodTemplateSpec,
    nodes: &'a Table<Node>,
) -> Vec<(&'a str, Result<(), Misfit>)> {
    let nodes = nodes.iter().filter(|(_, node)| !is_going(*node));
    let judged = nodes.map(|(key, node)| {
        let mut spec = template.spec.clone().unwrap_or_default();
        pin(&mut spec, &key.name);
        let pod = Pod {
            spec: Some(spec),
            ..Pod::default()
        };
        (key.name.as_str(), fits_labels_and_taints(&pod, node))
    });
    judged.collect()
}

/// The active pods of a set that are for a node.
fn pods_for(store: &Store, set: &DaemonSet, node: &str) -> Vec<ObjectKey> {
    let pods = pods_of(store, &uid(set)).into_iter();
    let here = pods.filter(|(_, pod)| is_active(pod) && pinned_to(pod) == Some(node));
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

fn pinned_to(pod: &Pod) -> Option<&str> {
    let affinity = pod
        .spec
        .as_ref()?
        .affinity
        .as_ref()?
        .node_affinity
        .as_ref()?;
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .as_ref()?;
    let field = required
        .node_selector_terms
        .first()?
        .match_fields
        .as_ref()?;
    field.first()?.values.as_ref()?.first().map(String::as_str)
}

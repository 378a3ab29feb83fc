//! DaemonSets: one pod on every node that they tolerate (Kubernetes documentation, "DaemonSet").

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec,
    Toleration,
};

use super::{Pass, Wanted, is_active, own_pods, revisions, staying};
use crate::kube::scheduler::{Misfit, fits_labels_and_taints};
use crate::kube::share::{self, Rounding};
use crate::store::{ObjectKey, Table, uid};

/// What pods of DaemonSets tolerate without saying so ("Taints and tolerations" there).
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// The active pods of a set, by the node that each is for.
type PodsByNode = BTreeMap<String, Vec<(ObjectKey, Pod)>>;

/// How many pods of a set may be missing during an update that does not say.
const UNAVAILABLE_DEFAULT: usize = 1;

/// Each DaemonSet has a pod of its template on every node that takes it. Pods of an older template
/// are replaced a few at a time, those first that do not work ("DaemonSet Rolling Update"); a set
/// that would rather have two pods on a node for a while (`maxSurge`) is updated so as well.
pub(super) fn run(pass: &mut Pass<'_>) {
    let nodes = pass.store.all::<Node>().clone();
    for (key, set) in staying::<DaemonSet>(pass.store) {
        let Some(spec) = set.spec.as_ref() else {
            continue;
        };
        let mut pods = PodsByNode::new();
        for (key, pod) in own_pods(pass.store, &uid(&set)) {
            if let Some(node) = pinned_to(&pod).filter(|_| is_active(&pod)) {
                let node = node.to_owned();
                pods.entry(node).or_default().push((key, pod));
            }
        }
        let first = pods.values().flatten().next().map(|(_, pod)| pod);
        let id = (&uid(&set), key.name.as_str());
        let change = pass.workloads.revisions.of(id, &spec.template, first);
        let mut wanted = 0;
        for (node, verdict) in judge(&spec.template, &nodes) {
            wanted += usize::from(verdict.is_ok());
            if verdict.is_ok() && !pods.contains_key(node) {
                let wanted = Wanted {
                    node: Some(node),
                    labels: vec![(revisions::LABEL, change.update.name.clone())],
                    ..Wanted::of(&set, &key.namespace, &spec.template)
                };
                pass.create(&wanted, 1);
            }
            if verdict == Err(Misfit::Labels) {
                let driven_out = pods.remove(node).into_iter().flatten();
                for (pod, _) in driven_out {
                    pass.stop(&pod);
                }
            }
        }
        update(pass, spec, &change.update.name, (wanted, &pods));
    }
}

/// Replaces pods of another revision: all that do not work, and of the others as many as may be
/// missing.
fn update(
    pass: &mut Pass<'_>,
    spec: &DaemonSetSpec,
    revision: &str,
    (wanted, pods): (usize, &PodsByNode),
) {
    let strategy = spec.update_strategy.as_ref();
    if strategy.is_some_and(|it| it.type_.as_deref() == Some("OnDelete")) {
        return;
    }
    let rolling = strategy.and_then(|it| it.rolling_update.as_ref());
    let most = rolling.and_then(|it| it.max_unavailable.as_ref());
    let most = most.and_then(|most| share::of(most, wanted, Rounding::Up));
    let most = most.unwrap_or(UNAVAILABLE_DEFAULT).max(UNAVAILABLE_DEFAULT);
    let (mut available, mut working) = (0, Vec::new());
    for (key, pod) in pods.values().flatten() {
        let is_available = pass.is_available(pod, spec.min_ready_seconds);
        available += usize::from(is_available);
        match (revisions::of_pod(pod) == Some(revision), is_available) {
            (true, _) => {}
            (false, true) => working.push(key),
            (false, false) => pass.stop(key),
        }
    }
    let spare = most.saturating_sub(wanted.saturating_sub(available));
    for key in working.into_iter().take(spare) {
        pass.stop(key);
    }
}

/// For each node that is to stay, whether the pod of this template belongs there. Taints that
/// come and go while a node is set up or drained keep a pod away; only labels that no longer
/// match drive it out.
fn judge<'a>(
    template: &PodTemplateSpec,
    nodes: &'a Table<Node>,
) -> Vec<(&'a str, Result<(), Misfit>)> {
    let nodes = nodes
        .iter()
        .filter(|(_, node)| node.metadata.deletion_timestamp.is_none());
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

//! DaemonSets: one pod on every node that they tolerate (Kubernetes documentation, "DaemonSet").

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec,
    Toleration,
};
use tidewright::model::id::Uid;

use super::{Pass, Wanted, is_active, own_pods, revisions, staying};
use crate::kube::scheduler::{Misfit, fits_labels_and_taints};
use crate::kube::share::{self, Rounding};
use crate::store::{ObjectKey, Store, node_made_for, uid};

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

/// A DaemonSet and its active pods on the nodes that are looked at.
struct Crew<'a> {
    key: &'a ObjectKey,
    set: &'a DaemonSet,
    spec: &'a DaemonSetSpec,
    revision: String,
    pods: PodsByNode,
}

/// Each DaemonSet has a pod of its template on every node that takes it. Pods of an older template
/// are replaced a few at a time, those first that do not work ("DaemonSet Rolling Update"); a set
/// that would rather have two pods on a node for a while (`maxSurge`) is updated so as well.
///
/// A set that is due or being updated looks at all nodes. Others look at the nodes that were touched,
/// and if they find a pod of an older template there, at all of them as well.
pub(super) fn run(pass: &mut Pass<'_>) {
    let all = pass.store.all::<DaemonSet>().iter();
    for (key, set) in staying(all) {
        let Some(spec) = set.spec.as_ref() else {
            continue;
        };
        pass.turn_to(&set);
        let is_updating = !pass.workloads.revisions.are_settled(&uid(&set));
        let everywhere = pass.due.has(&set) || is_updating;
        if everywhere || !visit(pass, (&key, &set), spec) {
            cover(pass, (&key, &set), spec);
        }
    }
}

/// Sees to the nodes that were touched; false if a pod there is of an older template.
fn visit(pass: &mut Pass<'_>, (key, set): (&ObjectKey, &DaemonSet), spec: &DaemonSetSpec) -> bool {
    let own = uid(set);
    let mut pods = PodsByNode::new();
    let nodes = pass.due.nodes();
    for node in &nodes {
        let known = pass.store.pods_of_node(node);
        let known = known.filter(|(_, pod)| is_active(pod) && is_owned(pod, &own));
        let known = known.filter(|(_, pod)| node_made_for(pod) == Some(node));
        let known: Vec<_> = known.map(|(key, pod)| (key.clone(), pod.clone())).collect();
        if !known.is_empty() {
            pods.insert(node.clone(), known);
        }
    }
    let mut crew = Crew::of(pass, (key, set), spec, pods);
    if !crew.is_of_one_revision() {
        return false;
    }
    for node in &nodes {
        crew.see_to(pass, node);
    }
    true
}

/// Sees to all nodes, and goes on with the update.
fn cover(pass: &mut Pass<'_>, (key, set): (&ObjectKey, &DaemonSet), spec: &DaemonSetSpec) {
    let mut pods = PodsByNode::new();
    for (key, pod) in own_pods(pass.store, &uid(set)) {
        if let Some(node) = node_made_for(&pod).filter(|_| is_active(&pod)) {
            let node = node.to_owned();
            pods.entry(node).or_default().push((key, pod));
        }
    }
    let mut crew = Crew::of(pass, (key, set), spec, pods);
    let nodes: Vec<ObjectKey> = pass.store.all::<Node>().keys().cloned().collect();
    let wanted = nodes.iter().filter(|node| crew.see_to(pass, &node.name));
    let wanted = wanted.count();
    update(pass, spec, &crew.revision, (wanted, &crew.pods));
    if crew.is_of_one_revision() {
        pass.workloads.revisions.settle(&uid(set));
    }
}

impl<'a> Crew<'a> {
    /// These pods of a set, and the revision that they are to be of.
    fn of(
        pass: &mut Pass<'_>,
        (key, set): (&'a ObjectKey, &'a DaemonSet),
        spec: &'a DaemonSetSpec,
        pods: PodsByNode,
    ) -> Self {
        let first = pods.values().flatten().next().map(|(_, pod)| pod);
        let id = (&uid(set), key.name.as_str());
        let change = pass.workloads.revisions.of(id, &spec.template, first);
        Self {
            revision: change.update.name,
            key,
            set,
            spec,
            pods,
        }
    }

    fn is_of_one_revision(&self) -> bool {
        let mut all = self.pods.values().flatten();
        all.all(|(_, pod)| revisions::of_pod(pod) == Some(&self.revision))
    }

    /// Creates the pod that is missing on a node, or drives out those that do not belong there; says
    /// whether the node is to have one.
    fn see_to(&mut self, pass: &mut Pass<'_>, node: &str) -> bool {
        let Some(verdict) = judge(pass.store, &self.spec.template, node) else {
            return false;
        };
        if verdict.is_ok() && !self.pods.contains_key(node) {
            let wanted = Wanted {
                node: Some(node),
                labels: vec![(revisions::LABEL, self.revision.clone())],
                ..Wanted::of(self.set, &self.key.namespace, &self.spec.template)
            };
            pass.create(&wanted, 1);
        }
        if verdict == Err(Misfit::Labels) {
            let driven_out = self.pods.remove(node).into_iter().flatten();
            for (pod, _) in driven_out {
                pass.stop(&pod);
            }
        }
        verdict.is_ok()
    }
}

fn is_owned(pod: &Pod, owner: &Uid) -> bool {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|known| known.uid == owner.as_str())
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

/// Whether the pod of this template belongs on a node; none if the node is not to stay. Taints that
/// come and go while a node is set up or drained keep a pod away; only labels that no longer match
/// drive it out.
fn judge(store: &Store, template: &PodTemplateSpec, node: &str) -> Option<Result<(), Misfit>> {
    let known = store.get::<Node>(&ObjectKey::cluster(node));
    let staying = known.filter(|node| node.metadata.deletion_timestamp.is_none())?;
    let mut spec = template.spec.clone().unwrap_or_default();
    pin(&mut spec, node);
    let pod = Pod {
        spec: Some(spec),
        ..Pod::default()
    };
    Some(fits_labels_and_taints(&pod, staying))
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

//! ReplicaSets: so many pods of a template (Kubernetes documentation, "ReplicaSet").

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;

use super::{Pass, Wanted, count, is_active, pods_of, staying};
use crate::kube::conditions::pod_is;
use crate::store::{ObjectKey, Store, node_name, uid};

/// Each ReplicaSet has as many active pods as it wants.
pub(super) fn run(pass: &mut Pass<'_>) {
    for (key, set) in staying::<ReplicaSet>(pass.store) {
        let spec = set.spec.as_ref();
        let Some(template) = spec.and_then(|spec| spec.template.as_ref()) else {
            continue;
        };
        let replicas = count(spec.and_then(|spec| spec.replicas), 1);
        let active = active_pods(pass.store, &set);
        let missing = replicas.saturating_sub(active.len());
        pass.create(&Wanted::of(&set, &key.namespace, template), missing);
        let surplus = active.len().saturating_sub(replicas);
        for pod in active.iter().take(surplus) {
            pass.stop(pod);
        }
    }
}

/// The active pods, those that go first at the front (Kubernetes documentation, "ReplicaSet"):
/// without a node, not ready, of less deletion cost, younger.
fn active_pods(store: &Store, set: &ReplicaSet) -> Vec<ObjectKey> {
    let mut pods = pods_of(store, &uid(set));
    pods.retain(|(_, pod)| is_active(pod));
    pods.sort_by_cached_key(|(key, pod)| {
        let created = pod.metadata.creation_timestamp.clone();
        (
            node_name(pod).is_some(),
            pod_is(pod, "Ready"),
            deletion_cost(pod),
            std::cmp::Reverse(created),
            (*key).clone(),
        )
    });
    pods.into_iter().map(|(key, _)| key.clone()).collect()
}

fn deletion_cost(pod: &Pod) -> i32 {
    let annotations = pod.metadata.annotations.as_ref();
    let cost =
        annotations.and_then(|it| it.get(tidewright::model::labels::keys::POD_DELETION_COST));
    cost.and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

//! ReplicaSets: so many pods of a template (Kubernetes documentation, "ReplicaSet").

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use tidewright::model::id::Uid;

use super::{Pass, Wanted, count, is_active, pods_of};
use crate::kube::conditions::pod_is;
use crate::store::{ObjectKey, Store, node_name, uid};

/// Each ReplicaSet has as many active pods as it wants.
pub(super) fn run(pass: &mut Pass<'_>) {
    for (key, set) in pass.due::<ReplicaSet>() {
        pass.turn_to(&set);
        let spec = set.spec.as_ref();
        let Some(template) = spec.and_then(|spec| spec.template.as_ref()) else {
            continue;
        };
        let replicas = count(spec.and_then(|spec| spec.replicas), 1);
        let own = uid(&set);
        let active = pods_of(pass.store, &own).filter(|(_, pod)| is_active(pod));
        let active = active.count();
        if active < replicas {
            let wanted = Wanted::of(&set, &key.namespace, template);
            pass.create(&wanted, replicas - active);
        }
        if active > replicas {
            let first_to_go = active_pods(pass.store, &own).into_iter();
            for pod in first_to_go.take(active - replicas) {
                pass.stop(&pod);
            }
        }
    }
}

/// The active pods, those that go first at the front (Kubernetes documentation, "ReplicaSet"):
/// without a node, not ready, of less deletion cost, younger.
fn active_pods(store: &Store, set: &Uid) -> Vec<ObjectKey> {
    let active = pods_of(store, set).filter(|(_, pod)| is_active(pod));
    let mut pods: Vec<_> = active.collect();
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

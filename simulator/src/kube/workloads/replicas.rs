//! Deployments and ReplicaSets. A Deployment whose template changes gets a new ReplicaSet and
//! scales the old ones to zero at once: rollouts in steps are not part of this world.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tidewright::model::id::stable_hash;
use tidewright::model::time::Timestamp;

use super::due::Due;
use super::{Wanted, Workloads, is_active, owner, pods_of};
use crate::event::Actor;
use crate::kube::conditions::pod_is;
use crate::store::{Grace, ObjectKey, Store, node_name, uid};

/// Each Deployment has one ReplicaSet for its template, with its replicas.
pub(super) fn deployments(store: &mut Store, due: &Due, now: Timestamp) {
    for (key, deployment) in &due.of::<Deployment>(store) {
        let Some(spec) = deployment.spec.as_ref() else {
            continue;
        };
        let template = serde_json::to_string(&spec.template).unwrap_or_default();
        let hash = format!("{:016x}", stable_hash([template.as_str()]));
        let current = ObjectKey::new(&key.namespace, &format!("{}-{}", key.name, &hash[..10]));
        let replicas = Some(spec.replicas.unwrap_or(1));
        for other in store.owned_by::<ReplicaSet>(&uid(deployment)) {
            let wanted = if other == current { replicas } else { Some(0) };
            scale(store, &other, wanted);
        }
        if store.get::<ReplicaSet>(&current).is_none() {
            let set = ReplicaSet {
                metadata: ObjectMeta {
                    name: Some(current.name.clone()),
                    namespace: Some(key.namespace.clone()),
                    owner_references: Some(vec![owner(deployment)]),
                    ..ObjectMeta::default()
                },
                spec: Some(ReplicaSetSpec {
                    replicas,
                    selector: spec.selector.clone(),
                    template: Some(spec.template.clone()),
                    ..ReplicaSetSpec::default()
                }),
                status: None,
            };
            let created = store.create(set, now);
            debug_assert!(created.is_ok(), "it was looked for a moment ago");
        }
    }
}

fn scale(store: &mut Store, key: &ObjectKey, replicas: Option<i32>) {
    let scaled = store.update::<ReplicaSet>(key, |set| {
        set.spec.get_or_insert_default().replicas = replicas;
    });
    debug_assert!(scaled.is_ok(), "it was listed a moment ago");
}

/// Each ReplicaSet has as many active pods as it wants.
pub(super) fn replica_sets(
    workloads: &mut Workloads,
    store: &mut Store,
    due: &Due,
    now: Timestamp,
) {
    for (key, set) in &due.of::<ReplicaSet>(store) {
        let spec = set.spec.as_ref();
        let Some(template) = spec.and_then(|spec| spec.template.as_ref()) else {
            continue;
        };
        let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1).max(0);
        let replicas = usize::try_from(replicas).unwrap_or(0);
        let active: Vec<ObjectKey> = active_pods(store, set);
        if active.len() < replicas {
            let wanted = Wanted {
                owner: owner(set),
                namespace: &key.namespace,
                template,
                node: None,
            };
            workloads.create(store, &wanted, replicas - active.len(), now);
        }
        for surplus in active.iter().take(active.len().saturating_sub(replicas)) {
            let deleted = store.delete_pod(surplus, Grace::OfPod, Actor::User, now);
            debug_assert!(deleted.is_ok(), "it was listed a moment ago");
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

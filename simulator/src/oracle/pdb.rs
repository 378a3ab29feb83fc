//! No eviction takes more from an application than its PodDisruptionBudget gives.
//!
//! Judged from the raw objects after the eviction: the pods that are still ready must be as many as
//! the budget wants. What goes because its node's time is up is forced and asks no budget.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tidewright::model::id::PodKey;

use super::Scene;
use crate::event::{Entry, Event};
use crate::kube::selector;
use crate::store::{ObjectKey, Store, is_terminal};

/// What evicted pods were labelled with: an object may be gone when this is asked.
#[derive(Debug, Default)]
pub(super) struct Guards {
    labels: BTreeMap<PodKey, BTreeMap<String, String>>,
}

impl Guards {
    /// Looks at one entry, with the store as it is after its step.
    pub(super) fn after(&mut self, scene: &mut Scene<'_>, store: &Store, entry: &Entry) {
        if let Event::PodCreated { pod, .. } = &entry.event {
            let object = store.get::<Pod>(&ObjectKey::new(&pod.namespace, &pod.name));
            let labels = object.and_then(|object| object.metadata.labels.clone());
            self.labels.insert(pod.clone(), labels.unwrap_or_default());
        } else if let Event::PodEnded { pod, .. } = &entry.event {
            self.labels.remove(pod);
        } else if let Event::PodEvicted {
            pod,
            node,
            ready,
            forced: false,
            ..
        } = &entry.event
            && !node.as_str().is_empty()
        {
            self.evicted(scene, store, pod, *ready);
        }
    }

    fn evicted(&self, scene: &mut Scene<'_>, store: &Store, pod: &PodKey, was_ready: bool) {
        let labels = self.labels.get(pod);
        for (key, budget) in store.all::<PodDisruptionBudget>() {
            let Some(spec) = budget.spec.as_ref() else {
                continue;
            };
            let policy = spec.unhealthy_pod_eviction_policy.as_deref();
            let is_asked = was_ready || policy != Some("AlwaysAllow");
            if key.namespace != *pod.namespace || !takes(spec, labels) || !is_asked {
                continue;
            }
            let pods = covered(store, &key.namespace, spec);
            let ready = pods.iter().filter(|it| stays_ready(it)).count();
            let wanted = wanted(store, &key.namespace, spec, &pods);
            scene.check(
                "pdb",
                ready >= wanted,
                || vec![format!("pod {pod}"), format!("PodDisruptionBudget {key}")],
                || format!("after its eviction {ready} pods are ready, the budget wants {wanted}"),
            );
        }
    }
}

fn takes(spec: &PodDisruptionBudgetSpec, labels: Option<&BTreeMap<String, String>>) -> bool {
    let selector = spec.selector.as_ref();
    selector.is_some_and(|it| selector::takes(it, labels))
}

fn covered<'a>(store: &'a Store, namespace: &str, spec: &PodDisruptionBudgetSpec) -> Vec<&'a Pod> {
    let pods = store.all::<Pod>().iter();
    let own = pods.filter(|(key, pod)| {
        key.namespace == namespace && takes(spec, pod.metadata.labels.as_ref())
    });
    own.map(|(_, pod)| pod)
        .filter(|pod| !is_terminal(pod))
        .collect()
}

fn stays_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    let ready = conditions.any(|it| it.type_ == "Ready" && it.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

/// How many pods must stay ready. What a budget says that cannot be counted, it says of all.
fn wanted(store: &Store, namespace: &str, spec: &PodDisruptionBudgetSpec, pods: &[&Pod]) -> usize {
    let whole = || asked_for(store, namespace, pods);
    let part = |share: &IntOrString, whole: usize| match share {
        IntOrString::Int(number) => usize::try_from(*number).ok(),
        IntOrString::String(text) => {
            let percent = text.trim_end_matches('%').parse::<usize>().ok()?;
            Some((whole * percent).div_ceil(100))
        }
    };
    let wanted = match (&spec.min_available, &spec.max_unavailable) {
        (Some(IntOrString::Int(number)), None) => usize::try_from(*number).ok(),
        (Some(least), None) => whole().and_then(|whole| part(least, whole)),
        (None, Some(most)) => {
            whole().and_then(|whole| Some(whole.saturating_sub(part(most, whole)?)))
        }
        (None, None) | (Some(_), Some(_)) => None,
    };
    wanted.unwrap_or(pods.len())
}

/// The replicas that the owners of the pods were told to have.
fn asked_for(store: &Store, namespace: &str, pods: &[&Pod]) -> Option<usize> {
    let owners = pods.iter().map(|pod| {
        let owners = pod.metadata.owner_references.iter().flatten();
        let owner = owners.last()?;
        let key = ObjectKey::new(namespace, &owner.name);
        let set = store.get::<ReplicaSet>(&key);
        let above = set.and_then(|set| set.metadata.owner_references.as_ref()?.first());
        match (owner.kind.as_str(), above) {
            ("ReplicaSet", Some(above)) => Some(("Deployment", above.name.clone())),
            ("ReplicaSet", None) => Some(("ReplicaSet", owner.name.clone())),
            ("StatefulSet", _) => Some(("StatefulSet", owner.name.clone())),
            _ => None,
        }
    });
    let owners: BTreeSet<(&str, String)> = owners.collect::<Option<_>>()?;
    let replicas = owners.into_iter().map(|(kind, name)| {
        let key = ObjectKey::new(namespace, &name);
        let replicas = match kind {
            "Deployment" => store.get::<Deployment>(&key)?.spec.as_ref()?.replicas,
            "ReplicaSet" => store.get::<ReplicaSet>(&key)?.spec.as_ref()?.replicas,
            _ => store.get::<StatefulSet>(&key)?.spec.as_ref()?.replicas,
        };
        usize::try_from(replicas.unwrap_or(1)).ok()
    });
    replicas.sum()
}

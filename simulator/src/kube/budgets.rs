//! PodDisruptionBudgets: how many pods of an application may be moved at a time (Kubernetes
//! documentation, "Specifying a Disruption Budget for your Application").
//!
//! `minAvailable` as a number counts the pods that match. Percentages and `maxUnavailable` count the
//! replicas that the owners of those pods ask for; pods whose owner has no replicas cannot be
//! counted so, and nothing may be moved. Both kinds of percentage are rounded up.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::conditions::pod_is;
use super::selector;
use super::share::{self, Rounding};
use crate::store::{ObjectKey, Store, is_terminal};

/// Where a budget stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The pods that it counts on.
    pub expected: usize,
    /// The pods that are ready and stay.
    pub healthy: usize,
    /// The pods that must be.
    pub desired: usize,
}

impl Standing {
    /// How many pods may be moved now.
    pub fn allowed(self) -> usize {
        if self.expected == 0 {
            return 0;
        }
        self.healthy.saturating_sub(self.desired)
    }
}

/// The budgets that cover a pod.
pub fn covering<'a>(
    store: &'a Store,
    key: &ObjectKey,
    pod: &Pod,
) -> Vec<(&'a ObjectKey, &'a PodDisruptionBudget)> {
    let budgets = store.all::<PodDisruptionBudget>().iter();
    let covering = budgets.filter(|(own, budget)| {
        own.namespace == key.namespace && budget.spec.as_ref().is_some_and(|it| covers(it, pod))
    });
    covering.collect()
}

/// A budget without a selector covers no pod.
fn covers(spec: &PodDisruptionBudgetSpec, pod: &Pod) -> bool {
    let selector = spec.selector.as_ref();
    selector.is_some_and(|it| selector::takes(it, pod.metadata.labels.as_ref()))
}

/// Where a budget stands, as things are in the store.
pub fn standing(store: &Store, key: &ObjectKey, budget: &PodDisruptionBudget) -> Standing {
    let Some(spec) = budget.spec.as_ref() else {
        return Standing::default();
    };
    let pods = store.all::<Pod>().iter();
    let covered: Vec<&Pod> = pods
        .filter(|(own, pod)| own.namespace == key.namespace && covers(spec, pod))
        .map(|(_, pod)| pod)
        .filter(|pod| !is_terminal(pod))
        .collect();
    let healthy = covered.iter().filter(|pod| is_healthy(pod)).count();
    let bounds = match (&spec.min_available, &spec.max_unavailable) {
        (Some(IntOrString::Int(number)), None) => {
            Some((covered.len(), usize::try_from(*number).unwrap_or(0)))
        }
        (Some(least), None) => replicas(store, &key.namespace, &covered)
            .and_then(|whole| Some((whole, share::of(least, whole, Rounding::Up)?))),
        (None, Some(most)) => replicas(store, &key.namespace, &covered).and_then(|whole| {
            let missing = share::of(most, whole, Rounding::Up)?;
            Some((whole, whole.saturating_sub(missing)))
        }),
        (None, None) | (Some(_), Some(_)) => None,
    };
    // What cannot be counted lets nothing go.
    let (expected, desired) = bounds.unwrap_or((0, covered.len()));
    Standing {
        expected,
        healthy,
        desired,
    }
}

/// Whether a pod counts as there.
pub fn is_healthy(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && pod_is(pod, "Ready")
}

/// The replicas that the owners of pods ask for, each owner once; none if one of them has none.
fn replicas(store: &Store, namespace: &str, pods: &[&Pod]) -> Option<usize> {
    let mut owners = BTreeSet::new();
    for pod in pods {
        let references = pod.metadata.owner_references.iter().flatten();
        let mut controllers = references.filter(|it| it.controller == Some(true));
        let owner = controllers.next()?;
        owners.insert((owner.kind.as_str(), owner.name.as_str()));
    }
    let counts = owners.into_iter().map(|(kind, name)| {
        let key = ObjectKey::new(namespace, name);
        let replicas = match kind {
            "ReplicaSet" => of_replica_set(store, &key)?,
            "StatefulSet" => {
                let spec = store.get::<StatefulSet>(&key)?.spec.as_ref()?;
                spec.replicas.unwrap_or(1)
            }
            _ => return None,
        };
        usize::try_from(replicas).ok()
    });
    counts.sum()
}

/// A ReplicaSet of a Deployment counts as the Deployment does: in the middle of a rollout there are
/// several.
fn of_replica_set(store: &Store, key: &ObjectKey) -> Option<i32> {
    let set = store.get::<ReplicaSet>(key)?;
    let owners = set.metadata.owner_references.iter().flatten();
    let mut deployments = owners.filter(|it| it.kind == "Deployment");
    let Some(owner) = deployments.next() else {
        return Some(set.spec.as_ref()?.replicas.unwrap_or(1));
    };
    let deployment = store.get::<Deployment>(&ObjectKey::new(&key.namespace, &owner.name))?;
    Some(deployment.spec.as_ref()?.replicas.unwrap_or(1))
}

/// Writes into each budget where it stands.
pub fn write_status(store: &mut Store) {
    let keys: Vec<ObjectKey> = store.all::<PodDisruptionBudget>().keys().cloned().collect();
    for key in keys {
        let Some(budget) = store.get::<PodDisruptionBudget>(&key) else {
            continue;
        };
        let standing = standing(store, &key, budget);
        let count = |number: usize| Some(i32::try_from(number).unwrap_or(i32::MAX));
        let written = store.update::<PodDisruptionBudget>(&key, |budget| {
            let generation = budget.metadata.generation;
            let status = budget.status.get_or_insert_default();
            status.expected_pods = count(standing.expected);
            status.current_healthy = count(standing.healthy);
            status.desired_healthy = count(standing.desired);
            status.disruptions_allowed = count(standing.allowed());
            status.observed_generation = generation;
        });
        debug_assert!(written.is_ok(), "it was read a moment ago");
    }
}

//! Deployments: one ReplicaSet for each template, and the way from one to the next (Kubernetes
//! documentation, "Deployments").
//!
//! | Strategy | What happens when the template changes |
//! |---|---|
//! | `RollingUpdate` | the new set grows while all together are at most `maxSurge` too many; old sets shrink while at least all but `maxUnavailable` pods are available |
//! | `Recreate` | old sets go to zero; the new one comes when their pods are gone |
//!
//! `maxSurge` is rounded up and `maxUnavailable` down; if both come to nothing, one pod may be
//! missing, or nothing could ever move. A Deployment that is scaled in the middle of a rollout gives
//! the difference to the new set, and not to all in proportion.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tidewright::model::time::Timestamp;

use super::{Pass, available_from, count, pods_of, reference, revisions, written};
use crate::event::Actor;
use crate::kube::share::{self, Rounding};
use crate::store::{ObjectKey, is_terminal, uid};

/// The label that tells the pods of one template from those of another.
const HASH: &str = "pod-template-hash";

/// Both bounds of a rolling update that says nothing.
const BOUND_DEFAULT_PERCENT: &str = "25%";

/// How many old sets are kept that does not say.
const HISTORY_DEFAULT: usize = 10;

/// A ReplicaSet of a Deployment.
struct Set {
    key: ObjectKey,
    created: Option<String>,
    /// How many pods it wants.
    replicas: usize,
    /// How many of its pods are available.
    available: usize,
    /// How many of its pods are still there.
    pods: usize,
}

/// Each Deployment goes a step towards its template and its replicas.
pub(super) fn run(pass: &mut Pass<'_>) {
    for (key, deployment) in pass.due::<Deployment>() {
        pass.turn_to(&deployment);
        let Some(spec) = deployment.spec.as_ref() else {
            continue;
        };
        let (new, old) = sets(pass, &deployment, spec);
        let strategy = spec.strategy.as_ref();
        let recreates = strategy.is_some_and(|it| it.type_.as_deref() == Some("Recreate"));
        match new {
            Some(new) if recreates => recreate(pass, spec, &new, &old),
            Some(new) => roll(pass, spec, &new, &old),
            None if recreates => {
                scale_all(pass, &old, 0);
                if old.iter().all(|it| it.pods == 0) {
                    let replicas = count(spec.replicas, 1);
                    create(pass, (&key, &deployment), spec, replicas);
                }
            }
            None => {
                let total = total(&old);
                let replicas = growth(spec, 0, total);
                create(pass, (&key, &deployment), spec, replicas);
            }
        }
    }
}

/// The set of the template, and the others, the oldest first.
fn sets(
    pass: &mut Pass<'_>,
    deployment: &Deployment,
    spec: &DeploymentSpec,
) -> (Option<Set>, Vec<Set>) {
    let (mut new, mut old) = (None, Vec::new());
    for key in pass.store.owned_by::<ReplicaSet>(&uid(deployment)) {
        let Some(set) = pass.store.get::<ReplicaSet>(&key).cloned() else {
            continue;
        };
        let of = uid(&set);
        let pods: Vec<&Pod> = pods_of(pass.store, &of).map(|(_, pod)| pod).collect();
        let there = pods.iter().filter(|pod| !is_terminal(pod)).count();
        let available = pods
            .iter()
            .map(|pod| available_from(pod, spec.min_ready_seconds));
        let available: Vec<Option<Timestamp>> = available.collect();
        let available = available.into_iter().filter(|from| pass.has_come(*from));
        let own = set.spec.unwrap_or_default();
        let found = Set {
            available: available.count(),
            key,
            created: set.metadata.resource_version.clone(),
            replicas: count(own.replicas, 1),
            pods: there,
        };
        let template = own.template.map(without_hash);
        if template.as_ref() == Some(&spec.template) && new.is_none() {
            new = Some(found);
        } else {
            old.push(found);
        }
    }
    old.sort_by(|a, b| (&a.created, &a.key).cmp(&(&b.created, &b.key)));
    (new, old)
}

fn without_hash(mut template: PodTemplateSpec) -> PodTemplateSpec {
    if let Some(metadata) = template.metadata.as_mut()
        && let Some(labels) = metadata.labels.as_mut()
    {
        labels.remove(HASH);
    }
    template
}

fn create(
    pass: &mut Pass<'_>,
    (key, deployment): (&ObjectKey, &Deployment),
    spec: &DeploymentSpec,
    replicas: usize,
) {
    let hash = revisions::hash(&spec.template);
    let mut template = spec.template.clone();
    let metadata = template.metadata.get_or_insert_default();
    let labels = metadata.labels.get_or_insert_default();
    labels.insert(HASH.to_owned(), hash.clone());
    let labels = labels.clone();
    let mut selector = spec.selector.clone();
    let matched = selector.match_labels.get_or_insert_default();
    matched.insert(HASH.to_owned(), hash.clone());
    let set = ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", key.name)),
            namespace: Some(key.namespace.clone()),
            labels: Some(labels),
            owner_references: Some(vec![reference(deployment)]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(written(replicas)),
            selector,
            template: Some(template),
            ..ReplicaSetSpec::default()
        }),
        status: None,
    };
    let created = pass.store.create(set, pass.now);
    debug_assert!(created.is_ok(), "no set has this template");
}

fn recreate(pass: &mut Pass<'_>, spec: &DeploymentSpec, new: &Set, old: &[Set]) {
    scale_all(pass, old, 0);
    if old.iter().all(|it| it.pods == 0) {
        scale(pass, new, count(spec.replicas, 1));
        forget(pass, spec, old);
    }
}

/// One step of a rolling update; without old pods it is a matter of the replicas alone.
fn roll(pass: &mut Pass<'_>, spec: &DeploymentSpec, new: &Set, old: &[Set]) {
    let replicas = growth(spec, new.replicas, total(old) + new.replicas);
    if replicas != new.replicas {
        return scale(pass, new, replicas);
    }
    if total(old) == 0 {
        return forget(pass, spec, old);
    }
    let desired = count(spec.replicas, 1);
    let (_, missing) = bounds(spec);
    let least = desired.saturating_sub(missing);
    let not_yet = new.replicas.saturating_sub(new.available);
    let spare = (total(old) + new.replicas).saturating_sub(least + not_yet);
    let shrunk = shrink_broken(pass, old, spare);
    let available: usize = old.iter().map(|it| it.available).sum();
    let surplus = (available + new.available).saturating_sub(least);
    shrink(pass, old, &shrunk, surplus);
}

/// How many pods the new set may want, given what all sets want together.
fn growth(spec: &DeploymentSpec, own: usize, total: usize) -> usize {
    let desired = count(spec.replicas, 1);
    let (surge, _) = bounds(spec);
    if own >= desired {
        return desired;
    }
    let room = (desired + surge).saturating_sub(total);
    own + room.min(desired - own)
}

/// How many pods may be too many, and how many may be missing.
fn bounds(spec: &DeploymentSpec) -> (usize, usize) {
    let desired = count(spec.replicas, 1);
    let strategy = spec.strategy.as_ref();
    let rolling = strategy.and_then(|it| it.rolling_update.as_ref());
    let default = IntOrString::String(BOUND_DEFAULT_PERCENT.to_owned());
    let bound = |share: Option<&IntOrString>, rounding| {
        share::of(share.unwrap_or(&default), desired, rounding).unwrap_or(0)
    };
    let surge = bound(rolling.and_then(|it| it.max_surge.as_ref()), Rounding::Up);
    let missing = bound(
        rolling.and_then(|it| it.max_unavailable.as_ref()),
        Rounding::Down,
    );
    if surge == 0 && missing == 0 {
        return (0, 1);
    }
    (surge, missing)
}

/// Takes from old sets what is not available anyway; gives what each of them wants now.
fn shrink_broken(pass: &mut Pass<'_>, old: &[Set], mut spare: usize) -> Vec<usize> {
    let mut wanted = Vec::new();
    for set in old {
        let broken = set.replicas.saturating_sub(set.available).min(spare);
        spare -= broken;
        let replicas = set.replicas - broken;
        scale(pass, set, replicas);
        wanted.push(replicas);
    }
    wanted
}

/// Takes from old sets what is more than must be available.
fn shrink(pass: &mut Pass<'_>, old: &[Set], wanted: &[usize], mut surplus: usize) {
    for (set, wanted) in old.iter().zip(wanted) {
        let taken = surplus.min(*wanted);
        surplus -= taken;
        scale(pass, set, wanted - taken);
    }
}

fn total(sets: &[Set]) -> usize {
    sets.iter().map(|it| it.replicas).sum()
}

fn scale_all(pass: &mut Pass<'_>, sets: &[Set], replicas: usize) {
    for set in sets {
        scale(pass, set, replicas);
    }
}

fn scale(pass: &mut Pass<'_>, set: &Set, replicas: usize) {
    let scaled = pass.store.update::<ReplicaSet>(&set.key, |set| {
        set.spec.get_or_insert_default().replicas = Some(written(replicas));
    });
    debug_assert!(scaled.is_ok(), "it was listed a moment ago");
}

/// Old sets that are empty are deleted, but for the last few.
fn forget(pass: &mut Pass<'_>, spec: &DeploymentSpec, old: &[Set]) {
    let empty: Vec<&Set> = old
        .iter()
        .filter(|it| it.replicas == 0 && it.pods == 0)
        .collect();
    let kept = count(spec.revision_history_limit, HISTORY_DEFAULT);
    for set in empty.iter().take(empty.len().saturating_sub(kept)) {
        let gone = pass
            .store
            .delete::<ReplicaSet>(&set.key, Actor::User, pass.now);
        debug_assert!(gone.is_ok(), "it was listed a moment ago");
    }
}

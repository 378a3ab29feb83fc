//! StatefulSets: pods with names of their own that come and go in order (Kubernetes
//! documentation, "StatefulSets").
//!
//! | Policy | Creation and deletion |
//! |---|---|
//! | `OrderedReady` | from the lowest ordinal up, each when the one before is available; from the highest down, each when all others are |
//! | `Parallel` | all at once |
//!
//! A rolling update replaces pods from the highest ordinal down to the partition, each when the one
//! before it is available again. Volumes are not part of this world.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::Pod;
use tidewright::model::id::Uid;

use super::revisions::{self, Change, Revision};
use super::{Name, Pass, Wanted, count, own_pods};
use crate::store::{ObjectKey, Store, is_terminal, uid};

/// A StatefulSet and its pods by ordinal.
struct Application<'a> {
    key: &'a ObjectKey,
    set: &'a StatefulSet,
    spec: &'a StatefulSetSpec,
    change: Change,
    pods: BTreeMap<usize, (ObjectKey, Pod)>,
}

/// Each StatefulSet goes a step towards its replicas and its template.
pub(super) fn run(pass: &mut Pass<'_>) {
    for (key, set) in pass.due::<StatefulSet>() {
        pass.turn_to(&set);
        let Some(spec) = set.spec.as_ref() else {
            continue;
        };
        let pods = by_ordinal(pass.store, &uid(&set), &key.name);
        let newest = pods.values().next_back().map(|(_, pod)| pod);
        let id = (&uid(&set), key.name.as_str());
        let change = pass.workloads.revisions.of(id, &spec.template, newest);
        let application = Application {
            key: &key,
            set: &set,
            spec,
            change,
            pods,
        };
        if application.has_all(pass) && application.has_no_more(pass) {
            application.update(pass);
        }
    }
}

fn by_ordinal(store: &Store, owner: &Uid, name: &str) -> BTreeMap<usize, (ObjectKey, Pod)> {
    let pods = own_pods(store, owner).into_iter();
    let numbered = pods.filter_map(|(key, pod)| {
        let ordinal = key.name.strip_prefix(name)?.strip_prefix('-')?;
        Some((ordinal.parse().ok()?, (key, pod)))
    });
    numbered.collect()
}

impl Application<'_> {
    fn first(&self) -> usize {
        count(self.spec.ordinals.as_ref().and_then(|it| it.start), 0)
    }

    fn end(&self) -> usize {
        self.first() + count(self.spec.replicas, 1)
    }

    fn is_parallel(&self) -> bool {
        self.spec.pod_management_policy.as_deref() == Some("Parallel")
    }

    fn is_available(&self, pass: &mut Pass<'_>, pod: &Pod) -> bool {
        pass.is_available(pod, self.spec.min_ready_seconds)
    }

    /// Creates what is missing; says whether all that is wanted is there and, in order, available.
    fn has_all(&self, pass: &mut Pass<'_>) -> bool {
        let mut all = true;
        for ordinal in self.first()..self.end() {
            let is_there = match self.pods.get(&ordinal) {
                None => {
                    self.create(pass, ordinal);
                    false
                }
                Some((key, pod)) if is_terminal(pod) => {
                    pass.stop(key);
                    false
                }
                Some((_, pod)) => self.is_available(pass, pod),
            };
            if !is_there && !self.is_parallel() {
                return false;
            }
            all &= is_there;
        }
        all || self.is_parallel()
    }

    fn create(&self, pass: &mut Pass<'_>, ordinal: usize) {
        let name = format!("{}-{ordinal}", self.key.name);
        let revision = self.revision(ordinal);
        let namespace = &self.key.namespace;
        let wanted = Wanted {
            name: Name::Exactly(name.clone()),
            labels: vec![
                ("statefulset.kubernetes.io/pod-name", name),
                ("apps.kubernetes.io/pod-index", ordinal.to_string()),
                (revisions::LABEL, revision.name.clone()),
            ],
            ..Wanted::of(self.set, namespace, &revision.template)
        };
        pass.create(&wanted, 1);
    }

    /// What a pod that is created now is made of: below the partition, or as many as there are still
    /// of what was before, it is what was before.
    fn revision(&self, ordinal: usize) -> &Revision {
        if !self.rolls() {
            return &self.change.update;
        }
        let before = self.partition().unwrap_or_else(|| {
            let current = Some(self.change.current.name.as_str());
            let pods = self.pods.values();
            pods.filter(|(_, pod)| revisions::of_pod(pod) == current)
                .count()
        });
        if ordinal < self.first() + before {
            &self.change.current
        } else {
            &self.change.update
        }
    }

    /// Whether the controller replaces pods, and not a user by hand.
    fn rolls(&self) -> bool {
        let strategy = self.spec.update_strategy.as_ref();
        strategy.is_none_or(|it| it.type_.as_deref() != Some("OnDelete"))
    }

    /// The partition of a rolling update, if it names one.
    fn partition(&self) -> Option<usize> {
        let strategy = self.spec.update_strategy.as_ref();
        let rolling = strategy.and_then(|it| it.rolling_update.as_ref());
        let partition = rolling.and_then(|it| it.partition).filter(|it| *it > 0);
        partition.map(|it| count(Some(it), 0))
    }

    /// Tells what is too much to go; says whether nothing is.
    fn has_no_more(&self, pass: &mut Pass<'_>) -> bool {
        let wanted = self.first()..self.end();
        let surplus = self.pods.iter().rev();
        let surplus = surplus.filter(|(ordinal, _)| !wanted.contains(ordinal));
        let mut none = true;
        for (_, (key, pod)) in surplus {
            none = false;
            if pod.metadata.deletion_timestamp.is_none() {
                pass.stop(key);
            }
            if !self.is_parallel() {
                return false;
            }
        }
        none
    }

    /// Replaces the next pod that is of another revision.
    fn update(&self, pass: &mut Pass<'_>) {
        if !self.rolls() {
            return;
        }
        let partition = self.partition();
        let last_kept = self.first() + partition.unwrap_or(0);
        for ordinal in (last_kept..self.end()).rev() {
            let Some((key, pod)) = self.pods.get(&ordinal) else {
                return;
            };
            let is_new = revisions::of_pod(pod) == Some(&self.change.update.name);
            if !is_new && pod.metadata.deletion_timestamp.is_none() {
                return pass.stop(key);
            }
            if !self.is_available(pass, pod) {
                return;
            }
        }
        if partition.is_none() {
            pass.workloads.revisions.settle(&uid(self.set));
        }
    }
}

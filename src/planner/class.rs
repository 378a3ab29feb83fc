//! Pods that placement cannot tell apart, and the order in which pods are placed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::PreferencePolicy;
use crate::model::pod::{Pod, Scheduling};
use crate::model::requirement::Requirements;
use crate::model::resources::Resources;
use crate::model::taint::{Taint, tolerates_all, tolerates_all_preferred};

/// A class by its position in [`Queue::classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClassIndex(usize);

/// A pod by its position in the list of pending pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PodIndex(pub(super) usize);

/// What counts for a class of pods.
#[derive(Debug)]
pub(super) struct Class {
    /// What the pods say.
    pub(super) scheduling: Scheduling,
    /// What they ask for, first with all their preferences, last with none.
    pub(super) levels: Vec<Level>,
}

/// One step of giving up preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// A place has to satisfy one of these.
    pub(super) alternatives: Vec<Requirements>,
    /// What `PreferNoSchedule` means.
    pub(super) preferred_taints: PreferredTaints,
}

/// What a taint `PreferNoSchedule` means for a pod without a toleration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreferredTaints {
    /// It keeps the pod away.
    Avoided,
    /// It is overlooked.
    Overlooked,
}

/// A pod waiting for a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) pod: PodIndex,
    pub(super) class: ClassIndex,
}

/// The pods in the order of placement, and their classes.
pub(super) struct Queue {
    pub(super) order: Vec<Waiting>,
    pub(super) classes: Vec<Class>,
}

impl Queue {
    /// Largest first: pods by cpu and memory descending, then the oldest, then by uid (the order
    /// of Karpenter's queue). A pod that occurs twice is placed once.
    pub(super) fn new(pending: &[Arc<Pod>], preferences: PreferencePolicy) -> Self {
        let mut pods: Vec<(usize, &Arc<Pod>)> = pending.iter().enumerate().collect();
        pods.sort_by_key(|(_, pod)| {
            let size = pod.scheduling.resources();
            let size = (Reverse(size.cpu_millis()), Reverse(size.memory_bytes()));
            (size, pod.created, &pod.uid, &pod.key)
        });
        pods.dedup_by_key(|(_, pod)| &pod.key);
        let mut known: BTreeMap<&Scheduling, ClassIndex> = BTreeMap::new();
        let mut classes = Vec::new();
        let order = pods.into_iter().map(|(pod, object)| {
            let class = *known.entry(&object.scheduling).or_insert_with(|| {
                classes.push(Class::new(&object.scheduling, preferences));
                ClassIndex(classes.len() - 1)
            });
            let pod = PodIndex(pod);
            Waiting { pod, class }
        });
        let order = order.collect();
        Self { order, classes }
    }

    pub(super) fn class(&self, index: ClassIndex) -> &Class {
        &self.classes[index.0]
    }
}

impl Class {
    fn new(scheduling: &Scheduling, preferences: PreferencePolicy) -> Self {
        Self {
            levels: levels(scheduling, preferences),
            scheduling: scheduling.clone(),
        }
    }

    /// What one of the pods takes.
    pub(super) fn size(&self) -> &Resources {
        self.scheduling.resources()
    }

    /// Whether the pods go where these taints are; if not, the taint that keeps them away.
    pub(super) fn tolerates<'a>(
        &self,
        level: &Level,
        taints: &'a [Taint],
    ) -> Result<(), &'a Taint> {
        let tolerations = &self.scheduling.tolerations;
        match level.preferred_taints {
            PreferredTaints::Avoided => tolerates_all_preferred(tolerations, taints),
            PreferredTaints::Overlooked => tolerates_all(tolerations, taints),
        }
    }
}

/// Preferences are given up one by one, the heaviest first, as Karpenter does: a pod asks for its
/// heaviest preference alone, then for the next, then for none, and last of all it overlooks
/// `PreferNoSchedule`. Every required alternative is looked at on each step.
fn levels(scheduling: &Scheduling, preferences: PreferencePolicy) -> Vec<Level> {
    use PreferredTaints::{Avoided, Overlooked};
    let required = scheduling.alternatives();
    let level = |alternatives, preferred_taints| Level {
        alternatives,
        preferred_taints,
    };
    match preferences {
        PreferencePolicy::Ignore => vec![level(required, Overlooked)],
        PreferencePolicy::Respect => {
            let mut wishes: Vec<_> = scheduling.node_affinity_preferred.iter().collect();
            wishes.sort_by_key(|wish| Reverse(wish.weight));
            let with = |wish: &Requirements| required.iter().map(|it| it.intersect(wish)).collect();
            let preferred = wishes
                .into_iter()
                .map(|wish| level(with(&wish.term), Avoided));
            let plain = [Avoided, Overlooked].map(|taints| level(required.clone(), taints));
            preferred.chain(plain).collect()
        }
    }
}

//! What a pod says about its neighbours: spread, affinity and anti-affinity.

use super::labels::LabelKey;
use super::requirement::Requirements;

/// Which pods a term is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelSelector {
    /// No selector was written: it matches no pod.
    Nothing,
    /// The pods whose labels satisfy these; without any, every pod.
    Matching(Requirements),
}

/// What happens when a spread cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhenUnsatisfiable {
    /// The pod waits.
    DoNotSchedule,
    /// The pod runs anyway.
    ScheduleAnyway,
}

/// Whether nodes that the pod cannot use count as domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeInclusion {
    /// Only usable nodes count.
    Honor,
    /// Every node counts.
    Ignore,
}

/// A constraint on how pods are spread (Kubernetes documentation, "Pod Topology Spread
/// Constraints").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopologySpread {
    /// The label whose values are the domains.
    pub key: LabelKey,
    /// By how many pods domains may differ.
    pub max_skew: u32,
    /// How many domains there must be.
    pub domains_min: Option<u32>,
    /// What happens otherwise.
    pub when_unsatisfiable: WhenUnsatisfiable,
    /// The pods counted.
    pub selector: LabelSelector,
    /// Labels of the pod whose values narrow the selector.
    pub match_label_keys: Vec<LabelKey>,
    /// Whether node affinity and node selector narrow the domains.
    pub node_affinity: NodeInclusion,
    /// Whether taints narrow the domains.
    pub node_taints: NodeInclusion,
}

/// Where the pods of an affinity term are looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespaces {
    /// The pod's own.
    Own,
    /// Those named, and those whose labels the selector matches.
    Named {
        /// By name.
        names: Vec<String>,
        /// By label.
        selector: LabelSelector,
    },
}

/// A wish to be, or not to be, where certain pods are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodAffinityTerm {
    /// The label whose values are the domains.
    pub key: LabelKey,
    /// The pods.
    pub selector: LabelSelector,
    /// Labels of the pod whose values narrow the selector.
    pub match_label_keys: Vec<LabelKey>,
    /// Labels of the pod whose values the others may not have.
    pub mismatch_label_keys: Vec<LabelKey>,
    /// Where they are looked for.
    pub namespaces: Namespaces,
}

/// A wish with a weight of 1 to 100.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weighted<T> {
    /// How much it counts.
    pub weight: u8,
    /// The wish.
    pub term: T,
}

/// Everything a pod says about its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbours {
    /// Spread constraints, in the order written.
    pub spread: Vec<TopologySpread>,
    /// Where it must be.
    pub affinity_required: Vec<PodAffinityTerm>,
    /// Where it would like to be.
    pub affinity_preferred: Vec<Weighted<PodAffinityTerm>>,
    /// Where it must not be.
    pub anti_affinity_required: Vec<PodAffinityTerm>,
    /// Where it would rather not be.
    pub anti_affinity_preferred: Vec<Weighted<PodAffinityTerm>>,
}

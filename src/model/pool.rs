//! NodePools: what may be bought, how much of it, and what may be given back when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::id::{PoolName, Uid};
use super::labels::{LabelKey, LabelValue};
use super::node_class::NodeClassRef;
use super::reason::DisruptionReason;
use super::requirement::Requirements;
use super::resources::{ResourceName, Resources, Shortfall};
use super::schedule::Window;
use super::taint::Taint;
use super::time::Timestamp;

/// A NodePool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePool {
    /// The name.
    pub name: PoolName,
    /// The uid.
    pub uid: Uid,
    /// When it was told to go.
    pub deleting: Option<Timestamp>,
    /// Whether it may be used.
    pub usable: PoolUsable,
    /// Pools of a higher weight are tried first; 0 when none is given.
    pub weight: u8,
    /// What its NodeClaims look like.
    pub template: ClaimTemplate,
    /// How much it may hold.
    pub limits: Limits,
    /// What may be disrupted, and when.
    pub disruption: Disruption,
    /// The hash of the fields whose change makes nodes drift.
    pub hash: Arc<str>,
}

/// Whether a NodePool may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolUsable {
    /// It may.
    Yes,
    /// Its conditions say that it is not ready, or a field is not acted on yet without which it
    /// would be misunderstood (`spec.replicas`).
    No {
        /// One sentence.
        because: Arc<str>,
    },
}

/// What the NodeClaims of a pool have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimTemplate {
    /// How machines are set up.
    pub node_class: NodeClassRef,
    /// Labels for the nodes.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Annotations for the nodes.
    pub annotations: BTreeMap<Arc<str>, Arc<str>>,
    /// What the machines must be, as written.
    pub requirements: Requirements,
    /// Taints for as long as a node lives.
    pub taints: Vec<Taint>,
    /// Taints that somebody else takes away when the node is set up.
    pub startup_taints: Vec<Taint>,
    /// The age at which a node is replaced; none means never.
    pub expire_after: Option<Duration>,
    /// The longest that draining may take; none means as long as it takes.
    pub termination_grace: Option<Duration>,
}

/// Upper bounds on the capacity of all nodes of a pool. A resource without entry is unlimited,
/// which is why this is no [`Resources`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<ResourceName, i64>);

impl Limits {
    /// These bounds.
    pub fn new(bounds: impl IntoIterator<Item = (ResourceName, i64)>) -> Self {
        Self(bounds.into_iter().collect())
    }

    /// The bounds by resource.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceName, i64)> {
        self.0.iter().map(|(name, bound)| (name, *bound))
    }

    /// The first bound that this usage breaks, with what is used as `needed`.
    pub fn first_exceeded(&self, used: &Resources) -> Option<Shortfall> {
        self.iter()
            .map(|(name, available)| Shortfall {
                name: name.clone(),
                needed: used.get(name),
                available,
            })
            .find(|shortfall| shortfall.needed > shortfall.available)
    }
}

/// What may be disrupted without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsolidationPolicy {
    /// Empty nodes only.
    WhenEmpty,
    /// Empty nodes, and nodes whose pods fit elsewhere for less.
    WhenEmptyOrUnderutilized,
    /// As above, when it is worth the disruption.
    Balanced,
}

/// When and how much may be disrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disruption {
    /// What may be.
    pub policy: ConsolidationPolicy,
    /// How long a node must have been quiet; none means never.
    pub consolidate_after: Option<Duration>,
    /// How many nodes at once. All that apply hold together.
    pub budgets: Vec<Budget>,
}

/// How many nodes of a pool may be disrupted at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many.
    pub nodes: BudgetNodes,
    /// For which reasons it speaks; none given means for all.
    pub reasons: Option<BTreeSet<DisruptionReason>>,
    /// When it is in force; none means always.
    pub window: Option<Window>,
}

/// A number of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetNodes {
    /// So many.
    Count(u32),
    /// So many of a hundred, rounded up.
    Percent(u8),
}

impl BudgetNodes {
    /// The number for a pool of that size. A share is rounded up, so that 10 % of one node is one
    /// node and small pools are not stuck.
    pub fn of(self, nodes: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                let scaled = u64::from(nodes) * u64::from(percent);
                u32::try_from(scaled.div_ceil(100)).unwrap_or(u32::MAX)
            }
        }
    }
}

impl Budget {
    /// Whether it has a say about this reason at `now`.
    pub fn applies(&self, reason: DisruptionReason, now: Timestamp) -> bool {
        let speaks = self.reasons.as_ref();
        speaks.is_none_or(|reasons| reasons.contains(&reason))
            && self
                .window
                .as_ref()
                .is_none_or(|window| window.is_active(now))
    }
}

impl Disruption {
    /// How many of `nodes` may be disrupted at once for this reason at `now`; none means that no
    /// budget has a say.
    pub fn allowed(&self, reason: DisruptionReason, nodes: u32, now: Timestamp) -> Option<u32> {
        let speaking = self.budgets.iter().filter(|it| it.applies(reason, now));
        speaking.map(|budget| budget.nodes.of(nodes)).min()
    }
}

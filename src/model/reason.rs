//! Why something was not done. Each refusal is a variant with one sentence, and everything that
//! people read (events, reports, `explain`) is written from these.

use std::fmt;
use std::sync::Arc;

use super::id::{PodKey, PoolName, TypeName};
use super::pod::UnsupportedField;
use super::requirement::{Incompatible, Requirements};
use super::resources::Shortfall;
use super::taint::Taint;
use super::time::Timestamp;

/// Why a node is disrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisruptionReason {
    /// Its pods fit elsewhere for less.
    Underutilized,
    /// No pod needs it.
    Empty,
    /// It is no longer what its pool asks for.
    Drifted,
}

impl DisruptionReason {
    /// All reasons, in the order of the API's documentation.
    pub const ALL: [Self; 3] = [Self::Underutilized, Self::Empty, Self::Drifted];

    /// The reason of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// The name in a budget's `reasons`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Underutilized => "Underutilized",
            Self::Empty => "Empty",
            Self::Drifted => "Drifted",
        }
    }
}

impl fmt::Display for DisruptionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a pod was not placed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unschedulable {
    /// It asks for something that is not acted on yet, and could be misplaced.
    UnsupportedFields {
        /// The fields.
        fields: Vec<UnsupportedField>,
    },
    /// No NodePool exists.
    NoNodePool,
    /// No pool can hold it; the nearest miss first.
    NoPoolFits {
        /// What each pool lacks; never empty.
        misses: Vec<PoolMiss>,
    },
    /// The work allowed for one plan was used up before its turn.
    WorkSpent,
}

/// What one pool lacks for one pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolMiss {
    /// What is missing. First, so that misses sort by nearness.
    pub miss: Miss,
    /// The pool.
    pub pool: PoolName,
}

/// What is missing, the nearest first: what passes by itself, then what a number in a policy
/// changes, then what takes another kind of machine, then what the policy excludes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// Everything that would fit is sold out for now.
    SoldOut {
        /// When the first of these offerings is tried again.
        until: Timestamp,
    },
    /// The pool's limit.
    Limit {
        /// What the pool would hold with the smallest machine that fits, and the limit.
        over: LimitOver,
    },
    /// No machine is large enough.
    TooLarge {
        /// What the largest lacks.
        short: TooLarge,
    },
    /// Too few different instance types fit for the pool's `minValues`.
    MinValues {
        /// What cannot be kept.
        requirements: Requirements,
    },
    /// No instance type has the labels that pool and pod ask for together.
    NoInstanceType {
        /// What they ask for.
        requirements: Requirements,
    },
    /// Pool and pod contradict each other.
    Labels {
        /// Where.
        conflict: Incompatible,
    },
    /// The pod does not tolerate the pool's taint.
    Taint {
        /// The taint.
        taint: Taint,
    },
    /// The pool may not be used at present.
    PoolUnusable {
        /// Why.
        because: Arc<str>,
    },
}

/// A limit that one more machine would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitOver(pub Shortfall);

/// What the largest machine lacks for a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The resource, what the pod and the node's own pods need, and what the machine offers.
    pub shortfall: Shortfall,
    /// The machine with most of that resource among those allowed.
    pub largest: TypeName,
}

/// Orders by the text: misses need a fixed order, and these have no better one.
macro_rules! ordered_by_text {
    ($name:ident, $self:ident, $key:expr) => {
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                let key = |$self: &Self| $key;
                key(self).cmp(&key(other))
            }
        }
    };
}

ordered_by_text!(LimitOver, it, it.0.to_string());
ordered_by_text!(TooLarge, it, (it.largest.clone(), it.shortfall.to_string()));

impl Unschedulable {
    /// The variant's name, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnsupportedFields { .. } => "UnsupportedFields",
            Self::NoNodePool => "NoNodePool",
            Self::NoPoolFits { .. } => "NoPoolFits",
            Self::WorkSpent => "WorkSpent",
        }
    }

    /// The miss that is easiest to mend.
    pub fn nearest_miss(&self) -> Option<&PoolMiss> {
        match self {
            Self::NoPoolFits { misses } => misses.first(),
            Self::UnsupportedFields { .. } | Self::NoNodePool | Self::WorkSpent => None,
        }
    }
}

impl fmt::Display for Unschedulable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedFields { fields } => {
                let paths: Vec<&str> = fields.iter().map(|field| &*field.path).collect();
                let paths = paths.join(", ");
                write!(
                    f,
                    "{paths}: not acted on yet, and without it the pod could be misplaced"
                )
            }
            Self::NoNodePool => f.write_str("there is no NodePool"),
            Self::NoPoolFits { misses } => {
                for (position, PoolMiss { pool, miss }) in misses.iter().enumerate() {
                    let separator = if position == 0 { "" } else { "; " };
                    write!(f, "{separator}NodePool {pool}: {miss}")?;
                }
                Ok(())
            }
            Self::WorkSpent => f.write_str("the work allowed for one plan was used up before"),
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SoldOut { until } => write!(
                f,
                "every offering that fits is sold out; the first is tried again at {until}"
            ),
            Self::Limit { over } => {
                let Shortfall { name, .. } = &over.0;
                write!(
                    f,
                    "limit {}; raise spec.limits.{name} or wait for nodes to go",
                    over.0
                )
            }
            Self::TooLarge { short } => write!(
                f,
                "{} on {}, the largest type allowed; allow larger types (instance-category, instance-family, instance-size) or ask for less",
                short.shortfall, short.largest
            ),
            Self::MinValues { requirements } => write!(
                f,
                "too few different types fit for minValues of {requirements}; lower minValues or allow more types"
            ),
            Self::NoInstanceType { requirements } => {
                write!(f, "no instance type has {requirements}; widen one of these")
            }
            Self::Labels { conflict } => {
                let key = conflict.key();
                write!(
                    f,
                    "{conflict}; change {key} in the pool's requirements or labels, or in the pod"
                )
            }
            Self::Taint { taint } => {
                write!(
                    f,
                    "taint {taint} is not tolerated; add a toleration to the pod to use this pool"
                )
            }
            Self::PoolUnusable { because } => f.write_str(because),
        }
    }
}

/// Why a node is not disrupted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocked {
    /// No NodeClaim stands behind it, or its pool is gone.
    NotManaged,
    /// It is not ready for use yet.
    NotInitialized,
    /// It is on its way out already.
    Going,
    /// A pod is about to come.
    Nominated {
        /// The pod.
        pod: PodKey,
    },
    /// Its annotation says so.
    NodeProtected,
    /// A pod's annotation says so.
    PodProtected {
        /// The pod.
        pod: PodKey,
    },
    /// Pods need it.
    InUse {
        /// How many.
        pods: u32,
        /// One of them.
        pod: PodKey,
    },
    /// The pool never gives nodes back by itself (`consolidateAfter: Never`).
    Never,
    /// It has not been quiet for long enough.
    NotQuiet {
        /// When it will have been.
        until: Timestamp,
    },
    /// A budget.
    Budget {
        /// The reason the node would go for.
        reason: DisruptionReason,
        /// How many nodes of the pool may go at once.
        allowed: u32,
    },
}

impl Blocked {
    /// The variant's name, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotManaged => "NotManaged",
            Self::NotInitialized => "NotInitialized",
            Self::Going => "Going",
            Self::Nominated { .. } => "Nominated",
            Self::NodeProtected => "NodeProtected",
            Self::PodProtected { .. } => "PodProtected",
            Self::InUse { .. } => "InUse",
            Self::Never => "Never",
            Self::NotQuiet { .. } => "NotQuiet",
            Self::Budget { .. } => "Budget",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotManaged => f.write_str("no NodeClaim or no NodePool stands behind it"),
            Self::NotInitialized => f.write_str("it is not initialised yet"),
            Self::Going => f.write_str("it is on its way out already"),
            Self::Nominated { pod } => write!(f, "pod {pod} is about to come"),
            Self::NodeProtected => f.write_str("the node is annotated karpenter.sh/do-not-disrupt"),
            Self::PodProtected { pod } => {
                write!(f, "pod {pod} is annotated karpenter.sh/do-not-disrupt")
            }
            Self::InUse { pods: 1, pod } => write!(f, "pod {pod} needs it"),
            Self::InUse { pods, pod } => {
                write!(f, "{pods} pods need it, {pod} among them")
            }
            Self::Never => f.write_str("consolidateAfter of its NodePool is Never"),
            Self::NotQuiet { until } => write!(f, "it has to stay quiet until {until}"),
            Self::Budget { reason, allowed } => write!(
                f,
                "the budgets of its NodePool let at most {allowed} go at once for reason {reason}"
            ),
        }
    }
}

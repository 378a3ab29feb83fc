//! What a NodePool forbids, read from the raw object.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use tidewright::api::nodepool::{Budget, DisruptionReason, NodePool};
use tidewright::model::id::PoolName;
use tidewright::model::quantity::Quantity;
use tidewright::model::resources::Resources;
use tidewright::model::schedule::Schedule;
use tidewright::model::time::{Timestamp, parse_duration};

/// What a pool forbids.
#[derive(Clone, Debug)]
pub(super) struct PoolRules {
    pub(super) name: PoolName,
    pub(super) is_deleting: bool,
    pub(super) consolidate_after: Duration,
    limits: BTreeMap<String, Quantity>,
    budgets: Vec<Allowance>,
}

/// One budget that speaks about empty nodes.
#[derive(Clone, Debug)]
struct Allowance {
    nodes: Nodes,
    /// When it opens and for how long; none means always.
    open: Option<(Schedule, Duration)>,
}

#[derive(Clone, Copy, Debug)]
enum Nodes {
    Count(u64),
    Percent(u64),
}

impl PoolRules {
    pub(super) fn of(pool: &NodePool) -> Self {
        let disruption = &pool.spec.disruption;
        let limits = pool.spec.limits.iter().filter_map(|(name, text)| {
            let amount = Quantity::parse(&text.0).ok()?;
            Some((name.clone(), amount))
        });
        Self {
            name: pool.metadata.name.as_deref().unwrap_or_default().into(),
            is_deleting: pool.metadata.deletion_timestamp.is_some(),
            consolidate_after: parse_duration(&disruption.consolidate_after).unwrap_or_default(),
            limits: limits.collect(),
            budgets: disruption
                .budgets
                .iter()
                .filter_map(Allowance::of)
                .collect(),
        }
    }

    /// How many nodes of so many may go at once because they are empty; none means all.
    pub(super) fn allowed(&self, nodes: u64, now: Timestamp) -> Option<u64> {
        let open = self.budgets.iter().filter(|budget| budget.is_open(now));
        let allowed = open.map(|budget| match budget.nodes {
            Nodes::Count(count) => count,
            Nodes::Percent(percent) => (nodes * percent).div_ceil(100),
        });
        allowed.min()
    }

    /// The first limit that machines of this capacity break, in words.
    pub(super) fn broken_limit(&self, machines: u64, capacity: &Resources) -> Option<String> {
        self.limits.iter().find_map(|(name, limit)| {
            let (used, limit) = match name.as_str() {
                "nodes" => (i64::try_from(machines).ok()?, limit.to_units_floor().ok()?),
                "cpu" => (capacity.cpu_millis(), limit.to_millis_floor().ok()?),
                "memory" => (capacity.memory_bytes(), limit.to_units_floor().ok()?),
                _ => return None,
            };
            (used > limit).then(|| format!("{name} is {used} of {limit}"))
        })
    }
}

impl Allowance {
    fn of(budget: &Budget) -> Option<Self> {
        let empty = |reasons: &Vec<DisruptionReason>| reasons.contains(&DisruptionReason::Empty);
        if !budget.reasons.as_ref().is_none_or(empty) {
            return None;
        }
        let nodes = match budget.nodes.strip_suffix('%') {
            Some(percent) => Nodes::Percent(percent.parse().ok()?),
            None => Nodes::Count(budget.nodes.parse().ok()?),
        };
        let open = match (&budget.schedule, &budget.duration) {
            (Some(schedule), Some(duration)) => {
                let schedule = Schedule::parse(schedule, Tz::UTC).ok()?;
                Some((schedule, parse_duration(duration).ok()?))
            }
            _ => None,
        };
        Some(Self { nodes, open })
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.open.as_ref().is_none_or(|(schedule, duration)| {
            schedule
                .last_in(now.saturating_sub(*duration), now)
                .is_some()
        })
    }
}

/// The sum of two capacities; beyond the range, the larger one.
pub(super) fn plus(sum: &Resources, more: &Resources) -> Resources {
    sum.checked_add(more).unwrap_or_else(|| sum.max(more))
}

//! When nodes may be disrupted, and how many at once.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::durations::{check_budget_duration, check_duration_or_never};
use super::labels::sentence;
use super::{FieldPath, Violation, too_many};
use crate::api::nodepool::{Budget, Disruption};
use crate::model::schedule::Schedule;

const BUDGETS_MAX: usize = 50;

/// The disruption block of a pool.
pub(super) fn check_disruption(path: &FieldPath, disruption: &Disruption) -> Vec<Violation> {
    let after = path.field("consolidateAfter");
    let budgets = path.field("budgets");
    let mut found: Vec<_> = check_duration_or_never(after, &disruption.consolidate_after)
        .into_iter()
        .collect();
    found.extend(too_many(&budgets, disruption.budgets.len(), BUDGETS_MAX));
    for (index, budget) in disruption.budgets.iter().enumerate() {
        found.extend(check_budget(&budgets.index(index), budget));
    }
    found
}

fn check_budget(path: &FieldPath, budget: &Budget) -> Vec<Violation> {
    let mut found: Vec<_> = check_nodes(path.field("nodes"), &budget.nodes)
        .into_iter()
        .collect();
    found.extend(repeated_reasons(&path.field("reasons"), budget));
    if let Some(schedule) = &budget.schedule {
        found.extend(check_schedule(path.field("schedule"), schedule));
    }
    if let Some(duration) = &budget.duration {
        found.extend(check_budget_duration(path.field("duration"), duration));
    }
    found.extend(half_a_window(path, budget));
    found
}

/// A percentage has at most three digits and is not above 100; a count fits what Kubernetes
/// counts nodes with.
fn check_nodes(path: FieldPath, nodes: &str) -> Option<Violation> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let reads = match nodes.strip_suffix('%') {
        Some(percent) => is_number(percent) && (percent == "100" || percent.len() <= 2),
        None => is_number(nodes) && nodes.parse::<i32>().is_ok(),
    };
    let rule = "A budget must be a number of nodes, or a percentage from 0% to 100%.";
    (!reads).then(|| Violation::new(path, nodes, rule, "Write it as 5 or 10%."))
}

fn repeated_reasons(path: &FieldPath, budget: &Budget) -> Vec<Violation> {
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for (index, reason) in budget.reasons.iter().flatten().enumerate() {
        let path = path.index(index);
        if let Some(before) = seen.insert(*reason, path.clone()) {
            let rule = "A budget may name each reason once.";
            let fix = "Remove the repetition.";
            let violation = Violation::new(path, reason.as_str(), rule, fix);
            found.push(violation.depends_on([before]));
        }
    }
    found
}

/// Budgets are read in UTC (Karpenter documentation, "Disruption", section "Budgets").
fn check_schedule(path: FieldPath, schedule: &str) -> Option<Violation> {
    let error = Schedule::parse(schedule, Tz::UTC).err()?;
    let fix = "Write five fields, such as \"0 9 * * mon-fri\", or a nickname such as @daily.";
    Some(Violation::new(path, schedule, sentence(&error), fix))
}

/// A schedule says when a window opens and a duration when it closes.
fn half_a_window(path: &FieldPath, budget: &Budget) -> Option<Violation> {
    let rule = "A schedule and a duration must be written together.";
    let [begin, end] = ["schedule", "duration"].map(|name| path.field(name));
    match (&budget.schedule, &budget.duration) {
        (Some(schedule), None) => {
            let fix = "Add a duration, such as 8h, or remove the schedule.";
            Some(Violation::new(begin, schedule, rule, fix).depends_on([end]))
        }
        (None, Some(duration)) => {
            let fix = "Add a schedule, such as @daily, or remove the duration.";
            Some(Violation::new(end, duration, rule, fix).depends_on([begin]))
        }
        (Some(_), Some(_)) | (None, None) => None,
    }
}

//! Policies that are correct and probably not what was meant.

use std::time::Duration;

use chrono_tz::Tz;

use super::diagnostic::Severity;
use super::objects::Remark;
use crate::api::nodepool::{Budget, NodePool};
use crate::api::rules::FieldPath;
use crate::model::price::{Price, bill};
use crate::model::schedule::{Schedule, Window};
use crate::model::time::{Timestamp, format_duration, parse_duration};

/// A Monday at midnight, 2024-01-01T00:00:00Z, in a leap year: what is counted from here is a week
/// or a year as good as any other.
const COUNTED_FROM: Timestamp = Timestamp::from_seconds(1_704_067_200);

const WEEK: Duration = Duration::from_hours(7 * 24);

/// A schedule that does not repeat weekly is averaged over this many weeks, which is a year.
const WEEKS_AVERAGED: u32 = 52;

/// How many times a window may open and close while it is counted. Hourly windows do so 336 times a
/// week; a count that ends early still gives the average of what it saw.
const CHANGES_MAX: u32 = 2_000;

/// Budgets that keep empty nodes, which their authors rarely mean. A budget without reasons binds for
/// every reason, `Empty` among them (Karpenter documentation, "Disruption", section "Budgets").
pub(super) fn budgets(pool: &NodePool) -> Vec<Remark> {
    let path = FieldPath::ROOT
        .field("spec")
        .field("disruption")
        .field("budgets");
    let budgets = pool.spec.disruption.budgets.iter().enumerate();
    budgets
        .filter_map(|(index, budget)| keeps_empty_nodes(path.index(index), budget))
        .collect()
}

/// How long in an average week a budget lets no node go, empty ones included; none if it never does.
pub fn empty_nodes_kept_per_week(budget: &Budget) -> Option<Duration> {
    let allows_none = matches!(budget.nodes.trim_end_matches('%').parse::<u64>(), Ok(0));
    if !allows_none || budget.reasons.is_some() {
        return None;
    }
    let kept = match (&budget.schedule, &budget.duration) {
        (Some(schedule), Some(duration)) => {
            let window = Window {
                schedule: Schedule::parse(schedule, Tz::UTC).ok()?,
                duration: parse_duration(duration).ok()?,
            };
            open_per_week(&window, span_counted(schedule))
        }
        (None, _) | (_, None) => WEEK,
    };
    (!kept.is_zero()).then_some(kept)
}

fn keeps_empty_nodes(path: FieldPath, budget: &Budget) -> Option<Remark> {
    let kept = empty_nodes_kept_per_week(budget)?;
    let dollar = bill(Price::from_micros(1_000_000), kept).to_micros() / 10_000;
    let when = if kept == WEEK {
        "at all times".to_owned()
    } else {
        format!("for {} a week, in UTC", format_duration(kept))
    };
    let rule = format!(
        "This budget keeps empty nodes too, {when}. A node without pods stays and is paid for all \
         that time: up to ${}.{:02} a week for each $1 per hour that it costs.",
        dollar / 100,
        dollar % 100,
    );
    Some(Remark {
        severity: Severity::Warning,
        path,
        value: Some(format!("nodes: {:?} without reasons", budget.nodes)),
        rule,
        fix: "Add `reasons: [Underutilized, Drifted]`, and empty nodes may go.".to_owned(),
    })
}

/// A week if only the time of day and the day of the week matter, otherwise a year.
fn span_counted(schedule: &str) -> Duration {
    let fields: Vec<_> = schedule.split_whitespace().collect();
    let weekly = match fields.as_slice() {
        [_, _, day, month, _] => [day, month].iter().all(|it| matches!(**it, "*" | "?")),
        [nickname] => matches!(*nickname, "@weekly" | "@daily" | "@midnight" | "@hourly"),
        _ => false,
    };
    if weekly { WEEK } else { WEEK * WEEKS_AVERAGED }
}

/// How long a window is open in a week, on average over a span.
fn open_per_week(window: &Window, span: Duration) -> Duration {
    let end = COUNTED_FROM.saturating_add(span);
    let mut now = COUNTED_FROM;
    let mut open = Duration::ZERO;
    for _ in 0..CHANGES_MAX {
        let change = window
            .next_change(now)
            .map_or(end, |change| change.min(end));
        if window.is_active(now) {
            open += change.since(now);
        }
        now = change;
        if now == end {
            break;
        }
    }
    let counted = now.since(COUNTED_FROM).as_secs().max(1);
    let open = u128::from(open.as_secs()) * u128::from(WEEK.as_secs()) / u128::from(counted);
    Duration::from_secs(u64::try_from(open).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::nodepool::DisruptionReason;

    fn check(nodes: &str, window: Option<(&str, &str)>, expected: Option<&str>) {
        let budget = Budget {
            nodes: nodes.into(),
            reasons: None,
            schedule: window.map(|(schedule, _)| schedule.into()),
            duration: window.map(|(_, duration)| duration.into()),
        };
        let kept = empty_nodes_kept_per_week(&budget).map(format_duration);
        assert_eq!(kept.as_deref(), expected, "{budget:?}");
    }

    #[test]
    fn the_hours_of_a_week_are_counted() {
        check("0", None, Some("168h"));
        check("0%", Some(("0 9 * * mon-fri", "9h")), Some("45h"));
        check("0", Some(("0 22 * * sun", "8h30m")), Some("8h30m"));
        check("0", Some(("@hourly", "15m")), Some("42h"));
        check("0", Some(("@daily", "24h")), Some("168h"));
        check("0", Some(("0 0 1 * *", "24h")), Some("5h32m18s"));
        check("0", Some(("0 0 30 2 *", "24h")), None);
        check("0", Some(("@daily", "0s")), None);
        check("10%", None, None);
        check("1", Some(("@daily", "9h")), None);
    }

    #[test]
    fn a_budget_with_reasons_is_meant() {
        let budget = Budget {
            nodes: "0".into(),
            reasons: Some(vec![DisruptionReason::Empty]),
            schedule: None,
            duration: None,
        };
        assert_eq!(empty_nodes_kept_per_week(&budget), None);
    }
}

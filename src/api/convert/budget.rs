//! Disruption budgets.

use chrono_tz::Tz;

use super::Problems;
use crate::api::nodepool::{Budget as Written, DisruptionReason as WrittenReason};
use crate::api::rules::FieldPath;
use crate::model::pool::{Budget, BudgetNodes};
use crate::model::reason::DisruptionReason;
use crate::model::schedule::{Schedule, Window};
use crate::model::time::parse_duration;

/// A budget. One that is not understood in full forbids everything, always.
pub(super) fn budget(written: &Written, path: &FieldPath, problems: &mut Problems) -> Budget {
    let mut own = Problems::default();
    let reasons = written.reasons.as_ref();
    let reasons = reasons.map(|reasons| reasons.iter().map(|reason| (*reason).into()).collect());
    let nodes = own.ok(path.field("nodes"), nodes(&written.nodes));
    let window = window(written, path, &mut own);
    let closed = Budget {
        nodes: BudgetNodes::Count(0),
        reasons: None,
        window: None,
    };
    let understood = nodes.filter(|_| own.0.is_empty());
    problems.0.extend(own.0);
    understood.map_or(closed, |nodes| Budget {
        nodes,
        reasons,
        window,
    })
}

fn nodes(text: &str) -> Result<BudgetNodes, String> {
    let read = match text.strip_suffix('%') {
        Some(percent) => percent
            .parse()
            .ok()
            .filter(|percent| *percent <= 100)
            .map(BudgetNodes::Percent),
        None => text.parse().ok().map(BudgetNodes::Count),
    };
    read.ok_or_else(|| format!("\"{text}\" is neither a number nor a percentage of nodes"))
}

/// The window; none when the budget is in force always. Schedules are read in UTC, as in Karpenter.
fn window(written: &Written, path: &FieldPath, problems: &mut Problems) -> Option<Window> {
    match (&written.schedule, &written.duration) {
        (None, None) => None,
        (Some(schedule), Some(duration)) => {
            let schedule = Schedule::parse(schedule, Tz::UTC);
            let schedule = problems.ok(path.field("schedule"), schedule);
            let duration = problems.ok(path.field("duration"), parse_duration(duration));
            Some(Window {
                schedule: schedule?,
                duration: duration?,
            })
        }
        (Some(_), None) | (None, Some(_)) => {
            problems.add(path.clone(), "schedule and duration go together");
            None
        }
    }
}

impl From<WrittenReason> for DisruptionReason {
    fn from(reason: WrittenReason) -> Self {
        match reason {
            WrittenReason::Underutilized => Self::Underutilized,
            WrittenReason::Empty => Self::Empty,
            WrittenReason::Drifted => Self::Drifted,
        }
    }
}

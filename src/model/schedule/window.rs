//! Windows of time that a schedule opens.

use std::time::Duration;

use super::Schedule;
use crate::model::time::Timestamp;

/// How many hits [`Window::next_change`] follows while each keeps the window open for the next. A
/// window that its schedule reopens before it closes (daily, for 24 h) never changes, and no finite
/// search can tell that from one that changes in ten years. Two consecutive hits followed are more
/// than one duration apart, so 128 settle every chain of up to 64 durations, at some microseconds
/// each.
const HITS_FOLLOWED_MAX: u32 = 128;

/// The times during which something scheduled is in force: `duration` long from each hit.
/// Karpenter's disruption budgets are such windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The hits that open the window.
    pub schedule: Schedule,
    /// How long it stays open after each hit; a window of zero duration never opens.
    pub duration: Duration,
}

impl Window {
    /// Whether a hit lies in (`now` − duration, `now`]: at the instant of the hit the window is
    /// open, one duration later it is closed.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.opened_at(now).is_some()
    }

    /// When [`Window::is_active`] next changes; `None` if it never does. Meant for a timer: up to
    /// the instant returned, the answer of now stays valid.
    ///
    /// A window that stays open for more than 64 durations on end is answered with an instant at
    /// which it is still open; a caller that looks again then loses nothing.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let Some(mut hit) = self.opened_at(now) else {
            return self.next_opening(now);
        };
        for _ in 0..HITS_FOLLOWED_MAX {
            let closes_at = self.closing_after(hit);
            // The latest hit before it closes keeps it open longest.
            match self.schedule.last_in(hit, closes_at) {
                Some(later) => hit = later,
                None => return Some(closes_at),
            }
        }
        Some(hit)
    }

    fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        if self.duration_millis() == 0 {
            return None;
        }
        self.schedule.next_after(now)
    }

    /// The last hit that keeps the window open at `now`.
    fn opened_at(&self, now: Timestamp) -> Option<Timestamp> {
        let start = now.as_millis().saturating_sub(self.duration_millis());
        self.schedule.last_in(Timestamp::from_millis(start), now)
    }

    fn closing_after(&self, hit: Timestamp) -> Timestamp {
        Timestamp::from_millis(hit.as_millis().saturating_add(self.duration_millis()))
    }

    fn duration_millis(&self) -> i64 {
        i64::try_from(self.duration.as_millis()).unwrap_or(i64::MAX)
    }
}

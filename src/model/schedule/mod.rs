//! When a cron schedule hits: the start times of disruption budgets and of CronJobs.
//!
//! **Dialect.** The five fields of the Kubernetes documentation, "CronJob", section "Schedule
//! syntax" (minute, hour, day of month, month, day of week), as robfig/cron v3.0.1 reads them with
//! its standard parser; both Kubernetes and Karpenter use that library.
//!
//! | Written | Means |
//! |---|---|
//! | `*`, `?` | every value, in any field |
//! | `3`, `3-7`, `3-7/2`, `*/5`, `1,3,9-11` | value, range, stepped range, stepped everything, list |
//! | `3/5` | from 3 to the field's maximum in steps of 5 |
//! | `jan`–`dec`, `sun`–`sat` | months and days of the week, in either case |
//! | `@yearly` `@annually` `@monthly` `@weekly` `@daily` `@midnight` `@hourly` | lower case only |
//!
//! Sunday is 0 (7 is refused), a range may not run backwards, and a step may exceed its range.
//! When both day fields are restricted, a day that matches *either* is a hit; otherwise it must
//! match both. A day field is unrestricted when its list contains `*` or `?`, bare or with step 1;
//! `*/2` restricts.
//!
//! Three things robfig/cron lets pass are refused here. `*-5` would silently mean `*`, and a field
//! of commas alone would never hit: both are mistakes. A prefix `TZ=` or `CRON_TZ=` is refused by
//! the Kubernetes API as well. `@every` is refused because its hits depend on when the process
//! started.
//!
//! **Daylight saving.** An instant is a hit exactly when a wall clock in the schedule's zone, read
//! at that instant, matches the fields. So a time that the clocks skip in spring is skipped that
//! day, neither early nor late; and a time that the clocks show twice in autumn hits twice. This
//! is also what robfig/cron does, except where its search goes astray: where a day does not begin
//! at midnight, where clocks change by half an hour, and where a zone skips a whole day, it can
//! answer with a wrong time, pass over a hit, or not return. The rule holds there too. Offsets
//! come from the IANA time zone database compiled into the binary. Karpenter always reads its
//! disruption budgets in UTC, where none of this arises.
//!
//! **Span.** Hits are known from 1970-01-02 to 2100-12-30 (UTC); nothing outside is found. Every
//! search is finite, so a schedule that never hits (`0 0 30 2 *`) answers `None`.

mod dialect;
mod window;

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::time::Timestamp;

pub use dialect::{Field, ScheduleError};
pub use window::Window;

/// 1970-01-02T00:00:00Z. The years of the calendar search begin with 1970, in local time; one day
/// later every zone has reached it.
const FIRST_HIT_MILLIS: i64 = 86_400_000;

/// 2100-12-30T00:00:00Z. The years of the calendar search end with 2100, in local time; two days
/// earlier no zone has left it.
const LAST_HIT_MILLIS: i64 = 4_133_808_000_000;

/// A cron schedule in a time zone: an endless set of instants, its *hits*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    expression: String,
    zone: Tz,
    /// The hits as wall clock times, blind to the zone: the union of one or two calendars (see
    /// [`dialect::translate`]).
    calendars: Vec<cron::Schedule>,
}

impl Schedule {
    /// Reads `expression` in the dialect of this module. Hits are wall clock times in `zone`.
    pub fn parse(expression: &str, zone: Tz) -> Result<Self, ScheduleError> {
        Ok(Self {
            expression: expression.to_owned(),
            zone,
            calendars: dialect::translate(expression)?,
        })
    }

    /// The zone whose wall clock the fields describe.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first hit strictly after `after`.
    ///
    /// Wall clock times are walked upwards from the reading at `after`. While clocks show a range
    /// for the first time that they will show again, hits of the repetition lie ahead although
    /// their readings lie behind, so the walk begins that much earlier.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = within_span(after);
        let (reading, repeated) = self.wall_clock(after);
        let mut nearest: Option<Timestamp> = None;
        let mut walk = self.reading_after(reading - repeated);
        while let Some(reading) = walk {
            if let Some((first, last)) = self.instants(reading) {
                let ahead = [first, last].into_iter().filter(|hit| *hit > after);
                nearest = ahead.chain(nearest).min();
                // First instants grow with their readings, so nothing nearer can follow.
                if first > after {
                    break;
                }
            }
            walk = self.reading_after(reading);
        }
        nearest.filter(|hit| is_in_span(*hit))
    }

    /// The last hit in the half-open interval (`after_exclusive`, `until_inclusive`].
    ///
    /// The mirror image of [`Schedule::next_after`].
    pub fn last_in(
        &self,
        after_exclusive: Timestamp,
        until_inclusive: Timestamp,
    ) -> Option<Timestamp> {
        let until = within_span(until_inclusive);
        let (reading, repeated) = self.wall_clock(until);
        let mut nearest: Option<Timestamp> = None;
        // A reading is searched strictly before; a millisecond later includes `until` itself.
        let mut walk = self.reading_before(reading + repeated + TimeDelta::milliseconds(1));
        while let Some(reading) = walk {
            if let Some((first, last)) = self.instants(reading) {
                let behind = [first, last].into_iter().filter(|hit| *hit <= until);
                nearest = behind.chain(nearest).max();
                // Last instants shrink with their readings, so nothing nearer can follow.
                if last <= until {
                    break;
                }
            }
            walk = self.reading_before(reading);
        }
        nearest.filter(|hit| is_in_span(*hit) && *hit > after_exclusive)
    }

    /// What the zone's clocks show at `instant`, and how far apart the two instants are at which
    /// they show it: zero unless the reading belongs to a repeated range.
    fn wall_clock(&self, instant: Timestamp) -> (NaiveDateTime, TimeDelta) {
        let utc = DateTime::from_timestamp_millis(instant.as_millis())
            .expect("the span lies within the calendar's range")
            .naive_utc();
        let reading = utc + self.zone.offset_from_utc_datetime(&utc).fix();
        let repeated = self
            .instants(reading)
            .map_or(0, |(first, last)| last.as_millis() - first.as_millis());
        (reading, TimeDelta::milliseconds(repeated))
    }

    /// The first and the last instant at which the zone's clocks show `reading`: the same but for
    /// a repeated range; `None` when the clocks skip it.
    fn instants(&self, reading: NaiveDateTime) -> Option<(Timestamp, Timestamp)> {
        let found = self.zone.from_local_datetime(&reading);
        let timestamp = |at: DateTime<Tz>| Timestamp::from_millis(at.timestamp_millis());
        Some((
            found.earliest().map(timestamp)?,
            found.latest().map(timestamp)?,
        ))
    }

    fn reading_after(&self, reading: NaiveDateTime) -> Option<NaiveDateTime> {
        let after = reading.and_utc();
        let nearest = self
            .calendars
            .iter()
            .filter_map(|it| it.after(&after).next());
        nearest.min().map(|found| found.naive_utc())
    }

    fn reading_before(&self, reading: NaiveDateTime) -> Option<NaiveDateTime> {
        let before = reading.and_utc();
        let nearest = self
            .calendars
            .iter()
            .filter_map(|it| it.after(&before).next_back());
        nearest.max().map(|found| found.naive_utc())
    }
}

/// The expression as it was written.
impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.expression)
    }
}

/// The nearest instant from which a search is possible; it ends one millisecond before the first
/// hit, because a search upwards excludes its start.
fn within_span(instant: Timestamp) -> Timestamp {
    Timestamp::from_millis(
        instant
            .as_millis()
            .clamp(FIRST_HIT_MILLIS - 1, LAST_HIT_MILLIS),
    )
}

fn is_in_span(hit: Timestamp) -> bool {
    (FIRST_HIT_MILLIS..=LAST_HIT_MILLIS).contains(&hit.as_millis())
}

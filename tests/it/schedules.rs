//! Schedules against two oracles: the crate `croner`, and a clock that is read every minute.
//!
//! croner is another implementation of cron, with its own parser, calendar and search. Its dialect
//! is near ours but not equal, so each random expression is generated twice, as we read it and as
//! croner must be told. Where its rules differ:
//!
//! - `?` is for day fields only, and a day field is unrestricted only when it is exactly `*` or
//!   `?`: a list with `*`, `?` or `*/1` in it becomes `*`.
//! - Days of the week reach to 7, so `3/2` would include Sunday: it becomes `3-6/2`.
//! - Names are replaced wherever they occur in the text, `-sun` by `-7`: they become numbers.
//! - A schedule with one minute and one hour hits once when clocks go back and late when they skip
//!   its time; ours hits twice and not at all. Such schedules are compared with croner only in
//!   zones without daylight saving; in the others the second oracle judges them, which asks croner
//!   for nothing but whether a wall clock reading matches.
//! - It searches to the year 5000, we to 2100; instants are drawn before 2088, from where all
//!   fields that ever match have matched by 2096.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, JobType};
use proptest::prelude::*;
use proptest::sample::select;
use tidewright::model::schedule::{Schedule, Window};
use tidewright::model::time::Timestamp;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

const STEADY: [Tz; 3] = [Tz::UTC, Tz::Asia__Kolkata, Tz::Asia__Shanghai];

/// Zones whose clocks change, each with an instant near a change (seconds since the epoch).
const CHANGES: [(Tz, i64); 12] = [
    (Tz::Europe__Berlin, 1_743_296_400), // 2025-03-30, 02:00 becomes 03:00
    (Tz::Europe__Berlin, 1_761_440_400), // 2025-10-26, 03:00 becomes 02:00
    (Tz::America__New_York, 1_741_503_600), // 2025-03-09, 02:00 becomes 03:00
    (Tz::America__New_York, 1_762_063_200), // 2025-11-02, 02:00 becomes 01:00
    (Tz::America__Sao_Paulo, 1_541_300_400), // 2018-11-04, the day begins at 01:00
    (Tz::America__Sao_Paulo, 1_550_368_800), // 2019-02-17, 00:00 becomes 23:00 of the day before
    (Tz::Australia__Lord_Howe, 1_743_865_200), // 2025-04-06, back by half an hour
    (Tz::Australia__Lord_Howe, 1_759_591_800), // 2025-10-05, forward by half an hour
    (Tz::Pacific__Apia, 1_325_239_200),  // 2011-12-30 does not exist
    (Tz::Pacific__Chatham, 1_743_861_600), // offset of 12:45 hours, back by an hour
    (Tz::America__Caracas, 1_462_086_000), // 2016-05-01, half an hour, for good
    (Tz::Asia__Kolkata, 1_743_296_400),  // never
];

/// One field, or one item of a field's list, in both dialects.
#[derive(Clone, Debug)]
struct Written {
    ours: String,
    croner: String,
}

impl Written {
    fn same(text: String) -> Self {
        Self {
            croner: text.clone(),
            ours: text,
        }
    }

    fn new(ours: String, croner: String) -> Self {
        Self { ours, croner }
    }
}

#[derive(Clone, Copy)]
struct FieldKind {
    minimum: u32,
    maximum: u32,
    names: &'static [&'static str],
}

const FIELDS: [FieldKind; 5] = [
    FieldKind {
        minimum: 0,
        maximum: 59,
        names: &[],
    },
    FieldKind {
        minimum: 0,
        maximum: 23,
        names: &[],
    },
    FieldKind {
        minimum: 1,
        maximum: 31,
        names: &[],
    },
    FieldKind {
        minimum: 1,
        maximum: 12,
        names: &[
            "jan", "FEB", "Mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    FieldKind {
        minimum: 0,
        maximum: 6,
        names: &["sun", "MON", "Tue", "wed", "thu", "fri", "sat"],
    },
];

fn everything() -> impl Strategy<Value = Written> {
    select(&["*", "?", "*/1", "?/1"][..])
        .prop_map(|ours| Written::new(ours.to_owned(), "*".to_owned()))
}

/// A value as a number or, where the field has names, as a name.
fn value(kind: FieldKind) -> impl Strategy<Value = (u32, Written)> {
    (kind.minimum..=kind.maximum, any::<bool>()).prop_map(move |(number, by_name)| {
        let index = usize::try_from(number - kind.minimum).expect("below 60");
        let ours = match kind.names.get(index) {
            Some(name) if by_name => (*name).to_owned(),
            _ => number.to_string(),
        };
        (number, Written::new(ours, number.to_string()))
    })
}

fn range(kind: FieldKind) -> impl Strategy<Value = Written> {
    (value(kind), value(kind)).prop_map(|(one, other)| {
        let (first, last) = if one.0 <= other.0 {
            (one.1, other.1)
        } else {
            (other.1, one.1)
        };
        Written::new(
            format!("{}-{}", first.ours, last.ours),
            format!("{}-{}", first.croner, last.croner),
        )
    })
}

fn item(kind: FieldKind) -> impl Strategy<Value = Written> {
    let step = || 2..=kind.maximum + 3;
    let maximum = kind.maximum;
    prop_oneof![
        1 => everything(),
        6 => value(kind).prop_map(|(_, written)| written),
        3 => range(kind),
        1 => step().prop_map(|step| Written::same(format!("*/{step}"))),
        1 => (range(kind), step()).prop_map(|(range, step)| Written::new(
            format!("{}/{step}", range.ours),
            format!("{}/{step}", range.croner),
        )),
        1 => (value(kind), step()).prop_map(move |((_, first), step)| Written::new(
            format!("{}/{step}", first.ours),
            format!("{}-{maximum}/{step}", first.croner),
        )),
    ]
}

fn field(kind: FieldKind) -> impl Strategy<Value = Written> {
    let list = prop::collection::vec(item(kind), 1..4).prop_map(|items| {
        let join =
            |text: fn(&Written) -> &str| items.iter().map(text).collect::<Vec<_>>().join(",");
        let has_everything = items.iter().any(|item| item.croner == "*");
        let croner = if has_everything {
            "*".to_owned()
        } else {
            join(|item| &item.croner)
        };
        Written::new(join(|item| &item.ours), croner)
    });
    prop_oneof![2 => everything(), 3 => list]
}

fn expression() -> impl Strategy<Value = Written> {
    FIELDS.map(field).prop_map(|fields| {
        let join =
            |text: fn(&Written) -> &str| fields.iter().map(text).collect::<Vec<_>>().join(" ");
        Written::new(join(|field| &field.ours), join(|field| &field.croner))
    })
}

/// From 1975 to 2087, to the millisecond; half of them whole minutes, where boundaries lie.
fn instant() -> impl Strategy<Value = i64> {
    let span = 157_766_400_000_i64..3_723_753_600_000;
    (span, any::<bool>()).prop_map(|(millis, whole)| {
        if whole {
            millis - millis % MINUTE
        } else {
            millis
        }
    })
}

/// Within a day and a half of a change of the clocks.
fn near_change() -> impl Strategy<Value = (Tz, i64)> {
    (
        select(&CHANGES[..]),
        -36 * 60 * MINUTE..36 * 60 * MINUTE,
        any::<bool>(),
    )
        .prop_map(|((zone, change), distance, whole)| {
            let distance = if whole {
                distance - distance % MINUTE
            } else {
                distance
            };
            (zone, change * 1000 + distance)
        })
}

fn ours(expression: &str, zone: Tz) -> Schedule {
    Schedule::parse(expression, zone).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn croner(expression: &str) -> Cron {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser
        .parse(expression)
        .unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn next_after(schedule: &Schedule, after: i64) -> Option<i64> {
    schedule
        .next_after(Timestamp::from_millis(after))
        .map(Timestamp::as_millis)
}

fn last_in(schedule: &Schedule, after: i64, until: i64) -> Option<i64> {
    let (after, until) = (Timestamp::from_millis(after), Timestamp::from_millis(until));
    schedule.last_in(after, until).map(Timestamp::as_millis)
}

fn reading(zone: Tz, millis: i64) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_millis(millis).expect("within the span");
    utc.with_timezone(&zone).naive_local()
}

/// Every hit in (`after`, `until`], found by looking at the clock once a minute. The zones above
/// are whole minutes from UTC in the years above.
fn read_every_minute(pattern: &Cron, zone: Tz, after: i64, until: i64) -> Vec<i64> {
    let first = (after.div_euclid(MINUTE) + 1) * MINUTE;
    let minutes = (0..)
        .map(|index| first + index * MINUTE)
        .take_while(|at| *at <= until);
    minutes
        .filter(|at| {
            let matching = pattern.is_time_matching(&reading(zone, *at));
            matching.expect("a year from 1 to 5000")
        })
        .collect()
}

fn millis(zone: Tz, local: &str) -> i64 {
    let local =
        NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").expect("a time of this form");
    zone.from_local_datetime(&local)
        .single()
        .expect("a time that the clocks show once")
        .timestamp_millis()
}

fn utc(millis: i64) -> String {
    let instant: DateTime<Utc> = DateTime::from_timestamp_millis(millis).expect("within the span");
    instant.format("%Y-%m-%d %H:%M").to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn croner_finds_the_same_hits(
        written in expression(),
        start in instant(),
        zone in prop_oneof![select(&STEADY[..]), select(&CHANGES[..]).prop_map(|(zone, _)| zone)],
    ) {
        let pattern = croner(&written.croner);
        let is_fixed = pattern.determine_job_type() == JobType::FixedTime;
        let zone = if is_fixed && !STEADY.contains(&zone) { Tz::UTC } else { zone };
        let schedule = ours(&written.ours, zone);
        // croner works in whole seconds.
        let start = start - start % 1000;
        let from = zone.timestamp_millis_opt(start).unwrap();

        let next = pattern.find_next_occurrence(&from, false).ok().map(|at| at.timestamp_millis());
        prop_assert_eq!(next_after(&schedule, start), next);

        let previous = pattern.find_previous_occurrence(&from, true).ok();
        let previous = previous.map(|at| at.timestamp_millis()).filter(|at| *at > DAY);
        prop_assert_eq!(last_in(&schedule, DAY, start), previous);
    }

    #[test]
    fn hits_are_the_minutes_whose_reading_matches(
        written in expression(),
        (zone, start) in near_change(),
        length in 0..3 * DAY,
    ) {
        let schedule = ours(&written.ours, zone);
        let end = start + length;
        let expected = read_every_minute(&croner(&written.croner), zone, start, end);

        let hits = std::iter::successors(next_after(&schedule, start), |at| next_after(&schedule, *at));
        let hits: Vec<i64> = hits.take_while(|at| *at <= end).collect();
        prop_assert_eq!(&hits, &expected);

        prop_assert_eq!(last_in(&schedule, start, end), expected.last().copied());
        for pair in expected.windows(2) {
            prop_assert_eq!(last_in(&schedule, pair[0], pair[1]), Some(pair[1]));
            prop_assert_eq!(last_in(&schedule, start, pair[1] - 1), Some(pair[0]));
        }
    }

    #[test]
    fn windows_change_when_they_say(
        written in expression(),
        (zone, now) in near_change(),
        minutes in 0_u32..3000,
    ) {
        let duration = i64::from(minutes) * MINUTE;
        let window = Window {
            schedule: ours(&written.ours, zone),
            duration: Duration::from_secs(u64::from(minutes) * 60),
        };
        let pattern = croner(&written.croner);
        let expected = |at: i64| {
            let start = at - duration;
            next_hit_by_reading(&pattern, zone, start, at).is_some()
        };
        let is_active = |at: i64| window.is_active(Timestamp::from_millis(at));

        prop_assert_eq!(is_active(now), expected(now));
        let Some(change) = window.next_change(Timestamp::from_millis(now)).map(Timestamp::as_millis)
        else {
            prop_assert!(minutes == 0 || next_after(&window.schedule, now).is_none());
            return Ok(());
        };
        prop_assert!(change > now);
        prop_assert_eq!(is_active(change - 1), is_active(now));
        // Sixteen looks in between; a change would show at one of them or at the next seed.
        for part in 1..16 {
            prop_assert_eq!(is_active(now + (change - 1 - now) / 16 * part), is_active(now));
        }
        let is_settled = change - now <= 64 * duration || !is_active(now);
        prop_assert!(!is_settled || is_active(change) != is_active(now));
    }
}

fn next_hit_by_reading(pattern: &Cron, zone: Tz, after: i64, until: i64) -> Option<i64> {
    read_every_minute(pattern, zone, after, until)
        .first()
        .copied()
}

/// An expression, a zone, an instant on its clocks, and the next hits in UTC as robfig/cron v3.0.1
/// finds them.
const ROBFIG: [(&str, Tz, &str, &[&str]); 14] = [
    // Plain times; strictly after.
    (
        "0 9 * * mon-fri",
        Tz::UTC,
        "2026-08-21 09:00",
        &["2026-08-24 09:00"],
    ),
    (
        "*/15 * * * *",
        Tz::UTC,
        "2026-08-21 09:14",
        &["2026-08-21 09:15", "2026-08-21 09:30"],
    ),
    (
        "@weekly",
        Tz::UTC,
        "2026-08-21 09:00",
        &["2026-08-23 00:00"],
    ),
    (
        "0 0 29 2 *",
        Tz::UTC,
        "2025-01-01 00:00",
        &["2028-02-29 00:00", "2032-02-29 00:00"],
    ),
    ("0 0 30 2 *", Tz::UTC, "2025-01-01 00:00", &[]),
    // Both day fields: either, unless one is unrestricted; `*/2` restricts.
    (
        "0 0 13 * 5",
        Tz::UTC,
        "2026-08-10 00:00",
        &["2026-08-13 00:00", "2026-08-14 00:00"],
    ),
    (
        "0 0 */1 * 5",
        Tz::UTC,
        "2026-08-10 00:00",
        &["2026-08-14 00:00", "2026-08-21 00:00"],
    ),
    (
        "0 0 */2 * 5",
        Tz::UTC,
        "2026-08-10 00:00",
        &["2026-08-11 00:00", "2026-08-13 00:00", "2026-08-14 00:00"],
    ),
    // Without daylight saving, in another zone.
    (
        "0 2 * * *",
        Tz::Asia__Shanghai,
        "2026-03-29 00:00",
        &["2026-03-28 18:00", "2026-03-29 18:00"],
    ),
    // Clocks skip 02:00–03:00: the time is skipped that day.
    (
        "30 2 * * *",
        Tz::Europe__Berlin,
        "2025-03-29 12:00",
        &["2025-03-31 00:30"],
    ),
    (
        "30 * * * *",
        Tz::Europe__Berlin,
        "2025-03-30 01:00",
        &["2025-03-30 00:30", "2025-03-30 01:30"],
    ),
    // Clocks show 02:00–03:00 twice: so does the hit.
    (
        "30 2 * * *",
        Tz::Europe__Berlin,
        "2025-10-25 12:00",
        &["2025-10-26 00:30", "2025-10-26 01:30", "2025-10-27 01:30"],
    ),
    (
        "0,30 2 * * *",
        Tz::Europe__Berlin,
        "2025-10-25 12:00",
        &[
            "2025-10-26 00:00",
            "2025-10-26 00:30",
            "2025-10-26 01:00",
            "2025-10-26 01:30",
        ],
    ),
    // The day begins at 01:00, and has no midnight.
    (
        "0 0 * * *",
        Tz::America__Sao_Paulo,
        "2018-11-03 12:00",
        &["2018-11-05 02:00"],
    ),
];

#[test]
fn hits_are_those_of_robfig_cron() {
    for (expression, zone, after, expected) in ROBFIG {
        let schedule = ours(expression, zone);
        let start = next_after(&schedule, millis(zone, after));
        let hits = std::iter::successors(start, |at| next_after(&schedule, *at));
        // Where none is expected, one would be an error.
        let hits: Vec<String> = hits.take(expected.len().max(1)).map(utc).collect();
        assert_eq!(hits, expected, "{expression} in {zone} after {after}");
    }
}

#[test]
fn the_span_has_ends() {
    let midnight = ours("@daily", Tz::UTC);
    let (first, last) = (DAY, millis(Tz::UTC, "2100-12-30 00:00"));
    for zone in [Tz::UTC, Tz::Pacific__Kiritimati, Tz::Pacific__Pago_Pago] {
        for expression in ["* * * * *", "0 0 30 2 *", "59 23 31 12 *"] {
            let schedule = ours(expression, zone);
            for instant in [i64::MIN, -1, 0, first - 1, last, last + 1, i64::MAX] {
                for hit in [
                    next_after(&schedule, instant),
                    last_in(&schedule, i64::MIN, instant),
                    last_in(&schedule, instant, i64::MAX),
                ] {
                    assert!(hit.is_none_or(|hit| (first..=last).contains(&hit)));
                }
            }
        }
    }
    assert_eq!(next_after(&midnight, i64::MIN), Some(first));
    assert_eq!(next_after(&midnight, last - 1), Some(last));
    assert_eq!(next_after(&midnight, last), None);
    assert_eq!(last_in(&midnight, i64::MIN, i64::MAX), Some(last));
    assert_eq!(last_in(&midnight, i64::MIN, first), Some(first));
    assert_eq!(last_in(&midnight, i64::MIN, first - 1), None);
    assert_eq!(last_in(&midnight, i64::MAX, i64::MIN), None);
}

/// An expression, a duration in hours, an instant, whether the window is open then, and when that
/// changes; all in UTC.
const WINDOWS: [(&str, u64, &str, bool, Option<&str>); 10] = [
    (
        "0 9 * * mon-fri",
        8,
        "2026-08-21 08:59",
        false,
        Some("2026-08-21 09:00"),
    ),
    (
        "0 9 * * mon-fri",
        8,
        "2026-08-21 09:00",
        true,
        Some("2026-08-21 17:00"),
    ),
    (
        "0 9 * * mon-fri",
        8,
        "2026-08-21 16:59",
        true,
        Some("2026-08-21 17:00"),
    ),
    (
        "0 9 * * mon-fri",
        8,
        "2026-08-21 17:00",
        false,
        Some("2026-08-24 09:00"),
    ),
    // Overlapping and touching hits keep the window open.
    (
        "0 9,12 * * *",
        5,
        "2026-08-21 10:00",
        true,
        Some("2026-08-21 17:00"),
    ),
    (
        "0 9,14 * * *",
        5,
        "2026-08-21 10:00",
        true,
        Some("2026-08-21 19:00"),
    ),
    // Every day from Monday to Friday all day long: one window of five days.
    (
        "0 0 * * 1-5",
        24,
        "2026-08-19 10:00",
        true,
        Some("2026-08-22 00:00"),
    ),
    // Never open, and never closed: there the look ahead ends after 128 hits.
    ("@hourly", 0, "2026-08-21 09:00", false, None),
    ("0 0 30 2 *", 8, "2026-08-21 10:00", false, None),
    (
        "0 0 * * *",
        24,
        "2026-08-21 10:00",
        true,
        Some("2026-12-27 00:00"),
    ),
];

#[test]
fn windows_open_at_the_hit_and_close_one_duration_later() {
    let at = |local: &str| Timestamp::from_millis(millis(Tz::UTC, local));
    for (expression, hours, now, is_active, change) in WINDOWS {
        let duration = Duration::from_secs(hours * 3600);
        let window = Window {
            schedule: ours(expression, Tz::UTC),
            duration,
        };
        assert_eq!(
            window.is_active(at(now)),
            is_active,
            "{expression} at {now}"
        );
        assert_eq!(
            window.next_change(at(now)),
            change.map(at),
            "{expression} at {now}"
        );
    }
}

#[test]
fn a_schedule_displays_as_written() {
    for expression in ["@daily", "0  9 * * MON-fri", "*/5 ? 1,15 jan 0"] {
        assert_eq!(ours(expression, Tz::UTC).to_string(), expression);
    }
}

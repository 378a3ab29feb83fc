//! Instants and spans. An instant is handed in by a shell; nothing here reads a clock.

use std::fmt;
use std::time::Duration;

/// An instant, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant so many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant so many seconds after the Unix epoch, at the end of the range if it lies beyond.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Reads `2026-01-31T09:30:00Z`, with any offset; digits below a millisecond are dropped.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let parsed: Result<jiff::Timestamp, _> = text.parse();
        match parsed {
            Ok(instant) => Ok(Self(instant.as_millisecond())),
            Err(_) => Err(TimestampError { text: text.into() }),
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant a span later, at the end of the range if it lies beyond.
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(span)))
    }

    /// The instant a span earlier, at the start of the range if it lies before.
    #[must_use]
    pub fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(span)))
    }

    /// The span since an earlier instant; zero when that instant is in fact later, because
    /// clocks of other machines step and an elapsed time below zero has no meaning.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// RFC 3339 in UTC, as Kubernetes writes it; beyond the years it has digits for, the nearest
/// instant that can be written.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writable = self.0.clamp(FIRST_WRITABLE_MILLIS, LAST_WRITABLE_MILLIS);
        let instant = jiff::Timestamp::from_millisecond(writable)
            .expect("the writable instants lie in the range of the calendar");
        write!(f, "{instant}")
    }
}

/// 0000-01-01T00:00:00Z.
const FIRST_WRITABLE_MILLIS: i64 = -62_167_219_200_000;
/// 9999-12-30T22:00:00Z; some places reach the year 10000 a few hours later.
const LAST_WRITABLE_MILLIS: i64 = 253_402_207_200_000;

fn whole_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A text that is no RFC 3339 instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a time; write it as 2026-01-31T09:30:00Z")]
pub struct TimestampError {
    text: String,
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It does not follow the grammar of Go durations.
    #[error(
        "\"{text}\" is not a duration; write numbers with units, such as 30s, 10m, 1h30m or 720h"
    )]
    Malformed {
        /// The text as given.
        text: String,
    },
    /// It has a minus sign.
    #[error("\"{text}\" is negative; a duration here counts from zero")]
    Negative {
        /// The text as given.
        text: String,
    },
    /// Go holds a duration in 63 bits of nanoseconds, so no Kubernetes object can carry more.
    #[error("\"{text}\" is longer than 292 years, the longest duration Kubernetes can hold")]
    TooLong {
        /// The text as given.
        text: String,
    },
}

/// Units of a Go duration with their nanoseconds; of two units with the same beginning the longer
/// stands first. The micro sign has two code points (Go documentation, `time.ParseDuration`).
const DURATION_UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration as Go and Kubernetes write it: `1h30m`, `720h`, `1.5s`, `0`.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed { text: text.into() };
    let too_long = || DurationError::TooLong { text: text.into() };
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let part = DurationPart::split_from(rest).ok_or_else(malformed)?;
        let part_nanos = part.nanos().ok_or_else(too_long)?;
        nanos = nanos.checked_add(part_nanos).ok_or_else(too_long)?;
        rest = part.rest;
    }
    if negative && nanos > 0 {
        return Err(DurationError::Negative { text: text.into() });
    }
    let nanos = i64::try_from(nanos).map_err(|_| too_long())?;
    Ok(Duration::from_nanos(nanos.unsigned_abs()))
}

/// One number with its unit, and the text behind it.
struct DurationPart<'a> {
    whole: &'a str,
    fraction: &'a str,
    unit_nanos: u128,
    rest: &'a str,
}

impl<'a> DurationPart<'a> {
    fn split_from(text: &'a str) -> Option<Self> {
        let (whole, rest) = split_digits(text);
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => split_digits(rest),
            None => ("", rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (unit, unit_nanos) = DURATION_UNITS
            .iter()
            .find(|(unit, _)| rest.starts_with(unit))?;
        Some(Self {
            whole,
            fraction,
            unit_nanos: *unit_nanos,
            rest: &rest[unit.len()..],
        })
    }

    fn nanos(&self) -> Option<u128> {
        let whole = parse_digits(self.whole)?.checked_mul(self.unit_nanos)?;
        // An hour has thirteen digits of nanoseconds: what stands further right is below one.
        let kept = self.fraction.len().min(13);
        let digits = parse_digits(&self.fraction[..kept])?;
        let scale = 10_u128.pow(u32::try_from(kept).ok()?);
        whole.checked_add(digits * self.unit_nanos / scale)
    }
}

fn parse_digits(digits: &str) -> Option<u128> {
    if digits.is_empty() {
        Some(0)
    } else {
        digits.parse().ok()
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// Writes a duration so that [`parse_duration`] and Go read it back: `1h30m`, `720h`, `1.5s`.
///
/// Units that count zero are left out, as Kubernetes users write durations by hand.
pub fn format_duration(span: Duration) -> String {
    if span.is_zero() {
        return "0s".into();
    }
    let seconds = span.as_secs();
    let part = |count: u64, unit| match count {
        0 => String::new(),
        _ => format!("{count}{unit}"),
    };
    let fraction = format!("{:09}", span.subsec_nanos());
    let last = match fraction.trim_end_matches('0') {
        "" => part(seconds % 60, "s"),
        digits => format!("{}.{digits}s", seconds % 60),
    };
    [
        part(seconds / 3_600, "h"),
        part(seconds / 60 % 60, "m"),
        last,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        let cases = [
            ("0", Duration::ZERO),
            ("-0s", Duration::ZERO),
            ("10s", Duration::from_secs(10)),
            ("+5m", Duration::from_mins(5)),
            ("720h", Duration::from_hours(720)),
            ("1h30m", Duration::from_mins(90)),
            ("30m1h", Duration::from_mins(90)),
            ("1.5h", Duration::from_mins(90)),
            (".5s", Duration::from_millis(500)),
            ("1.s", Duration::from_secs(1)),
            ("250ms", Duration::from_millis(250)),
            ("3us", Duration::from_micros(3)),
            ("3\u{b5}s2\u{3bc}s1ns", Duration::from_nanos(5_001)),
            ("0.00000000000027777778h", Duration::from_nanos(0)),
            ("0.0000000000003h", Duration::from_nanos(1)),
            (
                "9223372036854775807ns",
                Duration::from_nanos(9_223_372_036_854_775_807),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_reason() {
        for text in [
            "", "+", "5", "1h30", "h", ".s", "1d", "Never", "1 h", "1h ", "--1s", "1e3s",
        ] {
            assert_eq!(
                parse_duration(text),
                Err(DurationError::Malformed { text: text.into() })
            );
        }
        assert_eq!(
            parse_duration("-1s"),
            Err(DurationError::Negative { text: "-1s".into() })
        );
        for text in [
            "9223372036854775808ns",
            "2562048h",
            "340282366920938463463374607431768211456h",
        ] {
            assert_eq!(
                parse_duration(text),
                Err(DurationError::TooLong { text: text.into() })
            );
        }
    }

    #[test]
    fn durations_are_written_short_and_read_back() {
        let cases = [
            (0, "0s"),
            (10_000, "10s"),
            (5_400_000, "1h30m"),
            (3_605_000, "1h5s"),
            (2_592_000_000, "720h"),
            (1_500, "1.5s"),
            (60_250, "1m0.25s"),
        ];
        for (millis, text) in cases {
            let span = Duration::from_millis(millis);
            assert_eq!(format_duration(span), text);
            assert_eq!(parse_duration(text), Ok(span));
        }
    }

    #[test]
    fn instants_read_and_write_rfc_3339() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            (
                "2026-01-31T10:30:00+01:00",
                1_769_851_800_000,
                "2026-01-31T09:30:00Z",
            ),
            (
                "2026-01-31T09:30:00.25Z",
                1_769_851_800_250,
                "2026-01-31T09:30:00.25Z",
            ),
            ("1969-12-31T23:59:59.5Z", -500, "1969-12-31T23:59:59.5Z"),
        ];
        for (text, millis, written) in cases {
            assert_eq!(
                Timestamp::parse(text),
                Ok(Timestamp::from_millis(millis)),
                "{text}"
            );
            assert_eq!(Timestamp::from_millis(millis).to_string(), written);
        }
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-01-31T09:30:00",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_between_instants_never_wrap_or_go_below_zero() {
        let (early, late) = (Timestamp::from_seconds(10), Timestamp::from_seconds(70));
        assert_eq!(late.since(early), Duration::from_mins(1));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.saturating_add(Duration::from_mins(1)), late);
        assert_eq!(late.saturating_sub(Duration::from_mins(1)), early);
        let (first, last) = (
            Timestamp::from_millis(i64::MIN),
            Timestamp::from_millis(i64::MAX),
        );
        assert_eq!(late.saturating_add(Duration::MAX), last);
        assert_eq!(last.since(first), Duration::from_millis(u64::MAX));
        assert_eq!(last.to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(first.to_string(), "0000-01-01T00:00:00Z");
    }
}

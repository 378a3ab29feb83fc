//! Numbers as the report writes them.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tidewright::model::price::Money;

/// A span, written in seconds with up to three decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

/// Dollars, written as a decimal text, because a JSON number is a float to most readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub Money);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_millis() == 0 {
            return serializer.serialize_u64(self.0.as_secs());
        }
        // Reading the decimal gives the nearest float, which is written back as that decimal;
        // a division would not always.
        let nearest: f64 = self
            .to_string()
            .parse()
            .expect("seconds with three decimals are a number");
        serializer.serialize_f64(nearest)
    }
}

/// Always three decimals, so that columns line up.
impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0.as_secs(), self.0.subsec_millis());
        f.pad(&text)
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("${}", self.0))
    }
}

/// The value that so many of a hundred do not exceed, by nearest rank; none of nothing.
pub fn percentile(ascending: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (ascending.len() * percent).div_ceil(100).max(1);
    ascending.get(rank - 1).copied()
}

/// Minutes and seconds, as a stop watch shows them: `12:05.300`.
pub(super) fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let millis = span.subsec_millis();
    match hours {
        0 => format!("{minutes}:{seconds:02}.{millis:03}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}.{millis:03}"),
    }
}

/// With its unit.
pub(super) fn seconds(span: Duration) -> String {
    format!("{} s", Seconds(span))
}

/// Whole seconds where the data has no more.
pub(super) fn short(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{} s", span.as_secs()),
        millis => format!(
            "{}.{} s",
            span.as_secs(),
            format!("{millis:03}").trim_end_matches('0')
        ),
    }
}

/// How much more or less than the baseline.
pub(super) fn difference(ours: Duration, baseline: Duration) -> String {
    match ours.checked_sub(baseline) {
        Some(Duration::ZERO) => "0 s".to_owned(),
        Some(more) => format!("+{}", seconds(more)),
        None => format!("-{}", seconds(baseline.saturating_sub(ours))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_numbers_and_keep_their_milliseconds() {
        for (millis, json) in [
            (0, "0"),
            (12_000, "12"),
            (186_302, "186.302"),
            (1_001, "1.001"),
            (500, "0.5"),
            (4_294_967_295_001, "4294967295.001"),
        ] {
            let seconds = Seconds(Duration::from_millis(millis));
            assert_eq!(serde_json::to_string(&seconds).expect("a number"), json);
        }
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<_> = (1..=20).map(Duration::from_secs).collect();
        for (percent, seconds) in [(50, 10), (95, 19), (100, 20), (1, 1), (0, 1)] {
            let expected = Some(Duration::from_secs(seconds));
            assert_eq!(percentile(&values, percent), expected, "p{percent}");
        }
        assert_eq!(percentile(&[], 50), None);
        let one = [Duration::from_secs(7)];
        assert_eq!(percentile(&one, 95), Some(one[0]));
    }
}

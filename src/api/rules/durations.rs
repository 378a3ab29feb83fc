//! Texts that say how long: `1h30m`, or `Never`.

use super::{FieldPath, Violation};
use crate::model::time::parse_duration;

/// The word for a time that does not come.
const NEVER: &str = "Never";

const DURATION_RULE: &str = "A duration must be made of whole hours, minutes and seconds.";

/// Whole seconds, minutes and hours; what Go would read beyond that, Karpenter does not accept.
pub(super) fn check_duration(path: FieldPath, text: &str) -> Option<Violation> {
    let fix = "Write it as 30s, 10m, 1h30m or 720h.";
    let reads = is_made_of(text, &["h", "m", "s"]) && parse_duration(text).is_ok();
    (!reads).then(|| Violation::new(path, text, DURATION_RULE, fix))
}

/// A duration, or the word for one that does not end.
pub(super) fn check_duration_or_never(path: FieldPath, text: &str) -> Option<Violation> {
    let fix = "Write it as 30s, 10m, 1h30m or 720h, or Never.";
    let breach = check_duration(path, text).filter(|_| text != NEVER)?;
    Some(Violation::new(breach.path, text, DURATION_RULE, fix))
}

/// How long a budget binds. Seconds are refused because schedules know none; a last `0s` is what
/// Go appends when it writes a duration.
pub(super) fn check_budget_duration(path: FieldPath, text: &str) -> Option<Violation> {
    let without_zero = text
        .strip_suffix("0s")
        .filter(|rest| counts_hours_and_minutes(rest));
    let reads =
        counts_hours_and_minutes(without_zero.unwrap_or(text)) && parse_duration(text).is_ok();
    let rule = "A budget must bind for whole hours and minutes.";
    (!reads).then(|| Violation::new(path, text, rule, "Write it as 8h, 90m or 1h30m."))
}

/// `8h`, `90m` or `1h30m`: no unit twice, and hours first.
fn counts_hours_and_minutes(text: &str) -> bool {
    let units: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    is_made_of(text, &["h", "m"]) && ["h", "m", "hm"].contains(&units.as_str())
}

/// Whether the text is one or more numbers of digits, each followed by one of the units.
fn is_made_of(text: &str, units: &[&str]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let unit = units.iter().find_map(|unit| behind.strip_prefix(unit));
        match unit {
            Some(after) if behind.len() < rest.len() => rest = after,
            _ => return false,
        }
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_the_patterns_of_the_definitions() {
        // Whether the text passes as a duration, as one that may be Never, and as a budget's.
        let cases = [
            ("0s", [true, true, false]),
            ("30s", [true, true, false]),
            ("90m", [true, true, true]),
            ("8h", [true, true, true]),
            ("8h30m", [true, true, true]),
            ("8h30m0s", [true, true, true]),
            ("8h0s", [true, true, true]),
            ("80s", [true, true, false]),
            ("8h30m5s", [true, true, false]),
            ("8h10s", [true, true, false]),
            ("30m8h", [true, true, false]),
            ("1h2h", [true, true, false]),
            ("1m2m", [true, true, false]),
            ("1h2m3m", [true, true, false]),
            ("1m2h3m", [true, true, false]),
            ("8h00s", [true, true, false]),
            ("0h", [true, true, true]),
            ("Never", [false, true, false]),
            ("never", [false, false, false]),
            ("", [false, false, false]),
            ("5", [false, false, false]),
            ("h", [false, false, false]),
            ("1.5h", [false, false, false]),
            ("1d", [false, false, false]),
            ("-1h", [false, false, false]),
            ("250ms", [false, false, false]),
            ("9999999h", [false, false, false]),
        ];
        for (text, expected) in cases {
            let found = [
                check_duration(FieldPath::ROOT, text),
                check_duration_or_never(FieldPath::ROOT, text),
                check_budget_duration(FieldPath::ROOT, text),
            ];
            assert_eq!(
                found.map(|violation| violation.is_none()),
                expected,
                "{text}"
            );
        }
    }
}

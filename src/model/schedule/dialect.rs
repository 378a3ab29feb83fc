//! From the dialect of robfig/cron to the calendars of the crate `cron`.
//!
//! The crate's own dialect differs: it wants a field of seconds, counts days of the week from
//! Sunday = 1, demands that both day fields match, allows `?` in day fields only, and refuses steps
//! beyond a field's maximum. So every field is expanded here to the numbers it contains and handed
//! over as a plain list, which leaves nothing to interpret; the crate contributes the calendar.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use thiserror::Error;

/// One of the five fields, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Minute of the hour, 0–59.
    Minute,
    /// Hour of the day, 0–23.
    Hour,
    /// Day of the month, 1–31.
    DayOfMonth,
    /// Month, 1–12 or `jan`–`dec`.
    Month,
    /// Day of the week, 0–6 or `sun`–`sat`.
    DayOfWeek,
}

impl Field {
    fn bounds(self) -> RangeInclusive<u32> {
        match self {
            Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::DayOfMonth => 1..=31,
            Self::Month => 1..=12,
            Self::DayOfWeek => 0..=6,
        }
    }

    /// The names that may stand for the field's values, beginning with its smallest.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Minute | Self::Hour | Self::DayOfMonth => &[],
            Self::Month => &[
                "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
            ],
            Self::DayOfWeek => &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        }
    }

    /// What may be written for one value, for error messages.
    fn legal(self) -> &'static str {
        match self {
            Self::Minute => "a number from 0 to 59",
            Self::Hour => "a number from 0 to 23",
            Self::DayOfMonth => "a number from 1 to 31",
            Self::Month => "a number from 1 to 12 or a name from jan to dec",
            Self::DayOfWeek => "a number from 0 (Sunday) to 6 or a name from sun to sat",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        })
    }
}

/// Why an expression is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// The expression sets a time zone itself.
    #[error(
        "schedule begins with `{prefix}`: remove this prefix; a CronJob names its zone in \
         `spec.timeZone`, and disruption budgets are always in UTC"
    )]
    ZonePrefix {
        /// The whole prefix, `TZ=Europe/Paris` for example.
        prefix: String,
    },
    /// A word after `@` that is not one of the seven.
    #[error(
        "schedule `{nickname}` is not a known nickname: write @yearly, @annually, @monthly, \
         @weekly, @daily, @midnight or @hourly, in lower case and alone, or five fields"
    )]
    UnknownNickname {
        /// The whole expression.
        nickname: String,
    },
    /// Not five fields.
    #[error(
        "schedule `{expression}` has {found} fields instead of five: write minute, hour, day of \
         month, month and day of week, separated by spaces"
    )]
    FieldCount {
        /// The whole expression.
        expression: String,
        /// How many fields it has.
        found: usize,
    },
    /// A field with nothing in it but commas.
    #[error("{field} field `{value}` contains no value: write `*` or {}", .field.legal())]
    NoValue {
        /// The field.
        field: Field,
        /// The whole field as written.
        value: String,
    },
    /// An item with the wrong number of parts.
    #[error(
        "{field} field contains `{item}`: write `*`, a value or a range `first-last`, each \
         optionally followed by one `/step`"
    )]
    Shape {
        /// The field.
        field: Field,
        /// The item of the field's list.
        item: String,
    },
    /// Neither a number nor a name of this field, or outside its bounds.
    #[error("{field} field contains `{value}`: write {}", .field.legal())]
    Value {
        /// The field.
        field: Field,
        /// The value as written.
        value: String,
    },
    /// A range whose first value is greater than its last.
    #[error(
        "{field} field contains `{first}-{last}`, which runs backwards: write two ranges, from \
         `{first}` to the field's end and from its beginning to `{last}`, separated by a comma"
    )]
    BackwardRange {
        /// The field.
        field: Field,
        /// The first value as written.
        first: String,
        /// The last value as written.
        last: String,
    },
    /// A step that is zero or not a number.
    #[error("{field} field contains the step `/{step}`: write a whole number of at least 1")]
    Step {
        /// The field.
        field: Field,
        /// The step as written.
        step: String,
    },
}

/// The values of one field.
struct Values {
    numbers: BTreeSet<u32>,
    /// Whether every value was asked for as such. It decides how the two day fields combine, so
    /// `0-6` and `*` are different although they contain the same numbers.
    unrestricted: bool,
}

/// What one item of a field's list selects.
struct Item {
    range: RangeInclusive<u32>,
    step: u32,
    unrestricted: bool,
}

/// The calendars whose union is `expression`. The crate demands that both day fields match; when
/// both are restricted, one calendar per field gives "either".
pub(super) fn translate(expression: &str) -> Result<Vec<cron::Schedule>, ScheduleError> {
    refuse_zone_prefix(expression)?;
    let plain = expand_nickname(expression)?;
    let written: Vec<&str> = plain.split_whitespace().collect();
    let &[minute, hour, day_of_month, month, day_of_week] = written.as_slice() else {
        return Err(ScheduleError::FieldCount {
            expression: expression.to_owned(),
            found: written.len(),
        });
    };
    let minute = values(Field::Minute, minute)?.to_list(0);
    let hour = values(Field::Hour, hour)?.to_list(0);
    let day_of_month = values(Field::DayOfMonth, day_of_month)?;
    let month = values(Field::Month, month)?.to_list(0);
    let day_of_week = values(Field::DayOfWeek, day_of_week)?;

    let calendar = |month_days: &str, week_days: &str| {
        format!("0 {minute} {hour} {month_days} {month} {week_days}")
            .parse()
            .expect("lists of numbers within the bounds of their fields")
    };
    let month_days = day_of_month.to_list(0);
    let week_days = day_of_week.to_list(1);
    if day_of_month.unrestricted || day_of_week.unrestricted {
        return Ok(vec![calendar(&month_days, &week_days)]);
    }
    Ok(vec![calendar(&month_days, "*"), calendar("*", &week_days)])
}

fn refuse_zone_prefix(expression: &str) -> Result<(), ScheduleError> {
    let first = expression.split_whitespace().next().unwrap_or_default();
    if first.starts_with("TZ=") || first.starts_with("CRON_TZ=") {
        return Err(ScheduleError::ZonePrefix {
            prefix: first.to_owned(),
        });
    }
    Ok(())
}

/// The five fields a nickname stands for; anything else is returned as it is.
fn expand_nickname(expression: &str) -> Result<&str, ScheduleError> {
    match expression {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        other if other.trim_start().starts_with('@') => Err(ScheduleError::UnknownNickname {
            nickname: other.to_owned(),
        }),
        other => Ok(other),
    }
}

/// The union of a field's list. Empty items are passed over, as robfig/cron does.
fn values(field: Field, written: &str) -> Result<Values, ScheduleError> {
    let mut values = Values {
        numbers: BTreeSet::new(),
        unrestricted: false,
    };
    for item in written.split(',').filter(|item| !item.is_empty()) {
        let item = parse_item(field, item)?;
        values.unrestricted |= item.unrestricted;
        values.numbers.extend(item.numbers());
    }
    if values.numbers.is_empty() {
        return Err(ScheduleError::NoValue {
            field,
            value: written.to_owned(),
        });
    }
    Ok(values)
}

fn parse_item(field: Field, item: &str) -> Result<Item, ScheduleError> {
    let (base, step) = match item.split_once('/') {
        None => (item, None),
        Some((base, step)) => (base, Some(step)),
    };
    let is_malformed = base.is_empty()
        || step.is_some_and(|step| step.contains('/'))
        || base.matches('-').count() > 1
        || (base.contains('-') && base.contains(['*', '?']));
    if is_malformed {
        return Err(ScheduleError::Shape {
            field,
            item: item.to_owned(),
        });
    }
    let is_everything = base == "*" || base == "?";
    let maximum = *field.bounds().end();
    let range = match base.split_once('-') {
        _ if is_everything => field.bounds(),
        Some((first, last)) => parse_range(field, first, last)?,
        // `3/5` is short for "from 3 to the field's maximum in steps of 5".
        None if step.is_some() => parse_value(field, base)?..=maximum,
        None => {
            let value = parse_value(field, base)?;
            value..=value
        }
    };
    let step = step.map_or(Ok(1), |step| parse_step(field, step))?;
    Ok(Item {
        range,
        step,
        unrestricted: is_everything && step == 1,
    })
}

fn parse_range(
    field: Field,
    first: &str,
    last: &str,
) -> Result<RangeInclusive<u32>, ScheduleError> {
    let range = parse_value(field, first)?..=parse_value(field, last)?;
    if range.is_empty() {
        return Err(ScheduleError::BackwardRange {
            field,
            first: first.to_owned(),
            last: last.to_owned(),
        });
    }
    Ok(range)
}

fn parse_value(field: Field, value: &str) -> Result<u32, ScheduleError> {
    let named = field
        .bounds()
        .zip(field.names())
        .find_map(|(number, name)| name.eq_ignore_ascii_case(value).then_some(number));
    named
        .or_else(|| value.parse().ok())
        .filter(|number| field.bounds().contains(number))
        .ok_or_else(|| ScheduleError::Value {
            field,
            value: value.to_owned(),
        })
}

fn parse_step(field: Field, step: &str) -> Result<u32, ScheduleError> {
    step.parse()
        .ok()
        .filter(|step| *step > 0)
        .ok_or_else(|| ScheduleError::Step {
            field,
            step: step.to_owned(),
        })
}

impl Item {
    fn numbers(self) -> impl Iterator<Item = u32> {
        let first = *self.range.start();
        self.range
            .filter(move |number| (number - first).is_multiple_of(self.step))
    }
}

impl Values {
    /// The numbers as the crate reads them, each raised by `offset`.
    fn to_list(&self, offset: u32) -> String {
        let numbers: Vec<String> = self
            .numbers
            .iter()
            .map(|number| (number + offset).to_string())
            .collect();
        numbers.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendars(expression: &str) -> Vec<String> {
        let calendars = translate(expression).unwrap();
        calendars.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fields_are_expanded() {
        for (written, field, expected) in [
            ("5", Field::Minute, "5"),
            ("+5", Field::Minute, "5"),
            ("1-3,7", Field::Hour, "1,2,3,7"),
            ("7,,1,", Field::Hour, "1,7"),
            ("50/4", Field::Minute, "50,54,58"),
            ("10-20/5", Field::Minute, "10,15,20"),
            ("*/20", Field::Minute, "0,20,40"),
            ("?/20", Field::Minute, "0,20,40"),
            ("*/100", Field::Minute, "0"),
            ("*/10", Field::DayOfMonth, "1,11,21,31"),
            ("JAN,mar-May", Field::Month, "1,3,4,5"),
            ("sun,Thu-6", Field::DayOfWeek, "0,4,5,6"),
            ("fri/1", Field::DayOfWeek, "5,6"),
        ] {
            assert_eq!(
                values(field, written).unwrap().to_list(0),
                expected,
                "{written}"
            );
        }
    }

    #[test]
    fn two_restricted_day_fields_are_a_union() {
        let every_day = (1..=31)
            .map(|day| day.to_string())
            .collect::<Vec<_>>()
            .join(",");
        let union = |days_of_month: &str, days_of_week: &str| {
            vec![
                format!("0 0 0 {days_of_month} 1 *"),
                format!("0 0 0 * 1 {days_of_week}"),
            ]
        };
        let single = |days_of_month: &str, days_of_week: &str| {
            vec![format!("0 0 0 {days_of_month} 1 {days_of_week}")]
        };
        for (written, expected) in [
            ("0 0 13 1 5", union("13", "6")),
            ("0 0 */15 1 5", union("1,16,31", "6")),
            ("0 0 1-31 1 0", union(&every_day, "1")),
            ("0 0 * 1 5", single(&every_day, "6")),
            ("0 0 ? 1 5", single(&every_day, "6")),
            ("0 0 */1 1 5", single(&every_day, "6")),
            ("0 0 3,* 1 5", single(&every_day, "6")),
            ("0 0 13 1 ?", single("13", "1,2,3,4,5,6,7")),
        ] {
            assert_eq!(calendars(written), expected, "{written}");
        }
    }

    #[test]
    fn nicknames_are_the_seven() {
        for (nickname, fields) in [
            ("@yearly", "0 0 1 1 *"),
            ("@annually", "0 0 1 1 *"),
            ("@monthly", "0 0 1 * *"),
            ("@weekly", "0 0 * * 0"),
            ("@daily", "0 0 * * *"),
            ("@midnight", "0 0 * * *"),
            ("@hourly", "0 * * * *"),
        ] {
            assert_eq!(calendars(nickname), calendars(fields), "{nickname}");
        }
    }

    #[test]
    fn refusals_name_field_value_and_fix() {
        for (written, expected) in [
            (
                "TZ=Asia/Tokyo 0 0 * * *",
                "schedule begins with `TZ=Asia/Tokyo`: remove this prefix; a CronJob names its \
                 zone in `spec.timeZone`, and disruption budgets are always in UTC",
            ),
            (
                "CRON_TZ=UTC @daily",
                "schedule begins with `CRON_TZ=UTC`: remove this prefix; a CronJob names its \
                 zone in `spec.timeZone`, and disruption budgets are always in UTC",
            ),
            (
                "@every 1h",
                "schedule `@every 1h` is not a known nickname: write @yearly, @annually, \
                 @monthly, @weekly, @daily, @midnight or @hourly, in lower case and alone, or \
                 five fields",
            ),
            (
                "0 0 * *",
                "schedule `0 0 * *` has 4 fields instead of five: write minute, hour, day of \
                 month, month and day of week, separated by spaces",
            ),
            (
                "0 0 * * 7",
                "day-of-week field contains `7`: write a number from 0 (Sunday) to 6 or a name \
                 from sun to sat",
            ),
            (
                "60 0 * * *",
                "minute field contains `60`: write a number from 0 to 59",
            ),
            (
                "0 mon * * *",
                "hour field contains `mon`: write a number from 0 to 23",
            ),
            (
                "0 0 0 * *",
                "day-of-month field contains `0`: write a number from 1 to 31",
            ),
            (
                "0 0 * january *",
                "month field contains `january`: write a number from 1 to 12 or a name from jan \
                 to dec",
            ),
            (
                "0 0 * * fri-mon",
                "day-of-week field contains `fri-mon`, which runs backwards: write two ranges, \
                 from `fri` to the field's end and from its beginning to `mon`, separated by a \
                 comma",
            ),
            (
                "*/0 * * * *",
                "minute field contains the step `/0`: write a whole number of at least 1",
            ),
            (
                "0 , * * *",
                "hour field `,` contains no value: write `*` or a number from 0 to 23",
            ),
            (
                "0 *-5 * * *",
                "hour field contains `*-5`: write `*`, a value or a range `first-last`, each \
                 optionally followed by one `/step`",
            ),
        ] {
            assert_eq!(translate(written).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn malformed_expressions_are_refused() {
        for written in [
            "",
            " ",
            "@",
            "@Daily",
            " @daily",
            "@daily ",
            "@dailyBla",
            "0 0 * * * *",
            "1-2-3 * * * *",
            "1/2/3 * * * *",
            "/5 * * * *",
            "- * * * *",
            "-5 * * * *",
            "5- * * * *",
            "5/ * * * *",
            "*5 * * * *",
            "** * * * *",
            "?-? * * * *",
            "1.5 * * * *",
            "99999999999 * * * *",
            "* * L * *",
            "* * * * 5#2",
            "* * 15W * *",
            "* * * 0 *",
            "* * * 13 *",
            "* 24 * * *",
            "* * 32 * *",
            "*/x * * * *",
            "*/-1 * * * *",
            "0\u{a0}0\u{a0}*\u{a0}*\u{a0}\u{ff17}",
        ] {
            assert!(translate(written).is_err(), "{written:?} was accepted");
        }
    }
}

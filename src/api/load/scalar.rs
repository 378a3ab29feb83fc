//! What a plain YAML scalar means.
//!
//! `kubectl` turns YAML into JSON with `sigs.k8s.io/yaml`, which resolves scalars as go-yaml v2 does:
//! mostly YAML 1.2, with the words of YAML 1.1 for booleans. A policy has to mean the same here and
//! there, so that this table is go-yaml's (its `resolve.go`):
//!
//! | Written plainly | Is |
//! |---|---|
//! | nothing, `~`, `null`, `Null`, `NULL` | null |
//! | `true` `yes` `on` `y` and their opposites, in lower case, upper case or capitalised | boolean |
//! | `12`, `-3`, `1_000`, `0x1f`, `0o17`, `017`, `0b101` | integer; a leading zero means octal |
//! | `1.5`, `1e3`, `.5` | number |
//! | `.inf`, `.nan` | number, which JSON cannot hold and we therefore refuse |
//! | everything else, dates and `1:30` among it | text |
//!
//! What stands in quotes is text.

use std::fmt;

use serde_json::Number;

/// A scalar with its meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// Yes or no, and how it was written: `no` may well have been meant as text.
    Bool(bool, String),
    /// A number, and how it was written: a quantity must not pass through a float.
    Number(Number, String),
    /// Text.
    Text(String),
}

/// A number that JSON has no form for: infinite, or not a number at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite;

/// The meaning of a scalar that stands without quotes.
pub fn resolve(plain: &str) -> Result<Scalar, NotFinite> {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Scalar::Null),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
            return Ok(Scalar::Bool(true, plain.to_owned()));
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => {
            return Ok(Scalar::Bool(false, plain.to_owned()));
        }
        _ => {}
    }
    let number = integer(plain).map_or_else(|| float(plain), |found| Ok(Some(found)))?;
    Ok(match number {
        Some(number) => Scalar::Number(number, plain.to_owned()),
        None => Scalar::Text(plain.to_owned()),
    })
}

/// An integer of 64 bits, signed or not, in any base that Go's `ParseInt` reads from the text.
fn integer(plain: &str) -> Option<Number> {
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "").to_ascii_lowercase();
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x', ..] => (&digits[2..], 16),
        [b'0', b'o', ..] => (&digits[2..], 8),
        [b'0', b'b', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits.as_str(), 10),
    };
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, base).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    Number::from_i128(value)
}

/// A decimal number with a fraction or an exponent, or an integer too large for 64 bits.
fn float(plain: &str) -> Result<Option<Number>, NotFinite> {
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    match unsigned {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => return Err(NotFinite),
        _ => {}
    }
    if !is_decimal(unsigned) {
        return Ok(None);
    }
    let value = plain.replace('_', "").parse();
    // What a float cannot hold is text to go-yaml.
    Ok(value.ok().and_then(Number::from_f64))
}

/// `[0-9]+ (. [0-9]*)? | . [0-9]+`, then perhaps an exponent.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_whole = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        has_digit(exponent) && digits(exponent)
    });
    digits(whole) && digits(fraction) && has_digit(mantissa) && exponent_is_whole
}

/// As it would be written in YAML, on one line.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_, text) | Self::Number(_, text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(plain: &str, expected: &str) {
        let found = match resolve(plain) {
            Ok(Scalar::Null) => "null".to_owned(),
            Ok(Scalar::Bool(value, _)) => format!("bool {value}"),
            Ok(Scalar::Number(number, _)) => format!("number {number}"),
            Ok(Scalar::Text(text)) => format!("text {text}"),
            Err(NotFinite) => "not finite".to_owned(),
        };
        assert_eq!(found, expected, "{plain:?}");
    }

    #[test]
    fn scalars_mean_what_kubectl_takes_them_for() {
        for (plain, expected) in [
            ("", "null"),
            ("~", "null"),
            ("nil", "text nil"),
            ("y", "bool true"),
            ("NO", "bool false"),
            ("oN", "text oN"),
            ("100", "number 100"),
            ("-0", "number 0"),
            ("+7", "number 7"),
            ("1_000", "number 1000"),
            ("0x1F", "number 31"),
            ("017", "number 15"),
            ("0o17", "number 15"),
            ("0b11", "number 3"),
            ("0x", "text 0x"),
            ("08", "number 8.0"),
            ("18446744073709551615", "number 18446744073709551615"),
            ("18446744073709551616", "number 1.8446744073709552e+19"),
            ("1.50", "number 1.5"),
            ("1e3", "number 1000.0"),
            (".5", "number 0.5"),
            (".", "text ."),
            ("1e", "text 1e"),
            ("1.2.3", "text 1.2.3"),
            ("10%", "text 10%"),
            ("9h", "text 9h"),
            ("200Gi", "text 200Gi"),
            ("2026-01-31", "text 2026-01-31"),
            ("1:30", "text 1:30"),
            ("-.inf", "not finite"),
            (".nan", "not finite"),
            ("1e999", "text 1e999"),
            ("--5", "text --5"),
            ("_", "text _"),
        ] {
            check(plain, expected);
        }
    }
}

//! Kubernetes quantities, exactly: `250m`, `1.5Gi`, `1e3`.

use std::cmp::Ordering;
use std::fmt;

/// An exact decimal number, in nano units, with the family of suffixes it was written in.
///
/// A digit further right than nano units rounds away from zero, as Kubernetes does, so that a
/// request however small never becomes nothing. Two quantities are equal when their numbers are.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    notation: Notation,
}

/// A family of suffixes; it decides how a quantity is written, never what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    Decimal,
    Binary,
    Exponent,
}

const NANOS_PER_UNIT: i128 = 1_000_000_000;
const NANOS_PER_MILLI: i128 = 1_000_000;

/// Powers of ten from nano to exa, each a thousand times the one before.
const DECIMAL_SUFFIXES: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// Powers of two from kibi to exbi, each 1024 times the one before.
const BINARY_SUFFIXES: [(&str, i128); 6] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
];

/// Why a text is no quantity, or a quantity no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not follow the grammar.
    #[error(
        "\"{text}\" is not a quantity; write a number with an optional suffix, such as 250m, 2, 512Mi or 1e3"
    )]
    Malformed {
        /// The text as given.
        text: String,
    },
    /// The number starts well and its suffix means nothing.
    #[error(
        "\"{text}\" ends in the unknown suffix \"{suffix}\"; known are n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei and exponents such as e3"
    )]
    UnknownSuffix {
        /// The text as given.
        text: String,
        /// The part behind the number.
        suffix: String,
    },
    /// The number has more digits than any machine could offer.
    #[error("\"{text}\" is too large to count")]
    TooLarge {
        /// The text as given, or the quantity as written.
        text: String,
    },
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self::from_nanos(0);

    /// So many billionths.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self {
            nanos,
            notation: Notation::Decimal,
        }
    }

    /// So many thousandths.
    pub fn from_millis(millis: i64) -> Self {
        Self::from_nanos(i128::from(millis) * NANOS_PER_MILLI)
    }

    /// So many whole units.
    pub fn from_units(units: i64) -> Self {
        Self::from_nanos(i128::from(units) * NANOS_PER_UNIT)
    }

    /// So many bytes, to be written with the suffixes `Ki` to `Ei`.
    pub fn from_bytes(bytes: i64) -> Self {
        Self {
            notation: Notation::Binary,
            ..Self::from_units(bytes)
        }
    }

    /// Reads any form Kubernetes accepts (Kubernetes documentation, "Quantity").
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Malformed { text: text.into() };
        let too_large = || QuantityError::TooLarge { text: text.into() };
        let number = Number::split_from(text).ok_or_else(malformed)?;
        let scale = Scale::parse(number.suffix).ok_or_else(|| QuantityError::UnknownSuffix {
            text: text.into(),
            suffix: number.suffix.into(),
        })?;
        let nanos = number.nanos(scale).ok_or_else(too_large)?;
        Ok(Self {
            nanos,
            notation: scale.notation,
        })
    }

    /// Billionths, exactly.
    pub const fn to_nanos(self) -> i128 {
        self.nanos
    }

    /// Thousandths, rounded up: how a request counts.
    pub fn to_millis(self) -> Result<i64, QuantityError> {
        self.amount(ceiling(self.nanos, NANOS_PER_MILLI))
    }

    /// Thousandths, rounded down: how capacity counts.
    pub fn to_millis_floor(self) -> Result<i64, QuantityError> {
        self.amount(self.nanos.div_euclid(NANOS_PER_MILLI))
    }

    /// Whole units, rounded up: how a request counts.
    pub fn to_units(self) -> Result<i64, QuantityError> {
        self.amount(ceiling(self.nanos, NANOS_PER_UNIT))
    }

    /// Whole units, rounded down: how capacity counts.
    pub fn to_units_floor(self) -> Result<i64, QuantityError> {
        self.amount(self.nanos.div_euclid(NANOS_PER_UNIT))
    }

    fn amount(self, count: i128) -> Result<i64, QuantityError> {
        i64::try_from(count).map_err(|_| QuantityError::TooLarge {
            text: self.to_string(),
        })
    }
}

fn ceiling(nanos: i128, divisor: i128) -> i128 {
    nanos.div_euclid(divisor) + i128::from(nanos.rem_euclid(divisor) > 0)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

/// What a suffix multiplies by: a power of ten, or a power of two.
#[derive(Clone, Copy)]
struct Scale {
    ten_exponent: i32,
    factor: i128,
    notation: Notation,
}

impl Scale {
    fn parse(suffix: &str) -> Option<Self> {
        if let Some((_, factor)) = BINARY_SUFFIXES.iter().find(|(name, _)| *name == suffix) {
            return Some(Self {
                ten_exponent: 0,
                factor: *factor,
                notation: Notation::Binary,
            });
        }
        if let Some((_, exponent)) = DECIMAL_SUFFIXES.iter().find(|(name, _)| *name == suffix) {
            return Some(Self {
                ten_exponent: *exponent,
                factor: 1,
                notation: Notation::Decimal,
            });
        }
        let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        Some(Self {
            ten_exponent: exponent,
            factor: 1,
            notation: Notation::Exponent,
        })
    }
}

/// A text cut into the parts of the grammar.
struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Number<'a> {
    fn split_from(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, rest) = split_digits(rest);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => split_digits(rest),
            None => ("", rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        Some(Self {
            negative,
            whole,
            fraction,
            suffix,
        })
    }

    /// The number in nano units, or nothing when it does not fit.
    fn nanos(&self, scale: Scale) -> Option<i128> {
        let fraction = self.fraction.trim_end_matches('0');
        let digits = [self.whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(0);
        }
        // value = digits · 10^(scale − fraction) · factor; nano units add nine places.
        let places = i32::try_from(fraction.len()).ok()?;
        let exponent = scale.ten_exponent.checked_sub(places)?.checked_add(9)?;
        let magnitude = shifted(digits, scale.factor, exponent)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

/// `digits · factor · 10^exponent`, rounded up to a whole number.
fn shifted(digits: &str, factor: i128, exponent: i32) -> Option<i128> {
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if exponent >= 0 {
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        let product = digits.parse::<i128>().ok()?.checked_mul(factor)?;
        return product.checked_mul(power);
    }
    // The digits right of the point may be many; they are divided one by one, so that none
    // needs a wider integer and none is lost.
    let cut = digits.len().saturating_sub(places);
    let (whole, fraction) = digits.split_at(cut);
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let leading_zeros = (places - fraction.len()).min(LEADING_ZEROS_THAT_MATTER);
    let (mut carried, mut inexact) = (0, false);
    let digits = fraction.bytes().rev().map(|byte| i128::from(byte - b'0'));
    for digit in digits.chain(std::iter::repeat_n(0, leading_zeros)) {
        let sum = digit * factor + carried;
        (carried, inexact) = (sum / 10, inexact || sum % 10 > 0);
    }
    let product = whole.checked_mul(factor)?.checked_add(carried)?;
    product.checked_add(i128::from(inexact))
}

/// The greatest factor, 2^60, has nineteen digits: after so many divisions nothing is left of it.
const LEADING_ZEROS_THAT_MATTER: usize = 20;

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// The canonical form: no fraction, the largest suffix that keeps the number whole, in the
/// family it was read in. A binary quantity that is small or no whole number of bytes is
/// written in decimals, because binary suffixes cannot express it.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.nanos / NANOS_PER_UNIT;
        let whole = self.nanos % NANOS_PER_UNIT == 0;
        match self.notation {
            Notation::Binary if whole && units.abs() >= 1024 => write_binary(f, units),
            Notation::Binary | Notation::Decimal => write_decimal(f, self.nanos, |exponent| {
                let known = DECIMAL_SUFFIXES
                    .iter()
                    .find(|(_, known)| *known == exponent);
                known.map_or_else(String::new, |(suffix, _)| (*suffix).into())
            }),
            Notation::Exponent => write_decimal(f, self.nanos, |exponent| {
                if exponent == 0 {
                    String::new()
                } else {
                    format!("e{exponent}")
                }
            }),
        }
    }
}

fn write_binary(f: &mut fmt::Formatter<'_>, units: i128) -> fmt::Result {
    let fitting = BINARY_SUFFIXES
        .iter()
        .rev()
        .find(|(_, factor)| units % factor == 0);
    match fitting {
        Some((suffix, factor)) => write!(f, "{}{suffix}", units / factor),
        None => write!(f, "{units}"),
    }
}

fn write_decimal(
    f: &mut fmt::Formatter<'_>,
    nanos: i128,
    suffix: impl Fn(i32) -> String,
) -> fmt::Result {
    if nanos == 0 {
        return f.write_str("0");
    }
    let (mut number, mut exponent) = (nanos, -9);
    while number % 1_000 == 0 && exponent < 18 {
        number /= 1_000;
        exponent += 3;
    }
    write!(f, "{number}{}", suffix(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_exactly_and_writes_canonically() {
        let cases: [(&str, i128, &str); 36] = [
            ("0", 0, "0"),
            ("-0", 0, "0"),
            ("0Gi", 0, "0"),
            ("1", 1_000_000_000, "1"),
            ("+1", 1_000_000_000, "1"),
            ("1.", 1_000_000_000, "1"),
            (".5", 500_000_000, "500m"),
            ("007", 7_000_000_000, "7"),
            ("1n", 1, "1n"),
            ("1u", 1_000, "1u"),
            ("250m", 250_000_000, "250m"),
            ("1500m", 1_500_000_000, "1500m"),
            ("-1500m", -1_500_000_000, "-1500m"),
            ("1.5", 1_500_000_000, "1500m"),
            ("2000m", 2_000_000_000, "2"),
            ("1k", 1_000_000_000_000, "1k"),
            ("1M", 1_000_000_000_000_000, "1M"),
            ("1G", 10_i128.pow(18), "1G"),
            ("1T", 10_i128.pow(21), "1T"),
            ("1P", 10_i128.pow(24), "1P"),
            ("1E", 10_i128.pow(27), "1E"),
            ("1000E", 10_i128.pow(30), "1000E"),
            ("1Ki", 1_024_000_000_000, "1Ki"),
            ("1.5Gi", 1_610_612_736_000_000_000, "1536Mi"),
            ("1024Gi", (1 << 40) * 1_000_000_000, "1Ti"),
            ("1Pi", (1 << 50) * 1_000_000_000, "1Pi"),
            ("-8Ei", -(1 << 63) * 1_000_000_000, "-8Ei"),
            ("0.5Ki", 512_000_000_000, "512"),
            ("0.0001Mi", 104_857_600_000, "104857600u"),
            ("1e3", 1_000_000_000_000, "1e3"),
            ("1E3", 1_000_000_000_000, "1e3"),
            ("1e+3", 1_000_000_000_000, "1e3"),
            ("1.5e-3", 1_500_000, "1500e-6"),
            ("12e1", 120_000_000_000, "120"),
            ("0e99999", 0, "0"),
            (
                "123456789.123456789",
                123_456_789_123_456_789,
                "123456789123456789n",
            ),
        ];
        for (text, nanos, written) in cases {
            let quantity = Quantity::parse(text).expect(text);
            assert_eq!(quantity.to_nanos(), nanos, "{text}");
            assert_eq!(quantity.to_string(), written, "{text}");
            assert_eq!(Quantity::parse(written), Ok(quantity), "{text}");
        }
    }

    #[test]
    fn what_lies_below_a_nano_unit_rounds_away_from_zero() {
        for (text, nanos) in [
            ("0.1n", 1),
            ("-0.1n", -1),
            ("1.0000000001", 1_000_000_001),
            ("1e-10", 1),
            ("1e-99999", 1),
            (
                "0.00000000000000000000000000000000000000000000000000001Ei",
                1,
            ),
            ("0.00000000000000000001Ei", 11_529_216),
        ] {
            assert_eq!(
                Quantity::parse(text).map(Quantity::to_nanos),
                Ok(nanos),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_its_reason() {
        for text in ["", "+", ".", "-.", "Ki", "m", "--1", " 1", "e3"] {
            assert_eq!(
                Quantity::parse(text),
                Err(QuantityError::Malformed { text: text.into() })
            );
        }
        for (text, suffix) in [
            ("1 ", " "),
            ("1K", "K"),
            ("1g", "g"),
            ("1GB", "GB"),
            ("1mi", "mi"),
            ("1e", "e"),
            ("1e1.5", "e1.5"),
            ("1Em", "Em"),
            ("1.2.3", ".3"),
        ] {
            let refused = QuantityError::UnknownSuffix {
                text: text.into(),
                suffix: suffix.into(),
            };
            assert_eq!(Quantity::parse(text), Err(refused));
        }
        for text in ["1e99", "1e999999999", "9999999999999999999999999999999E"] {
            assert_eq!(
                Quantity::parse(text),
                Err(QuantityError::TooLarge { text: text.into() })
            );
        }
    }

    #[test]
    fn requests_round_up_and_capacity_rounds_down() {
        let cases = [
            ("1", 1_000, 1_000, 1, 1),
            ("1500u", 2, 1, 1, 0),
            ("1n", 1, 0, 1, 0),
            ("-1n", 0, -1, 0, -1),
            ("-1500m", -1_500, -1_500, -1, -2),
            ("1100m", 1_100, 1_100, 2, 1),
        ];
        for (text, millis, millis_floor, units, units_floor) in cases {
            let quantity = Quantity::parse(text).expect(text);
            assert_eq!(quantity.to_millis(), Ok(millis), "{text}");
            assert_eq!(quantity.to_millis_floor(), Ok(millis_floor), "{text}");
            assert_eq!(quantity.to_units(), Ok(units), "{text}");
            assert_eq!(quantity.to_units_floor(), Ok(units_floor), "{text}");
        }
    }

    #[test]
    fn amounts_beyond_64_bits_are_refused() {
        let exbibytes = Quantity::parse("8Ei").expect("a quantity");
        assert_eq!(
            exbibytes.to_units(),
            Err(QuantityError::TooLarge { text: "8Ei".into() })
        );
        let most = Quantity::parse("9223372036854775807").expect("a quantity");
        assert_eq!(most.to_units(), Ok(i64::MAX));
        assert!(most.to_millis().is_err());
    }
}

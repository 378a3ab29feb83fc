//! Money, in integers.

use std::fmt;
use std::time::Duration;

/// A price in micro-dollars per hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

/// Why a text is no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// It is no plain decimal number.
    #[error("\"{text}\" is not a price; write dollars per hour as a plain decimal, such as 0.077")]
    Malformed {
        /// The text as given.
        text: String,
    },
    /// It does not fit.
    #[error("\"{text}\" dollars per hour are more than can be counted")]
    TooLarge {
        /// The text as given.
        text: String,
    },
}

const MICROS_PER_DOLLAR: u128 = 1_000_000;
const MICRO_PLACES: usize = 6;

impl Price {
    /// Free of charge.
    pub const ZERO: Self = Self(0);

    /// So many micro-dollars per hour.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Reads dollars per hour from an exact decimal and rounds half up to micro-dollars.
    pub fn parse_decimal(text: &str) -> Result<Self, PriceError> {
        let decimal = Decimal::parse(text)?;
        let too_large = || PriceError::TooLarge { text: text.into() };
        let kept = decimal.fraction.len().min(MICRO_PLACES);
        let (kept, dropped) = decimal.fraction.split_at(kept);
        let digits = format!("0{}{kept:0<MICRO_PLACES$}", decimal.whole);
        let floor: u64 = digits.parse().map_err(|_| too_large())?;
        let round_up = dropped.bytes().next().is_some_and(|digit| digit >= b'5');
        floor
            .checked_add(u64::from(round_up))
            .map(Self)
            .ok_or_else(too_large)
    }

    /// Micro-dollars per hour.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The sum, unless it leaves the range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, or the greatest price there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing when the other price is greater.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Dollars per hour with six decimals.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_micros(f, u128::from(self.0))
    }
}

fn write_micros(f: &mut fmt::Formatter<'_>, micros: u128) -> fmt::Result {
    let (dollars, rest) = (micros / MICROS_PER_DOLLAR, micros % MICROS_PER_DOLLAR);
    write!(f, "{dollars}.{rest:0MICRO_PLACES$}")
}

/// An amount of money that has run up over time.
///
/// It counts micro-dollars per hour times milliseconds in 128 bits, so that a bill of many short
/// runs loses nothing to rounding: prices of thousands of dollars per second could run for longer
/// than the age of the universe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u128);

const MILLIS_PER_HOUR: u128 = 3_600_000;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or the greatest amount there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing when the other amount is greater.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whole micro-dollars, rounded half up.
    pub const fn to_micros(self) -> u128 {
        let (whole, rest) = (self.0 / MILLIS_PER_HOUR, self.0 % MILLIS_PER_HOUR);
        if rest * 2 >= MILLIS_PER_HOUR {
            whole + 1
        } else {
            whole
        }
    }

    /// Dollars with six decimals.
    pub fn to_decimal_string(self) -> String {
        self.to_string()
    }
}

/// Dollars with six decimals.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_micros(f, self.to_micros())
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

/// What a price costs over a span, counted in whole milliseconds.
pub fn bill(price: Price, span: Duration) -> Money {
    Money(u128::from(price.0).saturating_mul(span.as_millis()))
}

/// The place of each price in ascending order, from zero; equal decimals share a place and the
/// next place follows without a gap.
///
/// It compares every digit as written. Prices that round to the same micro-dollar, such as those
/// of reserved capacity that is paid for already, so keep their order.
pub fn rank_prices(texts: &[&str]) -> Result<Vec<u32>, PriceError> {
    let decimals: Vec<Decimal<'_>> = texts
        .iter()
        .map(|text| Decimal::parse(text))
        .collect::<Result<_, _>>()?;
    let mut ascending: Vec<&Decimal<'_>> = decimals.iter().collect();
    ascending.sort();
    ascending.dedup();
    let rank = |decimal| {
        let place = ascending
            .binary_search(&decimal)
            .expect("every decimal was put in the list");
        u32::try_from(place).expect("fewer than 2^32 prices fit in memory")
    };
    Ok(decimals.iter().map(rank).collect())
}

/// The digits of a decimal number without those that change nothing, so that comparing the
/// fields in order compares the numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Decimal<'a> {
    whole_length: usize,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Result<Self, PriceError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(PriceError::Malformed { text: text.into() });
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        Ok(Self {
            whole_length: whole.len(),
            whole,
            fraction,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_half_up_to_micro_dollars() {
        let cases = [
            ("0", 0, "0.000000"),
            ("0.077", 77_000, "0.077000"),
            ("0.0770000000", 77_000, "0.077000"),
            ("12", 12_000_000, "12.000000"),
            ("0.0000004999", 0, "0.000000"),
            ("0.0000005", 1, "0.000001"),
            ("0.9999995", 1_000_000, "1.000000"),
            ("00098.3", 98_300_000, "98.300000"),
            ("18446744073709.551615", u64::MAX, "18446744073709.551615"),
        ];
        for (text, micros, written) in cases {
            let price = Price::parse_decimal(text).expect(text);
            assert_eq!(price, Price::from_micros(micros), "{text}");
            assert_eq!(price.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_price_is_refused_with_its_reason() {
        for text in [
            "", ".", ".5", "1.", "-1", "+1", "1e-3", "1,5", "$1", " 1", "1.2.3", "NaN",
        ] {
            let refused = PriceError::Malformed { text: text.into() };
            assert_eq!(Price::parse_decimal(text), Err(refused.clone()));
            assert_eq!(rank_prices(&["1", text]), Err(refused));
        }
        for text in [
            "18446744073709.551616",
            "18446744073709.5516155",
            "99999999999999999999999",
        ] {
            assert_eq!(
                Price::parse_decimal(text),
                Err(PriceError::TooLarge { text: text.into() })
            );
        }
    }

    #[test]
    fn ranks_follow_the_unrounded_decimals() {
        let cases: [(&[&str], &[u32]); 4] = [
            (&[], &[]),
            (&["0.2", "0.10", "0.1", "0.3"], &[1, 0, 0, 2]),
            (
                &["0.00000001", "0", "0.0000000100", "0.00000002"],
                &[1, 0, 1, 2],
            ),
            (&["10", "9", "9.5", "09", "100.0"], &[2, 0, 1, 0, 3]),
        ];
        for (texts, ranks) in cases {
            assert_eq!(rank_prices(texts).as_deref(), Ok(ranks));
        }
    }

    #[test]
    fn bills_lose_nothing_to_rounding() {
        let price = Price::from_micros(77_000);
        let minute = bill(price, Duration::from_mins(1));
        assert_eq!(minute.to_decimal_string(), "0.001283");
        let hour: Money = std::iter::repeat_n(minute, 60).sum();
        assert_eq!(hour, bill(price, Duration::from_hours(1)));
        assert_eq!(hour.to_decimal_string(), "0.077000");
        assert_eq!(hour.saturating_sub(minute).to_decimal_string(), "0.075717");
        let micro = Price::from_micros(1);
        assert_eq!(bill(micro, Duration::from_mins(30)).to_micros(), 1);
        assert_eq!(bill(micro, Duration::from_millis(1_799_999)).to_micros(), 0);
        let most = bill(Price::from_micros(u64::MAX), Duration::MAX);
        assert_eq!(most.saturating_add(most), most);
    }

    #[test]
    fn sums_of_prices_stay_in_range() {
        let (one, most) = (Price::from_micros(1), Price::from_micros(u64::MAX));
        assert_eq!(one.checked_add(one), Some(Price::from_micros(2)));
        assert_eq!(most.checked_add(one), None);
        assert_eq!(most.saturating_add(one), most);
        assert_eq!(one.saturating_sub(most), Price::ZERO);
    }
}

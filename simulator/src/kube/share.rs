//! Numbers that may be written as a part of a whole, such as `maxUnavailable: 25%`.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Which way a part of a whole is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the next whole object.
    Up,
    /// To the last whole object.
    Down,
}

/// How many of `whole` are meant; none if the text is no number and no percentage.
pub fn of(share: &IntOrString, whole: usize, rounding: Rounding) -> Option<usize> {
    match share {
        IntOrString::Int(number) => Some(usize::try_from(*number).unwrap_or(0)),
        IntOrString::String(text) => {
            let percent: usize = text.strip_suffix('%')?.parse().ok()?;
            let parts = whole.saturating_mul(percent);
            Some(match rounding {
                Rounding::Up => parts.div_ceil(100),
                Rounding::Down => parts / 100,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_as_asked() {
        let percent = IntOrString::String("25%".to_owned());
        assert_eq!(of(&percent, 10, Rounding::Up), Some(3));
        assert_eq!(of(&percent, 10, Rounding::Down), Some(2));
        assert_eq!(of(&IntOrString::Int(4), 10, Rounding::Down), Some(4));
        let words = IntOrString::String("a few".to_owned());
        assert_eq!(of(&words, 10, Rounding::Up), None);
    }
}

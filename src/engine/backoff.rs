//! Pauses between attempts. They depend on counts alone: equal inputs give equal pauses.

use std::time::Duration;

use super::limits::{BACKOFF_DOUBLINGS_MAX, BACKOFF_FIRST, BACKOFF_LAST};

/// The pause after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(BACKOFF_DOUBLINGS_MAX);
    let factor = 2_u32.saturating_pow(doublings);
    BACKOFF_FIRST.saturating_mul(factor).min(BACKOFF_LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_last() {
        let millis: Vec<u128> = (0..9).map(|count| pause(count).as_millis()).collect();
        let expected = [200, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000];
        assert_eq!(millis, expected);
        assert_eq!(pause(u32::MAX), BACKOFF_LAST);
    }
}

//! The controller's clock. It may be wrong, and it may be set; spans are measured rightly all the same,
//! because timers and timeouts of a process do not follow the clock on the wall (clock_gettime(2),
//! `CLOCK_MONOTONIC`).

use std::time::Duration;

use tidewright::model::time::Timestamp;

use crate::random::{Purpose, Random};

/// How wrong a clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skew {
    /// It is fast.
    Ahead(Duration),
    /// It is slow.
    Behind(Duration),
}

impl Skew {
    /// It is right.
    pub(super) const NONE: Self = Self::Ahead(Duration::ZERO);

    /// A clock that is wrong by less than so much.
    pub(super) fn drawn(random: &mut Random, millis_max: u32) -> Self {
        let millis = random.below(Purpose::Clock, millis_max);
        let span = Duration::from_millis(u64::from(millis));
        match random.below(Purpose::Clock, 2) {
            0 => Self::Ahead(span),
            _ => Self::Behind(span),
        }
    }

    /// What the clock says at an instant.
    pub(super) fn seen(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Ahead(span) => at.saturating_add(span),
            Self::Behind(span) => at.saturating_sub(span),
        }
    }

    /// The instant at which the clock says this, if it is not set before.
    pub(super) fn meant(self, seen: Timestamp) -> Timestamp {
        match self {
            Self::Ahead(span) => seen.saturating_sub(span),
            Self::Behind(span) => seen.saturating_add(span),
        }
    }
}

//! Whom effects ask, and how long they take to arrive and to be answered.

use tidewright::engine::Action;

use crate::faults::FaultSettings;
use crate::random::{Purpose, Quantiles, Random};

/// Whom an action asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    ApiServer,
    Fleet,
    Cloud,
    Planner,
}

impl Recipient {
    pub(super) const fn of(action: &Action) -> Self {
        match action {
            Action::CreateClaim { .. }
            | Action::PatchClaim { .. }
            | Action::DeleteClaim { .. }
            | Action::ReleaseClaim { .. }
            | Action::PatchNode { .. }
            | Action::DeleteNode { .. }
            | Action::ReleaseNode { .. }
            | Action::Evict(_) => Self::ApiServer,
            Action::Launch(_) => Self::Fleet,
            Action::Terminate { .. } | Action::ListMachines(_) => Self::Cloud,
            Action::Plan(_) => Self::Planner,
        }
    }
}

/// How long a call takes on its way there and on its way back, in milliseconds.
struct Latency {
    there: Quantiles,
    back: Quantiles,
}

/// A call of the API server: about 20 ms in all.
const API: Latency = Latency {
    there: Quantiles::of([3, 5, 7, 10, 14, 22, 45]),
    back: Quantiles::of([3, 5, 7, 10, 14, 22, 45]),
};

/// A fleet call: the machine is bought early, and the answer takes about 300 ms in all.
const FLEET: Latency = Latency {
    there: Quantiles::of([10, 15, 20, 30, 40, 60, 120]),
    back: Quantiles::of([150, 190, 230, 270, 330, 430, 900]),
};

/// Any other call of the cloud: about 120 ms in all.
const CLOUD: Latency = Latency {
    there: Quantiles::of([10, 15, 20, 30, 40, 60, 120]),
    back: Quantiles::of([40, 55, 70, 90, 120, 170, 350]),
};

/// A plan for a small cluster.
const PLAN: Quantiles = Quantiles::of([1, 2, 3, 4, 6, 10, 25]);

/// How long an effect takes to arrive and its answer to come back, in milliseconds.
pub(crate) fn latency(action: &Action, faults: &FaultSettings, random: &mut Random) -> (u32, u32) {
    let Latency { there, back } = match (Recipient::of(action), faults.plan_millis_max) {
        (Recipient::ApiServer, _) => API,
        (Recipient::Fleet, _) => FLEET,
        (Recipient::Cloud, _) => CLOUD,
        (Recipient::Planner, 0) => return (0, random.quantile(Purpose::Plan, &PLAN)),
        (Recipient::Planner, most) => return (0, random.below(Purpose::Plan, most)),
    };
    (
        random.quantile(Purpose::Latency, &there),
        random.quantile(Purpose::Latency, &back),
    )
}

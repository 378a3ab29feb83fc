//! What machines cost.

use std::time::Duration;

use tidewright::model::price::{Money, bill};
use tidewright::model::time::Timestamp;

use super::{Cloud, CloudMachine};

/// The least that a machine is billed for (EC2 documentation, "Billing for On-Demand Instances").
const BILLED_MIN: Duration = Duration::from_mins(1);

/// What a machine costs until `now`: by the second, begun seconds count, one minute at least. Each
/// price counts from its beginning until the next.
pub fn billed(machine: &CloudMachine, now: Timestamp) -> Money {
    let end = machine.stopped_at().map_or(now, |stopped| stopped.min(now));
    let ran = end.since(machine.fact.launched_at);
    let seconds = u64::try_from(ran.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
    let paid = Duration::from_secs(seconds).max(BILLED_MIN);
    let end = machine.fact.launched_at.saturating_add(paid);
    let mut sum = Money::ZERO;
    for (index, (from, price)) in machine.prices.iter().enumerate() {
        let next = machine.prices.get(index + 1);
        let until = next.map_or(end, |(next, _)| end.min(*next));
        sum = sum.saturating_add(bill(*price, until.since(*from)));
    }
    sum
}

impl Cloud {
    /// What all machines cost until `now`.
    pub fn bill(&self, now: Timestamp) -> Money {
        self.machines().map(|machine| billed(machine, now)).sum()
    }
}

//! Spot prices that move.
//!
//! Each pool of spot capacity takes steps of its own, in whole micro-dollars. A price stays between half
//! and twice of what it was at first, and never exceeds that of the same machine on demand (EC2 sets spot
//! prices by the trend of supply and demand: EC2 documentation, "Spot Instances").

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidewright::cloud::region::Region;
use tidewright::model::catalog::{CapacityType, OfferingKey};
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

use super::{Cloud, CloudMachine};
use crate::random::{Purpose, Random};

/// How spot prices move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpotMarket {
    /// From one round to the next.
    pub every: Duration,
    /// How many of a thousand prices move in a round.
    pub moved_permille: u32,
    /// By how many thousandths a price moves at most.
    pub step_permille: u32,
    /// How often the controller asks for prices.
    pub asked_every: Duration,
    /// For how long prices move; none is for ever.
    pub lasts: Option<Duration>,
}

/// The time for which a machine keeps a price (EC2 documentation, "Spot Instance pricing": the price at the
/// beginning of each instance-hour is charged).
const INSTANCE_HOUR: Duration = Duration::from_hours(1);

impl Cloud {
    /// One round of the market: what has moved, and what it costs now.
    pub fn move_prices(
        &mut self,
        market: &SpotMarket,
        random: &mut Random,
        now: Timestamp,
    ) -> BTreeMap<OfferingKey, Price> {
        let mut moved = BTreeMap::new();
        for key in self.first_prices.offerings() {
            if key.capacity_type != CapacityType::Spot
                || !random.happens(Purpose::Prices, market.moved_permille)
            {
                continue;
            }
            let step = random.below(Purpose::Prices, 2 * market.step_permille + 1);
            let from = self.region.price(&key);
            let to = from.map(|price| stepped(price, step, market.step_permille));
            let to = to.and_then(|price| within_bounds(&self.first_prices, &key, price));
            if let Some(price) = to.filter(|_| to != from) {
                moved.insert(key, price);
            }
        }
        if moved.is_empty() {
            return moved;
        }
        Arc::make_mut(&mut self.region).reprice(&moved);
        for machine in self.machines.values_mut().filter(|machine| machine.runs()) {
            if let Some(price) = moved.get(&machine.fact.machine.offering()) {
                machine.price_moved(*price, now);
            }
        }
        moved
    }
}

/// A price after a step of so many thousandths less `step_max` of them.
fn stepped(price: Price, step: u32, step_max: u32) -> Price {
    let factor = u64::from(1_000 + step).saturating_sub(u64::from(step_max));
    Price::from_micros(price.as_micros().saturating_mul(factor) / 1_000)
}

fn within_bounds(first: &Region, key: &OfferingKey, price: Price) -> Option<Price> {
    let start = first.price(key)?.as_micros();
    let on_demand = OfferingKey {
        capacity_type: CapacityType::OnDemand,
        ..key.clone()
    };
    let most = first.price(&on_demand).map_or(u64::MAX, Price::as_micros);
    let most = most.min(start.saturating_mul(2)).max(start);
    let micros = price.as_micros().clamp(start / 2, most);
    Some(Price::from_micros(micros))
}

impl CloudMachine {
    /// The price of its pool has moved: it is paid from the machine's next hour on.
    fn price_moved(&mut self, price: Price, now: Timestamp) {
        let ran = now.since(self.fact.launched_at).as_millis();
        let hours = ran.div_ceil(INSTANCE_HOUR.as_millis());
        let hours = u32::try_from(hours).unwrap_or(u32::MAX);
        let from = self.fact.launched_at.saturating_add(INSTANCE_HOUR * hours);
        self.prices.retain(|(at, _)| *at < from);
        self.prices.push((from, price));
    }
}

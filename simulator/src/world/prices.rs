//! Spot prices that move, and a controller that asks for them now and then.

use tidewright::model::time::Timestamp;

use super::{Occurrence, World};
use crate::cloud::SpotMarket;
use crate::event::Event;

impl World {
    /// From now on prices move.
    pub(super) fn open_market(&mut self, market: SpotMarket) -> String {
        let until = market.lasts.map(|lasts| self.after(lasts));
        let first = self.after(market.every);
        self.queue.push(first, Occurrence::Prices(market, until));
        self.asks_every = Some(market.asked_every);
        if let Some(life) = self.controller.alive() {
            let asks = self.after(market.asked_every);
            self.queue.push(asks, Occurrence::AskPrices(life));
        }
        let SpotMarket {
            moved_permille,
            step_permille,
            ..
        } = market;
        format!("prices move: {moved_permille} of 1000, by up to {step_permille} thousandths")
    }

    pub(super) fn move_prices(&mut self, market: SpotMarket, until: Option<Timestamp>) {
        if until.is_some_and(|until| until < self.now) {
            return;
        }
        let prices = self.cloud.move_prices(&market, &mut self.random, self.now);
        if !prices.is_empty() {
            self.record(Event::PricesMoved { prices });
        }
        let next = self.after(market.every);
        self.queue.push(next, Occurrence::Prices(market, until));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidewright::model::catalog::{CapacityType, OfferingKey};
    use tidewright::model::price::Price;

    use super::*;
    use crate::scenario::{Choices, load};
    use crate::setup::Happening;

    /// What the controller believes that an offering costs, and what it costs.
    fn prices(world: &World, key: &OfferingKey) -> (Option<Price>, Option<Price>) {
        let pools = world.controller.catalog();
        let known = pools.price(&"serverless-workloads".into(), key);
        (known, world.cloud.region().price(key))
    }

    #[test]
    fn a_controller_knows_the_prices_of_when_it_asked() {
        let loaded = load("zero-to-one", &Choices::default()).expect("it is embedded");
        let mut setup = loaded.scenario.setup;
        let market = SpotMarket {
            every: Duration::from_mins(1),
            moved_permille: 1_000,
            step_permille: 300,
            asked_every: Duration::from_mins(10),
            lasts: Some(Duration::from_mins(15)),
        };
        setup
            .timeline
            .push((Duration::ZERO, Happening::Prices(market)));
        let start = setup.start;
        let key = OfferingKey {
            capacity_type: CapacityType::Spot,
            instance_type: "m6a.large".into(),
            zone: "us-east-2a".into(),
        };
        let mut world = World::new(setup);
        let mut at = |minutes: u64| {
            world.run_until(start.saturating_add(Duration::from_secs(minutes * 60 + 30)));
            prices(&world, &key)
        };
        let (first, same) = at(0);
        assert!(first.is_some());
        assert_eq!(first, same);
        let (known, moved) = at(8);
        assert_eq!(known, first);
        assert_ne!(moved, first);
        let (known, last) = at(19);
        assert!(known != first && known != last, "{known:?}");
        assert_eq!(at(25), (last, last));
    }
}

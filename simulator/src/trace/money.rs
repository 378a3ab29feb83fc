//! What machines cost, by what happened.
//!
//! A machine pays for each of its hours the price that its pool had when that hour began (EC2
//! documentation, "Spot Instance pricing"); on-demand prices do not move.

use std::time::Duration;

use tidewright::model::price::{Money, Price, bill};
use tidewright::model::time::Timestamp;

use super::{MachineTrace, Trace};

const HOUR: Duration = Duration::from_hours(1);

/// A price over a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// From here on.
    pub from: Timestamp,
    /// Until here.
    pub until: Timestamp,
    /// An hour costs this.
    pub price: Price,
}

impl Trace {
    /// What a machine paid from its purchase until `end`, in order.
    pub fn rates(&self, machine: &MachineTrace, end: Timestamp) -> Vec<Rate> {
        let mut rates: Vec<Rate> = Vec::new();
        let mut from = machine.bought;
        while from < end {
            let until = from.saturating_add(HOUR).min(end);
            let price = self.price_at(machine, from);
            match rates.last_mut().filter(|last| last.price == price) {
                Some(last) => last.until = until,
                None => rates.push(Rate { from, until, price }),
            }
            from = until;
        }
        rates
    }

    /// What a machine cost from its purchase until `end`.
    pub fn cost(&self, machine: &MachineTrace, end: Timestamp) -> Money {
        let rates = self.rates(machine, end).into_iter();
        rates
            .map(|rate| bill(rate.price, rate.until.since(rate.from)))
            .sum()
    }

    /// What the machine's offering cost at an instant; it was bought at what it cost then.
    fn price_at(&self, machine: &MachineTrace, at: Timestamp) -> Price {
        let moves = self.prices.get(&machine.offering);
        let moves = moves.into_iter().flatten().rev();
        let mut past = moves.filter(|(when, _)| *when <= at && *when >= machine.bought);
        past.next().map_or(machine.price, |(_, price)| *price)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::event::{Entry, Event};
    use crate::script::START;
    use tidewright::model::catalog::{CapacityType, OfferingKey};

    fn minutes(count: u64) -> Timestamp {
        START.saturating_add(Duration::from_mins(count))
    }

    fn offering(zone: &str) -> OfferingKey {
        OfferingKey {
            capacity_type: CapacityType::Spot,
            instance_type: "m6a.large".into(),
            zone: zone.into(),
        }
    }

    /// A machine bought after ten minutes for 100; prices of its pool and of another move.
    fn trace(moves: &[(u64, &str, u64)]) -> Trace {
        let bought = Event::MachineBought {
            machine: "i-1".into(),
            offering: offering("a"),
            price: Price::from_micros(100),
            group: None,
        };
        let mut events = vec![(10, bought)];
        for (at, zone, micros) in moves {
            let prices = BTreeMap::from([(offering(zone), Price::from_micros(*micros))]);
            events.push((*at, Event::PricesMoved { prices }));
        }
        let mut step = 0;
        let entries = events.into_iter().map(|(at, event)| {
            step += 1;
            let at = minutes(at);
            Entry { step, at, event }
        });
        Trace::of(&entries.collect::<Vec<_>>())
    }

    fn check(moves: &[(u64, &str, u64)], end: u64, expected: &[(u64, u64, u64)]) {
        let trace = trace(moves);
        let machine = &trace.machines["i-1"];
        let rates = trace.rates(machine, minutes(end));
        let expected: Vec<Rate> = expected
            .iter()
            .map(|(from, until, micros)| Rate {
                from: minutes(*from),
                until: minutes(*until),
                price: Price::from_micros(*micros),
            })
            .collect();
        assert_eq!(rates, expected, "{moves:?}");
        let costs = expected
            .iter()
            .map(|it| bill(it.price, it.until.since(it.from)));
        assert_eq!(trace.cost(machine, minutes(end)), costs.sum());
    }

    #[test]
    fn a_machine_keeps_a_price_for_each_hour_of_its_own() {
        check(&[], 200, &[(10, 200, 100)]);
        check(&[(30, "a", 200)], 60, &[(10, 60, 100)]);
        check(&[(30, "a", 200)], 100, &[(10, 70, 100), (70, 100, 200)]);
        check(&[(70, "a", 200)], 100, &[(10, 70, 100), (70, 100, 200)]);
        check(
            &[(30, "a", 200), (40, "a", 300), (80, "a", 50)],
            200,
            &[(10, 70, 100), (70, 130, 300), (130, 200, 50)],
        );
        check(&[(30, "a", 200), (40, "a", 100)], 200, &[(10, 200, 100)]);
        check(&[(30, "b", 200)], 200, &[(10, 200, 100)]);
        check(&[], 10, &[]);
    }
}

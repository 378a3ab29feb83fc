//! What the machines cost, now and together.

use std::time::Duration;

use serde::Serialize;
use tidewright::model::price::{Money, Price, bill};

use super::super::compute::BILLED_MIN;
use super::stack::{Change, Stack};
use super::{Millis, Span};
use crate::trace::Trace;

/// What was spent over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spending {
    /// Micro-dollars an hour, by how machines are paid for.
    pub rate: Stack,
    /// Micro-dollars spent until each time of the rate. The last is the bill.
    pub bill: Vec<u64>,
}

/// A machine is paid for a minute at least, so its rate goes on until then.
pub(super) fn spending(trace: &Trace, span: Span, cost: Money) -> Spending {
    let mut changes = Vec::new();
    for machine in trace.machines.values() {
        let change = |at, by| Change {
            at: span.at(at),
            layer: machine.offering.capacity_type.as_str().to_owned(),
            by,
        };
        let least = machine.bought.saturating_add(BILLED_MIN);
        let paid = machine.terminated.map(|at| at.max(least));
        for rate in trace.rates(machine, paid.unwrap_or(span.end)) {
            let price = i64::try_from(rate.price.as_micros()).unwrap_or(i64::MAX);
            changes.push(change(rate.from, price));
            let ends = paid.is_some() || rate.until < span.end;
            changes.extend(ends.then(|| change(rate.until, -price)));
        }
    }
    let rate = Stack::of(changes, Millis(span.length()));
    let rate = rate.in_order(&["on-demand", "reserved", "spot"]);
    let mut spent = accumulated(&rate);
    // Machines bought in the last minute are paid for beyond the end.
    if let Some(last) = spent.last_mut() {
        *last = micros(cost);
    }
    let kept = rate.visible();
    Spending {
        rate: rate.only(&kept),
        bill: kept.iter().map(|index| spent[*index]).collect(),
    }
}

/// What the rates until each time add up to.
fn accumulated(rate: &Stack) -> Vec<u64> {
    let totals = rate.totals();
    let mut sum = Money::ZERO;
    let mut passed = Duration::ZERO;
    let mut before = Price::ZERO;
    let mut spent = Vec::new();
    for (time, total) in rate.times.iter().zip(totals) {
        sum = sum.saturating_add(bill(before, time.0.saturating_sub(passed)));
        spent.push(micros(sum));
        passed = time.0;
        before = Price::from_micros(u64::try_from(total).unwrap_or(0));
    }
    spent
}

fn micros(money: Money) -> u64 {
    u64::try_from(money.to_micros()).unwrap_or(u64::MAX)
}

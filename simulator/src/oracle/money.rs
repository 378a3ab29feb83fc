//! The bill.

use std::time::Duration;

use tidewright::model::price::Money;

use super::Scene;

/// The cloud's bill is the sum over all machines of time and price, by begun seconds and one minute
/// at least, at the prices of the moments (EC2 documentation, "Billing for On-Demand Instances").
pub(super) fn bill_adds_up(scene: &mut Scene<'_>, billed: Money) {
    let costs = scene.trace.machines.values().map(|machine| {
        let end = machine.terminated.unwrap_or(scene.entry.at);
        let millis = end.since(machine.bought).as_millis();
        let seconds = u64::try_from(millis.div_ceil(1_000)).unwrap_or(u64::MAX);
        let paid = Duration::from_secs(seconds.max(60));
        let end = machine.bought.saturating_add(paid);
        scene.trace.cost(machine, end)
    });
    let expected: Money = costs.sum();
    scene.check(
        "bill",
        expected == billed,
        || vec!["the cloud".to_owned()],
        || format!("the bill is ${billed}, times and prices make ${expected}"),
    );
}

//! How fast worlds go by, and what the oracles cost.
//!
//! `cargo bench -p tidewright-simulator --bench worlds` runs the scenarios that are stated in the README, or
//! those named after `--`, each without oracles and with them in turn. What counts are the ratios: machines
//! differ, and others may use the same one.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock: that is its purpose"
)]

use std::time::{Duration, Instant};

use tidewright_simulator::oracle::{Oracles, Rest};
use tidewright_simulator::run;
use tidewright_simulator::scenario::{Choices, Scenario, load};
use tidewright_simulator::world::World;

/// The best of so many runs is told: a world cannot be faster than it is.
const RUNS: usize = 3;

const SCENARIOS: [&str; 4] = ["zero-to-one", "burst-10-to-500", "cron-night", "mixed-day"];

fn main() {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let named: Vec<&str> = named
        .into_iter()
        .filter(|it| !it.starts_with("--"))
        .collect();
    let scenarios = if named.is_empty() {
        &SCENARIOS[..]
    } else {
        &named
    };
    println!(
        "{:<18} {:>9} {:>9} {:>9} {:>8} {:>12} {:>9}",
        "scenario", "steps", "checks", "world", "oracles", "with report", "virtual"
    );
    for scenario in scenarios {
        measure(scenario);
    }
    println!(
        "\nworld: seconds of the world alone. oracles: the world with oracles, as a multiple. with report:\n\
         the whole of a run, as a multiple. virtual: seconds that pass in the world in one of ours."
    );
}

fn measure(name: &str) {
    let scenario = load(name, &Choices::default())
        .expect("the scenario can be read")
        .scenario;
    let mut best = [Duration::MAX; 3];
    let (mut steps, mut checks) = (0, 0);
    for _ in 0..RUNS {
        let (took, world) = timed(|| alone(&scenario));
        best[0] = best[0].min(took);
        steps = world.steps();
        let (took, looked) = timed(|| watched(&scenario));
        best[1] = best[1].min(took);
        checks = looked;
        let (took, outcome) = timed(|| run::run(&scenario, &mut |_| {}));
        best[2] = best[2].min(took);
        assert!(outcome.is_good(), "{name} does not come out as expected");
    }
    let [alone, watched, whole] = best.map(|it| it.as_secs_f64());
    println!(
        "{name:<18} {steps:>9} {checks:>9} {alone:>8.3}s {:>7.2}x {:>11.2}x {:>9.0}",
        watched / alone,
        whole / alone,
        scenario.until.as_secs_f64() / alone,
    );
}

fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let result = what();
    (began.elapsed(), result)
}

fn alone(scenario: &Scenario) -> World {
    let mut world = World::new(scenario.setup.clone());
    world.run_until(scenario.setup.start.saturating_add(scenario.until));
    world
}

fn watched(scenario: &Scenario) -> u64 {
    let end = scenario.setup.start.saturating_add(scenario.until);
    let mut world = World::new(scenario.setup.clone());
    let mut oracles = Oracles::new(&world);
    while world.next_at().is_some_and(|at| at <= end) {
        let Some(summary) = world.step() else { break };
        let failures = oracles.after_step(&world, &summary);
        assert!(failures.is_empty(), "{failures:?}");
    }
    let failures = oracles.finish(&world, Rest::Unknown);
    assert!(failures.is_empty(), "{failures:?}");
    oracles.checks()
}

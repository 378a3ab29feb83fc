//! A scenario from its first step to its report.

use std::time::Duration;

use crate::oracle::{Failure, Oracles, Rest};
use crate::report::{Heading, Report, compute};
use crate::scenario::{Scenario, Unmet, unmet};
use crate::world::World;

/// More failures than this tell nothing new.
const FAILURES_MAX: usize = 20;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// What oracles found.
    pub failures: Vec<Failure>,
    /// What did not come as expected.
    pub unmet: Vec<Unmet>,
    /// How many steps there were.
    pub steps: u64,
}

impl Outcome {
    /// Whether everything is as it must be.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && self.unmet.is_empty()
    }
}

/// Runs a scenario to its end. `progress` is told now and then how far virtual time has come.
pub fn run(scenario: &Scenario, progress: &mut dyn FnMut(Duration)) -> Outcome {
    let start = scenario.setup.start;
    let end = start.saturating_add(scenario.until);
    let mut world = World::new(scenario.setup.clone());
    let mut oracles = Oracles::new(&world);
    let mut failures = Vec::new();
    while world.next_at().is_some_and(|at| at <= end) && failures.len() < FAILURES_MAX {
        let Some(summary) = world.step() else { break };
        failures.extend(oracles.after_step(&world, &summary));
        progress(world.now().since(start));
    }
    if failures.is_empty() {
        world.run_until(end);
        failures.extend(oracles.finish(&world, Rest::Unknown));
    }
    let heading = Heading {
        scenario: &scenario.name,
        description: &scenario.description,
        seed: scenario.setup.seed,
        boot: &scenario.setup.boot,
        start,
        end: world.now(),
        oracle_checks: oracles.checks(),
    };
    let report = compute(&heading, world.log());
    let unmet = unmet(&scenario.expect, &report);
    Outcome {
        report,
        failures,
        unmet,
        steps: world.steps(),
    }
}

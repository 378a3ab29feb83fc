//! Worlds and faults drawn from seeds.
//!
//! A seed decides everything: pools, workloads, what users do, which faults strike and how often.
//! Each kind of fault is either on or off in a world, so that combinations of few faults are tried as
//! well as all at once. After a while faults stop and nobody does anything any more; then everything
//! must come to rest.

mod draw;
mod objects;

use std::collections::BTreeMap;

use crate::event::Entry;
use crate::faults::{FaultKind, Sabotage};
use crate::oracle::{Failure, Oracles, Rest};
use crate::trace::Trace;
use crate::world::World;

pub use draw::{Drawn, draw, drawn_from};

/// What came of one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// How many steps the world took.
    pub steps: u64,
    /// How often an oracle looked.
    pub checks: u64,
    /// The faults that struck.
    pub faults: BTreeMap<FaultKind, u64>,
    /// What an oracle found first.
    pub failures: Vec<Failure>,
}

/// Runs the world of one seed until an oracle finds something or it ends.
pub fn run(seed: u64, sabotage: Option<Sabotage>) -> Verdict {
    watch(seed, sabotage, |_| ())
}

/// The same, and shows each entry of the log as soon as it is made.
pub fn watch(seed: u64, sabotage: Option<Sabotage>, mut show: impl FnMut(&Entry)) -> Verdict {
    let drawn = draw(seed, sabotage);
    let end = drawn.setup.start.saturating_add(drawn.until);
    let mut world = World::new(drawn.setup);
    let mut oracles = Oracles::new(&world);
    let mut failures = Vec::new();
    while failures.is_empty() && world.next_at().is_some_and(|at| at <= end) {
        let Some(summary) = world.step() else { break };
        world.log()[summary.entries.clone()]
            .iter()
            .for_each(&mut show);
        failures.extend(oracles.after_step(&world, &summary));
    }
    if failures.is_empty() {
        world.run_until(end);
        failures.extend(oracles.finish(&world, Rest::Long));
    }
    Verdict {
        seed,
        steps: world.steps(),
        checks: oracles.checks(),
        faults: Trace::of(world.log()).faults,
        failures,
    }
}

/// The command that runs one seed again.
pub fn replay(seed: u64, sabotage: Option<Sabotage>) -> String {
    let sabotage = sabotage.map_or_else(String::new, |it| format!(" --sabotage {}", it.name()));
    format!("tidewright-sim fuzz --seed {seed} --count 1{sabotage}")
}

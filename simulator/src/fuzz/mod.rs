//! Worlds and faults drawn from seeds.
//!
//! A seed decides everything: pools, workloads, what users do, which faults strike and how often.
//! Each kind of fault is either on or off in a world, so that combinations of few faults are tried as
//! well as all at once. After a while faults stop and nobody does anything any more; then everything
//! must come to rest.
//!
//! A world in which something breaks is cut down ([`shrink`]) as long as the same oracle still finds
//! something. A seed and its cuts are a world again.

mod cut;
mod draw;
mod drawn;
mod objects;
mod shrink;

use std::collections::BTreeMap;

use crate::event::Entry;
use crate::faults::{FaultKind, Sabotage};
use crate::oracle::{Failure, Oracles, Rest};
use crate::trace::Trace;
use crate::world::World;

pub use cut::{Cut, parse_cuts};
pub use draw::{draw, drawn_from};
pub use drawn::Drawn;
pub use shrink::{Shrunk, shrink};

/// A world that can be run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is drawn from.
    pub seed: u64,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// What is left out of it, in this order.
    pub cuts: Vec<Cut>,
}

/// What came of one world.
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

impl Case {
    /// The whole world of a seed.
    pub const fn whole(seed: u64, sabotage: Option<Sabotage>) -> Self {
        Self {
            seed,
            sabotage,
            cuts: Vec::new(),
        }
    }

    /// The world as a value.
    pub fn drawn(&self) -> Drawn {
        let mut drawn = draw(self.seed);
        for cut in &self.cuts {
            drawn.cut(*cut);
        }
        drawn
    }

    /// The command that runs it again.
    pub fn command(&self) -> String {
        let mut command = format!("tidewright-sim fuzz --seed {} --count 1", self.seed);
        if let Some(sabotage) = self.sabotage {
            command.push_str(" --sabotage ");
            command.push_str(sabotage.name());
        }
        if !self.cuts.is_empty() {
            let cuts: Vec<String> = self.cuts.iter().map(ToString::to_string).collect();
            command.push_str(" --cut ");
            command.push_str(&cuts.join(","));
        }
        command
    }
}

/// Runs the world of one seed until an oracle finds something or it ends.
pub fn run(seed: u64, sabotage: Option<Sabotage>) -> Verdict {
    watch(&Case::whole(seed, sabotage), |_| ())
}

/// Runs a world and shows each entry of its log as soon as it is made.
pub fn watch(case: &Case, show: impl FnMut(&Entry)) -> Verdict {
    run_within(case, u64::MAX, show).expect("a world ends before its steps cannot be counted")
}

/// Runs a world that is to end within so many steps; none if it does not.
fn run_within(case: &Case, steps_max: u64, mut show: impl FnMut(&Entry)) -> Option<Verdict> {
    let drawn = case.drawn();
    let setup = drawn.setup(case.sabotage);
    let end = setup.start.saturating_add(drawn.until());
    let mut world = World::new(setup);
    let mut oracles = Oracles::new(&world);
    let mut failures = Vec::new();
    while failures.is_empty() && world.next_at().is_some_and(|at| at <= end) {
        if world.steps() == steps_max {
            return None;
        }
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
    Some(Verdict {
        seed: case.seed,
        steps: world.steps(),
        checks: oracles.checks(),
        faults: Trace::of(world.log()).faults,
        failures,
    })
}

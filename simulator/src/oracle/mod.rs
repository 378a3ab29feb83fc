//! What must hold in every world, looked at after every step.
//!
//! An oracle judges the log and the raw objects. It asks the product nothing and shares no code with
//! its decisions, so that it can be wrong in other ways only; `again` alone compares the product with
//! itself. After a step it looks at what the step
//! touched; every thousand steps and at the end it looks at everything.
//!
//! | Oracle | Looks at | Fails when |
//! |---|---|---|
//! | `budget` | claims told to go | more nodes of a pool go at once than its budgets allow |
//! | `do-not-disrupt` | evictions | a protected pod is evicted, or its node goes by choice |
//! | `pdb` | evictions | fewer pods are ready than their PodDisruptionBudget wants |
//! | `limits` | purchases | the machines of a pool exceed its limits |
//! | `intent` | fleet calls | a claim of the call does not exist or was told to go |
//! | `launched-once` | purchases | a group has more machines than claims |
//! | `orphan` | sweeps | a machine has had no claim for too long |
//! | `sold-out` | fleet calls | an offering is asked for within its three minutes |
//! | `promise` | promises | a promised pod cannot be bound where it was promised a place |
//! | `pod-lost` | sweeps | a pod vanished without an end |
//! | `bill` | sweeps | the bill is not the sum of times and prices |
//! | `interruption` | messages of the cloud | the claim of a lost machine is not told to go |
//! | `bound` | the end | a pod that could have had a place for long has none |
//! | `leaving` | the end | a node that was told to go is still there although nothing may hold it |
//! | `settled` | the end | decisions go on although nothing has changed for long |
//! | `again` | sweeps | another plan finds something to do where the engine finds nothing |

mod again;
mod interruption;
mod leaving;
mod liveness;
mod money;
mod pdb;
mod placeable;
mod pools;
mod promise;
mod safety;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use tidewright::api::nodepool::NodePool;
use tidewright::model::id::{PoolName, TypeName};
use tidewright::model::node_class::{NodeClass, NodeClassRef};
use tidewright::model::resources::Resources;
use tidewright::model::time::Timestamp;

use crate::event::{Entry, Event};
use crate::faults::FaultSettings;
use crate::store::{ObjectKey, uid};
use crate::trace::Trace;
use crate::world::{StepSummary, World};

use pools::PoolRules;

/// How often everything is looked at.
const SWEEP_EVERY_STEPS: u64 = 1_000;

/// What an oracle found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The oracle.
    pub oracle: &'static str,
    /// The step after which it looked.
    pub step: u64,
    /// The instant.
    pub at: Timestamp,
    /// The objects concerned.
    pub objects: Vec<String>,
    /// What is wrong, in one sentence.
    pub sentence: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            oracle,
            step,
            at,
            objects,
            sentence,
        } = self;
        let objects = objects.join(", ");
        write!(
            f,
            "oracle {oracle}, step {step}, {at}, {objects}: {sentence}"
        )
    }
}

/// What the oracles of one step look at, and where they say what they found.
#[derive(Debug)]
struct Scene<'a> {
    trace: &'a Trace,
    pools: &'a BTreeMap<PoolName, PoolRules>,
    /// What a machine of each type has.
    capacity: &'a BTreeMap<TypeName, Resources>,
    faults: &'a FaultSettings,
    entry: &'a Entry,
    checks: u64,
    failures: Vec<Failure>,
}

impl Scene<'_> {
    /// Looks once: `holds`, or a sentence about these objects.
    fn check(
        &mut self,
        oracle: &'static str,
        holds: bool,
        objects: impl FnOnce() -> Vec<String>,
        sentence: impl FnOnce() -> String,
    ) {
        self.checks += 1;
        if !holds {
            self.failures.push(Failure {
                oracle,
                step: self.entry.step,
                at: self.entry.at,
                objects: objects(),
                sentence: sentence(),
            });
        }
    }
}

/// What the oracles know of the world, whatever they look at.
#[derive(Debug)]
struct Knowledge {
    trace: Trace,
    pools: BTreeMap<PoolName, PoolRules>,
    pool_versions: Vec<String>,
    capacity: BTreeMap<TypeName, Resources>,
}

impl Knowledge {
    fn scene<'a>(&'a self, world: &'a World, entry: &'a Entry) -> Scene<'a> {
        Scene {
            trace: &self.trace,
            pools: &self.pools,
            capacity: &self.capacity,
            faults: &world.setup().faults,
            entry,
            checks: 0,
            failures: Vec::new(),
        }
    }

    /// Reads the raw NodePools again when one has changed.
    fn read_pools(&mut self, world: &World) {
        let pools = world.store().all::<NodePool>();
        let version = |pool: &NodePool| pool.metadata.resource_version.clone();
        let versions: Vec<String> = pools.values().filter_map(version).collect();
        if versions != self.pool_versions {
            let rules = pools.values().map(PoolRules::of);
            self.pools = rules.map(|rules| (rules.name.clone(), rules)).collect();
            self.pool_versions = versions;
        }
    }
}

/// The oracles of one world.
#[derive(Debug)]
pub struct Oracles {
    knowledge: Knowledge,
    safety: safety::Memory,
    guards: pdb::Guards,
    promises: promise::Promises,
    orphans: liveness::Orphans,
    interruptions: interruption::Open,
    last_sweep: u64,
    checks: u64,
}

impl Oracles {
    /// Oracles that have seen nothing yet.
    pub fn new(world: &World) -> Self {
        let class = NodeClass::with_defaults(NodeClassRef {
            group: "karpenter.k8s.aws".into(),
            kind: "EC2NodeClass".into(),
            name: "default".into(),
        });
        Self {
            knowledge: Knowledge {
                trace: Trace::default(),
                pools: BTreeMap::new(),
                pool_versions: Vec::new(),
                capacity: world.cloud().region().capacities(&class),
            },
            safety: safety::Memory::default(),
            guards: pdb::Guards::default(),
            promises: promise::Promises::new(&world.setup().faults),
            orphans: liveness::Orphans::default(),
            interruptions: interruption::Open::default(),
            last_sweep: 0,
            checks: 0,
        }
    }

    /// How often an oracle has looked.
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// Looks at what a step touched, and now and then at everything.
    pub fn after_step(&mut self, world: &World, summary: &StepSummary) -> Vec<Failure> {
        self.knowledge.read_pools(world);
        let mut failures = Vec::new();
        for entry in &world.log()[summary.entries.clone()] {
            self.knowledge.trace.add(entry);
            failures.extend(self.touched(world, entry));
        }
        if summary.step >= self.last_sweep + SWEEP_EVERY_STEPS {
            failures.extend(self.sweep(world));
        }
        failures
    }

    /// Looks at everything once more, and at what must have come to rest. The world has come to its
    /// end, which lies long enough after the last fault and the last change from outside if
    /// `rested`.
    pub fn finish(&mut self, world: &World, rest: Rest) -> Vec<Failure> {
        self.knowledge.read_pools(world);
        let mut failures = self.sweep(world);
        if rest == Rest::Long {
            failures.extend(self.at_rest(world));
        }
        failures
    }

    fn touched(&mut self, world: &World, entry: &Entry) -> Vec<Failure> {
        let mut scene = self.knowledge.scene(world, entry);
        safety::after(&mut scene, &mut self.safety);
        self.guards.after(&mut scene, world.store(), entry);
        self.promises.note(scene.trace, entry);
        self.interruptions.note(scene.trace, entry);
        self.interruptions.check(&mut scene);
        self.checks += scene.checks;
        scene.failures
    }

    fn sweep(&mut self, world: &World) -> Vec<Failure> {
        self.last_sweep = world.steps();
        let entry = now_of(world);
        let mut scene = self.knowledge.scene(world, &entry);
        money::bill_adds_up(&mut scene, world.cloud().bill(world.now()));
        liveness::no_pod_lost(&mut scene, &pods_in_store(world));
        self.orphans.check(&mut scene);
        self.promises.check(&mut scene, |target| {
            promise::usable_since(&self.knowledge.trace, world, target)
        });
        let questions = world
            .engine()
            .and_then(|it| it.settled_questions(world.clock()));
        if let Some(questions) = questions {
            again::planning_again_changes_nothing(&mut scene, &questions);
        }
        self.checks += scene.checks;
        scene.failures
    }

    fn at_rest(&mut self, world: &World) -> Vec<Failure> {
        let entry = now_of(world);
        let mut scene = self.knowledge.scene(world, &entry);
        placeable::every_placeable_pod_is_bound(&mut scene, world);
        liveness::nothing_is_left_over(&mut scene);
        leaving::what_was_told_to_go_has_gone(&mut scene, world.store(), world.now());
        liveness::decisions_have_settled(&mut scene, world.log());
        self.checks += scene.checks;
        scene.failures
    }
}

/// Whether the end of a world lies long after its last fault and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Long enough that everything must have settled.
    Long,
    /// Nobody knows.
    Unknown,
}

/// An entry that stands for "now", where no entry is looked at.
fn now_of(world: &World) -> Entry {
    Entry {
        step: world.steps(),
        at: world.now(),
        event: Event::Happened {
            what: "the oracles look at everything".into(),
        },
    }
}

fn pods_in_store(world: &World) -> BTreeSet<String> {
    let pods: &BTreeMap<ObjectKey, Pod> = world.store().all::<Pod>();
    pods.values().map(|pod| uid(pod).to_string()).collect()
}

#[cfg(test)]
mod tests;

//! The world: a virtual clock, a queue of occurrences, and everyone who reacts to them.
//!
//! One step is one occurrence. It changes the store, the cloud or the engine; what that touched is
//! then shown to everyone who watches, and their reactions join the queue. Nothing here reads a
//! clock, and all chance comes from the seed: the same [`Setup`] gives the same log.

mod adoption;
mod clock;
mod controller;
mod interruption;
mod machines;
mod prices;
mod queue;
mod reactions;
mod silence;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use tidewright::engine::{CloudEvent, Effect, Engine};
use tidewright::model::id::{NodeName, ProviderId, Uid};
use tidewright::model::time::Timestamp;

use crate::cloud::Cloud;
use crate::event::{Entry, Event};
use crate::faults::FaultSettings;
use crate::kube::kubelet::UserData;
use crate::kube::scheduler::Scheduler;
use crate::kube::workloads::Workloads;
use crate::random::Random;
use crate::setup::Setup;
use crate::store::Store;

use controller::Controller;
use queue::{Life, Occurrence, Queue};

/// What a step was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSummary {
    /// Its number, from 1.
    pub step: u64,
    /// When it was.
    pub at: Timestamp,
    /// What kind of occurrence it was, in a word.
    pub what: &'static str,
    /// The entries of the log that it added.
    pub entries: Range<usize>,
}

/// A world.
#[derive(Debug)]
pub struct World {
    setup: Setup,
    now: Timestamp,
    step: u64,
    queue: Queue,
    random: Random,
    log: Vec<Entry>,
    store: Store,
    cloud: Cloud,
    controller: Controller,
    scheduler: Scheduler,
    schedule_at: Option<Timestamp>,
    workloads: Workloads,
    /// When the controllers of workloads look again, each instant once.
    workloads_at: BTreeSet<Timestamp>,
    /// What machines were told when they were bought.
    told: BTreeMap<ProviderId, UserData>,
    /// The machines behind nodes that have joined.
    hosts: BTreeMap<NodeName, ProviderId>,
    /// The nodes that were there from the beginning, by machine.
    nodes_of: adoption::AdoptedNodes,
    /// The nodes whose add-ons run.
    schedulable: BTreeSet<NodeName>,
    /// The nodes whose kubelet is silent.
    silent: BTreeSet<NodeName>,
    /// The pods that a kubelet has taken and that are still there.
    taken: BTreeMap<Uid, reactions::Taken>,
    /// The pods whose end is in the log.
    ended: BTreeSet<Uid>,
    /// The claims whose machine is in the log.
    matched: BTreeSet<Uid>,
    /// The machines that are to be taken away, or were.
    doomed: BTreeSet<ProviderId>,
    /// The machines that stop, and were taken away by others.
    taken_by_others: BTreeSet<ProviderId>,
    /// What the cloud has said while no controller lived.
    inbox: Vec<CloudEvent>,
    /// How often a controller asks for prices, once they move.
    asks_every: Option<Duration>,
}

impl World {
    /// A world before its first step.
    pub fn new(setup: Setup) -> Self {
        let start = setup.start;
        let mut queue = Queue::default();
        queue.push(start, Occurrence::Begin);
        queue.push(start, Occurrence::StartController);
        for (index, (after, _)) in setup.timeline.iter().enumerate() {
            queue.push(start.saturating_add(*after), Occurrence::Happening(index));
        }
        Self {
            now: start,
            step: 0,
            queue,
            random: Random::new(setup.seed),
            log: Vec::new(),
            store: Store::default(),
            cloud: Cloud::new(setup.region.clone(), setup.seed),
            controller: Controller::none(setup.settings.clone()),
            scheduler: Scheduler::default(),
            schedule_at: None,
            workloads: Workloads::new(start),
            workloads_at: BTreeSet::new(),
            told: BTreeMap::new(),
            hosts: BTreeMap::new(),
            nodes_of: adoption::AdoptedNodes::new(),
            schedulable: BTreeSet::new(),
            silent: BTreeSet::new(),
            taken: BTreeMap::new(),
            ended: BTreeSet::new(),
            matched: BTreeSet::new(),
            doomed: BTreeSet::new(),
            taken_by_others: BTreeSet::new(),
            inbox: Vec::new(),
            asks_every: None,
            setup,
        }
    }

    /// Lets the next thing happen; none if nothing is going to happen any more.
    pub fn step(&mut self) -> Option<StepSummary> {
        let (at, occurrence) = self.queue.pop()?;
        self.now = self.now.max(at);
        self.step += 1;
        let begin = self.log.len();
        let what = occurrence.name();
        self.happen(occurrence);
        self.react();
        Some(StepSummary {
            step: self.step,
            at: self.now,
            what,
            entries: begin..self.log.len(),
        })
    }

    /// Lets everything happen up to and including an instant, and waits there.
    pub fn run_until(&mut self, end: Timestamp) {
        while self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.queue.next_at()
    }

    /// The instant that the world has reached.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How many steps there have been.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Everything that has happened, in order.
    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// What the world was made of.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The API server.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The cloud.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The engine of the controller that lives; none while it restarts.
    pub fn engine(&self) -> Option<&Engine> {
        self.controller.engine()
    }

    /// The effects of the engine's last step.
    pub fn last_effects(&self) -> &[Effect] {
        self.controller.last_effects()
    }

    fn happen(&mut self, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Begin => self.begin(),
            Occurrence::Happening(index) => self.happening(index),
            Occurrence::StartController => self.start_controller(),
            Occurrence::Deliver(life, delivery) => self.deliver(life, *delivery),
            Occurrence::Relist(life, kind) => self.relist(life, kind),
            Occurrence::Catalog(life) => self.tell_catalog(life),
            Occurrence::Prices(market, until) => self.move_prices(market, until),
            Occurrence::AskPrices(life) => self.ask_prices(life),
            Occurrence::Wake(life) => self.wake(life),
            Occurrence::Arrive(life, effect) => self.arrive(life, &effect),
            Occurrence::Answer(life, id, outcome) => self.answer(life, id, *outcome),
            Occurrence::Schedule => self.schedule(),
            Occurrence::Workloads => self.run_workloads(),
            Occurrence::Taking(id, loss) => self.taking(&id, loss),
            Occurrence::Said(event) => self.said(event),
            Occurrence::Machine(id, stage) => self.machine(&id, stage),
            Occurrence::Unheard(node) => self.unheard(&node),
            Occurrence::Impatient(key, uid) => self.impatient(&key, &uid),
            Occurrence::Heard(node) => self.heard(&node),
            Occurrence::Pod(key, uid, stage) => self.pod(&key, &uid, stage),
        }
    }

    fn record(&mut self, event: Event) {
        self.log.push(Entry {
            step: self.step,
            at: self.now,
            event,
        });
    }

    fn after(&self, span: Duration) -> Timestamp {
        self.now.saturating_add(span)
    }

    /// What may go wrong at present: after the quiet begins, nothing does.
    fn faults(&self) -> FaultSettings {
        let quiet = Duration::from_secs(u64::from(self.setup.faults.quiet_after_seconds));
        if self.now.since(self.setup.start) < quiet {
            return self.setup.faults.clone();
        }
        FaultSettings {
            plan_millis_max: self.setup.faults.plan_millis_max,
            ..FaultSettings::default()
        }
    }
}

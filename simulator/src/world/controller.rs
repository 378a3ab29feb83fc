//! The controller under test: the real engine, fed by watches and answers, in a process that can
//! die.

use std::sync::Arc;
use std::time::Duration;

use tidewright::api::convert;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::cloud::region::{Region, Sizes};
use tidewright::cluster::{Kind, NodeId};
use tidewright::engine::{
    Effect, EffectId, EffectOutcome, Engine, Input, Leadership, NoticeKind, Settings, Step,
};
use tidewright::model::catalog::Catalog;
use tidewright::model::id::{PodKey, PoolName};
use tidewright::model::node_class::NodeClass;
use tidewright::model::time::Timestamp;

use super::clock::Skew;
use super::{Life, Occurrence, World};
use crate::echo::{Delivery, Echo};
use crate::event::Event;
use crate::executor::{self, Hands};
use crate::faults::{FaultKind, FaultSettings, Sabotage};
use crate::random::{Purpose, Quantiles};
use crate::sabotage;
use crate::store::{ObjectKey, Table};

/// From the death of a controller to the first words of its successor, in milliseconds: a lease
/// of 15 s runs out, or a standby takes over sooner.
const RESTART_MILLIS: Quantiles =
    Quantiles::of([1_000, 2_000, 3_000, 6_000, 12_000, 17_000, 20_000]);

/// A wake-up that is due at once happens so much later, so that time goes on in any case.
const WAKE_AFTER_MIN: Duration = Duration::from_millis(1);

/// From a change of pools or classes to a new catalogue.
const CATALOG_AFTER: Duration = Duration::from_millis(20);

/// By how much an answer comes later at most: longer than anybody waits for one.
const SLOW_ANSWER_MILLIS_MAX: u32 = 90_000;

/// A controller, or the absence of one.
#[derive(Debug)]
pub(super) struct Controller {
    settings: Settings,
    engine: Option<Engine>,
    life: Life,
    /// How wrong its clock is.
    skew: Skew,
    pub(super) echo: Echo,
    wake_at: Option<Timestamp>,
    /// What it knows of types and prices: what it was told when it last asked.
    region: Option<Arc<Region>>,
    catalog: Arc<Catalog>,
    catalog_due: bool,
    /// What the catalogue was made from, so that a pool that changes computes no type anew.
    sizes: Sizes,
    last_effects: Vec<Effect>,
}

impl Controller {
    /// Nobody yet.
    pub(super) fn none(settings: Settings) -> Self {
        Self {
            settings,
            engine: None,
            life: Life(0),
            skew: Skew::NONE,
            echo: Echo::default(),
            wake_at: None,
            region: None,
            catalog: Arc::new(Catalog::new()),
            catalog_due: false,
            sizes: Sizes::default(),
            last_effects: Vec::new(),
        }
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    pub(super) fn last_effects(&self) -> &[Effect] {
        &self.last_effects
    }

    /// What it believes can be bought.
    #[cfg(test)]
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The number of the process that lives, if one does.
    pub(super) fn alive(&self) -> Option<Life> {
        self.engine.as_ref().map(|_| self.life)
    }
}

impl World {
    pub(super) fn start_controller(&mut self) {
        if self.controller.engine.is_some() {
            return;
        }
        let settings = self.controller.settings.clone();
        let life = Life(self.controller.life.0 + 1);
        self.controller = Controller {
            engine: Some(Engine::new(settings.clone())),
            life,
            ..Controller::none(settings)
        };
        self.record(Event::ControllerStarted);
        self.ask_prices(life);
        self.feed(Input::Leadership(Leadership::Leading));
        for kind in Kind::ALL {
            self.relist(life, kind);
        }
        self.empty_inbox();
    }

    /// The controller dies; another one starts after a while.
    pub(super) fn crash(&mut self) {
        if self.controller.engine.take().is_none() {
            return;
        }
        self.controller.echo = Echo::default();
        self.controller.last_effects.clear();
        let millis = self.random.quantile(Purpose::Controller, &RESTART_MILLIS);
        let at = self.after(Duration::from_millis(u64::from(millis)));
        self.queue.push(at, Occurrence::StartController);
    }

    fn is_alive(&self, life: Life) -> bool {
        self.controller.alive() == Some(life)
    }

    pub(super) fn deliver(&mut self, life: Life, delivery: Delivery) {
        if self.is_alive(life) && self.controller.echo.is_current(&delivery) {
            let change = sabotage::change(self.setup.sabotage, delivery.change);
            self.feed(Input::Observed(change));
        }
    }

    pub(super) fn relist(&mut self, life: Life, kind: Kind) {
        if !self.is_alive(life) {
            return;
        }
        let deliveries = self.controller.echo.relist(&self.store, kind, self.now);
        for delivery in deliveries {
            let at = delivery.at;
            self.queue
                .push(at, Occurrence::Deliver(life, Box::new(delivery)));
        }
    }

    pub(super) fn wake(&mut self, life: Life) {
        if self.setup.sabotage == Some(Sabotage::WakeUpsLost) {
            return;
        }
        let due = self.controller.wake_at.is_some_and(|at| at <= self.now);
        if self.is_alive(life) && due {
            self.feed(Input::Tick);
        }
    }

    /// Pools or node classes were touched.
    pub(super) fn catalog_is_due(&mut self) {
        if let Some(life) = self.controller.alive()
            && !self.controller.catalog_due
        {
            self.controller.catalog_due = true;
            let at = self.after(CATALOG_AFTER);
            self.queue.push(at, Occurrence::Catalog(life));
        }
    }

    pub(super) fn tell_catalog(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        self.controller.catalog_due = false;
        let classes = node_classes(self.store.all(), self.store.all());
        let pools = classes.iter().map(|(pool, class)| (pool.clone(), class));
        let region = self.controller.region.as_ref();
        let region = region.unwrap_or_else(|| self.cloud.region()).clone();
        let catalog = region.catalog_from(&mut self.controller.sizes, pools);
        self.controller.region = Some(region);
        if catalog != *self.controller.catalog {
            self.controller.catalog = Arc::new(catalog);
            self.feed(Input::Catalog(Arc::clone(&self.controller.catalog)));
        }
    }

    /// The controller asks what things cost, and asks again after a while.
    pub(super) fn ask_prices(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        if let Some(every) = self.asks_every {
            self.queue
                .push(self.after(every), Occurrence::AskPrices(life));
        }
        self.controller.region = None;
        self.controller.sizes = Sizes::default();
        self.tell_catalog(life);
    }

    pub(super) fn answer(&mut self, life: Life, id: EffectId, outcome: EffectOutcome) {
        if self.is_alive(life) {
            let outcome = sabotage::outcome(self.setup.sabotage, outcome);
            self.feed(Input::Done { id, outcome });
        }
    }

    /// What the controller's clock says.
    pub fn clock(&self) -> Timestamp {
        self.controller.skew.seen(self.now)
    }

    pub(super) fn feed(&mut self, input: Input) {
        if self.faults().clock_step_permille == 0 {
            self.controller.skew = Skew::NONE;
        }
        let clock = self.clock();
        let Some(engine) = self.controller.engine.as_mut() else {
            return;
        };
        let Step {
            effects,
            notices,
            wake_at,
        } = engine.step(clock, input);
        for notice in notices {
            let promised =
                (notice.kind == NoticeKind::Nominated).then(|| promise(&notice.object.name));
            self.record(Event::Notice(notice));
            if let Some(pod) = promised.flatten() {
                self.promised(pod);
            }
        }
        for effect in &effects {
            self.send(effect);
        }
        self.controller.last_effects = effects;
        self.wake_later(wake_at.map(|at| self.controller.skew.meant(at)));
    }

    /// The engine wants to be called; an instant that it has named before is in the queue already,
    /// unless it has passed.
    fn wake_later(&mut self, wake_at: Option<Timestamp>) {
        let known = std::mem::replace(&mut self.controller.wake_at, wake_at);
        let Some(at) = wake_at else {
            return;
        };
        if known != wake_at || at <= self.now {
            let at = at.max(self.after(WAKE_AFTER_MIN));
            let life = self.controller.life;
            self.queue.push(at, Occurrence::Wake(life));
        }
    }

    /// Where the engine has promised a pod a place.
    fn promised(&mut self, pod: PodKey) {
        let Some(engine) = self.controller.engine.as_ref() else {
            return;
        };
        let target = engine.cluster().promised_to(&pod).map(|id| match id {
            NodeId::Claim(name) => name.as_str().into(),
            NodeId::Node(name) => name.as_str().into(),
        });
        if let Some(target) = target {
            self.record(Event::Promised { pod, target });
        }
    }

    fn send(&mut self, effect: &Effect) {
        let faults = self.faults();
        let (there, _) = executor::latency(&effect.action, &faults, &mut self.random);
        let at = self.after(Duration::from_millis(u64::from(there)));
        let life = self.controller.life;
        self.queue
            .push(at, Occurrence::Arrive(life, Box::new(effect.clone())));
    }

    /// An effect arrives. Its sender may have died on the way: what was sent then arrives or does
    /// not.
    pub(super) fn arrive(&mut self, life: Life, effect: &Effect) {
        let faults = self.faults();
        let deadline = self.controller.skew.meant(effect.deadline);
        if !self.is_alive(life) {
            if self.random.below(Purpose::Controller, 2) == 0 {
                self.carry_out(effect);
            }
            return;
        }
        if self
            .random
            .happens(Purpose::Controller, faults.crash_permille)
        {
            self.record(Event::Fault(FaultKind::Crash));
            if self.random.below(Purpose::Controller, 2) == 0 {
                self.carry_out(effect);
            }
            self.crash();
            return;
        }
        self.perhaps_set_clock(&faults);
        let outcome = self.carry_out(effect);
        let (_, mut back) = executor::latency(&effect.action, &faults, &mut self.random);
        if self
            .random
            .happens(Purpose::Refusals, faults.answer_slow_permille)
        {
            self.record(Event::Fault(FaultKind::AnswerSlow));
            back += self.random.below(Purpose::Refusals, SLOW_ANSWER_MILLIS_MAX);
        }
        let at = self.after(Duration::from_millis(u64::from(back)));
        let lost = self
            .random
            .happens(Purpose::Controller, faults.answer_lost_permille);
        if lost {
            self.record(Event::Fault(FaultKind::AnswerLost));
        }
        let (at, outcome) = if lost || at > deadline {
            (deadline.max(self.now), EffectOutcome::Unknown)
        } else {
            (at, outcome)
        };
        let answer = Occurrence::Answer(life, effect.id, Box::new(outcome));
        self.queue.push(at, answer);
    }

    fn perhaps_set_clock(&mut self, faults: &FaultSettings) {
        if self
            .random
            .happens(Purpose::Clock, faults.clock_step_permille)
        {
            self.controller.skew = Skew::drawn(&mut self.random, faults.clock_step_millis_max);
            self.record(Event::Fault(FaultKind::ClockStep));
        }
    }

    fn carry_out(&mut self, effect: &Effect) -> EffectOutcome {
        let (faults, clock) = (self.faults(), self.clock());
        let mut hands = Hands {
            store: &mut self.store,
            cloud: &mut self.cloud,
            told: &mut self.told,
            faults: &faults,
            random: &mut self.random,
            sabotage: self.setup.sabotage,
            now: self.now,
            clock,
            events: Vec::new(),
            bought: Vec::new(),
            stopped: Vec::new(),
        };
        let outcome = hands.execute(effect);
        let Hands {
            events,
            bought,
            stopped,
            ..
        } = hands;
        for event in events {
            self.record(event);
        }
        for machine in bought {
            self.boot(&machine);
        }
        for machine in stopped {
            self.shut_down(&machine);
        }
        outcome
    }
}

/// A notice of a promise names its pod as `namespace/name`.
fn promise(object: &str) -> Option<PodKey> {
    let (namespace, name) = object.split_once('/')?;
    Some(PodKey::new(namespace, name))
}

/// The class that each pool uses; one that is missing counts as one that says nothing.
fn node_classes(
    pools: &Table<NodePool>,
    classes: &Table<EC2NodeClass>,
) -> Vec<(PoolName, NodeClass)> {
    let pools = pools.values().map(|pool| {
        let pool = convert::node_pool(pool).value;
        let reference = pool.template.node_class;
        let class = classes.get(&ObjectKey::cluster(&reference.name));
        let class = class.map(|class| convert::ec2_node_class(class).value);
        (
            pool.name,
            class.unwrap_or_else(|| NodeClass::with_defaults(reference)),
        )
    });
    pools.collect()
}

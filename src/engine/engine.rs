//! The engine: one step at a time.

use super::batch::Batch;
use super::disrupt::{self, Disrupt};
use super::effect::Step;
use super::input::{EffectOutcome, Input, Leadership, Settings};
use super::notice::NoticeKind;
use super::state::{State, named};
use super::sweep::{self, Sweep};
use super::{drain, interruption, launch, leadership, lifecycle, provision, settle};
use crate::model::time::Timestamp;
use crate::planner::PlanInput;
use crate::planner::disruption::DisruptionInput;
use std::time::Duration;

/// Decides, over time, what is to be done.
///
/// It starts empty and learns everything from its inputs; what it has in mind can be lost.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) state: State,
    pub(super) batch: Batch,
    pub(super) disrupt: Disrupt,
    pub(super) sweep: Sweep,
    leadership: Leadership,
}

/// What an engine would ask if it asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Where the pods go that have no place.
    pub provision: PlanInput,
    /// Which nodes go.
    pub disruption: DisruptionInput,
}

/// How often the parts react to one another within a step. A claim passes through all its phases
/// in fewer; what is left is done in a step of its own.
const ROUNDS_MAX: u32 = 8;

/// The least time to the next wake-up, so that time always moves.
const WAKE_MIN: Duration = Duration::from_millis(1);

impl Engine {
    /// An engine that knows nothing and stands by.
    pub fn new(settings: Settings) -> Self {
        Self {
            state: State::new(settings),
            batch: Batch::default(),
            disrupt: Disrupt::default(),
            sweep: Sweep::default(),
            leadership: Leadership::Standby,
        }
    }

    /// Takes in one input and says what is to be done. Any input is legal at any time, and `now` may
    /// lie before the `now` of the last step: clocks are set.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        let was_set_back = now < self.state.now;
        self.state.now = now;
        if was_set_back {
            self.clock_set_back();
        }
        self.take_in(input);
        self.settle_silence();
        self.pass_time();
        if self.acts() {
            self.react();
        }
        self.state.in_flight.forget(now);
        let mut step = std::mem::take(&mut self.state.step);
        step.wake_at = self.next_wake();
        step
    }

    /// What is true of the cluster, as far as this engine knows.
    pub fn cluster(&self) -> &crate::cluster::Cluster {
        &self.state.cluster
    }

    /// The questions that this engine holds answered at this instant; none while it waits for an
    /// answer, means to ask anyway, or is to be woken. Whoever plans again must find nothing to do.
    pub fn settled_questions(&self, now: Timestamp) -> Option<Questions> {
        let is_due = self.next_due().is_some_and(|at| at <= now);
        let is_busy = self.state.thinking.is_some()
            || self.batch.wants_plan()
            || self.disrupt.wants_plan(&self.state);
        if !self.acts() || is_due || is_busy {
            return None;
        }
        let mut provision = provision::question(&self.state);
        let mut disruption = disrupt::question(&self.state);
        (provision.now, disruption.now) = (now, now);
        Some(Questions {
            provision,
            disruption,
        })
    }

    fn acts(&self) -> bool {
        self.leadership == Leadership::Leading && self.state.cluster.is_synced()
    }

    /// Holds every wait to its bound, from now on.
    fn clock_set_back(&mut self) {
        let now = self.state.now;
        self.state.clock_set_back();
        self.batch.clock_set_back(now);
        self.disrupt.clock_set_back(now);
        self.sweep.clock_set_back(now);
    }

    fn take_in(&mut self, input: Input) {
        let state = &mut self.state;
        match input {
            Input::Tick => {}
            Input::Observed(change) => {
                let was_synced = state.cluster.is_synced();
                let mut dirty = state.cluster.apply(change);
                if !was_synced {
                    // Pods of a first list have not just come.
                    dirty.pod_events.clear();
                }
                state.absorb(dirty);
            }
            Input::Done { id, outcome } => settle::done(self, id, outcome),
            Input::Catalog(catalog) => {
                state.catalog = catalog;
                state.look_at_everything();
            }
            Input::Cloud(event) => interruption::heard(state, event),
            Input::Leadership(leadership) => {
                self.leadership = leadership;
                leadership::changed(state, leadership);
                self.sweep = Sweep::default();
                self.batch = Batch::default();
            }
            Input::Settings(settings) => state.settings = settings,
        }
    }

    /// A shell that does not answer is taken to have answered that it does not know.
    fn settle_silence(&mut self) {
        for id in self.state.in_flight.overdue(self.state.now) {
            settle::done(self, id, EffectOutcome::Unknown);
        }
    }

    fn pass_time(&mut self) {
        let state = &mut self.state;
        let now = state.now;
        let dirty = state.cluster.expire_nominations(now);
        state.absorb(dirty);
        if state.sold_out.next_end().is_some_and(|end| end <= now) {
            state.sold_out.expire(now);
            state.news.room = true;
        }
        let resting = state.resting_pools.len();
        state.resting_pools.retain(|_, rest| rest.until > now);
        state.news.room |= state.resting_pools.len() < resting;
    }

    /// The parts, in their order, until they have nothing more to say to one another.
    fn react(&mut self) {
        let state = &mut self.state;
        for _ in 0..ROUNDS_MAX {
            lifecycle::pod_events(state);
            interruption::react(state);
            let due = state.agenda.begin(state.now);
            for id in &due {
                lifecycle::react(state, id);
            }
            launch::react(state, &due);
            for id in &due {
                drain::react(state, id);
                disrupt::react(state, id);
                provision::look(state, id);
                sweep::react(state, id);
            }
            provision::react(state, &mut self.batch);
            self.disrupt.react(state, self.batch.is_open());
            self.sweep.react(state);
            if !state.agenda.has_due() && state.news.pods.is_empty() {
                break;
            }
        }
        check(state);
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let soonest = self.state.now.saturating_add(WAKE_MIN);
        self.next_due().map(|due| due.max(soonest))
    }

    /// When something is due next, be it overdue.
    fn next_due(&self) -> Option<Timestamp> {
        let state = &self.state;
        let mut times = vec![
            state.in_flight.next_overdue(),
            state.cluster.next_nomination_end(),
            state.sold_out.next_end(),
            state.resting_pools.values().map(|rest| rest.until).min(),
        ];
        if self.acts() {
            let batch = self.batch.due(&state.settings);
            times.push(batch.filter(|_| state.thinking.is_none()));
            times.push(state.agenda.next());
            times.push(state.agenda.has_due().then_some(state.now));
            times.push(self.disrupt.next(state, self.batch.is_open()));
            times.push(self.sweep.next());
        }
        times.into_iter().flatten().min()
    }
}

/// What must be so after each step. A breach is told and mended; it does not stop the process.
fn check(state: &mut State) {
    let is_planning = state.in_flight.is_planning();
    if state.thinking.is_some() != is_planning {
        let object = named("Engine", "plan");
        let message = "the plan in mind and the plan in flight do not agree".to_owned();
        state.notice(NoticeKind::Unexpected, object, "Invariant", message);
        state.thinking = None;
    }
}

//! Effects in flight, and those that rest: done and waiting for their echo, or failed and waiting
//! for another attempt.
//!
//! | State of a key | Leaves it when | To |
//! |---|---|---|
//! | unknown | the effect is ordered | in flight |
//! | in flight | the answer is "done" | resting for as long as an echo may take |
//! | in flight | the answer is a failure, or none came | resting, longer each time |
//! | resting | the time has passed | unknown, with its failures remembered for a while |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::backoff;
use super::effect::{Action, Effect, EffectId, Precondition};
use super::limits::{BACKOFF_LAST, SILENCE_MAX};
use crate::cluster::NodeId;
use crate::model::time::Timestamp;

/// Something that a part wants done.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) action: Action,
    pub(super) precondition: Precondition,
    /// What it wants, in words: the idempotency key.
    pub(super) key: String,
    /// How long the shell may wait for an answer.
    pub(super) patience: Duration,
    /// The nodes to look at when it has ended.
    pub(super) subjects: Vec<NodeId>,
}

/// An effect that was handed out.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) action: Action,
    pub(super) precondition: Precondition,
    pub(super) key: Arc<str>,
    pub(super) subjects: Vec<NodeId>,
    patience: Duration,
    deadline: Timestamp,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ordered {
    /// It is on its way.
    Sent(Box<Effect>),
    /// It is on its way already.
    InFlight,
    /// It rests until then.
    Resting(Timestamp),
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    failures: u32,
    until: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    last: u64,
    flights: BTreeMap<EffectId, Flight>,
    by_key: BTreeMap<Arc<str>, EffectId>,
    resting: BTreeMap<Arc<str>, Rest>,
}

impl InFlight {
    pub(super) fn order(&mut self, order: Order, now: Timestamp) -> Ordered {
        if self.by_key.contains_key(order.key.as_str()) {
            return Ordered::InFlight;
        }
        if let Some(rest) = self.resting.get(order.key.as_str())
            && rest.until > now
        {
            return Ordered::Resting(rest.until);
        }
        self.last += 1;
        let id = EffectId(self.last);
        let key: Arc<str> = order.key.into();
        let deadline = now.saturating_add(order.patience);
        let flight = Flight {
            action: order.action.clone(),
            precondition: order.precondition.clone(),
            key: key.clone(),
            subjects: order.subjects,
            patience: order.patience,
            deadline,
        };
        self.by_key.insert(key.clone(), id);
        self.flights.insert(id, flight);
        Ordered::Sent(Box::new(Effect {
            id,
            action: order.action,
            precondition: order.precondition,
            idempotency_key: key,
            deadline,
        }))
    }

    /// The effect has ended.
    pub(super) fn take(&mut self, id: EffectId) -> Option<Flight> {
        let flight = self.flights.remove(&id)?;
        self.by_key.remove(&flight.key);
        Some(flight)
    }

    /// The same is not wanted again for a while, because it is done and has to be seen first.
    pub(super) fn rest(&mut self, key: &Arc<str>, until: Timestamp) {
        let failures = 0;
        self.resting.insert(key.clone(), Rest { failures, until });
    }

    /// The same is tried again after a pause.
    pub(super) fn back_off(&mut self, key: &Arc<str>, now: Timestamp) -> Timestamp {
        let failures = self.failures(key).saturating_add(1);
        let until = now.saturating_add(backoff::pause(failures));
        self.resting.insert(key.clone(), Rest { failures, until });
        until
    }

    /// How often the same has failed in a row.
    pub(super) fn failures(&self, key: &str) -> u32 {
        self.resting.get(key).map_or(0, |rest| rest.failures)
    }

    /// Whether the last attempt at this ended well, a short while ago.
    pub(super) fn was_done(&self, key: &str) -> bool {
        self.resting.get(key).is_some_and(|rest| rest.failures == 0)
    }

    /// The effects on their way.
    pub(super) fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.flights.values()
    }

    /// Whether a plan is being made.
    pub(super) fn is_planning(&self) -> bool {
        let mut flights = self.flights.values();
        flights.any(|flight| matches!(flight.action, Action::Plan(_)))
    }

    /// The effects whose shell has fallen silent.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<EffectId> {
        let overdue = |flight: &Flight| flight.deadline.saturating_add(SILENCE_MAX) <= now;
        let ids = self.flights.iter().filter(|(_, flight)| overdue(flight));
        ids.map(|(id, _)| *id).collect()
    }

    /// The clock was set back: nothing rests or is waited for longer than it may from now on.
    pub(super) fn clock_set_back(&mut self, now: Timestamp) {
        for rest in self.resting.values_mut() {
            rest.until = rest.until.min(now.saturating_add(BACKOFF_LAST));
        }
        for flight in self.flights.values_mut() {
            flight.deadline = flight.deadline.min(now.saturating_add(flight.patience));
        }
    }

    /// Forgets rests that have been over for so long that a new failure is another matter.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let kept = |rest: &Rest| rest.until.saturating_add(BACKOFF_LAST) > now;
        self.resting.retain(|_, rest| kept(rest));
    }

    /// When a silent shell has to be given up on.
    pub(super) fn next_overdue(&self) -> Option<Timestamp> {
        let deadlines = self.flights.values().map(|flight| flight.deadline);
        deadlines.min().map(|it| it.saturating_add(SILENCE_MAX))
    }
}

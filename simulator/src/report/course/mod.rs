//! What a run looked like while it went on: the figures behind the charts.
//!
//! All of it is counted out of the log. A long run is thinned to as many points as a screen can
//! show; highs, lows and the end always stay.

mod events;
mod money;
mod pods;
mod stack;

use std::time::Duration;

use serde::{Serialize, Serializer};
use tidewright::model::catalog::CapacityType;
use tidewright::model::price::Money;
use tidewright::model::time::Timestamp;

use crate::event::Entry;
use crate::trace::Trace;

pub use events::{Happened, Lane};
pub use money::Spending;
pub use pods::{Bin, Waiting, WaitingPod};
pub use stack::{Layer, Stack};

use stack::Change;

/// So many instance types have a layer of their own; people cannot tell more colours apart.
const TYPES_MAX: usize = 7;

/// A run over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// How long it was.
    pub end: Millis,
    /// The machines that ran, by how they are paid for.
    pub machines_by_purchase: Stack,
    /// The machines that ran, by instance type.
    pub machines_by_type: Stack,
    /// The pods that are demand, by how far they are.
    pub pods: Stack,
    /// What the machines cost an hour, and have cost together.
    pub spending: Spending,
    /// How long pods waited.
    pub waiting: Waiting,
    /// What happened, by kind.
    pub events: Vec<Happened>,
}

/// A time after the start, written in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub Duration);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The first and the last instant of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Span {
    fn at(self, time: Timestamp) -> Millis {
        Millis(time.since(self.start))
    }

    fn length(self) -> Duration {
        self.end.since(self.start)
    }
}

/// The course of a run that cost so much.
pub(super) fn course(trace: &Trace, log: &[Entry], span: Span, cost: Money) -> Course {
    let purchase = |paid: CapacityType| paid.as_str().to_owned();
    Course {
        end: Millis(span.length()),
        machines_by_purchase: machines(trace, span, |it| purchase(it.capacity_type))
            .in_order(&["on-demand", "reserved", "spot"])
            .thinned(),
        machines_by_type: machines(trace, span, |it| it.instance_type.to_string())
            .largest(TYPES_MAX, "other types")
            .thinned(),
        pods: pods::pods(trace, span),
        spending: money::spending(trace, span, cost),
        waiting: pods::waiting(trace, span),
        events: events::events(log, span),
    }
}

/// How many machines of each kind ran.
fn machines(
    trace: &Trace,
    span: Span,
    kind: impl Fn(&tidewright::model::catalog::OfferingKey) -> String,
) -> Stack {
    let mut changes = Vec::new();
    for machine in trace.machines.values() {
        let layer = kind(&machine.offering);
        let change = |at, by| Change {
            at: span.at(at),
            layer: layer.clone(),
            by,
        };
        changes.push(change(machine.bought, 1));
        changes.extend(machine.terminated.map(|at| change(at, -1)));
    }
    Stack::of(changes, Millis(span.length()))
}

#[cfg(test)]
mod tests;

//! Pods: how far they are, and how long they waited.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tidewright::model::time::Timestamp;

use super::stack::{Change, Stack};
use super::{Millis, Span};
use crate::trace::{PodTrace, Trace};

/// As many slices of time have their longest wait shown.
const SLICES: u32 = 750;

/// The upper ends of the bins, in seconds. They grow as patience does.
const BIN_ENDS: [u64; 15] = [
    1, 2, 5, 10, 20, 30, 60, 120, 180, 240, 300, 600, 1_200, 3_600, 14_400,
];

/// How long pods waited from their creation to their answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// All pods that answered, counted by how long they waited. The bins follow one another.
    pub bins: Vec<Bin>,
    /// Of each slice of time the pod that waited longest, by creation.
    pub pods: Vec<WaitingPod>,
}

/// So many pods waited so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// Longer than this; none for the first bin.
    pub above: Option<Millis>,
    /// No longer than this; none for the last bin.
    pub to: Option<Millis>,
    /// How many.
    pub count: u64,
}

/// A pod that waited and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitingPod {
    /// When it was created.
    pub created: Millis,
    /// How long it waited.
    pub waited: Millis,
    /// Its namespace and name.
    pub name: String,
    /// How many were created in the same slice.
    pub of: u64,
}

/// The pods that are demand, from their creation to their end.
pub(super) fn pods(trace: &Trace, span: Span) -> Stack {
    let mut changes = Vec::new();
    for pod in trace.demand() {
        let bound = pod.bound.as_ref().map(|(at, _)| *at);
        let ends = [bound, pod.ready, None].map(|at| earliest(at, pod.left()));
        let mut since = Some(pod.created);
        for (layer, until) in ["waiting", "starting", "running"].into_iter().zip(ends) {
            let Some(from) = since else { break };
            let change = |at, by| Change {
                at: span.at(at),
                layer: layer.to_owned(),
                by,
            };
            changes.push(change(from, 1));
            changes.extend(until.map(|until| change(until, -1)));
            since = until.filter(|until| pod.left().is_none_or(|left| *until < left));
        }
    }
    Stack::of(changes, Millis(span.length()))
        .in_order(&["running", "starting", "waiting"])
        .thinned()
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// How long the pods waited that answered.
pub(super) fn waiting(trace: &Trace, span: Span) -> Waiting {
    let answered = trace.demand().filter_map(|pod| Some((pod, wait(pod)?)));
    let answered: Vec<(&PodTrace, Duration)> = answered.collect();
    Waiting {
        bins: bins(answered.iter().map(|(_, waited)| *waited)),
        pods: longest(&answered, span),
    }
}

fn wait(pod: &PodTrace) -> Option<Duration> {
    Some(pod.ready?.since(pod.created))
}

/// Bins before the first pod and behind the last say nothing.
fn bins(waits: impl Iterator<Item = Duration>) -> Vec<Bin> {
    let mut counts = [0; BIN_ENDS.len() + 1];
    for waited in waits {
        let place = BIN_ENDS.partition_point(|end| Duration::from_secs(*end) < waited);
        counts[place] += 1;
    }
    let end = |place: usize| {
        let seconds = BIN_ENDS.get(place)?;
        Some(Millis(Duration::from_secs(*seconds)))
    };
    let all = counts.iter().enumerate().map(|(place, count)| Bin {
        above: place.checked_sub(1).and_then(end),
        to: end(place),
        count: *count,
    });
    let is_empty = |bin: &Bin| bin.count == 0;
    let mut bins: Vec<Bin> = all.skip_while(is_empty).collect();
    while bins.last().is_some_and(is_empty) {
        bins.pop();
    }
    bins
}

fn longest(answered: &[(&PodTrace, Duration)], span: Span) -> Vec<WaitingPod> {
    let width = (span.length() / SLICES).max(Duration::from_millis(1));
    let mut slices: BTreeMap<u128, WaitingPod> = BTreeMap::new();
    for (pod, waited) in answered {
        let created = span.at(pod.created);
        let slice = created.0.as_nanos() / width.as_nanos();
        let this = WaitingPod {
            created,
            waited: Millis(*waited),
            name: pod.key.to_string(),
            of: 1,
        };
        let known = slices.get(&slice);
        let of = known.map_or(1, |known| known.of + 1);
        let longest = known.filter(|known| known.waited >= this.waited);
        let longest = longest.cloned().unwrap_or(this);
        slices.insert(slice, WaitingPod { of, ..longest });
    }
    slices.into_values().collect()
}

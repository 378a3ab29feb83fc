//! What happened, in lanes: one for each kind of thing that explains a turn of a curve.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tidewright::engine::{Notice, NoticeKind};

use super::{Millis, Span};
use crate::event::{Entry, Event};

/// Marks nearer to one another than this part of the run would cover one another.
const MARKS: u32 = 300;

/// So many kinds of things are named at one mark.
const NAMED_MAX: usize = 6;

/// The lanes, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Lane {
    /// The scenario did something to the world.
    #[serde(rename = "from outside")]
    Outside,
    /// A machine was bought.
    #[serde(rename = "launch")]
    Launch,
    /// The cloud had nothing to sell.
    #[serde(rename = "insufficient capacity")]
    SoldOut,
    /// A claim was given up.
    #[serde(rename = "given up")]
    GivenUp,
    /// A node goes by decision.
    #[serde(rename = "disruption")]
    Disruption,
    /// The cloud announced that it takes a machine, or took it.
    #[serde(rename = "interruption")]
    Interruption,
    /// A pod was told to leave.
    #[serde(rename = "eviction")]
    Eviction,
    /// A fault struck.
    #[serde(rename = "fault")]
    Fault,
    /// The controller started.
    #[serde(rename = "controller start")]
    Controller,
}

/// Things of one lane that happened together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// When the first of them happened.
    pub at: Millis,
    /// The lane.
    pub lane: Lane,
    /// How many.
    pub count: u64,
    /// What, one a line.
    pub what: Vec<String>,
}

/// The marks by time.
pub(super) fn events(log: &[Entry], span: Span) -> Vec<Happened> {
    let width = (span.length() / MARKS).max(Duration::from_millis(1));
    let mut open: BTreeMap<Lane, Gathered> = BTreeMap::new();
    let mut marks = Vec::new();
    for entry in log {
        let Some((lane, what)) = told(&entry.event) else {
            continue;
        };
        let at = span.at(entry.at);
        let ends = |mark: &Gathered| at.0.saturating_sub(mark.at.0) >= width;
        if open.get(&lane).is_some_and(ends) {
            marks.extend(open.remove(&lane).map(|mark| mark.told(lane)));
        }
        let mark = open.entry(lane).or_insert_with(|| Gathered {
            at,
            what: BTreeMap::new(),
        });
        *mark.what.entry(what).or_default() += 1;
    }
    marks.extend(open.into_iter().map(|(lane, mark)| mark.told(lane)));
    marks.sort_by_key(|mark| (mark.at, mark.lane));
    marks
}

struct Gathered {
    at: Millis,
    what: BTreeMap<String, u64>,
}

impl Gathered {
    /// The most frequent first, so that what is left out is the least.
    fn told(self, lane: Lane) -> Happened {
        let count = self.what.values().sum();
        let mut kinds: Vec<(String, u64)> = self.what.into_iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let left_out = kinds.len().saturating_sub(NAMED_MAX);
        let named = kinds.into_iter().take(NAMED_MAX);
        let mut what: Vec<String> = named
            .map(|(what, count)| match count {
                1 => what,
                count => format!("{count} x {what}"),
            })
            .collect();
        if left_out > 0 {
            what.push(format!("and {left_out} other kinds"));
        }
        Happened {
            at: self.at,
            lane,
            count,
            what,
        }
    }
}

/// The lane of an event and what is said of it; none for what the curves show already.
fn told(event: &Event) -> Option<(Lane, String)> {
    match event {
        Event::Happened { what } => Some((Lane::Outside, what.to_string())),
        Event::MachineBought { offering, .. } => Some((
            Lane::Launch,
            format!(
                "{} {}",
                offering.capacity_type.as_str(),
                offering.instance_type
            ),
        )),
        Event::SoldOut { offering } => Some((Lane::SoldOut, offering.to_string())),
        Event::PodEvicted { forced: true, .. } => {
            Some((Lane::Eviction, "a pod whose node's time was up".to_owned()))
        }
        Event::PodEvicted { .. } => Some((Lane::Eviction, "a pod".to_owned())),
        Event::MachineTaken { .. } => Some((Lane::Interruption, "a machine taken away".to_owned())),
        Event::Fault(kind) => Some((Lane::Fault, kind.name().to_owned())),
        Event::ControllerStarted => {
            Some((Lane::Controller, "started with an empty memory".to_owned()))
        }
        Event::Notice(notice) => decided(notice),
        Event::PodCreated { .. }
        | Event::PodUnschedulable { .. }
        | Event::PodBound { .. }
        | Event::PodReady { .. }
        | Event::PodEnded { .. }
        | Event::PricesMoved { .. }
        | Event::ClaimCreated { .. }
        | Event::ClaimMatched { .. }
        | Event::ClaimDeleting { .. }
        | Event::ClaimGone { .. }
        | Event::FleetCalled { .. }
        | Event::MachineBooting { .. }
        | Event::MachineTerminated { .. }
        | Event::NodeJoined { .. }
        | Event::NodeReady { .. }
        | Event::NodeDeleting { .. }
        | Event::NodeGone { .. }
        | Event::CloudSaid { .. }
        | Event::Promised { .. } => None,
    }
}

/// The engine's own words, where they are the only ones.
fn decided(notice: &Notice) -> Option<(Lane, String)> {
    let lane = match notice.kind {
        NoticeKind::Disrupted => Lane::Disruption,
        NoticeKind::GivenUp => Lane::GivenUp,
        NoticeKind::Announced => Lane::Interruption,
        NoticeKind::Nominated
        | NoticeKind::Unplaced
        | NoticeKind::ClaimCreated
        | NoticeKind::LaunchRequested
        | NoticeKind::SoldOut
        | NoticeKind::Launched
        | NoticeKind::Registered
        | NoticeKind::Initialized
        | NoticeKind::Kept
        | NoticeKind::Evicted
        | NoticeKind::Terminated
        | NoticeKind::Swept
        | NoticeKind::Outdated
        | NoticeKind::Unexpected => return None,
    };
    Some((lane, notice.reason.to_string()))
}

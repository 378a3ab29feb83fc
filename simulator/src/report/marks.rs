//! The timeline: what was done to the world, and what became of pods, machines and nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use tidewright::model::time::Timestamp;

use super::Mark;
use crate::event::{Entry, Event};

/// Lines that stand for many events of one kind are told once: the first and how many.
const SAME_WITHIN: Duration = Duration::from_secs(30);

/// The lines in order.
pub(super) fn marks(start: Timestamp, log: &[Entry]) -> Vec<Mark> {
    let mut marks: Vec<Gathered> = Vec::new();
    let mut open: BTreeMap<&'static str, usize> = BTreeMap::new();
    for entry in log {
        let Some((kind, what)) = line(&entry.event) else {
            continue;
        };
        let recent = open.get(kind).map(|index| &mut marks[*index]);
        let recent =
            recent.filter(|mark| entry.at.since(mark.first) <= SAME_WITHIN && !kind.is_empty());
        if let Some(mark) = recent {
            mark.count += 1;
        } else {
            open.insert(kind, marks.len());
            marks.push(Gathered {
                first: entry.at,
                count: 1,
                kind,
                what,
            });
        }
    }
    marks.into_iter().map(|mark| mark.line(start)).collect()
}

struct Gathered {
    first: Timestamp,
    count: u64,
    kind: &'static str,
    what: String,
}

impl Gathered {
    fn line(self, start: Timestamp) -> Mark {
        let what = match self.count {
            1 => self.what,
            count => format!("{} (and {} more)", self.what, count - 1),
        };
        let what = if self.kind.is_empty() {
            what
        } else {
            format!("{}: {what}", self.kind)
        };
        Mark {
            at: self.first.since(start),
            what,
        }
    }
}

/// The kind of a line, by which equal ones are gathered, and its text; none for what is told
/// elsewhere. What is done from outside is never gathered.
fn line(event: &Event) -> Option<(&'static str, String)> {
    let told = match event {
        Event::Happened { what } => ("", what.to_string()),
        Event::ControllerStarted => ("controller starts", "with an empty memory".to_owned()),
        Event::PodCreated {
            pod,
            node_bound: false,
            ..
        } => ("pod created", pod.to_string()),
        Event::FleetCalled {
            offerings, count, ..
        } => {
            let first = offerings.first().map(ToString::to_string);
            let first = first.unwrap_or_default();
            let what = match offerings.len() {
                0 | 1 => format!("{count} x {first}"),
                all => format!("{count} x {first}, or another of {all} offerings"),
            };
            ("fleet call", what)
        }
        Event::SoldOut { offering } => ("sold out", offering.to_string()),
        Event::MachineBought {
            offering, price, ..
        } => ("machine bought", format!("{offering} at ${price}/h")),
        Event::MachineBooting { machine } => ("machine boots", machine.to_string()),
        Event::NodeReady { node } => ("node ready", node.to_string()),
        Event::PodBound { pod, node } => ("pod bound", format!("{pod} to {node}")),
        Event::PodReady { pod } => ("pod ready", pod.to_string()),
        Event::PodEnded { pod, .. } => ("pod ended", pod.to_string()),
        Event::PodEvicted { pod, .. } => ("pod evicted", pod.to_string()),
        Event::ClaimDeleting { claim, .. } => ("claim told to go", claim.to_string()),
        Event::MachineTerminated { machine } => ("machine terminated", machine.to_string()),
        Event::CloudSaid { machine, kind } => (kind.reason(), machine.to_string()),
        Event::MachineTaken { machine } => ("machine taken away", machine.to_string()),
        Event::NodeGone { node } => ("node gone", node.to_string()),
        Event::PodCreated { .. }
        | Event::PodUnschedulable { .. }
        | Event::PricesMoved { .. }
        | Event::ClaimCreated { .. }
        | Event::ClaimMatched { .. }
        | Event::ClaimGone { .. }
        | Event::NodeJoined { .. }
        | Event::NodeDeleting { .. }
        | Event::Notice(_)
        | Event::Promised { .. }
        | Event::Fault(_) => return None,
    };
    Some(told)
}

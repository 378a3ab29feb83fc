//! Logs written by hand, for tests: a line is a time in seconds, a word, and what belongs to it.

use std::time::Duration;

use tidewright::engine::{CloudEventKind, Notice, NoticeKind, ObjectRef};
use tidewright::model::catalog::{CapacityType, OfferingKey};
use tidewright::model::id::{PodKey, Uid};
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

use crate::event::{Actor, Entry, Event};
use crate::faults::FaultKind;

/// The first instant of a log: 2026-01-05, a Monday, at 08:00 UTC.
pub const START: Timestamp = Timestamp::from_seconds(1_767_600_000);

/// The log of a text. Every line is a step of its own; uids are `uid-` and the name. Written are
///
/// ```text
///   pod NAME [KIND_OWNER] | daemon NAME | unschedulable NAME | bound NAME NODE | ready NAME | ended NAME
///   evicted NAME NODE [protected] [ready] [forced] | promised NAME TARGET
///   claim NAME POOL | matched NAME ID | deleting NAME [by-user] | claim-gone NAME
///   fleet GROUP COUNT CLAIM,CLAIM.. OFFERING..      an offering is spot:m6a.large:us-east-2a
///   bought ID OFFERING PRICE [GROUP] | boots ID | terminated ID | sold-out OFFERING
///   said ID REASON | taken ID
///   joined NODE ID | node-ready NODE | node-deleting NODE | node-gone NODE
///   notice KIND OBJECT NAME REASON WORD.. | fault KIND | start | happened WORD..
/// ```
pub fn log(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    let entries = lines.zip(1..).map(|(line, step)| {
        let (seconds, event) = line.split_once(' ').expect("a line has a time and a word");
        let millis: u64 = match seconds.split_once('.') {
            Some((whole, part)) => format!("{whole}{part:0<3}"),
            None => format!("{seconds}000"),
        }
        .parse()
        .expect("a time is a number of seconds");
        Entry {
            step,
            at: START.saturating_add(Duration::from_millis(millis)),
            event: event_of(event),
        }
    });
    entries.collect()
}

fn event_of(text: &str) -> Event {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["start"] => Event::ControllerStarted,
        ["happened", what @ ..] => Event::Happened {
            what: what.join(" ").into(),
        },
        ["fault", kind] => {
            let known = FaultKind::ALL.into_iter();
            let mut known = known.filter(|it| it.name().replace(' ', "-") == *kind);
            Event::Fault(known.next().expect("a fault has its name"))
        }
        ["notice", kind, object, name, reason, message @ ..] => Event::Notice(Notice {
            object: ObjectRef {
                kind: if *object == "Pod" { "Pod" } else { "NodeClaim" },
                name: (*name).into(),
            },
            kind: notice_kind(kind),
            reason: (*reason).into(),
            message: message.join(" "),
        }),
        words => pod_event(words)
            .or_else(|| claim_event(words))
            .or_else(|| machine_event(words))
            .unwrap_or_else(|| panic!("a log has no line such as {text:?}")),
    }
}

fn pod_event(words: &[&str]) -> Option<Event> {
    let name = words.get(1)?;
    let pod = PodKey::new("default", name);
    let uid = uid(name);
    let event = match words {
        [kind @ ("pod" | "daemon"), _, owner @ ..] => Event::PodCreated {
            pod,
            uid,
            node_bound: *kind == "daemon",
            owner: owner.first().map(|owner| owner.replace('_', " ").into()),
        },
        ["unschedulable", _] => Event::PodUnschedulable { pod },
        ["bound", _, node] => Event::PodBound {
            pod,
            node: (*node).into(),
        },
        ["ready", _] => Event::PodReady { pod },
        ["ended", _] => Event::PodEnded { pod, uid },
        ["evicted", _, node, how @ ..] => Event::PodEvicted {
            pod,
            uid,
            node: (*node).into(),
            protected: how.contains(&"protected"),
            ready: how.contains(&"ready"),
            forced: how.contains(&"forced"),
        },
        ["promised", _, target] => Event::Promised {
            pod,
            target: (*target).into(),
        },
        _ => return None,
    };
    Some(event)
}

fn claim_event(words: &[&str]) -> Option<Event> {
    let event = match words {
        ["claim", name, pool] => Event::ClaimCreated {
            claim: (*name).into(),
            uid: uid(name),
            pool: (*pool).into(),
        },
        ["matched", name, machine] => Event::ClaimMatched {
            claim: (*name).into(),
            machine: (*machine).into(),
        },
        ["deleting", name, by @ ..] => Event::ClaimDeleting {
            claim: (*name).into(),
            by: if by.contains(&"by-user") {
                Actor::User
            } else {
                Actor::Controller
            },
        },
        ["claim-gone", name] => Event::ClaimGone {
            claim: (*name).into(),
        },
        ["fleet", group, count, claims, offerings @ ..] => Event::FleetCalled {
            group: (*group).into(),
            claims: claims
                .split(',')
                .map(|claim| (claim.into(), uid(claim)))
                .collect(),
            offerings: offerings.iter().map(|text| offering(text)).collect(),
            count: count.parse().expect("a count is a number"),
        },
        _ => return None,
    };
    Some(event)
}

fn machine_event(words: &[&str]) -> Option<Event> {
    let event = match words {
        ["bought", id, sold, price, group @ ..] => Event::MachineBought {
            machine: (*id).into(),
            offering: offering(sold),
            price: Price::parse_decimal(price).expect("a price is a decimal"),
            group: group.first().map(|group| (*group).into()),
        },
        ["boots", id] => Event::MachineBooting {
            machine: (*id).into(),
        },
        ["terminated", id] => Event::MachineTerminated {
            machine: (*id).into(),
        },
        ["said", id, reason] => {
            let mut kinds = CloudEventKind::ALL.into_iter();
            let kind = kinds.find(|kind| kind.reason() == *reason);
            Event::CloudSaid {
                machine: (*id).into(),
                kind: kind.expect("a message has its reason"),
            }
        }
        ["taken", id] => Event::MachineTaken {
            machine: (*id).into(),
        },
        ["sold-out", sold] => Event::SoldOut {
            offering: offering(sold),
        },
        ["joined", node, id] => Event::NodeJoined {
            node: (*node).into(),
            machine: (*id).into(),
        },
        ["node-ready", node] => Event::NodeReady {
            node: (*node).into(),
        },
        ["node-deleting", node] => Event::NodeDeleting {
            node: (*node).into(),
        },
        ["node-gone", node] => Event::NodeGone {
            node: (*node).into(),
        },
        _ => return None,
    };
    Some(event)
}

fn notice_kind(name: &str) -> NoticeKind {
    let kinds = [
        NoticeKind::Nominated,
        NoticeKind::Unplaced,
        NoticeKind::ClaimCreated,
        NoticeKind::LaunchRequested,
        NoticeKind::Disrupted,
    ];
    let mut named = kinds.into_iter().filter(|kind| kind.name() == name);
    named.next().expect("a notice has one of these kinds")
}

fn uid(name: &str) -> Uid {
    format!("uid-{name}").as_str().into()
}

fn offering(text: &str) -> OfferingKey {
    let parts: Vec<&str> = text.split(':').collect();
    let [paid, instance_type, zone] = parts.as_slice() else {
        panic!("an offering has three parts: {text}");
    };
    OfferingKey {
        capacity_type: CapacityType::parse(paid).expect("a capacity type has its name"),
        instance_type: (*instance_type).into(),
        zone: (*zone).into(),
    }
}

//! From the log to the figures.

use std::collections::BTreeMap;
use std::time::Duration;

use tidewright::engine::NoticeKind;
use tidewright::model::catalog::CapacityType;
use tidewright::model::id::LaunchGroup;
use tidewright::model::price::Money;
use tidewright::model::time::Timestamp;

use super::course::{Span, course};
use super::figure::{Dollars, Seconds, percentile};
use super::interruptions::interruptions;
use super::stages::{baseline_only, first_answer};
use super::{
    Decision, Details, Launched, MachineLine, ProfileLine, Report, UnplacedPod, Waits, marks,
};
use crate::boot::BootProfile;
use crate::event::{Entry, Event};
use crate::faults::FaultKind;
use crate::trace::{MachineTrace, Trace};

/// EC2 bills by the second, and a minute at least (EC2 documentation, "On-Demand billing").
pub(super) const BILLED_MIN: Duration = Duration::from_mins(1);

/// What the measured baseline takes after the last pod until its first node is gone, and until all are.
pub(super) const BASELINE_FIRST_GONE: Duration = Duration::from_secs(270);
pub(super) const BASELINE_ALL_GONE: Duration = Duration::from_secs(810);

/// What a report needs to know besides the log.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    /// The scenario.
    pub scenario: &'a str,
    /// What it is about.
    pub description: &'a str,
    /// The seed.
    pub seed: u64,
    /// The boot profile.
    pub boot: &'a BootProfile,
    /// The first instant.
    pub start: Timestamp,
    /// The last.
    pub end: Timestamp,
    /// How often an oracle looked.
    pub oracle_checks: u64,
}

/// The report on a log.
pub fn compute(heading: &Heading<'_>, log: &[Entry]) -> Report {
    let trace = Trace::of(log);
    let answer = first_answer(&trace, heading.boot);
    let stages = answer
        .as_ref()
        .map_or_else(|| baseline_only(heading.boot), |it| it.stages.clone());
    let last_end = last_demand_end(&trace);
    let cost = cost(&trace, |machine| machine.terminated.unwrap_or(heading.end));
    let span = Span {
        start: heading.start,
        end: heading.end,
    };
    Report {
        scenario: heading.scenario.to_owned(),
        seed: heading.seed,
        boot_profile: heading.boot.name.clone(),
        first_answer_seconds: answer.as_ref().map(|it| Seconds(it.span)),
        stages,
        our_seconds: answer.as_ref().map(|it| Seconds(it.ours)),
        all_nodes_gone_seconds: last_end.and_then(|end| all_gone(&trace, end)),
        pod_wait_seconds: waits(&trace),
        nodes_launched: launched(&trace),
        nodes_peak: peak(&trace),
        evictions: evictions(log),
        interruptions: interruptions(&trace, heading.end),
        cost_usd: Dollars(cost),
        oracle_checks: heading.oracle_checks,
        faults: faults(&trace),
        virtual_seconds: Seconds(heading.end.since(heading.start)),
        decisions: decisions(heading.start, log),
        details: Details {
            description: heading.description.to_owned(),
            start: heading.start,
            boot_summary: heading.boot.summary.clone(),
            paid: answer.as_ref().map(|it| it.paid),
            profile: profile(heading.boot),
            machines: machines(&trace, heading),
            first_node_gone: last_end.and_then(|end| first_gone(&trace, end)),
            baseline_cost: Dollars(baseline_cost(&trace, last_end, heading.end)),
            answered: answered(&trace),
            unplaced: unplaced(&trace, log),
            fallback: fallback(log),
            marks: marks::marks(heading.start, log),
            course: course(&trace, log, span, cost),
        },
    }
}

fn last_demand_end(trace: &Trace) -> Option<Timestamp> {
    let ended = trace.demand().map(super::super::trace::PodTrace::left);
    // While a pod of the demand lives, the last end is still to come.
    ended.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// The span until nothing of ours is left, if nothing is.
fn all_gone(trace: &Trace, end: Timestamp) -> Option<Seconds> {
    let machines = trace.machines.values().map(|machine| machine.terminated);
    let claims = trace.claims.values().map(|claim| claim.gone);
    let ours = |machine| trace.machines.contains_key(machine);
    let nodes = trace.nodes.values().filter(|node| ours(&node.machine));
    let nodes = nodes.map(|node| node.gone);
    let gone: Option<Vec<Timestamp>> = machines.chain(claims).chain(nodes).collect();
    Some(Seconds(gone?.into_iter().max()?.since(end)))
}

fn first_gone(trace: &Trace, end: Timestamp) -> Option<Duration> {
    let ends = trace.machines.values().filter_map(|it| it.terminated);
    ends.filter(|at| *at >= end).min().map(|at| at.since(end))
}

fn waits(trace: &Trace) -> Waits {
    let spans = trace
        .demand()
        .filter_map(|pod| Some(pod.ready?.since(pod.created)));
    let mut spans: Vec<Duration> = spans.collect();
    spans.sort_unstable();
    let at = |percent| percentile(&spans, percent).map(Seconds);
    Waits {
        p50: at(50),
        p95: at(95),
        max: at(100),
    }
}

fn answered(trace: &Trace) -> (u64, u64) {
    let of = |keep: fn(&crate::trace::PodTrace) -> bool| {
        let count = trace.demand().filter(|pod| keep(pod)).count();
        u64::try_from(count).expect("pods are counted in memory")
    };
    (of(|pod| pod.ready.is_some()), of(|_| true))
}

fn launched(trace: &Trace) -> Launched {
    let mut launched = Launched::default();
    // A machine of no launch group was there before the world began.
    let machines = trace.machines.values();
    for machine in machines.filter(|machine| machine.group.is_some()) {
        match machine.offering.capacity_type {
            CapacityType::Spot => launched.spot += 1,
            CapacityType::OnDemand | CapacityType::Reserved => launched.on_demand += 1,
        }
    }
    launched
}

/// The most machines that ran at once. One that ends in the instant in which another begins is not
/// counted with it.
fn peak(trace: &Trace) -> u64 {
    let mut changes: Vec<(Timestamp, i64)> = Vec::new();
    for machine in trace.machines.values() {
        changes.push((machine.bought, 1));
        changes.extend(machine.terminated.map(|at| (at, -1)));
    }
    changes.sort_unstable();
    let running = changes.iter().scan(0, |running, (_, change)| {
        *running += change;
        Some(*running)
    });
    u64::try_from(running.max().unwrap_or(0)).unwrap_or(0)
}

fn evictions(log: &[Entry]) -> u64 {
    let evicted = |entry: &&Entry| matches!(entry.event, Event::PodEvicted { .. });
    u64::try_from(log.iter().filter(evicted).count()).expect("entries are counted in memory")
}

/// Until when a machine that ends then is paid for.
fn paid_until(machine: &MachineTrace, end: Timestamp) -> Timestamp {
    end.max(machine.bought.saturating_add(BILLED_MIN))
}

/// What the machines cost if each ends when `end` says.
fn cost(trace: &Trace, end: impl Fn(&MachineTrace) -> Timestamp) -> Money {
    let costs = trace
        .machines
        .values()
        .map(|machine| trace.cost(machine, paid_until(machine, end(machine))));
    costs.sum()
}

/// What the same machines cost if they go as they did in the baseline: after the last pod the first
/// at its time, the last at its, the others evenly between. Machines that went before go as here.
fn baseline_cost(trace: &Trace, last_end: Option<Timestamp>, end: Timestamp) -> Money {
    let Some(last_end) = last_end else {
        return cost(trace, |machine| machine.terminated.unwrap_or(end));
    };
    let late = |machine: &MachineTrace| machine.terminated.is_none_or(|at| at >= last_end);
    let mut late: Vec<_> = trace.machines.values().filter(|it| late(it)).collect();
    late.sort_by_key(|machine| machine.bought);
    let steps = u32::try_from(late.len().saturating_sub(1).max(1)).unwrap_or(u32::MAX);
    let step = BASELINE_ALL_GONE.saturating_sub(BASELINE_FIRST_GONE) / steps;
    cost(trace, |machine| {
        let place = late.iter().position(|it| std::ptr::eq(*it, machine));
        match place.and_then(|place| u32::try_from(place).ok()) {
            Some(place) => last_end.saturating_add(BASELINE_FIRST_GONE + step * place),
            None => machine.terminated.unwrap_or(end),
        }
    })
}

/// All kinds, so that a program need not ask whether a key is there.
fn faults(trace: &Trace) -> BTreeMap<FaultKind, u64> {
    let count = |kind| trace.faults.get(&kind).copied().unwrap_or(0);
    FaultKind::ALL.map(|kind| (kind, count(kind))).into()
}

fn decisions(start: Timestamp, log: &[Entry]) -> Vec<Decision> {
    let notices = log.iter().filter_map(|entry| {
        let Event::Notice(notice) = &entry.event else {
            return None;
        };
        Some((entry.at, notice))
    });
    let decisions = notices.map(|(at, notice)| Decision {
        time_seconds: Seconds(at.since(start)),
        kind: notice.object.kind.to_owned(),
        name: notice.object.name.to_string(),
        action: notice.kind.name().to_owned(),
        reason: notice.reason.to_string(),
        message: notice.message.clone(),
    });
    decisions.collect()
}

fn profile(boot: &BootProfile) -> Vec<ProfileLine> {
    let both = [CapacityType::OnDemand, CapacityType::Spot];
    let lines = boot.stages.iter().map(|stage| ProfileLine {
        name: stage.title.clone(),
        baseline: both.map(|paid| stage.baseline.of(paid)),
        ours: stage.ours.map(|ours| both.map(|paid| ours.of(paid))),
        mechanism: stage.mechanism.clone(),
    });
    lines.collect()
}

fn machines(trace: &Trace, heading: &Heading<'_>) -> Vec<MachineLine> {
    let mut machines: Vec<_> = trace.machines.iter().collect();
    machines.sort_by_key(|(id, machine)| (machine.bought, *id));
    let line = |(id, machine): (&_, &MachineTrace)| {
        let end = machine.terminated.unwrap_or(heading.end);
        let node = machine.node.as_ref().map(ToString::to_string);
        MachineLine {
            name: node.unwrap_or_else(|| ToString::to_string(id)),
            offering: machine.offering.clone(),
            price: machine.price,
            bought: machine.bought.since(heading.start),
            terminated: machine.terminated.map(|at| at.since(heading.start)),
            cost: Dollars(trace.cost(machine, paid_until(machine, end))),
        }
    };
    machines.into_iter().map(line).collect()
}

/// The pods that live without a node, with the last that was said of each.
fn unplaced(trace: &Trace, log: &[Entry]) -> Vec<UnplacedPod> {
    let mut said: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for entry in log {
        if let Event::Notice(notice) = &entry.event
            && notice.kind == NoticeKind::Unplaced
        {
            said.insert(
                notice.object.name.to_string(),
                (&notice.reason, &notice.message),
            );
        }
    }
    let waiting = trace
        .demand()
        .filter(|pod| pod.is_alive() && pod.bound.is_none());
    let mut unplaced: Vec<_> = waiting
        .map(|pod| {
            let (reason, message) = said.get(&pod.key.to_string()).copied().unwrap_or_default();
            UnplacedPod {
                pod: pod.key.clone(),
                reason: reason.to_owned(),
                message: message.to_owned(),
            }
        })
        .collect();
    unplaced.sort_by(|a, b| a.pod.cmp(&b.pod));
    unplaced
}

/// From the last "sold out" of a group's call to its next call; the longest of these.
fn fallback(log: &[Entry]) -> Option<Duration> {
    let mut failed: BTreeMap<&LaunchGroup, Timestamp> = BTreeMap::new();
    let mut called: Option<&LaunchGroup> = None;
    let mut longest = None;
    for entry in log {
        if let Event::FleetCalled { group, .. } = &entry.event {
            let span = failed.remove(group).map(|at| entry.at.since(at));
            longest = longest.max(span);
            called = Some(group);
        } else if matches!(entry.event, Event::SoldOut { .. })
            && let Some(group) = called
        {
            failed.insert(group, entry.at);
        }
    }
    longest
}

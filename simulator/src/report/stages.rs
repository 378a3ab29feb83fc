//! The stages of a first answer, from the log.

use std::time::Duration;

use serde::Serialize;
use tidewright::model::catalog::CapacityType;
use tidewright::model::time::Timestamp;

use super::figure::Seconds;
use crate::boot::BootProfile;
use crate::trace::{GroupTrace, MachineTrace, PodTrace, Trace};

/// One stage beside the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// What it is called.
    pub name: String,
    /// What it took; none when it did not come to its end.
    pub seconds: Option<Seconds>,
    /// What it takes in the baseline, for a machine paid for like the one that answered.
    pub baseline_seconds: Seconds,
    /// Why it differs, if it may.
    #[serde(skip)]
    pub mechanism: Option<String>,
}

/// The pod that answered first after waiting for a machine, and how it came to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstAnswer {
    /// From the pod's creation to its answer.
    pub span: Duration,
    /// How its machine is paid for.
    pub paid: CapacityType,
    /// Its stages in order.
    pub stages: Vec<Stage>,
    /// From the scheduler's verdict to the purchase.
    pub ours: Duration,
}

/// The first answer on a machine that was bought for it. A pod that found room on a machine that was
/// there already says nothing about waking up.
pub fn first_answer(trace: &Trace, boot: &BootProfile) -> Option<FirstAnswer> {
    let chains = trace.demand().filter_map(|pod| Chain::of(trace, pod));
    let first = chains.min_by_key(|chain| (chain.ready, chain.pod.key.clone()))?;
    let machine = first.machine;
    let paid = machine.offering.capacity_type;
    let called = first.group.first_call?;
    let marks = [
        Some(first.pod.created),
        Some(called),
        machine.booting,
        first.node_ready,
        Some(first.bound),
        Some(first.ready),
    ];
    let stages = boot.stages.iter().zip(marks.windows(2));
    Some(FirstAnswer {
        span: first.ready.since(first.pod.created),
        paid,
        stages: stages
            .map(|(stage, marks)| Stage {
                name: stage.title.clone(),
                seconds: span(marks[0], marks[1]),
                baseline_seconds: Seconds(stage.baseline.of(paid)),
                mechanism: stage.mechanism.clone(),
            })
            .collect(),
        ours: machine.bought.since(first.pod.unschedulable?),
    })
}

/// The stages of a world in which nothing had to be woken: the baseline, and nothing beside it.
pub fn baseline_only(boot: &BootProfile) -> Vec<Stage> {
    let stages = boot.stages.iter().map(|stage| Stage {
        name: stage.title.clone(),
        seconds: None,
        baseline_seconds: Seconds(stage.baseline.of(CapacityType::OnDemand)),
        mechanism: stage.mechanism.clone(),
    });
    stages.collect()
}

fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Seconds> {
    Some(Seconds(to?.since(from?)))
}

/// From a pod back to the call that bought its machine.
struct Chain<'a> {
    pod: &'a PodTrace,
    bound: Timestamp,
    ready: Timestamp,
    node_ready: Option<Timestamp>,
    machine: &'a MachineTrace,
    group: &'a GroupTrace,
}

impl<'a> Chain<'a> {
    fn of(trace: &'a Trace, pod: &'a PodTrace) -> Option<Self> {
        let ready = pod.ready?;
        let (bound, node) = pod.bound.as_ref()?;
        let node = trace.nodes.get(node)?;
        let machine = trace.machines.get(&node.machine)?;
        let group = trace.groups.get(machine.group.as_ref()?)?;
        let waited_for_it = pod.unschedulable? <= machine.bought && pod.created <= machine.bought;
        waited_for_it.then_some(Self {
            pod,
            bound: *bound,
            ready,
            node_ready: node.ready,
            machine,
            group,
        })
    }
}

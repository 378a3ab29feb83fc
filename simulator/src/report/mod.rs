//! What a run came to: figures for programs, tables for people.
//!
//! Everything is computed from the log, so that the report says what happened and not what the
//! product believes. The reasons of decisions are the product's own words.

mod compute;
mod course;
mod figure;
mod html;
mod interruptions;
mod json;
mod marks;
mod stages;
mod table;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tidewright::model::catalog::{CapacityType, OfferingKey};
use tidewright::model::id::PodKey;
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

use crate::faults::FaultKind;

pub use compute::{Heading, compute};
pub use course::{
    Bin, Course, Happened, Lane, Layer, Millis, Spending, Stack, Waiting, WaitingPod,
};
pub use figure::{Dollars, Seconds};
pub use html::to_html;
pub use json::to_json;
pub use stages::Stage;
pub use text::{Detail, to_text};

pub(crate) use table::{COLUMNS, Lean, Table, wrapped};

/// What a run came to. The fields that are serialised are those of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The scenario.
    pub scenario: String,
    /// What all chance came from.
    pub seed: u64,
    /// How machines boot.
    pub boot_profile: String,
    /// From the creation of the first pod that waited for a machine to its answer.
    pub first_answer_seconds: Option<Seconds>,
    /// The parts of that.
    pub stages: Vec<Stage>,
    /// What of it our decision and our calls took: from the scheduler's verdict to the purchase.
    pub our_seconds: Option<Seconds>,
    /// From the last pod's end to the end of the last machine, claim and node of ours.
    pub all_nodes_gone_seconds: Option<Seconds>,
    /// From creation to answer, of all pods that answered.
    pub pod_wait_seconds: Waits,
    /// The machines bought.
    pub nodes_launched: Launched,
    /// The most machines that ran at once.
    pub nodes_peak: u64,
    /// The pods that were told to leave their node.
    pub evictions: u64,
    /// The machines that were taken away, and what came of it.
    pub interruptions: Interruptions,
    /// What the machines cost.
    pub cost_usd: Dollars,
    /// How often an oracle looked.
    pub oracle_checks: u64,
    /// The faults that struck.
    pub faults: BTreeMap<FaultKind, u64>,
    /// How long the world lasted.
    pub virtual_seconds: Seconds,
    /// What was decided, and why.
    pub decisions: Vec<Decision>,
    /// What people are told besides.
    #[serde(skip)]
    pub details: Details,
}

/// How long pods waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waits {
    /// Half of them no longer than this.
    pub p50: Option<Seconds>,
    /// 95 of a hundred no longer than this.
    pub p95: Option<Seconds>,
    /// None longer than this.
    pub max: Option<Seconds>,
}

/// Machines that were taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interruptions {
    /// Of how many machines the controller heard that they are lost.
    pub notices: u64,
    /// How many were taken away, told or not.
    pub machines_taken: u64,
    /// The longest time in which a service had fewer pods that answer than before one of them was
    /// driven out.
    pub pod_gap_seconds: Option<Seconds>,
}

/// How many machines were bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Launched {
    /// Out of spare capacity.
    pub spot: u64,
    /// At the list price, or out of a reservation.
    pub on_demand: u64,
}

/// Something that was decided or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// When.
    pub time_seconds: Seconds,
    /// The kind of the object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What was done or found.
    pub action: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, in one sentence.
    pub message: String,
}

/// What people are told besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What the scenario is about.
    pub description: String,
    /// The first instant.
    pub start: Timestamp,
    /// What the boot profile is about.
    pub boot_summary: String,
    /// How the machine that answered first is paid for.
    pub paid: Option<CapacityType>,
    /// The stages of the profile as they are usual.
    pub profile: Vec<ProfileLine>,
    /// The machines in the order of their purchase.
    pub machines: Vec<MachineLine>,
    /// From the last pod's end to the end of the first machine after it.
    pub first_node_gone: Option<Duration>,
    /// What the baseline's slower return would have cost, with the same machines.
    pub baseline_cost: Dollars,
    /// Pods that answered, of pods that were created.
    pub answered: (u64, u64),
    /// The pods without a place at the end, and why.
    pub unplaced: Vec<UnplacedPod>,
    /// The longest time from an offering's being sold out to the next fleet call of the group.
    pub fallback: Option<Duration>,
    /// What was done to the world from outside, and what became of pods and nodes.
    pub marks: Vec<Mark>,
    /// What it looked like over time.
    pub course: Course,
}

/// A stage of a boot profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileLine {
    /// Its name.
    pub name: String,
    /// The baseline, on demand and spot.
    pub baseline: [Duration; 2],
    /// What it takes here, on demand and spot; none where the engine decides.
    pub ours: Option<[Duration; 2]>,
    /// Why it differs.
    pub mechanism: Option<String>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineLine {
    /// Its node, or its id while it has none.
    pub name: String,
    /// What it is.
    pub offering: OfferingKey,
    /// What it costs.
    pub price: Price,
    /// When it was bought, after the start.
    pub bought: Duration,
    /// When its cost ended, after the start; none when it runs at the end.
    pub terminated: Option<Duration>,
    /// What it has cost.
    pub cost: Dollars,
}

/// A pod without a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplacedPod {
    /// The pod.
    pub pod: PodKey,
    /// Why, in one word; empty when nothing was said.
    pub reason: String,
    /// Why, in one sentence.
    pub message: String,
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, after the start.
    pub at: Duration,
    /// What.
    pub what: String,
}

#[cfg(test)]
mod tests;

//! What must come to pass.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidewright::model::id::LaunchGroup;
use tidewright::model::time::Timestamp;

use super::Scene;
use crate::event::{Actor, Entry, Event};

/// How long a machine may run without a claim. The engine looks every minute and leaves machines
/// alone that are younger than half a minute; a crash, lost answers and lists that lag cost some more.
const ORPHAN_MAX: Duration = Duration::from_mins(6);

/// How long after the last fault or change decisions may go on: a machine may take 15 minutes to join,
/// is given up when it is not ready 15 minutes later, its successor takes five, and what then stands
/// empty waits a little.
const SETTLING_MAX: Duration = Duration::from_mins(36);

/// Since when groups have had more machines than claims.
#[derive(Debug, Default)]
pub(super) struct Orphans(BTreeMap<LaunchGroup, Timestamp>);

impl Orphans {
    /// Looks at every group.
    pub(super) fn check(&mut self, scene: &mut Scene<'_>) {
        let now = scene.entry.at;
        let trace = scene.trace;
        for (id, group) in &trace.groups {
            let running = trace.running_machines(group);
            if running <= trace.living_claims(group) {
                self.0.remove(id);
                continue;
            }
            let seen = *self.0.entry(id.clone()).or_insert(now);
            // Between two looks the surplus may have come and gone; the last claim's end is sure.
            let claims = group.claims.iter().filter_map(|uid| trace.claims.get(uid));
            let ended: Option<Vec<Timestamp>> = claims.map(|claim| claim.gone).collect();
            let since = ended
                .and_then(|ends| ends.into_iter().max())
                .unwrap_or(seen);
            let open = now.since(since.min(seen));
            let allowed = ORPHAN_MAX + scene.faults.clock_error_max();
            scene.check(
                "orphan",
                open <= allowed,
                || vec![format!("launch group {id}")],
                || {
                    let open = open.as_secs();
                    format!("{running} machines have had too few NodeClaims for {open} s")
                },
            );
        }
    }
}

/// Every pod that has not come to its end is in the store, and no other is.
pub(super) fn no_pod_lost(scene: &mut Scene<'_>, stored: &BTreeSet<String>) {
    let living = scene.trace.pods.iter().filter(|pod| pod.is_alive());
    let lost: Vec<String> = living
        .filter(|pod| !stored.contains(&pod.uid.to_string()))
        .map(|pod| format!("pod {}", pod.key))
        .collect();
    scene.check(
        "pod-lost",
        lost.is_empty(),
        || lost.clone(),
        || "it vanished without having come to its end".into(),
    );
}

/// At rest every machine has its claim, and every claim told to go has gone.
pub(super) fn nothing_is_left_over(scene: &mut Scene<'_>) {
    let trace = scene.trace;
    for (id, group) in &trace.groups {
        let (running, claims) = (trace.running_machines(group), trace.living_claims(group));
        scene.check(
            "orphan",
            running <= claims,
            || vec![format!("launch group {id}")],
            || format!("{running} machines run for {claims} NodeClaims, long after all faults"),
        );
    }
}

/// At rest nothing is decided any more: planning again changes nothing.
pub(super) fn decisions_have_settled(scene: &mut Scene<'_>, log: &[Entry]) {
    let longest = scene
        .pools
        .values()
        .map(|pool| pool.consolidate_after)
        .max();
    let settling = SETTLING_MAX + longest.unwrap_or_default().min(Duration::from_mins(10));
    let disturbed = log.iter().filter(|entry| disturbs(&entry.event));
    let Some(calm) = disturbed.map(|entry| entry.at).max() else {
        return;
    };
    let restless = log.iter().rev().find(|entry| decides(&entry.event));
    let late = restless.filter(|entry| entry.at.since(calm) > settling);
    scene.check(
        "settled",
        late.is_none(),
        || {
            late.iter()
                .map(|entry| format!("{:?}", entry.event))
                .collect()
        },
        || {
            let settling = settling.as_secs();
            format!("it was decided more than {settling} s after the last change or fault")
        },
    );
}

/// What gives the controller a reason to decide.
fn disturbs(event: &Event) -> bool {
    match event {
        Event::PodCreated { node_bound, .. } => !*node_bound,
        Event::Happened { .. }
        | Event::PricesMoved { .. }
        | Event::Fault(_)
        | Event::ControllerStarted
        | Event::CloudSaid { .. }
        | Event::MachineTaken { .. }
        | Event::PodEnded { .. } => true,
        Event::PodUnschedulable { .. }
        | Event::PodBound { .. }
        | Event::PodReady { .. }
        | Event::PodEvicted { .. }
        | Event::ClaimCreated { .. }
        | Event::ClaimMatched { .. }
        | Event::ClaimDeleting { .. }
        | Event::ClaimGone { .. }
        | Event::FleetCalled { .. }
        | Event::MachineBought { .. }
        | Event::MachineBooting { .. }
        | Event::MachineTerminated { .. }
        | Event::SoldOut { .. }
        | Event::NodeJoined { .. }
        | Event::NodeReady { .. }
        | Event::NodeDeleting { .. }
        | Event::NodeGone { .. }
        | Event::Notice(_)
        | Event::Promised { .. } => false,
    }
}

/// What a controller at rest does not do.
fn decides(event: &Event) -> bool {
    match event {
        Event::ClaimCreated { .. } | Event::FleetCalled { .. } | Event::PodEvicted { .. } => true,
        Event::ClaimDeleting { by, .. } => *by == Actor::Controller,
        Event::PodCreated { .. }
        | Event::PodUnschedulable { .. }
        | Event::PodBound { .. }
        | Event::PodReady { .. }
        | Event::PodEnded { .. }
        | Event::ClaimMatched { .. }
        | Event::ClaimGone { .. }
        | Event::MachineBought { .. }
        | Event::PricesMoved { .. }
        | Event::MachineBooting { .. }
        | Event::MachineTerminated { .. }
        | Event::SoldOut { .. }
        | Event::NodeJoined { .. }
        | Event::NodeReady { .. }
        | Event::NodeDeleting { .. }
        | Event::NodeGone { .. }
        | Event::Notice(_)
        | Event::Promised { .. }
        | Event::Fault(_)
        | Event::CloudSaid { .. }
        | Event::MachineTaken { .. }
        | Event::ControllerStarted
        | Event::Happened { .. } => false,
    }
}

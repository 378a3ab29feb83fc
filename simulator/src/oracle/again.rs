//! Planning again changes nothing.
//!
//! This oracle is the one that asks the product: a planner and an engine that are of one mind find
//! nothing to do in a cluster that the engine holds to be as it should be. Where they differ, a
//! wake-up was lost, or an answer does not stand by itself.

use tidewright::engine::Questions;
use tidewright::planner::{self, disruption};

use super::Scene;

/// Plans once more what the engine holds answered.
pub(super) fn planning_again_changes_nothing(scene: &mut Scene<'_>, questions: &Questions) {
    places_stay(scene, questions);
    nodes_stay(scene, questions);
}

/// A pod that the engine left without a place has none.
fn places_stay(scene: &mut Scene<'_>, questions: &Questions) {
    let plan = planner::plan(&questions.provision);
    let bought = plan.claims.iter().flat_map(|claim| &claim.pods);
    let placed = plan.existing.iter().flat_map(|placement| &placement.pods);
    let pods: Vec<String> = bought
        .chain(placed)
        .map(|pod| format!("pod {pod}"))
        .collect();
    scene.check(
        "again",
        pods.is_empty(),
        || pods.clone(),
        || {
            let (claims, nodes) = (plan.claims.len(), plan.existing.len());
            format!("another plan gives them a place: on {claims} new nodes and {nodes} old ones")
        },
    );
}

/// A node that the engine let stand stays.
fn nodes_stay(scene: &mut Scene<'_>, questions: &Questions) {
    let plan = disruption::plan(&questions.disruption);
    let removals = plan.commands.iter().flat_map(|command| &command.remove);
    let claims: Vec<String> = removals
        .map(|removal| format!("NodeClaim {}", removal.claim))
        .collect();
    scene.check(
        "again",
        claims.is_empty(),
        || claims.clone(),
        || "another plan lets them go".into(),
    );
}

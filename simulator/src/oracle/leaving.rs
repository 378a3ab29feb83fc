//! A node that was told to go does go, unless somebody may hold it.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::model::time::Timestamp;

use super::Scene;
use crate::store::{Store, is_terminal, node_name, timestamp};

/// How long a node may take to go when all its pods have been told to: pods that do not stop are waited
/// for a minute beyond their grace, and the machine takes some seconds.
const LEAVING_MAX: Duration = Duration::from_mins(15);

/// A claim that was told to go long ago is gone. A pod that nobody has asked to leave may hold it: it is
/// protected, or a budget of its own speaks for it.
pub(super) fn what_was_told_to_go_has_gone(scene: &mut Scene<'_>, store: &Store, now: Timestamp) {
    for claim in store.all::<NodeClaim>().values() {
        let Some(told) = claim.metadata.deletion_timestamp.as_ref() else {
            continue;
        };
        let took = now.since(timestamp(told));
        let name = claim.metadata.name.clone().unwrap_or_default();
        scene.check(
            "leaving",
            took <= LEAVING_MAX || is_held(store, claim),
            || vec![format!("NodeClaim {name}")],
            || {
                let seconds = took.as_secs();
                format!("it was told to go {seconds} s ago, and no pod on its node stays")
            },
        );
    }
}

fn is_held(store: &Store, claim: &NodeClaim) -> bool {
    let node = claim.status.as_ref().and_then(|it| it.node_name.as_deref());
    let stays = |pod: &Pod| pod.metadata.deletion_timestamp.is_none() && !is_terminal(pod);
    let mut pods = store.all::<Pod>().values();
    node.is_some() && pods.any(|pod| node_name(pod) == node && stays(pod))
}

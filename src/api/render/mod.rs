//! From the model to Kubernetes objects: new NodeClaims, and the changes of NodeClaims and Nodes
//! that the engine asks for.
//!
//! Every function brings an object into a state and says nothing of how it gets to the API server.
//! Doing it twice is like doing it once. What is written here, `convert` reads back.

mod claim;
mod conditions;
mod node;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff;

use crate::model::labels::keys;
use crate::model::time::Timestamp;

pub use claim::{node_claim, patch_claim};
pub use node::patch_node;

/// Takes our finalizer away, so that the object may go.
pub fn release(metadata: &mut ObjectMeta) {
    let Some(finalizers) = &mut metadata.finalizers else {
        return;
    };
    finalizers.retain(|finalizer| finalizer != keys::TERMINATION);
    if finalizers.is_empty() {
        metadata.finalizers = None;
    }
}

/// An instant as the API server keeps it: in whole seconds, the rest dropped. An instant that the
/// calendar cannot hold becomes the epoch; no clock shows one.
pub fn time(at: Timestamp) -> Time {
    let seconds = at.as_millis().div_euclid(1_000);
    Time(jiff::Timestamp::from_second(seconds).unwrap_or_default())
}

/// Has our finalizer hold the object.
fn hold(metadata: &mut ObjectMeta) {
    let finalizers = metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|known| known == keys::TERMINATION) {
        finalizers.push(keys::TERMINATION.into());
    }
}

//! The eviction API (Kubernetes documentation, "API-initiated Eviction").
//!
//! | The pod | Answer |
//! |---|---|
//! | of another uid | conflict |
//! | has come to its end, waits for a node, or goes already | goes, whatever budgets say |
//! | is covered by no budget | goes |
//! | is covered by several | unavailable: a fault of the configuration, which the API answers with 500 |
//! | is ready, and its budget allows one more | goes |
//! | is not ready | goes if its budget says `AlwaysAllow`, or has all the healthy pods it wants |
//! | else | too many requests (429): try again |

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use tidewright::engine::ApiError;
use tidewright::model::id::Uid;
use tidewright::model::time::Timestamp;

use super::budgets::{self, Standing};
use super::conditions::pod_is;
use crate::event::Actor;
use crate::store::{Grace, ObjectKey, Store, is_terminal, node_name, uid};

/// Moves a pod away, if its budget allows that.
pub fn evict(
    store: &mut Store,
    key: &ObjectKey,
    whom: &Uid,
    now: Timestamp,
) -> Result<(), ApiError> {
    let pod = store.get::<Pod>(key).ok_or(ApiError::NotFound)?;
    if uid(pod) != *whom {
        return Err(ApiError::Conflict);
    }
    if is_guarded(pod) {
        match budgets::covering(store, key, pod).as_slice() {
            [] => {}
            [(name, budget)] => {
                let standing = budgets::standing(store, name, budget);
                if !allows(budget, standing, pod) {
                    return Err(ApiError::TooManyRequests);
                }
            }
            [_, _, ..] => return Err(ApiError::Unavailable),
        }
    }
    store.delete_pod(key, Grace::OfPod, Actor::Controller, now)
}

/// Whether budgets have a say.
fn is_guarded(pod: &Pod) -> bool {
    !is_terminal(pod) && node_name(pod).is_some() && pod.metadata.deletion_timestamp.is_none()
}

fn allows(budget: &PodDisruptionBudget, standing: Standing, pod: &Pod) -> bool {
    if pod_is(pod, "Ready") {
        return standing.allowed() > 0;
    }
    let policy = budget.spec.as_ref();
    let policy = policy.and_then(|spec| spec.unhealthy_pod_eviction_policy.as_deref());
    let has_enough = standing.healthy >= standing.desired && standing.desired > 0;
    policy == Some("AlwaysAllow") || has_enough || standing.allowed() > 0
}

#[cfg(test)]
mod tests;

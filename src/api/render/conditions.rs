//! The conditions of a NodeClaim.
//!
//! | Condition | True once |
//! |---|---|
//! | `Launched` | the machine is bought |
//! | `Registered` | the node has joined |
//! | `Initialized` | the node can be used in full |
//! | `Ready` | all of these are True |
//!
//! All four are there from the first change on, `Unknown` until they are True, as Karpenter keeps
//! them: people and programs wait for them by name.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::time;
use crate::model::time::Timestamp;

/// The steps that `Ready` rests on.
const STEPS: [&str; 3] = ["Launched", "Registered", "Initialized"];
const READY: &str = "Ready";

const TRUE: &str = "True";
const UNKNOWN: &str = "Unknown";

/// The reason of a condition that nobody has decided yet.
const AWAITING: &str = "AwaitingReconciliation";

/// A change of a claim at an instant.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// Which version of the spec the change has seen.
    pub(super) generation: Option<i64>,
    pub(super) now: Timestamp,
}

/// Makes one step True and the others at least known by name.
pub(super) fn reach(conditions: &mut Vec<Condition>, step: &str, moment: Moment) {
    set(conditions, step, TRUE, moment);
    for known in STEPS {
        if !conditions.iter().any(|it| it.type_ == known) {
            set(conditions, known, UNKNOWN, moment);
        }
    }
    let is_done = |step: &str| {
        conditions
            .iter()
            .any(|it| it.type_ == step && it.status == TRUE)
    };
    let ready = if STEPS.iter().all(|step| is_done(step)) {
        TRUE
    } else {
        UNKNOWN
    };
    set(conditions, READY, ready, moment);
}

/// Sets a condition. The time of its last transition stays when the status does (Kubernetes API
/// conventions, "Typical status properties").
fn set(conditions: &mut Vec<Condition>, name: &str, status: &str, moment: Moment) {
    let position = conditions.iter().position(|it| it.type_ == name);
    let position = position.unwrap_or(conditions.len());
    if conditions
        .get(position)
        .is_some_and(|known| known.status == status)
    {
        return;
    }
    let is_true = status == TRUE;
    let condition = Condition {
        type_: name.into(),
        status: status.into(),
        reason: if is_true { name } else { AWAITING }.into(),
        message: String::new(),
        observed_generation: moment.generation,
        last_transition_time: time(moment.now),
    };
    conditions.splice(position..conditions.len().min(position + 1), [condition]);
}

//! Conditions in the status of pods and nodes.

use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod, PodCondition};
use tidewright::model::time::Timestamp;

use crate::store::{time, timestamp};

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody knows.
    Unknown,
}

impl Truth {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// Sets a condition of a pod. The time of transition changes with the truth only.
pub fn set_pod(pod: &mut Pod, name: &str, truth: Truth, reason: Option<&str>, now: Timestamp) {
    let conditions = &mut pod.status.get_or_insert_default().conditions;
    let conditions = conditions.get_or_insert_default();
    let known = conditions.iter_mut().find(|known| known.type_ == name);
    match known {
        Some(known) => {
            if known.status != truth.as_str() {
                known.last_transition_time = Some(time(now));
            }
            truth.as_str().clone_into(&mut known.status);
            known.reason = reason.map(ToOwned::to_owned);
        }
        None => conditions.push(PodCondition {
            type_: name.to_owned(),
            status: truth.as_str().to_owned(),
            reason: reason.map(ToOwned::to_owned),
            last_transition_time: Some(time(now)),
            ..PodCondition::default()
        }),
    }
}

/// Whether a condition of a pod holds.
pub fn pod_is(pod: &Pod, name: &str) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|it| it.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|known| known.type_ == name && known.status == Truth::True.as_str())
}

/// Since when a pod is ready; none if it is not.
pub fn ready_since(pod: &Pod) -> Option<Timestamp> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions
        .iter()
        .find(|it| it.type_ == "Ready" && it.status == Truth::True.as_str())?;
    ready.last_transition_time.as_ref().map(timestamp)
}

/// Sets the condition `Ready` of a node.
pub fn set_node_ready(node: &mut Node, truth: Truth, now: Timestamp) {
    let conditions = &mut node.status.get_or_insert_default().conditions;
    let conditions = conditions.get_or_insert_default();
    conditions.retain(|known| known.type_ != "Ready");
    conditions.push(NodeCondition {
        type_: "Ready".to_owned(),
        status: truth.as_str().to_owned(),
        last_heartbeat_time: Some(time(now)),
        last_transition_time: Some(time(now)),
        ..NodeCondition::default()
    });
}

/// Whether a node is ready.
pub fn node_is_ready(node: &Node) -> bool {
    let conditions = node
        .status
        .iter()
        .flat_map(|it| it.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|known| known.type_ == "Ready" && known.status == Truth::True.as_str())
}

//! Nodes whose kubelet is silent (Kubernetes documentation, "Node Status" and "Taint based
//! Evictions").
//!
//! | Time | What happens |
//! |---|---|
//! | a kubelet falls silent | nothing that anybody sees |
//! | 50 s later | the node's condition `Ready` is `Unknown`, its pods are not ready, and the taint `unreachable` keeps others away |
//! | as long after as a pod endures that | the pod is told to go; it stays until its node is gone or speaks |
//! | the kubelet speaks | the node is ready, the taint goes, and what was told to go goes |

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use tidewright::model::time::Timestamp;

use super::conditions::{Truth, set_node_ready, set_pod};
use super::kubelet::pods_on;
use super::scheduler::endures;
use crate::store::{ObjectKey, Store, time};

/// From a kubelet's silence to its node's being unknown: the default of kube-controller-manager's
/// `--node-monitor-grace-period` since Kubernetes 1.32.
pub const MONITOR_GRACE: Duration = Duration::from_secs(50);

const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// Nobody has heard of the node for long. False if it is gone.
pub fn unreachable(store: &mut Store, name: &str, now: Timestamp) -> bool {
    let marked = store.update::<Node>(&ObjectKey::cluster(name), |node| {
        set_node_ready(node, Truth::Unknown, now);
        let taints = node
            .spec
            .get_or_insert_default()
            .taints
            .get_or_insert_default();
        taints.retain(|taint| taint.key != UNREACHABLE);
        taints.push(taint("NoSchedule", now));
        taints.push(taint("NoExecute", now));
    });
    if marked.is_err() {
        return false;
    }
    for pod in pods_on(store, name) {
        let unready = store.update::<Pod>(&pod, |pod| {
            set_pod(pod, "Ready", Truth::False, Some("NodeNotReady"), now);
        });
        debug_assert!(unready.is_ok(), "it was listed a moment ago");
    }
    true
}

/// The node is heard again. False if it is gone.
pub fn heard(store: &mut Store, name: &str, now: Timestamp) -> bool {
    let marked = store.update::<Node>(&ObjectKey::cluster(name), |node| {
        set_node_ready(node, Truth::True, now);
        let taints = node.spec.as_mut().and_then(|spec| spec.taints.as_mut());
        if let Some(taints) = taints {
            taints.retain(|taint| taint.key != UNREACHABLE);
        }
    });
    marked.is_ok()
}

fn taint(effect: &str, now: Timestamp) -> Taint {
    Taint {
        key: UNREACHABLE.to_owned(),
        effect: effect.to_owned(),
        time_added: Some(time(now)),
        ..Taint::default()
    }
}

/// Whether a node cannot be reached.
pub fn is_unreachable(node: &Node) -> bool {
    let taints = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten());
    taints.into_iter().any(|taint| taint.key == UNREACHABLE)
}

/// How long a pod endures that; none if it does so for ever. Of several tolerations the shortest
/// counts.
pub fn patience(pod: &Pod) -> Option<Duration> {
    let unreachable = Taint {
        key: UNREACHABLE.to_owned(),
        effect: "NoExecute".to_owned(),
        ..Taint::default()
    };
    let tolerations = pod
        .spec
        .iter()
        .flat_map(|it| it.tolerations.iter().flatten());
    let enduring: Vec<_> = tolerations
        .filter(|toleration| endures(toleration, &unreachable))
        .collect();
    if enduring.is_empty() {
        return Some(Duration::ZERO);
    }
    let seconds = enduring
        .iter()
        .filter_map(|it| it.toleration_seconds)
        .min()?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_pod_is_as_patient_as_its_shortest_toleration() {
        let check = |tolerations: Value, expected: Option<u64>| {
            let pod = json!({"metadata": {}, "spec": {
                "containers": [], "tolerations": tolerations,
            }});
            let pod: Pod = serde_json::from_value(pod).expect("sound");
            assert_eq!(patience(&pod), expected.map(Duration::from_secs));
        };
        let toleration = |seconds: Value| json!({"key": UNREACHABLE, "operator": "Exists", "tolerationSeconds": seconds});
        check(json!([]), Some(0));
        check(json!([toleration(json!(300))]), Some(300));
        check(
            json!([toleration(json!(300)), toleration(json!(20))]),
            Some(20),
        );
        check(json!([toleration(Value::Null)]), None);
        check(json!([{"operator": "Exists"}]), None);
    }
}

//! Nodes, read and changed.

use k8s_openapi::api::core::v1::Node as Object;
use serde_json::{Value, json};
use tidewright::api::convert::node;
use tidewright::api::render::{patch_node, release};
use tidewright::model::node::{Node, NodeReady};
use tidewright::model::patch::NodePatch;
use tidewright::model::taint::{Taint, TaintEffect};
use tidewright::model::time::Timestamp;

use super::{object, told};

fn read(document: Value) -> Node {
    let read = node(&object(document));
    assert_eq!(told(&read.problems), [""; 0]);
    read.value
}

#[test]
fn a_node_is_ready_only_when_it_says_so() {
    let created = "2026-01-01T00:00:00Z";
    let since = "2026-01-01T00:05:00Z";
    let cases = [
        (json!([]), Some(created)),
        (
            json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}]),
            None,
        ),
        (
            json!([{"type": "Ready", "status": "False", "lastTransitionTime": since}]),
            Some(since),
        ),
        (
            json!([{"type": "Ready", "status": "Unknown"}]),
            Some(created),
        ),
        (
            json!([{"type": "MemoryPressure", "status": "True"}]),
            Some(created),
        ),
    ];
    for (conditions, not_ready) in cases {
        let document = json!({"metadata": {"creationTimestamp": created}, "status": {"conditions": conditions}});
        let expected = not_ready.map_or(NodeReady::Ready, |since| NodeReady::NotReady {
            since: Timestamp::parse(since).expect("an instant"),
        });
        assert_eq!(read(document).ready, expected, "{conditions}");
    }
}

#[test]
fn a_node_is_what_its_kubelet_reports() {
    let whole = read(json!({
        "metadata": {
            "name": "n", "uid": "u", "labels": {"a": "b"}, "finalizers": ["karpenter.sh/termination"],
            "annotations": {"karpenter.sh/do-not-disrupt": "true"},
        },
        "spec": {"providerID": "aws:///z/i-1", "unschedulable": true, "taints": [{"key": "t", "effect": "NoExecute"}]},
        "status": {"capacity": {"cpu": "4", "memory": "7934316Ki"}, "allocatable": {"cpu": "3920m", "pods": "58"}},
    }));
    assert_eq!(
        whole.provider_id.map(|id| id.to_string()),
        Some("aws:///z/i-1".into())
    );
    assert_eq!(whole.capacity.to_string(), "cpu 4, memory 7934316Ki");
    assert_eq!(whole.allocatable.to_string(), "cpu 3920m, pods 58");
    assert!(whole.held && whole.do_not_disrupt);
    assert_eq!(whole.labels.len(), 1);
    // A cordon counts before its taint is there.
    assert_eq!(
        whole.taints,
        [
            Taint::new("t", "", TaintEffect::NoExecute),
            Taint::new(
                "node.kubernetes.io/unschedulable",
                "",
                TaintEffect::NoSchedule
            ),
        ]
    );
    let bare = read(
        json!({"spec": {"providerID": ""}, "metadata": {"annotations": {"karpenter.sh/do-not-disrupt": "1h"}}}),
    );
    assert_eq!(bare.provider_id, None);
    assert!(!bare.held && !bare.do_not_disrupt);
}

#[test]
fn what_a_node_garbles_counts_as_little_as_possible() {
    let read = node(&object(json!({
        "spec": {"taints": [{"key": "t", "effect": "Never"}]},
        "status": {"allocatable": {"cpu": "four", "memory": "1Gi"}},
    })));
    assert_eq!(read.value.allocatable.to_string(), "memory 1Gi");
    assert_eq!(read.value.taints[0].effect, TaintEffect::NoSchedule);
    let paths: Vec<_> = read.problems.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(
        paths,
        ["status.allocatable[\"cpu\"]", "spec.taints[0].effect"]
    );
}

/// Patches twice: the second time may change nothing.
fn patched(object: &mut Object, patch: &NodePatch) {
    patch_node(object, patch);
    let once = object.clone();
    patch_node(object, patch);
    assert_eq!(*object, once);
}

#[test]
fn registration_makes_a_node_ours() {
    let mut node: Object = object(json!({
        "metadata": {"name": "n", "labels": {"kept": "1", "team": "old"}},
        "spec": {"taints": [{"key": "karpenter.sh/unregistered", "effect": "NoExecute"}, {"key": "t", "value": "own", "effect": "NoSchedule"}]},
    }));
    let register = NodePatch::Register {
        claim: "c".into(),
        claim_uid: "u".into(),
        labels: [("team".into(), "a".into())].into(),
        annotations: [("note".into(), "b".into())].into(),
        taints: vec![
            Taint::new("t", "wanted", TaintEffect::NoSchedule),
            Taint::new("t", "wanted", TaintEffect::NoExecute),
        ],
    };
    patched(&mut node, &register);
    let expected = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": "n",
            "labels": {"kept": "1", "team": "a"},
            "annotations": {"note": "b"},
            "finalizers": ["karpenter.sh/termination"],
            "ownerReferences": [{"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "name": "c", "uid": "u", "blockOwnerDeletion": true}],
        },
        "spec": {"taints": [{"key": "t", "value": "own", "effect": "NoSchedule"}, {"key": "t", "value": "wanted", "effect": "NoExecute"}]},
    });
    assert_eq!(serde_json::to_value(&node).expect("a node"), expected);
    release(&mut node.metadata);
    release(&mut node.metadata);
    assert_eq!(node.metadata.finalizers, None);
}

#[test]
fn a_disruption_that_is_taken_back_leaves_no_trace() {
    let before: Object = object(
        json!({"metadata": {"labels": {"a": "b"}}, "spec": {"taints": [{"key": "t", "effect": "NoSchedule"}]}}),
    );
    let mut node = before.clone();
    patched(&mut node, &NodePatch::Disrupted);
    assert_eq!(
        serde_json::to_value(&node).expect("a node")["metadata"]["labels"],
        json!({"a": "b", "node.kubernetes.io/exclude-from-external-load-balancers": "karpenter"})
    );
    assert!(
        read(serde_json::to_value(&node).expect("a node"))
            .taints
            .contains(&Taint::new(
                "karpenter.sh/disrupted",
                "",
                TaintEffect::NoSchedule
            ))
    );
    patched(&mut node, &NodePatch::NotDisrupted);
    assert_eq!(node, before);
    patched(&mut node, &NodePatch::Initialized);
    assert!(read(serde_json::to_value(&node).expect("a node")).is_initialized());
}

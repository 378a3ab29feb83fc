use serde_json::{Value, json};

use super::*;
use crate::event::Actor;
use crate::store::Grace;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn read<T: serde::de::DeserializeOwned>(manifest: Value) -> T {
    serde_json::from_value(manifest).expect("a manifest written in a test is sound")
}

fn node(name: &str, labels: &Value, taints: &Value) -> Node {
    read(json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "3"}},
    }))
}

fn pod(name: &str, spec: &Value) -> Pod {
    let mut whole = json!({"containers": [
        {"name": "c", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}},
    ]});
    for (key, value) in spec.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    read(json!({"metadata": {"name": name}, "spec": whole}))
}

/// Where a pod goes, as things are in the store.
fn placed(store: &Store, pod: &Pod) -> Option<String> {
    let mut rooms = Rooms::default();
    for node in store.all::<Node>().keys() {
        rooms.forget(&node.name);
    }
    rooms.refresh(store);
    place(&rooms, store, pod)
}

/// Whether a node with these labels and taints takes a pod with this spec.
fn check(labels: &Value, taints: &Value, spec: &Value, takes: bool) {
    let mut store = Store::default();
    store.create(node("n", labels, taints), NOW).expect("new");
    let pod = pod("p", spec);
    assert_eq!(
        placed(&store, &pod).is_some(),
        takes,
        "{labels} {taints} {spec}"
    );
}

fn affinity(key: &str, operator: &str, values: &[&str]) -> Value {
    json!({"affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": key, "operator": operator, "values": values}]},
        ]},
    }}})
}

#[test]
fn labels_must_be_what_the_pod_asks_for() {
    let labels = || json!({"zone": "a", "size": "8"});
    let none = || json!([]);
    check(
        &labels(),
        &none(),
        &json!({"nodeSelector": {"zone": "a"}}),
        true,
    );
    check(
        &labels(),
        &none(),
        &json!({"nodeSelector": {"zone": "b"}}),
        false,
    );
    let cases: [(&str, &str, &[&str], bool); 11] = [
        ("zone", "In", &["a", "b"], true),
        ("zone", "In", &["b"], false),
        ("rack", "In", &["a"], false),
        ("zone", "NotIn", &["b"], true),
        ("rack", "NotIn", &["b"], true),
        ("zone", "Exists", &[], true),
        ("rack", "Exists", &[], false),
        ("rack", "DoesNotExist", &[], true),
        ("size", "Gt", &["7"], true),
        ("size", "Gt", &["8"], false),
        ("zone", "Lt", &["8"], false),
    ];
    for (key, operator, values, takes) in cases {
        check(&labels(), &none(), &affinity(key, operator, values), takes);
    }
}

#[test]
fn taints_must_be_tolerated() {
    let taints = || json!([{"key": "k", "value": "v", "effect": "NoSchedule"}]);
    let tolerating = |toleration: Value| json!({"tolerations": [toleration]});
    let cases = [
        (json!({"key": "k", "operator": "Exists"}), true),
        (json!({"operator": "Exists"}), true),
        (json!({"key": "k", "value": "v"}), true),
        (json!({"key": "k", "value": "w"}), false),
        (
            json!({"key": "k", "value": "v", "effect": "NoExecute"}),
            false,
        ),
        (json!({"key": "l", "operator": "Exists"}), false),
    ];
    for (toleration, takes) in cases {
        check(&json!({}), &taints(), &tolerating(toleration), takes);
    }
    let soft = json!([{"key": "k", "effect": "PreferNoSchedule"}]);
    check(&json!({}), &soft, &json!({}), true);
}

#[test]
fn resources_must_be_left() {
    let containers =
        |cpu: &str| json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]});
    check(&json!({}), &json!([]), &containers("2"), true);
    check(&json!({}), &json!([]), &containers("2001m"), false);
    check(&json!({}), &json!([]), &containers("many"), false);
    let with_init = json!({
        "initContainers": [
            {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
            {"name": "i", "resources": {"requests": {"cpu": "1500m"}}},
        ],
    });
    check(&json!({}), &json!([]), &with_init, false);
    let overhead = json!({"overhead": {"cpu": "1600m"}});
    check(&json!({}), &json!([]), &overhead, false);
}

fn verdicts(scheduler: &mut Scheduler, store: &mut Store, now: Timestamp) -> Vec<String> {
    let verdicts = scheduler.run(store, now).into_iter();
    let shown = verdicts.map(|verdict| match verdict {
        Verdict::Bound { pod, node } => format!("{} on {node}", pod.name),
        Verdict::Unschedulable { pod } => format!("{} waits", pod.name),
    });
    shown.collect()
}

#[test]
fn a_pod_is_tried_again_when_a_node_could_take_it_and_its_backoff_has_passed() {
    let (mut store, mut scheduler) = (Store::default(), Scheduler::default());
    let key = ObjectKey::new("default", "p");
    store.create(pod("p", &json!({})), NOW).expect("new");
    scheduler.pod_touched(&store, &key);
    assert_eq!(verdicts(&mut scheduler, &mut store, NOW), ["p waits"]);
    assert_eq!(scheduler.next(NOW), None);

    let closed = json!([{"key": "k", "effect": "NoSchedule"}]);
    store
        .create(node("closed", &json!({}), &closed), NOW)
        .expect("new");
    scheduler.node_touched(&store, "closed");
    assert_eq!(scheduler.next(NOW), None);

    store
        .create(node("open", &json!({}), &json!([])), NOW)
        .expect("new");
    scheduler.node_touched(&store, "open");
    let later = NOW.saturating_add(BACKOFF_FIRST);
    assert_eq!(scheduler.next(NOW), Some(later));
    assert_eq!(verdicts(&mut scheduler, &mut store, NOW), [""; 0]);
    assert_eq!(verdicts(&mut scheduler, &mut store, later), ["p on open"]);
    let bound = store.get::<Pod>(&key).expect("known");
    assert_eq!(node_name(bound), Some("open"));
}

#[test]
fn pods_on_a_node_take_its_room_until_they_are_gone() {
    let (mut store, mut scheduler) = (Store::default(), Scheduler::default());
    store
        .create(node("n", &json!({}), &json!([])), NOW)
        .expect("new");
    scheduler.node_touched(&store, "n");
    for name in ["a", "b", "c", "d"] {
        store.create(pod(name, &json!({})), NOW).expect("new");
        scheduler.pod_touched(&store, &ObjectKey::new("default", name));
    }
    let expected = ["a on n", "b on n", "c on n", "d waits"];
    assert_eq!(verdicts(&mut scheduler, &mut store, NOW), expected);
    let key = ObjectKey::new("default", "a");
    let grace = Grace::Of(std::time::Duration::ZERO);
    store
        .delete_pod(&key, grace, Actor::User, NOW)
        .expect("known");
    scheduler.node_touched(&store, "n");
    let later = NOW.saturating_add(BACKOFF_FIRST);
    assert_eq!(verdicts(&mut scheduler, &mut store, later), ["d on n"]);
}

#[test]
fn preferences_decide_between_nodes() {
    let mut store = Store::default();
    let soft = json!([{"key": "k", "effect": "PreferNoSchedule"}]);
    store
        .create(node("a-soft", &json!({"zone": "x"}), &soft), NOW)
        .expect("new");
    store
        .create(node("b", &json!({"zone": "y"}), &json!([])), NOW)
        .expect("new");
    store
        .create(node("c", &json!({"zone": "x"}), &json!([])), NOW)
        .expect("new");
    let preferring = json!({"affinity": {"nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [{
            "weight": 5,
            "preference": {"matchExpressions": [
                {"key": "zone", "operator": "In", "values": ["x"]},
            ]},
        }],
    }}});
    assert_eq!(placed(&store, &pod("p", &preferring)).as_deref(), Some("c"));
    assert_eq!(placed(&store, &pod("p", &json!({}))).as_deref(), Some("b"));
}

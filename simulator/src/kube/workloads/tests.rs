use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::*;
use crate::event::Actor;
use crate::kube::kubelet;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn read<T: serde::de::DeserializeOwned>(manifest: Value) -> T {
    serde_json::from_value(manifest).expect("a manifest written in a test is sound")
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c"}]}})
}

fn pods(store: &Store) -> usize {
    store
        .all::<Pod>()
        .values()
        .filter(|pod| is_active(pod))
        .count()
}

/// Shows the controllers what was touched, and lets them run.
fn run(workloads: &mut Workloads, store: &mut Store, now: Timestamp) -> Option<Timestamp> {
    for touched in store.take_touched() {
        workloads.touched(&touched);
    }
    workloads.run(store, now)
}

#[test]
fn a_deployment_gets_its_pods_at_the_pace_of_the_controllers() {
    let (mut store, mut workloads) = (Store::default(), Workloads::new(NOW));
    let deployment: Deployment = read(json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 50, "selector": {}, "template": template()},
    }));
    store.create(deployment, NOW).expect("new");
    let again = run(&mut workloads, &mut store, NOW).expect("the burst is 30");
    assert_eq!(pods(&store), 30);
    assert_eq!(
        run(&mut workloads, &mut store, again),
        Some(again.saturating_add(again.since(NOW)))
    );
    assert_eq!(pods(&store), 31);
    let later = NOW.saturating_add(Duration::from_secs(1));
    assert_eq!(run(&mut workloads, &mut store, later), None);
    assert_eq!(pods(&store), 50);

    let key = ObjectKey::new("default", "web");
    let scaled = store.update::<Deployment>(&key, |deployment| {
        deployment.spec.get_or_insert_default().replicas = Some(2);
    });
    scaled.expect("known");
    assert_eq!(run(&mut workloads, &mut store, later), None);
    assert_eq!(pods(&store), 2);

    store
        .delete::<Deployment>(&key, Actor::User, later)
        .expect("known");
    assert_eq!(pods(&store), 0);
}

#[test]
fn a_job_ends_when_enough_pods_have_succeeded() {
    let (mut store, mut workloads) = (Store::default(), Workloads::new(NOW));
    let job: Job = read(json!({
        "metadata": {"name": "report"},
        "spec": {"completions": 3, "parallelism": 2, "template": template()},
    }));
    store.create(job, NOW).expect("new");
    let mut started = 0;
    for active in [2, 2, 1] {
        assert_eq!(run(&mut workloads, &mut store, NOW), None);
        assert_eq!(pods(&store), active);
        let running = store.all::<Pod>().iter().find(|(_, pod)| is_active(pod));
        let key = running.map(|(key, _)| key.clone()).expect("one is active");
        kubelet::finish(&mut store, &key, NOW);
        started += 1;
    }
    run(&mut workloads, &mut store, NOW);
    assert_eq!((started, pods(&store)), (3, 0));
    let job = store
        .get::<Job>(&ObjectKey::new("default", "report"))
        .expect("known");
    let conditions = job
        .status
        .clone()
        .and_then(|it| it.conditions)
        .unwrap_or_default();
    assert_eq!(conditions[0].type_, "Complete");
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node_that_it_tolerates() {
    let (mut store, mut workloads) = (Store::default(), Workloads::new(NOW));
    let set: DaemonSet = read(json!({
        "metadata": {"name": "log"},
        "spec": {"selector": {}, "template": template()},
    }));
    store.create(set, NOW).expect("new");
    let nodes = [
        ("open", json!([])),
        (
            "draining",
            json!([{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]),
        ),
        ("closed", json!([{"key": "k", "effect": "NoSchedule"}])),
    ];
    for (name, taints) in nodes {
        let node: Node = read(json!({"metadata": {"name": name}, "spec": {"taints": taints}}));
        store.create(node, NOW).expect("new");
    }
    run(&mut workloads, &mut store, NOW);
    assert_eq!(pods(&store), 2);
    // A taint that comes later keeps new pods away and lets those that are there stay.
    let key = ObjectKey::cluster("open");
    let tainted = store.update::<Node>(&key, |node| {
        let taints = json!([{"key": "k", "effect": "NoSchedule"}]);
        node.spec.get_or_insert_default().taints = Some(read(taints));
    });
    tainted.expect("known");
    run(&mut workloads, &mut store, NOW);
    assert_eq!(pods(&store), 2);
}

//! Workloads and budgets in whole worlds.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};
use tidewright_simulator::event::Event;
use tidewright_simulator::oracle::{Failure, Oracles};
use tidewright_simulator::setup::{Happening, Object, ObjectKind, Setup};
use tidewright_simulator::world::World;

use crate::worlds::{START, deployment, pod_spec, read, setup};

const MINUTE: Duration = Duration::from_mins(1);

/// Runs a world with the oracles on; what they found must be nothing.
fn play(setup: Setup, until: Duration) -> World {
    let end = START.saturating_add(until);
    let mut world = World::new(setup);
    let mut oracles = Oracles::new(&world);
    let mut failures: Vec<Failure> = Vec::new();
    while world.next_at().is_some_and(|at| at <= end) {
        let Some(summary) = world.step() else { break };
        failures.extend(oracles.after_step(&world, &summary));
    }
    assert_eq!(failures, []);
    world
}

fn with(timeline: Vec<(Duration, Happening)>) -> Setup {
    Setup {
        timeline,
        ..setup("fast", &["on-demand"])
    }
}

fn running(world: &World) -> BTreeMap<String, String> {
    let pods = world.store().all::<Pod>().iter();
    let ready = pods.filter_map(|(key, pod)| {
        let status = pod.status.as_ref()?;
        let is_running = status.phase.as_deref() == Some("Running");
        let node = pod.spec.as_ref()?.node_name.clone()?;
        (is_running && pod.metadata.deletion_timestamp.is_none()).then(|| (key.name.clone(), node))
    });
    ready.collect()
}

fn evictions(world: &World) -> usize {
    let events = world.log().iter().map(|entry| &entry.event);
    events
        .filter(|event| matches!(event, Event::PodEvicted { .. }))
        .count()
}

fn delete_claim(at: Duration) -> (Duration, Happening) {
    let kind = ObjectKind::NodeClaim;
    (at, Happening::DeleteAny { kind, place: 0 })
}

fn budget(spec: &Value) -> Object {
    let mut spec = spec.clone();
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    Object::PodDisruptionBudget(Box::new(read(json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"}, "spec": spec,
    }))))
}

#[test]
fn a_drain_takes_no_more_than_a_budget_gives() {
    let world = play(
        with(vec![
            (Duration::ZERO, Happening::Apply(deployment("web", 4))),
            (
                Duration::ZERO,
                Happening::Apply(budget(&json!({"minAvailable": 3}))),
            ),
            delete_claim(10 * MINUTE),
        ]),
        30 * MINUTE,
    );
    // One after the other, each when its successor on another node is ready.
    assert!(evictions(&world) > 1);
    assert_eq!(running(&world).len(), 4);
    let mut ready_at = Vec::new();
    let mut told_at = Vec::new();
    for entry in world.log() {
        match &entry.event {
            Event::PodEvicted { .. } => told_at.push(entry.at),
            Event::PodReady { .. } => ready_at.push(entry.at),
            _ => {}
        }
    }
    for (place, told) in told_at.iter().enumerate().skip(1) {
        let successors = ready_at
            .iter()
            .filter(|at| **at > told_at[0] && *at <= told);
        assert!(
            successors.count() >= place,
            "eviction {place} came too soon"
        );
    }
}

#[test]
fn what_may_not_be_evicted_stays_until_its_budget_is_gone() {
    let kind = ObjectKind::PodDisruptionBudget;
    let delete = Happening::Delete {
        kind,
        namespace: "default".to_owned(),
        name: "web".to_owned(),
    };
    let timeline = |with_end: bool| {
        let mut timeline = vec![
            (Duration::ZERO, Happening::Apply(deployment("web", 2))),
            (
                Duration::ZERO,
                Happening::Apply(budget(&json!({"maxUnavailable": 0}))),
            ),
            delete_claim(10 * MINUTE),
        ];
        timeline.extend(with_end.then(|| (20 * MINUTE, delete.clone())));
        timeline
    };
    let held = play(with(timeline(false)), 30 * MINUTE);
    assert_eq!(evictions(&held), 0);
    let freed = play(with(timeline(true)), 30 * MINUTE);
    assert!(evictions(&freed) > 0);
}

#[test]
fn a_silent_node_loses_its_pods_after_their_patience() {
    let silence = Happening::Silence {
        nodes: 1,
        span: None,
    };
    let world = play(
        with(vec![
            (Duration::ZERO, Happening::Apply(deployment("web", 1))),
            (10 * MINUTE, silence),
        ]),
        20 * MINUTE,
    );
    let silent: Vec<&str> = world
        .store()
        .all::<Node>()
        .iter()
        .filter(|(_, node)| {
            let taints = node.spec.iter().flat_map(|it| it.taints.iter().flatten());
            taints
                .into_iter()
                .any(|it| it.key == "node.kubernetes.io/unreachable")
        })
        .map(|(key, _)| key.name.as_str())
        .collect();
    let mut told = world.log().iter().filter_map(|entry| match &entry.event {
        Event::PodEvicted { .. } => Some(entry.at.since(START)),
        _ => None,
    });
    let expected = 10 * MINUTE + Duration::from_secs(50 + 300);
    assert_eq!(told.next(), Some(expected));
    let running = running(&world);
    assert_eq!(running.len(), 1, "its successor runs");
    assert!(
        running
            .values()
            .all(|node| !silent.contains(&node.as_str()))
    );
}

#[test]
fn a_stateful_set_comes_back_under_its_names() {
    let set = Object::StatefulSet(Box::new(read(json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": 3, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": pod_spec()},
        },
    }))));
    let world = play(
        with(vec![
            (Duration::ZERO, Happening::Apply(set)),
            delete_claim(10 * MINUTE),
        ]),
        30 * MINUTE,
    );
    let names: Vec<String> = running(&world).into_keys().collect();
    assert_eq!(names, ["db-0", "db-1", "db-2"]);
    assert!(evictions(&world) > 0);
}

#[test]
fn a_cron_job_wakes_the_pool_again_and_again() {
    let mut pod = pod_spec();
    pod["restartPolicy"] = json!("Never");
    let annotations = json!({"simulator.tidewright.dev/run-seconds": "30"});
    let cron = Object::CronJob(Box::new(read(json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "night", "namespace": "default"},
        "spec": {
            "schedule": "*/20 * * * *",
            "jobTemplate": {"spec": {"template": {
                "metadata": {"annotations": annotations}, "spec": pod,
            }}},
        },
    }))));
    let world = play(
        with(vec![(Duration::ZERO, Happening::Apply(cron))]),
        65 * MINUTE,
    );
    let ended = world.log().iter().filter(|entry| {
        matches!(&entry.event, Event::PodEnded { pod, .. } if pod.name.starts_with("night-"))
    });
    assert_eq!(ended.count(), 3);
    let bought = world.cloud().machines().count();
    assert_eq!(bought, 3, "between two nights there is nothing");
}

//! Many pods, in calm and in stormy worlds: all get a node, and all nodes go when they are gone.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::json;
use tidewright_simulator::event::Event;
use tidewright_simulator::faults::FaultSettings;
use tidewright_simulator::setup::{Happening, Object, ObjectKind, Setup};
use tidewright_simulator::world::World;

use super::worlds::{START, deployment, pod_spec, read, setup, text};

const PODS: u32 = 40;

/// A Deployment of forty pods beside a DaemonSet, scaled to zero at the end of the first hour.
fn crowd(seed: u64) -> Setup {
    let mut setup = setup("fast", &["spot", "on-demand"]);
    setup.seed = seed;
    setup.objects.push(Object::DaemonSet(Box::new(read(json!({
        "metadata": {"name": "log", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {"app": "log"}},
            "template": {"metadata": {"labels": {"app": "log"}}, "spec": pod_spec()},
        },
    })))));
    setup.timeline = vec![
        (
            Duration::from_secs(5),
            Happening::Apply(deployment("web", PODS)),
        ),
        (
            Duration::from_hours(1),
            Happening::Scale {
                kind: ObjectKind::Deployment,
                namespace: "default".to_owned(),
                name: "web".to_owned(),
                replicas: 0,
            },
        ),
    ];
    setup
}

/// Runs a crowd: just before it is sent away everyone answers, half an hour later nothing is left.
fn check(setup: Setup) {
    let seed = setup.seed;
    let mut world = World::new(setup);
    world.run_until(START.saturating_add(Duration::from_mins(59)));
    let running = world.store().all::<Pod>().values().filter(|pod| {
        let status = pod.status.as_ref();
        let web = pod.metadata.namespace.as_deref() == Some("default");
        web && status.and_then(|it| it.phase.as_deref()) == Some("Running")
    });
    let running = running.count();
    assert_eq!(running, 40, "seed {seed}\n{}", text(world.log()));

    world.run_until(START.saturating_add(Duration::from_mins(90)));
    let left = world.store().all::<Node>().len();
    let machines = world
        .cloud()
        .machines()
        .filter(|machine| machine.runs())
        .count();
    assert_eq!(
        (left, machines),
        (0, 0),
        "seed {seed}\n{}",
        text(world.log())
    );
    bought_once(&world, seed);
}

/// A group of claims never gets more machines that run at once than it has claims.
fn bought_once(world: &World, seed: u64) {
    let mut wanted = BTreeMap::new();
    let mut running: BTreeMap<_, usize> = BTreeMap::new();
    let mut groups = BTreeMap::new();
    for entry in world.log() {
        match &entry.event {
            Event::FleetCalled { group, claims, .. } => {
                wanted.insert(group.clone(), claims.len());
            }
            Event::MachineBought { machine, group, .. } => {
                let group = group.clone().expect("every machine is bought for a group");
                *running.entry(group.clone()).or_default() += 1;
                assert!(running[&group] <= wanted[&group], "seed {seed}: {machine}");
                groups.insert(machine.clone(), group);
            }
            Event::MachineTerminated { machine } => {
                *running.entry(groups[machine].clone()).or_default() -= 1;
            }
            _ => {}
        }
    }
}

#[test]
fn a_crowd_comes_and_goes() {
    check(crowd(1));
}

#[test]
fn a_controller_that_dies_buys_nothing_twice() {
    for second in [5, 6, 7, 8, 20, 70] {
        let mut setup = crowd(second);
        let crash = (Duration::from_secs(second), Happening::CrashController);
        setup.timeline.push(crash);
        check(setup);
    }
}

#[test]
fn a_crowd_gets_through_a_storm() {
    for seed in 1..=5 {
        let mut setup = crowd(seed);
        setup.faults = FaultSettings {
            insufficient_capacity_permille: 200,
            throttled_permille: 100,
            slow_boot_permille: 100,
            dead_boot_permille: 50,
            watch_delayed_permille: 100,
            watch_delay_millis_max: 20_000,
            watch_reordered_permille: 100,
            watch_lost_permille: 30,
            relist_permille: 10,
            answer_lost_permille: 30,
            crash_permille: 5,
            list_stale_permille: 100,
            plan_millis_max: 5_000,
            quiet_after_seconds: 1_800,
            ..FaultSettings::default()
        };
        check(setup);
    }
}

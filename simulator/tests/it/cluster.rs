//! Worlds that begin with a cluster as `kubectl get -o json` prints it.

use std::path::Path;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright_simulator::event::Event;
use tidewright_simulator::run::run;
use tidewright_simulator::scenario::{Choices, Loaded, load};
use tidewright_simulator::world::World;

fn shop() -> Loaded {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clusters");
    let path = folder.join("shop.yaml").display().to_string();
    load(&path, &Choices::default()).expect("the scenario is sound")
}

#[test]
fn what_was_found_runs_on() {
    let setup = shop().scenario.setup;
    let start = setup.start;
    let mut world = World::new(setup);
    let before = |world: &World| {
        let pods = world.store().all::<Pod>().keys();
        pods.map(ToString::to_string).collect::<Vec<_>>()
    };
    world.step();
    let found = before(&world);
    assert_eq!(found.len(), 2);
    world.run_until(start.saturating_add(std::time::Duration::from_mins(4)));
    // Nobody creates a pod, a set or a claim anew, and nothing is bought.
    assert_eq!(before(&world), found);
    assert_eq!(world.store().all::<ReplicaSet>().len(), 1);
    assert_eq!(world.store().all::<NodeClaim>().len(), 1);
    let mut events = world.log().iter().map(|entry| &entry.event);
    assert!(!events.any(|event| matches!(event, Event::FleetCalled { .. })));
    assert_eq!(world.cloud().machines().count(), 1);
}

#[test]
fn an_adopted_machine_is_given_back_and_another_bought() {
    let Loaded {
        scenario, remarks, ..
    } = shop();
    let outcome = run(&scenario, &mut |_| {});
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.unmet, []);
    assert!(outcome.report.cost_usd.0.to_micros() > 0);
    let said: Vec<&str> = remarks.iter().map(|it| it.rule.as_str()).collect();
    let expected = [
        "1 objects of kind ConfigMap mean nothing to this world.",
        "1 objects of kind Service mean nothing to this world.",
    ];
    assert_eq!(said, expected);
}

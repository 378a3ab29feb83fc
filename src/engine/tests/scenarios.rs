//! What the engine does in the situations it is made for.

use std::time::Duration;

use super::objects;
use super::rig::{BOOT, Rig};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Runs a pod for a minute and waits until everything should be gone.
fn zero_to_one_and_back(rig: &mut Rig) {
    let pod = rig.add_pod("web");
    rig.run_for(BOOT + seconds(60));
    assert!(rig.pods[&pod].node().is_some(), "{}", rig.log.join("\n"));
    rig.end_pod(&pod);
    rig.run_for(objects::CONSOLIDATE_AFTER + seconds(200));
}

fn assert_empty(rig: &Rig) {
    assert!(
        rig.machines.is_empty(),
        "machines left:\n{}",
        rig.log.join("\n")
    );
    assert!(
        rig.claims.is_empty(),
        "claims left:\n{}",
        rig.log.join("\n")
    );
    assert!(rig.nodes.is_empty(), "nodes left:\n{}", rig.log.join("\n"));
}

#[test]
fn the_first_pod_is_planned_and_bought_for_at_once() {
    let mut rig = Rig::new();
    rig.add_pod("web");
    rig.settle();
    assert_eq!(rig.bought, 1, "{}", rig.log.join("\n"));
    assert_eq!(rig.seconds(), 0);
    let claimed = rig.lines("Provisioned")[0];
    assert!(
        claimed.contains(
            "spot m.large in a at $0.030000 per hour, the cheapest of 2 types; for pod default/web"
        ),
        "{claimed}"
    );
    assert_eq!(rig.lines("> launch").len(), 1);
}

#[test]
fn a_pool_comes_from_zero_and_goes_back() {
    let mut rig = Rig::new();
    zero_to_one_and_back(&mut rig);
    println!("{}", rig.log.join("\n"));
    assert_eq!(rig.bought, 1);
    assert_empty(&rig);
}

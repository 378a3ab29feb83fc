//! What the engine does when the cloud takes machines back.

use std::time::Duration;

use super::rig::{BOOT, Rig};
use crate::engine::{CloudEvent, CloudEventKind, Input, Leadership};
use crate::model::id::{ClaimName, PodKey, ProviderId};
use crate::model::pod::{DoNotDisrupt, Owner, Pod};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A pod of a ReplicaSet, whose successor comes when it goes.
fn replica(pod: &mut Pod) {
    pod.owner = Some(Owner {
        api_version: "apps/v1".into(),
        kind: "ReplicaSet".into(),
        name: "web".into(),
        uid: "uid-set".into(),
    });
}

/// A rig with one pod that runs.
fn running(change: impl FnOnce(&mut Pod)) -> (Rig, PodKey) {
    let mut rig = Rig::new();
    let pod = rig.add_pod_with("web", |pod| {
        replica(pod);
        change(pod);
    });
    rig.run_for(BOOT + seconds(10));
    assert!(rig.pods[&pod].node().is_some(), "{}", rig.log.join("\n"));
    (rig, pod)
}

fn machine(rig: &Rig) -> ProviderId {
    let first = rig.machines.keys().next();
    first.expect("a machine runs").clone()
}

fn say(rig: &mut Rig, machine: &ProviderId, kind: CloudEventKind) {
    let machine = machine.clone();
    rig.step(Input::Cloud(CloudEvent { machine, kind }));
    rig.settle();
}

fn claim(rig: &Rig) -> ClaimName {
    rig.claims.keys().next().expect("there is a claim").clone()
}

#[test]
fn an_interrupted_machine_is_replaced_before_its_pods_have_left() {
    let (mut rig, pod) = running(|_| {});
    let (lost, machine) = (claim(&rig), machine(&rig));
    let before = rig.seconds();
    say(&mut rig, &machine, CloudEventKind::SpotInterrupted);
    let now = format!("{before} > ");
    let log = rig.log.join("\n");
    assert_eq!(rig.bought, 2, "{log}");
    assert_eq!(rig.lines(&format!("{now}launch ")).len(), 1, "{log}");
    assert_eq!(rig.lines(&format!("{now}delete {lost}")).len(), 1, "{log}");
    assert_eq!(rig.lines(&format!("{now}evict {pod}")).len(), 1, "{log}");
    let told = rig.lines("its node goes, its successor should be placed on");
    assert_eq!(told.len(), 1, "{log}");

    // The successor takes the room, and nothing more is bought for it.
    let next = rig.add_pod_with("web-next", replica);
    rig.run_for(BOOT + seconds(20));
    let log = rig.log.join("\n");
    assert!(rig.pods[&next].node().is_some(), "{log}");
    assert_eq!((rig.bought, rig.claims.len()), (2, 1), "{log}");
}

#[test]
fn an_interrupted_offering_is_left_alone_for_three_minutes() {
    let (mut rig, _) = running(|_| {});
    let machine = machine(&rig);
    let taken = rig.machines[&machine].machine.offering();
    say(&mut rig, &machine, CloudEventKind::SpotInterrupted);
    let next = rig.machines.values().next_back().expect("it was replaced");
    assert_ne!(next.machine.offering(), taken);
    let is_left_out = |rig: &Rig| rig.engine.state.sold_out.contains(&taken, rig.now);
    rig.run_for(seconds(179));
    assert!(is_left_out(&rig));
    rig.run_for(seconds(2));
    assert!(!is_left_out(&rig));
}

#[test]
fn a_recommendation_is_told_and_nothing_else() {
    let (mut rig, _) = running(|_| {});
    let (machine, before) = (machine(&rig), rig.log.len());
    say(&mut rig, &machine, CloudEventKind::RebalanceRecommended);
    let new: Vec<&String> = rig.log[before..].iter().collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new[0].contains("SpotRebalanceRecommendation"), "{new:?}");
}

#[test]
fn a_terminated_machine_is_not_drained() {
    let (mut rig, pod) = running(|_| {});
    let (lost, machine) = (claim(&rig), machine(&rig));
    rig.machines.remove(&machine);
    say(&mut rig, &machine, CloudEventKind::Terminated);
    let log = rig.log.join("\n");
    assert!(rig.lines("> evict ").is_empty(), "{log}");
    assert!(rig.lines("> terminate ").is_empty(), "{log}");
    assert!(!rig.claims.contains_key(&lost), "{log}");
    assert_eq!(rig.bought, 2, "{log}");
    rig.end_pod(&pod);
}

#[test]
fn a_machine_that_is_stopped_by_others_is_given_back() {
    let (mut rig, _) = running(|_| {});
    let (lost, machine) = (claim(&rig), machine(&rig));
    say(&mut rig, &machine, CloudEventKind::Stopping);
    rig.run_for(seconds(10));
    let log = rig.log.join("\n");
    assert!(!rig.claims.contains_key(&lost), "{log}");
    assert!(!rig.machines.contains_key(&machine), "{log}");
}

/// Messages come twice, of machines that nobody knows, and of claims that go already.
#[test]
fn every_message_is_legal_at_any_time() {
    let (mut rig, _) = running(|_| {});
    let machine = machine(&rig);
    let nobody = ProviderId::from("aws:///a/i-0nobody");
    for kind in CloudEventKind::ALL {
        say(&mut rig, &nobody, kind);
    }
    assert_eq!(rig.lines("UnknownMachine").len(), 5);
    assert_eq!(rig.bought, 1);
    for _ in 0..3 {
        say(&mut rig, &machine, CloudEventKind::SpotInterrupted);
    }
    let log = rig.log.join("\n");
    assert_eq!(rig.lines(" SpotInterrupted: ").len(), 1, "{log}");
    assert_eq!(rig.bought, 2, "{log}");
}

#[test]
fn what_is_said_before_this_process_acts_is_not_forgotten() {
    let (mut rig, _) = running(|_| {});
    let (lost, machine) = (claim(&rig), machine(&rig));
    rig.step(Input::Leadership(Leadership::Standby));
    say(&mut rig, &machine, CloudEventKind::SpotInterrupted);
    assert!(rig.lines("> delete ").is_empty());
    rig.step(Input::Leadership(Leadership::Leading));
    rig.settle();
    let log = rig.log.join("\n");
    assert_eq!(rig.lines(&format!("> delete {lost}")).len(), 1, "{log}");
}

/// Nobody creates a successor for a pod without an owner, and one that is protected does not leave.
#[test]
fn nothing_is_bought_for_pods_that_do_not_come_back() {
    let changes: [fn(&mut Pod); 2] = [
        |pod| pod.owner = None,
        |pod| pod.do_not_disrupt = DoNotDisrupt::Always,
    ];
    for change in changes {
        let (mut rig, _) = running(change);
        let machine = machine(&rig);
        say(&mut rig, &machine, CloudEventKind::SpotInterrupted);
        assert_eq!(rig.bought, 1, "{}", rig.log.join("\n"));
    }
}

/// A decision of ours that could still be taken back is one no longer.
#[test]
fn a_node_that_is_being_marked_goes_for_sure() {
    let (mut rig, pod) = running(|_| {});
    let machine = machine(&rig);
    rig.end_pod(&pod);
    rig.hold_plans = true;
    rig.run_for(super::objects::CONSOLIDATE_AFTER + seconds(1));
    rig.release_plans();
    rig.step(Input::Cloud(CloudEvent {
        machine: machine.clone(),
        kind: CloudEventKind::SpotInterrupted,
    }));
    rig.run_for(seconds(30));
    let log = rig.log.join("\n");
    assert!(rig.claims.is_empty() && rig.machines.is_empty(), "{log}");
    assert_eq!(rig.bought, 1, "{log}");
}

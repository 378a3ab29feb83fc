//! A pool at zero gets its first pod, and goes back to zero when the pod is gone.

use std::time::Duration;

use tidewright::model::time::Timestamp;
use tidewright_simulator::event::{Entry, Event};
use tidewright_simulator::setup::{Happening, ObjectKind, Setup};
use tidewright_simulator::world::World;

use super::worlds::{START, pod, setup, text};

/// The pod comes after the controller has read the cluster, and goes ten minutes later.
const ARRIVAL: Duration = Duration::from_secs(5);
const DEPARTURE: Duration = Duration::from_secs(605);

fn zero_to_one(profile: &str, capacity_type: &str) -> Setup {
    let mut setup = setup(profile, &[capacity_type]);
    setup.timeline = vec![
        (ARRIVAL, Happening::Apply(pod("web"))),
        (
            DEPARTURE,
            Happening::Delete {
                kind: ObjectKind::Pod,
                namespace: "default".to_owned(),
                name: "web".to_owned(),
            },
        ),
    ];
    setup
}

fn run(setup: Setup) -> World {
    let mut world = World::new(setup);
    world.run_until(START.saturating_add(Duration::from_mins(15)));
    world
}

fn first(log: &[Entry], wanted: impl Fn(&Event) -> bool) -> Timestamp {
    let found = log.iter().find(|entry| wanted(&entry.event));
    found
        .unwrap_or_else(|| panic!("it happens:\n{}", text(log)))
        .at
}

/// Runs zero-to-one and compares the times of the first answer and of the end, in milliseconds.
fn check(profile: &str, capacity_type: &str, answer_millis: std::ops::Range<u128>) {
    let world = run(zero_to_one(profile, capacity_type));
    let log = world.log();
    let asked = START.saturating_add(ARRIVAL);
    let bought = first(log, |event| matches!(event, Event::MachineBought { .. }));
    let answered = first(log, |event| matches!(event, Event::PodReady { .. }));
    let ended = first(log, |event| matches!(event, Event::PodEnded { .. }));
    let stopped = first(log, |event| {
        matches!(event, Event::MachineTerminated { .. })
    });
    let gone = first(log, |event| matches!(event, Event::NodeGone { .. }));
    let claim_gone = first(log, |event| matches!(event, Event::ClaimGone { .. }));
    let shown = text(log);
    assert!(bought.since(asked) <= Duration::from_millis(500), "{shown}");
    let answer = answered.since(asked).as_millis();
    assert!(
        answer_millis.contains(&answer),
        "{profile} {capacity_type}: {answer}\n{shown}"
    );
    // A node is quiet from the moment at which its last pod is told to go.
    let quiet = Duration::from_mins(1);
    assert!(
        stopped.since(START.saturating_add(DEPARTURE)) >= quiet,
        "{shown}"
    );
    assert!(
        gone.since(ended) <= quiet + Duration::from_secs(10),
        "{shown}"
    );
    assert!(
        claim_gone.since(ended) <= quiet + Duration::from_secs(10),
        "{shown}"
    );
    let bought = log
        .iter()
        .filter(|it| matches!(it.event, Event::MachineBought { .. }));
    assert_eq!(bought.count(), 1, "{shown}");
    assert!(
        world.cloud().machines().all(|machine| !machine.runs()),
        "{shown}"
    );
}

#[test]
fn the_reference_machines_differ_from_the_baseline_by_our_part() {
    check("reference", "on-demand", 180_000..192_000);
    check("reference", "spot", 228_000..244_000);
}

#[test]
fn cached_images_answer_within_the_target() {
    check("cached-image", "on-demand", 132_000..145_000);
    check("cached-image", "spot", 178_000..202_000);
}

#[test]
fn half_of_all_worlds_with_cached_images_answer_within_the_target() {
    let answer = |seed| {
        let mut setup = zero_to_one("cached-image", "on-demand");
        setup.seed = seed;
        let world = run(setup);
        let ready = first(world.log(), |event| matches!(event, Event::PodReady { .. }));
        ready.since(START.saturating_add(ARRIVAL))
    };
    let mut answers: Vec<Duration> = (1..=21).map(answer).collect();
    answers.sort_unstable();
    assert!(answers[10] <= Duration::from_secs(145), "{answers:?}");
}

#[test]
fn fast_images_answer_within_a_minute() {
    check("fast", "on-demand", 50_000..60_000);
    check("fast", "spot", 98_000..112_000);
}

#[test]
fn the_same_seed_is_the_same_world_and_another_is_another() {
    let log = |seed| {
        let mut setup = zero_to_one("fast", "spot");
        setup.seed = seed;
        text(run(setup).log())
    };
    assert_eq!(log(1), log(1));
    assert_ne!(log(1), log(2));
}

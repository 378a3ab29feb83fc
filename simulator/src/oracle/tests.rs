//! The oracles on logs written by hand: each is shown what it must find, and what it must let pass.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodepool::NodePool;
use tidewright::engine::{Questions, Settings};
use tidewright::model::pod::Pod;
use tidewright::model::price::Price;
use tidewright::model::resources::{ResourceName, Resources};
use tidewright::planner::{Options, PreferencePolicy};

use super::pools::PoolRules;
use super::{
    Failure, Scene, again, interruption, leaving, liveness, money, placeable, promise, safety,
};
use crate::boot::BootProfile;
use crate::event::Entry;
use crate::faults::FaultSettings;
use crate::scenario::{self, Choices, load};
use crate::script::{START, log};
use crate::setup::{Object, Setup};
use crate::store::{Store, time};
use crate::trace::Trace;
use crate::world::World;

/// The rules of [`raw_pool`].
fn pool() -> PoolRules {
    PoolRules::of(&raw_pool())
}

/// One budget of two nodes at once, and one that is closed on working days from nine to ten.
fn raw_pool() -> NodePool {
    serde_json::from_value(json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "p"},
        "spec": {
            "limits": {"cpu": "4", "nodes": "3"},
            "template": {"spec": {
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "d"},
                "requirements": [],
            }},
            "disruption": {"consolidateAfter": "1m", "budgets": [
                {"nodes": "1"},
                {"nodes": "0", "schedule": "0 9 * * mon-fri", "duration": "1h"},
                {"nodes": "0", "reasons": ["Drifted"]},
            ]},
        },
    }))
    .expect("the pool has its shape")
}

/// Shows a log to the oracles and gives the failures of those that look at entries and at the end.
fn failures(text: &str) -> Vec<Failure> {
    failures_with(text, &FaultSettings::default())
}

fn failures_with(text: &str, faults: &FaultSettings) -> Vec<Failure> {
    let entries = log(text);
    let pools = BTreeMap::from([("p".into(), pool())]);
    let two = Resources::ZERO.with(&ResourceName::CPU, 2_000);
    let capacity = BTreeMap::from([("m6a.large".into(), two)]);
    let mut promises = promise::Promises::new(faults);
    let mut trace = Trace::default();
    let mut memory = safety::Memory::default();
    let mut orphans = liveness::Orphans::default();
    let mut interruptions = interruption::Open::default();
    let mut failures = Vec::new();
    let mut last: Option<&Entry> = None;
    for entry in &entries {
        trace.add(entry);
        let mut scene = Scene {
            trace: &trace,
            pools: &pools,
            capacity: &capacity,
            faults,
            entry,
            checks: 0,
            failures: Vec::new(),
        };
        safety::after(&mut scene, &mut memory);
        promises.note(&trace, entry);
        orphans.check(&mut scene);
        interruptions.note(&trace, entry);
        interruptions.check(&mut scene);
        failures.append(&mut scene.failures);
        last = Some(entry);
    }
    let mut scene = Scene {
        trace: &trace,
        pools: &pools,
        capacity: &capacity,
        faults,
        entry: last.expect("a log has entries"),
        checks: 0,
        failures: Vec::new(),
    };
    let node = |target: &str| trace.node_of(&target.into())?.ready;
    promises.check(&mut scene, node);
    liveness::decisions_have_settled(&mut scene, &entries);
    failures.append(&mut scene.failures);
    failures
}

/// Compares which oracles find something in a log.
fn check(text: &str, expected: &[&str]) {
    let failures = failures(text);
    let found: Vec<&str> = failures.iter().map(|failure| failure.oracle).collect();
    assert_eq!(found, expected, "{failures:?}\n{text}");
    for failure in failures {
        assert!(!failure.objects.is_empty() && !failure.sentence.is_empty());
        assert!(failure.step > 0 && failure.at >= START);
    }
}

/// A claim with a machine and a ready node: `c1`, `i-1`, `n1`, and so on.
fn node(number: u32) -> String {
    format!(
        "1 claim c{number} p
         2 fleet g{number} 1 c{number} spot:m6a.large:a
         2 bought i-{number} spot:m6a.large:a 0.036 g{number}
         3 matched c{number} i-{number}
         60 joined n{number} i-{number}
         61 node-ready n{number}\n"
    )
}

#[test]
fn budgets_count_the_nodes_that_go_at_once() {
    let two = node(1) + &node(2);
    check(
        &format!("{two}200 deleting c1\n300 claim-gone c1\n400 deleting c2"),
        &[],
    );
    check(
        &format!("{two}200 deleting c1\n201 deleting c2"),
        &["budget"],
    );
    // A user's deletion is not the controller's, but counts against what it may do later.
    check(
        &format!("{two}200 deleting c1 by-user\n201 deleting c2"),
        &[],
    );
    check(
        &format!("{two}200 deleting c1 by-user\n300 deleting c2"),
        &["budget"],
    );
    // A node that never was ready, or that somebody else deletes, is no choice.
    let unready = two.replace("61 node-ready n2", "61 pod x");
    check(&format!("{unready}200 deleting c1\n201 deleting c2"), &[]);
    check(
        &format!("{two}199 node-deleting n2\n200 deleting c1\n201 deleting c2"),
        &[],
    );
}

#[test]
fn a_budget_with_a_schedule_closes_and_opens() {
    // Logs begin at eight; the budget is closed from 3,600 s to 7,200 s.
    for (at, expected) in [
        (3_599, &[] as &[&str]),
        (3_620, &[]),
        (3_700, &["budget"]),
        (7_199, &["budget"]),
        (7_201, &[]),
    ] {
        let late = node(1).replace("61 node-ready n1", "61 node-ready n1\n61 happened wait");
        check(
            &format!("{late}{} happened x\n{at} deleting c1", at - 1),
            expected,
        );
    }
}

#[test]
fn protected_pods_stay_until_time_is_up() {
    check("1 pod a\n2 evicted a n1", &[]);
    check("1 pod a\n2 evicted a n1 protected", &["do-not-disrupt"]);
    check("1 pod a\n2 evicted a n1 protected forced", &[]);
}

#[test]
fn limits_are_counted_in_what_runs() {
    let two = node(1) + &node(2);
    check(&two, &[]);
    check(&format!("{two}{}", node(3)), &["limits"]);
    let one_gone = format!("{two}70 terminated i-1\n70 claim-gone c1\n");
    check(&format!("{one_gone}{}", node(3)), &[]);
}

#[test]
fn machines_are_bought_for_living_claims_and_once() {
    check("1 fleet g 1 c spot:m6a.large:a", &["intent"]);
    check(
        "1 claim c p\n2 deleting c\n3 fleet g 1 c spot:m6a.large:a",
        &["intent"],
    );
    let bought =
        "1 claim c p\n2 fleet g 1 c spot:m6a.large:a\n2 bought i-1 spot:m6a.large:a 0.036 g\n";
    check(bought, &[]);
    check(
        &format!("{bought}3 bought i-2 spot:m6a.large:a 0.036 g"),
        &["launched-once"],
    );
    check(
        &format!("{bought}3 terminated i-1\n4 bought i-2 spot:m6a.large:a 0.036 g"),
        &[],
    );
}

#[test]
fn a_promise_is_kept_within_three_minutes_of_the_node() {
    let promised = format!("{}100 pod a\n110 promised a c1\n", node(1));
    check(&format!("{promised}290 happened x"), &[]);
    check(&format!("{promised}291 happened x"), &["promise"]);
    check(&format!("{promised}290 bound a n1\n400 happened x"), &[]);
    // Time runs from the node's readiness, and not anew when the same is promised again.
    let early = node(1).replace("61 node-ready n1", "61 pod a\n61 promised a c1");
    check(&format!("{early}900 happened x"), &[]);
    check(
        &format!("{early}400 node-ready n1\n581 happened x"),
        &["promise"],
    );
    check(
        &format!("{promised}200 promised a c1\n291 happened x"),
        &["promise"],
    );
    // A place elsewhere, promised later, has its own time.
    let moved = format!("{}{promised}200 promised a c2\n", node(2));
    check(&format!("{moved}380 happened x"), &[]);
    check(&format!("{moved}381 happened x"), &["promise"]);
}

#[test]
fn a_promise_is_void_when_it_cannot_matter_any_more() {
    let promised = format!("{}100 pod a\n110 promised a c1\n", node(1));
    for end in [
        "ended a",
        "evicted a n1",
        "deleting c1",
        "node-deleting n1",
        "node-gone n1",
        "start",
    ] {
        check(&format!("{promised}120 {end}\n400 happened x"), &[]);
    }
    // What becomes of another node is no excuse.
    let two = format!("{}{promised}", node(2));
    check(
        &format!("{two}120 deleting c2\n400 happened x"),
        &["promise"],
    );
}

#[test]
fn a_pod_that_was_promised_nothing_may_take_the_room() {
    let promised = format!("{}100 pod a\n110 promised a c1\n", node(1));
    check(
        &format!("{promised}111 pod b\n120 bound b n1\n400 happened x"),
        &[],
    );
    // One that was promised the same node has room of its own, and a daemon is reckoned with.
    check(
        &format!("{promised}111 pod b\n111 promised b c1\n120 bound b n1\n400 happened x"),
        &["promise"],
    );
    check(
        &format!("{promised}111 daemon d\n120 bound d n1\n400 happened x"),
        &["promise"],
    );
}

#[test]
fn room_taken_a_moment_ago_may_be_promised_in_ignorance() {
    let taken = |before: &str| {
        let node = node(1);
        format!(
            "{node}100 pod a\n100 pod b\n{before} bound b n1\n120 promised a c1\n400 happened x"
        )
    };
    check(&taken("119.950"), &[]);
    check(&taken("119.900"), &["promise"]);
    // Watches that are late, or have lost something, leave the controller in the dark for longer.
    let late = FaultSettings {
        watch_delayed_permille: 100,
        watch_delay_millis_max: 5_000,
        ..FaultSettings::default()
    };
    let lossy = FaultSettings {
        watch_lost_permille: 10,
        ..FaultSettings::default()
    };
    for (faults, since, expected) in [
        (&late, "115", 0),
        (&late, "114", 1),
        (&lossy, "101", 0),
        (&FaultSettings::default(), "101", 1),
    ] {
        let failures = failures_with(&taken(since), faults);
        assert_eq!(failures.len(), expected, "{since}: {failures:?}");
    }
}

/// A world with the pool and one pod, before anybody has done anything.
fn world_with(pod: Value) -> World {
    let pod = serde_json::from_value(pod).expect("the pod has its shape");
    let plan = Options {
        preferences: PreferencePolicy::Respect,
        evaluations_max: 1,
    };
    let mut world = World::new(Setup {
        seed: 1,
        start: START,
        objects: vec![
            Object::NodePool(Box::new(raw_pool())),
            Object::Pod(Box::new(pod)),
        ],
        cluster: Vec::new(),
        region: scenario::region(),
        boot: BootProfile::named("fast").expect("the profile is embedded"),
        faults: FaultSettings::default(),
        sabotage: None,
        settings: Settings {
            batch_idle: Duration::ZERO,
            batch_max: Duration::ZERO,
            plan,
        },
        timeline: Vec::new(),
    });
    world.step();
    world
}

/// The pod `a`, which asks for so many CPUs.
fn waiting_pod(cpu: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"containers": [{
            "name": "main", "image": "app",
            "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}},
        }]},
    })
}

/// Compares how many pods of a world wait without reason, if this has happened.
fn check_bound(pod: Value, text: &str, expected: usize) {
    let world = world_with(pod);
    let entries = log(text);
    let trace = Trace::of(&entries);
    let two = Resources::ZERO.with(&ResourceName::CPU, 2_000);
    let mut scene = Scene {
        trace: &trace,
        pools: &BTreeMap::from([("p".into(), pool())]),
        capacity: &BTreeMap::from([("m6a.large".into(), two)]),
        faults: &FaultSettings::default(),
        entry: entries.last().expect("a log has entries"),
        checks: 0,
        failures: Vec::new(),
    };
    placeable::every_placeable_pod_is_bound(&mut scene, &world);
    let found = &scene.failures;
    assert_eq!(found.len(), expected, "{found:?}\n{text}");
    assert!(found.iter().all(|failure| failure.oracle == "bound"));
}

#[test]
fn a_pod_that_could_have_a_place_is_bound_within_ten_minutes() {
    let waits = "1 pod a\n2 unschedulable a\n";
    check_bound(waiting_pod("500m"), &format!("{waits}601 happened x"), 0);
    check_bound(waiting_pod("500m"), &format!("{waits}602 happened x"), 1);
    // The successor of the same name has its own time.
    check_bound(
        waiting_pod("500m"),
        &format!("{waits}590 ended a\n591 pod a\n1191 happened x"),
        0,
    );
}

#[test]
fn a_pod_without_a_place_may_wait() {
    let waits = "1 pod a\n2 unschedulable a\n900 happened x";
    // The pool ends at four CPUs, one of which is left free.
    check_bound(waiting_pod("3500m"), waits, 0);
    check_bound(waiting_pod("2500m"), waits, 1);
    let with_spec = |name: &str, value: Value| {
        let mut pod = waiting_pod("500m");
        pod["spec"][name] = value;
        pod
    };
    check_bound(
        with_spec("schedulingGates", json!([{"name": "later"}])),
        waits,
        0,
    );
    check_bound(with_spec("nodeName", json!("n1")), waits, 0);
    check_bound(with_spec("nodeSelector", json!({"no": "such"})), waits, 0);
}

#[test]
fn room_below_a_limit_is_used_within_ten_minutes() {
    let full = format!("{}{}80 pod a\n", node(1), node(2));
    let gone = "100 terminated i-1\n100 claim-gone c1\n";
    check_bound(waiting_pod("500m"), &format!("{full}900 happened x"), 0);
    // Halted, and nobody was told: its claim lives and takes the room.
    let halted = "100 taken i-1\n100 terminated i-1\n";
    check_bound(
        waiting_pod("500m"),
        &format!("{full}{halted}900 happened x"),
        0,
    );
    check_bound(
        waiting_pod("500m"),
        &format!("{full}{gone}700 happened x"),
        0,
    );
    check_bound(
        waiting_pod("500m"),
        &format!("{full}{gone}701 happened x"),
        1,
    );
}

#[test]
fn a_machine_without_a_claim_has_a_bound() {
    let gone = node(1) + "100 claim-gone c1\n";
    check(&format!("{gone}460 happened x"), &[]);
    check(&format!("{gone}461 happened x"), &["orphan"]);
    check(&format!("{gone}400 terminated i-1\n900 happened x"), &[]);
}

#[test]
fn sold_out_offerings_rest_for_three_minutes() {
    let begin =
        "0 start\n1 claim c p\n2 fleet g 1 c spot:m6a.large:a\n2 sold-out spot:m6a.large:a\n";
    let again = "fleet g 1 c spot:m6a.large:a";
    check(&format!("{begin}3 {again}"), &[]);
    check(&format!("{begin}5 {again}"), &["sold-out"]);
    check(&format!("{begin}181 {again}"), &["sold-out"]);
    check(&format!("{begin}182 {again}"), &[]);
    // Whoever was not told, or was born later, cannot know.
    check(&format!("{begin}2 fault lost-answer\n5 {again}"), &[]);
    check(&format!("{begin}4 start\n5 {again}"), &[]);
    check(&format!("{begin}5 fleet g 1 c on-demand:m6a.large:a"), &[]);
}

#[test]
fn an_interrupted_offering_rests_for_three_minutes() {
    let said = format!("{}100 said i-1 SpotInterrupted\n100 deleting c1\n", node(1));
    let again = "claim d p\n250 fleet g2 1 d spot:m6a.large:a";
    check(&format!("{said}200 {again}"), &["sold-out"]);
    let later = again.replace("250", "281");
    check(&format!("{said}200 {later}"), &[]);
    let other = said.replace("SpotInterrupted", "InstanceStopping");
    check(&format!("{other}200 {again}"), &[]);
}

#[test]
fn what_the_cloud_says_is_heeded_within_a_minute() {
    let said = format!("{}100 said i-1 SpotInterrupted\n", node(1));
    check(&format!("{said}160 happened x"), &[]);
    check(&format!("{said}161 happened x"), &["interruption"]);
    check(&format!("{said}150 deleting c1\n170 happened x"), &[]);
    check(&format!("{said}150 start\n170 happened x"), &[]);
    let recommended = said.replace("SpotInterrupted", "SpotRebalanceRecommendation");
    check(&format!("{recommended}170 happened x"), &[]);
    check("1 start\n2 said i-9 SpotInterrupted\n170 happened x", &[]);
}

/// The budget of one node holds for what goes by choice.
#[test]
fn a_lost_machine_does_not_go_by_choice() {
    let nodes = node(1) + &node(2);
    let both = "110 deleting c1\n111 deleting c2";
    check(&format!("{nodes}{both}"), &["budget"]);
    let said = "100 said i-1 SpotInterrupted\n100 said i-2 InstanceTerminating\n";
    check(&format!("{nodes}{said}{both}"), &[]);
    let taken = "100 taken i-1\n100 terminated i-1\n101 taken i-2\n101 terminated i-2\n";
    check(&format!("{nodes}{taken}{both}"), &[]);
}

#[test]
fn decisions_come_to_rest() {
    check("1 happened x\n2160 claim c p", &[]);
    check("1 happened x\n2222 claim c p", &["settled"]);
    check("1 happened x\n2222 claim c p\n2223 pod a", &[]);
}

#[test]
fn a_bill_is_time_by_price_with_a_minute_at_least() {
    let entries = log("1 bought i-1 spot:m6a.large:a 0.36\n11 terminated i-1\n\
                       20 bought i-2 spot:m6a.large:a 0.36\n120.5 terminated i-2\n200 happened x");
    let trace = Trace::of(&entries);
    let billed = |seconds| {
        let price = Price::parse_decimal("0.36").expect("a price is a decimal");
        tidewright::model::price::bill(price, Duration::from_secs(seconds))
    };
    for (seconds, expected) in [(60 + 101, 0), (60 + 100, 1), (10 + 101, 1)] {
        let mut scene = Scene {
            trace: &trace,
            pools: &BTreeMap::new(),
            capacity: &BTreeMap::new(),
            faults: &FaultSettings::default(),
            entry: entries.last().expect("the log has entries"),
            checks: 0,
            failures: Vec::new(),
        };
        money::bill_adds_up(&mut scene, billed(seconds));
        assert_eq!(scene.failures.len(), expected, "{seconds} s");
        assert_eq!(scene.checks, 1);
    }
}

#[test]
fn a_pod_that_vanished_is_missed() {
    let entries = log("1 pod a\n1 pod b\n2 ended b\n3 happened x");
    let trace = Trace::of(&entries);
    for (stored, expected) in [(&["uid-a"] as &[&str], 0), (&[], 1)] {
        let mut scene = Scene {
            trace: &trace,
            pools: &BTreeMap::new(),
            capacity: &BTreeMap::new(),
            faults: &FaultSettings::default(),
            entry: entries.last().expect("the log has entries"),
            checks: 0,
            failures: Vec::new(),
        };
        let stored: BTreeSet<String> = stored.iter().map(ToString::to_string).collect();
        liveness::no_pod_lost(&mut scene, &stored);
        assert_eq!(scene.failures.len(), expected);
    }
}

/// The main scenario as it is after so many seconds.
fn world_after(seconds: u64) -> World {
    let loaded = load("zero-to-one", &Choices::default()).expect("the scenario is sound");
    let mut world = World::new(loaded.scenario.setup);
    let end = world.now().saturating_add(Duration::from_secs(seconds));
    world.run_until(end);
    world
}

/// Asks the questions again and compares what the oracle says.
fn check_again(questions: &Questions, expected: &[&str]) {
    let entries = log("1 happened x");
    let trace = Trace::of(&entries);
    let mut scene = Scene {
        trace: &trace,
        pools: &BTreeMap::new(),
        capacity: &BTreeMap::new(),
        faults: &FaultSettings::default(),
        entry: &entries[0],
        checks: 0,
        failures: Vec::new(),
    };
    again::planning_again_changes_nothing(&mut scene, questions);
    let failures: Vec<String> = scene.failures.iter().map(ToString::to_string).collect();
    assert_eq!(scene.checks, 2);
    assert_eq!(failures.len(), expected.len(), "{failures:?}");
    for (failure, words) in failures.iter().zip(expected) {
        assert!(
            failure.contains("oracle again") && failure.contains(words),
            "{failure}"
        );
    }
}

/// A pod runs for ten minutes and its node goes a minute later.
#[test]
fn another_plan_finds_what_an_engine_forgot() {
    let world = world_after(400);
    let engine = world.engine().expect("the controller lives");
    let running = engine.settled_questions(world.now()).expect("all is calm");
    check_again(&running, &[]);

    let mut forgotten = running.clone();
    let pod = running.disruption.snapshot.nodes.values();
    let pod = pod.flat_map(|node| node.pods.values()).next();
    let mut pod = Pod::clone(pod.expect("the pod runs"));
    pod.key.name = "forgotten".into();
    forgotten.provision.pending.push(Arc::new(pod));
    check_again(
        &forgotten,
        &["pod default/forgotten: another plan gives them a place"],
    );

    let world = world_after(630);
    let engine = world.engine().expect("the controller lives");
    let mut quiet = engine.settled_questions(world.now()).expect("all is calm");
    check_again(&quiet, &[]);
    let later = Duration::from_mins(5);
    quiet.disruption.now = quiet.disruption.now.saturating_add(later);
    check_again(&quiet, &["another plan lets them go"]);
}

/// Compares how many claims linger: the one of node `n1` was told to go at the start, and its pod too or not.
fn check_leaving(told: bool, pod: Value, seconds: u64, expected: usize) {
    let mut store = Store::default();
    let mut claim = json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodeClaim",
        "metadata": {"name": "c1"},
        "spec": {
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "d"},
            "requirements": [],
        },
        "status": {"nodeName": "n1"},
    });
    if told {
        claim["metadata"]["deletionTimestamp"] = json!(time(START));
    }
    let claim: NodeClaim = serde_json::from_value(claim).expect("the claim has its shape");
    store.import(claim, START);
    let pod: k8s_openapi::api::core::v1::Pod =
        serde_json::from_value(pod).expect("the pod has its shape");
    store.import(pod, START);
    let entries = log("1 happened x");
    let mut scene = Scene {
        trace: &Trace::of(&entries),
        pools: &BTreeMap::new(),
        capacity: &BTreeMap::new(),
        faults: &FaultSettings::default(),
        entry: &entries[0],
        checks: 0,
        failures: Vec::new(),
    };
    let now = START.saturating_add(Duration::from_secs(seconds));
    leaving::what_was_told_to_go_has_gone(&mut scene, &store, now);
    let found = &scene.failures;
    assert_eq!(found.len(), expected, "{found:?}");
    assert!(found.iter().all(|failure| failure.oracle == "leaving"));
}

#[test]
fn a_claim_that_was_told_to_go_is_gone_within_a_quarter_of_an_hour() {
    let pod_on = |node: &str| {
        let mut pod = waiting_pod("500m");
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let told = |mut pod: Value| {
        pod["metadata"]["deletionTimestamp"] = json!(time(START));
        pod
    };
    let done = |mut pod: Value| {
        pod["status"] = json!({"phase": "Succeeded"});
        pod
    };
    check_leaving(true, told(pod_on("n1")), 900, 0);
    check_leaving(true, told(pod_on("n1")), 901, 1);
    check_leaving(true, done(pod_on("n1")), 901, 1);
    check_leaving(true, pod_on("n2"), 901, 1);
    // A pod that stays may hold it, and nobody asked for this one to go.
    check_leaving(true, pod_on("n1"), 901, 0);
    check_leaving(false, told(pod_on("n1")), 901, 0);
}

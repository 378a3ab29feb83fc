//! What the engine does in the situations it is made for.

use std::time::Duration;

use super::objects;
use super::rig::{BOOT, Rig};
use crate::cluster::Change;
use crate::engine::{Engine, Input, MachineFact};
use crate::model::catalog::CapacityType;
use crate::model::id::ClaimName;
use crate::model::node::NodeReady;
use crate::model::pod::{DoNotDisrupt, FieldWeight, Requests, UnsupportedField};
use crate::model::pool::{BudgetNodes, Limits, NodePool};
use crate::model::resources::{ResourceName, Resources};

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
    assert_eq!(rig.lines("> launch ").len(), 1);
}

#[test]
fn a_preference_that_is_left_out_is_told() {
    let mut rig = Rig::new();
    rig.add_pod_with("web", |pod| {
        pod.scheduling.unsupported = vec![UnsupportedField {
            path: "spec.topologySpreadConstraints[0]".into(),
            weight: FieldWeight::Preference,
        }];
    });
    rig.settle();
    assert_eq!(rig.bought, 1);
    let nominated = rig.lines("Nominated")[0];
    let told = "; not acted on yet and left out: spec.topologySpreadConstraints[0]";
    assert!(nominated.ends_with(told), "{nominated}");
}

#[test]
fn a_pool_comes_from_zero_and_goes_back() {
    let mut rig = Rig::new();
    zero_to_one_and_back(&mut rig);
    assert_eq!(rig.bought, 1);
    assert_empty(&rig);
}

impl Rig {
    fn with_pool(change: impl FnOnce(&mut NodePool)) -> Self {
        let mut rig = Self::new();
        rig.change_pool(change);
        rig
    }

    fn change_pool(&mut self, change: impl FnOnce(&mut NodePool)) {
        change(&mut self.pool);
        self.observe(Change::Pool(Box::new(self.pool.clone())));
    }

    /// A pod that runs on a node of ours.
    fn running_pod(&mut self, name: &str) -> (crate::model::id::PodKey, ClaimName) {
        let pod = self.add_pod(name);
        self.run_for(BOOT + seconds(10));
        let claim = self
            .claims
            .keys()
            .next()
            .expect("a node was bought")
            .clone();
        assert!(self.pods[&pod].node().is_some(), "{}", self.log.join("\n"));
        (pod, claim)
    }

    fn position(&self, text: &str) -> usize {
        let position = self.log.iter().position(|line| line.contains(text));
        position.unwrap_or_else(|| panic!("no line with {text}:\n{}", self.log.join("\n")))
    }

    fn sell_out(&mut self, capacity_types: &[CapacityType]) {
        for instance_type in self.catalog.of(&"general".into()) {
            let offerings = instance_type.offerings.iter();
            let keys = offerings.map(|it| it.key(&instance_type.name));
            let keys = keys.filter(|key| capacity_types.contains(&key.capacity_type));
            self.sold_out.extend(keys);
        }
    }
}

#[test]
fn later_pods_wait_for_their_batch() {
    let mut rig = Rig::new();
    rig.add_pod("first");
    rig.settle();
    for name in ["a", "b", "c"] {
        rig.run_for(Duration::from_millis(500));
        rig.add_pod(name);
    }
    assert_eq!(rig.lines("> plan pods").len(), 1);
    rig.run_for(seconds(2));
    assert_eq!(rig.lines("> plan pods").len(), 2, "{}", rig.log.join("\n"));
    for name in 0..40 {
        rig.add_pod(&format!("steady-{name}"));
        rig.run_for(Duration::from_millis(500));
    }
    // Twenty seconds of pods that never pause are two batches of the longest duration.
    assert_eq!(rig.lines("> plan pods").len(), 4, "{}", rig.log.join("\n"));
}

#[test]
fn an_open_batch_wakes_nobody_before_it_ends() {
    let mut rig = Rig::new();
    rig.running_pod("first");
    rig.add_pod("second");
    let wake = rig.engine.step(rig.now, Input::Tick).wake_at;
    let wake = wake.expect("the batch has an end");
    assert!(
        wake >= rig.now.saturating_add(Duration::from_millis(900)),
        "{wake}"
    );
}

#[test]
fn sold_out_spot_falls_back_to_on_demand_in_the_same_step() {
    let mut rig = Rig::new();
    rig.sell_out(&[CapacityType::Spot]);
    rig.add_pod("web");
    rig.settle();
    assert_eq!(rig.seconds(), 0);
    assert_eq!(rig.lines("> launch ").len(), 2, "{}", rig.log.join("\n"));
    assert_eq!(rig.lines("SoldOut").len(), 4);
    let launched = rig.lines("Launched: on-demand m.large in a at $0.090000 per hour");
    assert_eq!(launched.len(), 1, "{}", rig.log.join("\n"));
    rig.sold_out.clear();
    rig.run_for(seconds(181));
    rig.add_pod("later");
    rig.add_pod("and-later");
    rig.run_for(seconds(2));
    assert!(
        !rig.lines("Launched: spot").is_empty(),
        "{}",
        rig.log.join("\n")
    );
}

#[test]
fn when_nothing_can_be_bought_the_claim_goes_and_the_pod_waits_for_capacity() {
    let mut rig = Rig::new();
    rig.sell_out(&CapacityType::ALL);
    rig.add_pod("web");
    rig.run_for(seconds(60));
    assert!(rig.claims.is_empty(), "{}", rig.log.join("\n"));
    assert_eq!(rig.lines("InsufficientCapacity:").len(), 1);
    assert_eq!(
        rig.lines("Pod default/web NoPoolFits").len(),
        1,
        "{}",
        rig.log.join("\n")
    );
    rig.sold_out.clear();
    rig.run_for(seconds(140));
    assert_eq!(rig.bought, 1, "{}", rig.log.join("\n"));
}

#[test]
fn a_pod_without_a_place_is_told_once_and_costs_few_plans() {
    let mut rig = Rig::new();
    let huge = Resources::new().with(&ResourceName::CPU, 100_000);
    rig.add_pod_with("huge", |pod| pod.scheduling.requests = Requests(huge));
    rig.run_for(seconds(120));
    assert_eq!(rig.lines("Pod default/huge NoPoolFits").len(), 1);
    let plans = rig.lines("> plan pods").len();
    assert!((1..=13).contains(&plans), "{plans} plans");
}

#[test]
fn a_command_whose_pod_has_gone_is_dropped_and_the_rest_goes_ahead() {
    let mut rig = Rig::new();
    rig.add_pod("first");
    rig.settle();
    rig.hold_plans = true;
    let gone = rig.add_pod("gone");
    rig.add_pod("stays");
    rig.run_for(seconds(2));
    assert_eq!(rig.held_plans.len(), 1);
    rig.end_pod(&gone);
    rig.release_plans();
    rig.settle();
    assert!(rig.lines("default/gone Nominated").is_empty());
    assert_eq!(
        rig.lines("default/stays Nominated").len(),
        1,
        "{}",
        rig.log.join("\n")
    );
}

#[test]
fn a_limit_that_was_lowered_meanwhile_holds() {
    let mut rig = Rig::new();
    rig.hold_plans = true;
    rig.add_pod("web");
    rig.settle();
    rig.change_pool(|pool| {
        pool.limits = Limits::new([(ResourceName::CPU, 1_000)]);
    });
    rig.release_plans();
    rig.run_for(seconds(5));
    assert_eq!(rig.bought, 0);
    assert_eq!(
        rig.lines("planned again: limit of NodePool general").len(),
        1
    );
}

#[test]
fn any_one_answer_may_be_lost() {
    let mut clean = Rig::new();
    zero_to_one_and_back(&mut clean);
    for number in 1..=clean.executed {
        let mut rig = Rig::new();
        rig.lost_answers.insert(number);
        zero_to_one_and_back(&mut rig);
        assert_eq!(
            rig.bought,
            1,
            "answer {number} lost:\n{}",
            rig.log.join("\n")
        );
        assert_empty(&rig);
    }
}

#[test]
fn the_controller_may_die_between_any_two_effects() {
    let mut clean = Rig::new();
    zero_to_one_and_back(&mut clean);
    assert!(clean.executed > 15, "there is too little to die between");
    for number in 1..=clean.executed {
        for before in [true, false] {
            let mut rig = Rig::new();
            let crash = Some(number);
            if before {
                rig.crash_before = crash;
            } else {
                rig.crash_after = crash;
            }
            zero_to_one_and_back(&mut rig);
            let log = rig.log.join("\n");
            assert_eq!(
                rig.bought, 1,
                "died at {number}, before it: {before}\n{log}"
            );
            assert_empty(&rig);
        }
    }
}

#[test]
fn a_claim_deleted_by_a_user_is_drained_and_given_back() {
    let mut rig = Rig::new();
    let (_, claim) = rig.running_pod("web");
    rig.delete_claim(&claim);
    rig.run_for(seconds(30));
    assert_empty(&rig);
    assert!(rig.position("> evict default/web") < rig.position("> terminate"));
    assert!(rig.position("> taint node-") < rig.position("> terminate"));
}

#[test]
fn a_claim_deleted_while_it_is_bought_for_counts_until_its_machine_is_gone() {
    // Number 0 is no effect: once, all answers arrive.
    for lost in 0..=8 {
        let mut rig = Rig::with_pool(|pool| pool.limits = Limits::new([(ResourceName::NODES, 1)]));
        rig.lost_answers.insert(lost);
        (rig.deletes_bought, rig.stops_none) = (true, true);
        rig.add_pod("web");
        rig.run_for(seconds(11));
        let log = rig.log.join("\n");
        assert_eq!(rig.bought, 1, "answer {lost} lost\n{log}");
        (rig.deletes_bought, rig.stops_none) = (false, false);
        rig.run_for(seconds(30));
        let log = rig.log.join("\n");
        assert_eq!(
            (rig.bought, rig.machines.len()),
            (2, 1),
            "answer {lost} lost\n{log}"
        );
    }
}

#[test]
fn a_node_deleted_by_a_user_takes_its_claim_along() {
    let mut rig = Rig::new();
    rig.running_pod("web");
    let node = rig.nodes.keys().next().unwrap().clone();
    rig.delete_node(&node);
    rig.run_for(seconds(30));
    assert_empty(&rig);
    assert!(rig.position("> evict default/web") < rig.position("> terminate"));
}

#[test]
fn a_protected_pod_is_waited_for() {
    let mut rig = Rig::new();
    let pod = rig.add_pod_with("web", |pod| pod.do_not_disrupt = DoNotDisrupt::Always);
    rig.run_for(BOOT + seconds(10));
    let claim = rig.claims.keys().next().unwrap().clone();
    rig.delete_claim(&claim);
    rig.run_for(seconds(300));
    assert!(rig.lines("> evict").is_empty() && rig.lines("> terminate").is_empty());
    rig.end_pod(&pod);
    rig.run_for(seconds(30));
    assert_empty(&rig);
}

#[test]
fn a_protected_pod_is_forced_out_when_the_time_of_its_node_is_up() {
    let mut rig = Rig::with_pool(|pool| pool.template.termination_grace = Some(seconds(100)));
    rig.add_pod_with("web", |pod| pod.do_not_disrupt = DoNotDisrupt::Always);
    rig.run_for(BOOT + seconds(10));
    let claim = rig.claims.keys().next().unwrap().clone();
    rig.delete_claim(&claim);
    rig.run_for(seconds(69));
    assert!(rig.lines("> force out").is_empty());
    rig.run_for(seconds(40));
    assert_eq!(rig.lines("> force out default/web").len(), 1);
    assert_eq!(rig.lines("> deadline").len(), 1);
    assert_empty(&rig);
}

#[test]
fn a_budget_of_zero_keeps_the_node() {
    let mut rig = Rig::with_pool(|pool| pool.disruption.budgets[0].nodes = BudgetNodes::Count(0));
    let (pod, _) = rig.running_pod("web");
    rig.end_pod(&pod);
    rig.run_for(seconds(300));
    assert_eq!(rig.machines.len(), 1);
}

#[test]
fn why_a_node_stays_is_told_when_the_reason_changes() {
    let mut rig = Rig::with_pool(|pool| pool.disruption.budgets[0].nodes = BudgetNodes::Count(0));
    let (pod, claim) = rig.running_pod("web");
    assert!(rig.lines("the node stays").is_empty(), "a pod needs it");
    rig.end_pod(&pod);
    rig.run_for(seconds(300));
    let told: Vec<String> = rig
        .lines("the node stays")
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    for (line, reason) in told.iter().zip(["NotQuiet", "Budget"]) {
        let said = format!("NodeClaim {claim} {reason}: the node stays: ");
        assert!(line.contains(&said), "{line}");
    }
    rig.change_pool(|pool| pool.disruption.budgets[0].nodes = BudgetNodes::Count(1));
    rig.run_for(seconds(30));
    assert_eq!(rig.lines("the node stays").len(), 2);
    assert_empty(&rig);
}

#[test]
fn an_engine_that_waits_for_something_holds_no_question_answered() {
    let mut rig = Rig::new();
    rig.hold_plans = true;
    rig.add_pod("web");
    rig.settle();
    assert_eq!(
        rig.engine.settled_questions(rig.now),
        None,
        "a plan is made"
    );
    rig.hold_plans = false;
    rig.release_plans();
    rig.run_for(BOOT + seconds(10));
    let questions = rig
        .engine
        .settled_questions(rig.now)
        .expect("all is answered");
    let plan = crate::planner::plan(&questions.provision);
    assert!(plan.claims.is_empty() && plan.existing.is_empty());
    let later = rig.now.saturating_add(seconds(3_600));
    assert_eq!(
        rig.engine.settled_questions(later),
        None,
        "it sleeps no longer than that"
    );
}

#[test]
fn a_budget_is_read_again_before_a_node_goes() {
    let mut rig = Rig::new();
    let (pod, _) = rig.running_pod("web");
    rig.end_pod(&pod);
    rig.run_for(seconds(29));
    rig.hold_plans = true;
    rig.run_for(seconds(5));
    rig.change_pool(|pool| pool.disruption.budgets[0].nodes = BudgetNodes::Count(0));
    rig.release_plans();
    rig.run_for(seconds(20));
    assert_eq!(rig.machines.len(), 1, "{}", rig.log.join("\n"));
    assert!(
        !rig.lines("the budgets of the pool allow no more")
            .is_empty()
    );
}

#[test]
fn a_machine_that_nobody_claims_is_given_back() {
    let mut rig = Rig::new();
    let machine = objects::machine(&objects::spot("m.large", "a"), 99);
    let fact = MachineFact {
        machine: machine.clone(),
        launch_group: Some("unknown".into()),
        tags: std::collections::BTreeMap::new(),
        launched_at: rig.now,
    };
    rig.machines.insert(machine.provider_id, fact);
    rig.run_for(seconds(130));
    assert!(rig.machines.is_empty(), "{}", rig.log.join("\n"));
    assert_eq!(rig.lines("Orphan").len(), 1);
}

#[test]
fn a_claim_whose_machine_is_gone_goes_too() {
    let mut rig = Rig::new();
    rig.running_pod("web");
    rig.machines.clear();
    let node = rig.nodes.values_mut().next().unwrap();
    node.ready = NodeReady::NotReady { since: rig.now };
    let node = node.clone();
    rig.observe(Change::Node(Box::new(node)));
    rig.run_for(seconds(200));
    assert_empty(&rig);
    assert_eq!(rig.lines("MachineGone").len(), 1, "{}", rig.log.join("\n"));
}

#[test]
fn who_stands_by_wants_nothing() {
    let rig = Rig::new();
    let mut engine = Engine::new(objects::settings());
    let pod = objects::pod("web", "uid-pod".into(), rig.now);
    for kind in crate::cluster::Kind::ALL {
        for change in [Change::ListBegins(kind), Change::ListEnds(kind)] {
            let step = engine.step(rig.now, Input::Observed(change));
            assert!(step.effects.is_empty());
        }
    }
    let step = engine.step(rig.now, Input::Observed(Change::Pod(Box::new(pod))));
    assert!(step.effects.is_empty() && step.wake_at.is_none());
}

/// What is sold out is noted by a clock that is fast by an hour. When the clock is set right, nobody
/// waits for that hour to pass once more.
#[test]
fn a_clock_that_is_set_back_delays_nothing_beyond_its_bound() {
    let mut rig = Rig::new();
    let hour = seconds(3_600);
    rig.now = rig.now.saturating_add(hour);
    rig.sell_out(&CapacityType::ALL);
    rig.add_pod("web");
    rig.run_for(seconds(30));
    assert_eq!(rig.bought, 0, "{}", rig.log.join("\n"));
    rig.sold_out.clear();
    rig.now = rig.now.saturating_sub(hour);
    rig.run_for(seconds(200));
    assert_eq!(rig.bought, 1, "{}", rig.log.join("\n"));
}

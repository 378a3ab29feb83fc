//! Each fault that the lint knows is found in a plan that is sound but for that fault.

use std::sync::Arc;

use tidewright::cluster::NodeId;
use tidewright::model::id::PodKey;
use tidewright::model::labels::keys;
use tidewright::model::pod::{FieldWeight, Pod, UnsupportedField};
use tidewright::model::pool::Limits;
use tidewright::model::price::Price;
use tidewright::model::requirement::Requirement;
use tidewright::model::resources::{ResourceName, Resources};
use tidewright::model::taint::{Taint, TaintEffect};
use tidewright::model::time::Timestamp;
use tidewright::planner::{Plan, PlanInput, lint, plan};

use super::problem::Problem;

const PROBLEM: &str = "
    type m.large cpu=2 memory=8Gi on-demand=0.10 spot=0.04 zones=a,b
    type m.xlarge cpu=4 memory=16Gi on-demand=0.20 spot=0.07 zones=a,b
    pool general limit.cpu=12 require=capacity-type:Exists
    daemonset logs cpu=100m memory=100Mi
    node n1 pool=general type=m.large label=team=x
    node n2 pool=general type=m.large going
    pod here cpu=1500m memory=1Gi select=team=x
    pod new cpu=1 memory=1Gi select=zone=a
    pod more cpu=500m memory=1Gi affinity=zone:In:a
    pod lost cpu=1 memory=1Gi select=zone=z
";

/// Breaks something and expects exactly these findings.
#[track_caller]
fn check(break_it: impl Fn(&mut PlanInput, &mut Plan), expected: &[&str]) {
    let mut input = Problem::parse(PROBLEM).expect("a problem").plan_input();
    let mut answer = plan(&input);
    assert_eq!(lint(&input, &answer), []);
    assert_eq!((answer.claims.len(), answer.existing.len()), (1, 1));
    break_it(&mut input, &mut answer);
    let found = lint(&input, &answer);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

fn pod(name: &str) -> PodKey {
    PodKey::new("default", name)
}

#[test]
fn a_pod_occurs_once() {
    check(
        |_, plan| drop(plan.unplaced.pop()),
        &["pod default/lost is pending and occurs 0 times"],
    );
    check(
        |_, plan| plan.existing[0].pods.push(pod("new")),
        &["pod default/new is pending and occurs 2 times"],
    );
    check(
        |_, plan| plan.existing[0].pods.push(pod("stranger")),
        &["pod default/stranger is not pending and occurs 1 times"],
    );
}

#[test]
fn what_holds_pods_exists_and_has_room() {
    check(
        |_, plan| plan.existing[0].node = NodeId::Claim("n2".into()),
        &["n2 takes no pods"],
    );
    check(
        |_, plan| plan.existing[0].node = NodeId::Node("n1".into()),
        &["n1 takes no pods"],
    );
    check(
        |input, _| grow(input, "here", 1_901),
        &["n1: cpu: 2001m needed, 2 available"],
    );
    check(
        |input, _| Arc::make_mut(&mut input.snapshot.pools).clear(),
        &["NodePool general cannot be used"],
    );
}

/// Lets a pod ask for so much cpu.
fn grow(input: &mut PlanInput, name: &str, cpu_millis: i64) {
    change(input, name, |pod| {
        pod.scheduling
            .requests
            .0
            .set(&ResourceName::CPU, cpu_millis);
    });
}

fn change(input: &mut PlanInput, name: &str, change: impl Fn(&mut Pod)) {
    let mut pending = input.pending.iter_mut();
    let pod = pending
        .find(|it| &*it.key.name == name)
        .expect("a pod of the problem");
    change(Arc::make_mut(pod));
}

#[test]
fn pods_are_where_they_may_be() {
    let unsupported = |pod: &mut Pod| {
        pod.scheduling.unsupported.push(UnsupportedField {
            path: "spec.volumes[0]".into(),
            weight: FieldWeight::Binding,
        });
    };
    check(
        |input, _| change(input, "here", unsupported),
        &["pod default/here is placed in spite of unsupported fields"],
    );
    let elsewhere = |pod: &mut Pod| {
        pod.scheduling
            .node_selector
            .replace(Requirement::one_of(keys::ZONE, ["b"]));
    };
    check(
        |input, _| change(input, "here", elsewhere),
        &["pod default/here asks for other labels than those of n1"],
    );
    check(
        |input, _| change(input, "new", elsewhere),
        &[
            "pod default/new asks for other labels than those of m.large",
            "pod default/new asks for other labels than those of m.xlarge",
        ],
    );
    let taint = Taint::new("team", "", TaintEffect::NoSchedule);
    check(
        |_, plan| plan.claims[0].spec.taints.push(taint.clone()),
        &[
            "pod default/new does not tolerate team:NoSchedule",
            "pod default/more does not tolerate team:NoSchedule",
            "the claim for pod default/new contradicts itself: Taints",
        ],
    );
}

#[test]
fn a_claim_is_true() {
    let contradiction =
        |what: &str| format!("the claim for pod default/new contradicts itself: {what}");
    check(
        |_, plan| plan.claims[0].instance_types.reverse(),
        &[&contradiction("Types")],
    );
    check(
        |_, plan| drop(plan.claims[0].instance_types.pop()),
        &[&contradiction("Types")],
    );
    check(
        |_, plan| {
            let mut two = Requirement::one_of(keys::INSTANCE_TYPE, ["m.large", "m.xlarge"]);
            two.min_values = Some(3);
            plan.claims[0].spec.requirements.replace(two);
        },
        &[&contradiction("MinValues")],
    );
    check(
        |_, plan| plan.claims[0].spec.requests = Resources::ZERO,
        &[&contradiction("Requests")],
    );
    check(
        |_, plan| plan.claims[0].cheapest.offering.zone = "b".into(),
        &[&contradiction("Cheapest")],
    );
    check(
        |_, plan| {
            plan.claims[0].cheapest.price = Price::from_micros(50_000);
            plan.cost_per_hour = Price::from_micros(50_000);
        },
        &[&contradiction("Cheapest")],
    );
}

#[test]
fn a_claim_can_be_bought_within_the_limits() {
    check(
        |input, plan| {
            let cheapest = plan.claims[0].cheapest.offering.clone();
            input.sold_out.insert(cheapest, Timestamp::from_seconds(60));
        },
        // On demand it costs more than the larger type on spot.
        &[
            "the claim for pod default/new contradicts itself: Types",
            "the claim for pod default/new contradicts itself: Cheapest",
        ],
    );
    check(
        |_, plan| plan.claims[0].instance_types.push("m.none".into()),
        &[
            "NodePool general cannot buy m.none",
            "the claim for pod default/new contradicts itself: Types",
        ],
    );
    check(
        |input, _| {
            let pools = Arc::make_mut(&mut input.snapshot.pools);
            let pool = Arc::make_mut(pools.values_mut().next().unwrap());
            pool.limits = Limits::new([(ResourceName::NODES, 2)]);
        },
        &["NodePool general may break its limit: nodes: 3 needed, 2 available"],
    );
    check(
        |input, _| grow(input, "more", 901),
        &[
            "m.large: cpu: 2001m needed, 2 available",
            "the claim for pod default/new contradicts itself: Requests",
        ],
    );
}

#[test]
fn the_money_adds_up() {
    check(
        |_, plan| plan.cost_per_hour = Price::from_micros(41_000),
        &["the money does not add up: Cost"],
    );
    check(
        |_, plan| plan.bound_per_hour = Price::from_micros(40_001),
        &[
            "the money does not add up: BoundAboveCost",
            "the money does not add up: BoundWithoutProof",
        ],
    );
    check(
        |_, plan| plan.certificate.duals.clear(),
        &["the money does not add up: BoundWithoutProof"],
    );
    check(
        |_, plan| plan.certificate.duals[0].demand += 1,
        &["the money does not add up: Dual"],
    );
    check(
        |_, plan| plan.certificate.duals[0].per_units -= 1,
        &["the money does not add up: Dual"],
    );
}

//! What holds of every plan, on problems drawn at random and written as text, so that a failure
//! prints a fixture.

use std::fmt::Write;

use proptest::prelude::*;
use tidewright::cluster::NodeSource;
use tidewright::model::catalog::{InstanceType, Offering};
use tidewright::model::pod::Pod;
use tidewright::model::reason::{Miss, Unschedulable};
use tidewright::model::requirement::Requirements;
use tidewright::model::resources::Resources;
use tidewright::model::taint::tolerates_all;
use tidewright::planner::{Plan, PlanInput, lint, plan};

use super::problem::Problem;
use super::{report, solved};

const TYPES: &str = "\
type s.small cpu=1 memory=2Gi on-demand=0.03 spot=0.02 zones=a,b reserved.cpu=100m pods=5
type m.large cpu=2 memory=8Gi on-demand=0.10 spot=0.04 zones=a,b reserved.cpu=100m
type m.xlarge cpu=4 memory=16Gi on-demand=0.20 spot=0.07 zones=b reserved.cpu=100m
type c.xlarge cpu=4 memory=8Gi on-demand=0.17 spot=0.09 zones=a,b
type a.2xlarge cpu=8 memory=32Gi on-demand=0.30 zones=a label=kubernetes.io/arch=arm64
";

fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(choices)
}

fn pool() -> impl Strategy<Value = String> {
    let limit = one_of(&[
        "",
        "",
        "limit.cpu=4",
        "limit.cpu=9 limit.memory=20Gi",
        "limit.nodes=2",
    ]);
    let require = one_of(&[
        "",
        "require=capacity-type:In:on-demand",
        "require=zone:In:a require=team:Exists",
        "require=arch:NotIn:arm64 require=team:NotIn:x",
        "require=family:In:m,c min=family:2",
    ]);
    let taint = one_of(&[
        "",
        "",
        "taint=team=a:NoSchedule",
        "taint=soft:PreferNoSchedule",
        "taint=team=a:NoExecute label=team=a",
    ]);
    let weight = one_of(&["", "weight=10"]);
    (limit, require, taint, weight).prop_map(|(a, b, c, d)| format!("{a} {b} {c} {d}"))
}

fn pod() -> impl Strategy<Value = String> {
    let size = one_of(&[
        "cpu=100m memory=64Mi count=4",
        "cpu=500m memory=1Gi count=3",
        "cpu=900m memory=1Gi count=2",
        "cpu=1500m memory=7Gi",
        "cpu=3 memory=3Gi",
        "cpu=7 memory=1Gi",
        "cpu=20 memory=1Gi",
    ]);
    let place = one_of(&[
        "",
        "",
        "select=zone=a",
        "select=team=a",
        "affinity=zone:In:c affinity=arch:In:arm64",
        "affinity=zone:In:b;family:NotIn:s affinity=team:In:x,y",
        "prefer=10:zone:In:c prefer=50:zone:In:b",
        "prefer=10:family:In:c prefer=1:capacity-type:In:spot",
        "affinity=team:DoesNotExist",
        "affinity=capacity-type:In:spot",
    ]);
    let tolerate = one_of(&["", "tolerate=team", "tolerate=everything"]);
    (size, place, tolerate).prop_map(|(a, b, c)| format!("{a} {b} {c}"))
}

fn node() -> impl Strategy<Value = String> {
    let kind = one_of(&[
        "type=m.large zone=a",
        "type=c.xlarge zone=b",
        "type=s.small",
    ]);
    let what = one_of(&[
        "",
        "unmanaged",
        "uninitialized startup-taint=team=a:NoSchedule",
        "going",
    ]);
    let extra = one_of(&[
        "",
        "label=team=a",
        "taint=team=a:NoSchedule",
        "taint=soft:PreferNoSchedule",
    ]);
    (kind, what, extra).prop_map(|(a, b, c)| format!("pool=p0 {a} {b} {c}"))
}

/// The lines of a problem, pods last: their order must not matter.
fn problem() -> impl Strategy<Value = (String, Vec<String>)> {
    let pools = prop::collection::vec(pool(), 0..3);
    let nodes = prop::collection::vec(node(), 0..3);
    let pods = prop::collection::vec(pod(), 0..6);
    let rest = one_of(&[
        "",
        "daemonset logs cpu=100m memory=100Mi tolerate=everything",
        "daemonset arm cpu=1 memory=1Gi select=arch=arm64\nsold-out spot m.large a until=60",
        "sold-out on-demand a.2xlarge a until=60\nsold-out spot m.xlarge b until=30",
    ]);
    let claim = one_of(&[
        "",
        "claim flying pool=p0 types=m.large,c.xlarge require=zone:In:a,b",
        "claim flying pool=p0 types=m.large require=zone:In:a label=team=a",
    ]);
    (pools, nodes, pods, rest, claim).prop_map(|(pools, nodes, pods, rest, claim)| {
        let mut text = TYPES.to_owned();
        for (kind, lines) in [("pool p", pools), ("node n", nodes)] {
            for (number, line) in lines.iter().enumerate() {
                writeln!(text, "{kind}{number} {line}").expect("a text can be written");
            }
        }
        writeln!(text, "{claim}\n{rest}").expect("a text can be written");
        let pods = pods.iter().enumerate();
        let pods = pods.map(|(number, line)| format!("pod w{number} {line}\n"));
        (text, pods.collect())
    })
}

fn input(text: &str, pods: &[String]) -> PlanInput {
    let text = format!("{text}{}", pods.concat());
    Problem::parse(&text)
        .unwrap_or_else(|fault| panic!("{fault}"))
        .plan_input()
}

/// Whether an empty machine of some type would take the pod alone, by trying every pool, type and
/// offering with the labels that its node would have. Pools that leave labels of their own open
/// are not judged.
fn fits_somewhere_alone(input: &PlanInput, at: usize) -> bool {
    let pod = &input.pending[at];
    let needed = with_all_daemons(input, pod);
    let closed = input.snapshot.pools.values().filter(|pool| {
        let asked = &pool.template.requirements;
        pool.limits.iter().next().is_none()
            && asked.get("team").is_none()
            && asked.iter().all(|it| it.min_values.is_none())
    });
    closed.into_iter().any(|pool| {
        let template = &pool.template;
        let own = Requirements::from_labels(&template.labels);
        let sells = |it: &InstanceType, offering: &Offering| {
            let labels = it.requirements.intersect(&offering.requirements);
            let allowed = labels.intersects(&template.requirements).is_ok();
            let labels = labels.intersect(&own);
            let suits = |it: &Requirements| labels.compatible(it, |_| false).is_ok();
            allowed
                && !input.sold_out.contains(&offering.key(&it.name), input.now)
                && pod.scheduling.alternatives().iter().any(suits)
        };
        tolerates_all(&pod.scheduling.tolerations, &template.taints).is_ok()
            && input.catalog.of(&pool.name).iter().any(|it| {
                needed.fits_in(&it.allocatable()) && it.offerings.iter().any(|sale| sells(it, sale))
            })
    })
}

fn limits_forbid(reason: &Unschedulable) -> bool {
    match reason {
        Unschedulable::NoPoolFits { misses } => misses
            .iter()
            .any(|it| matches!(it.miss, Miss::Limit { .. } | Miss::MinValues { .. })),
        Unschedulable::UnsupportedFields { .. }
        | Unschedulable::NoNodePool
        | Unschedulable::WorkSpent => false,
    }
}

/// Whether a node of ours that the plan leaves as it is would take the pod.
fn fits_on_unused_node(input: &PlanInput, answer: &Plan, at: usize) -> bool {
    let pod = &input.pending[at];
    let unused = input.snapshot.nodes.iter().filter(|(id, state)| {
        let managed = matches!(state.source, NodeSource::Managed(..)) && !state.going;
        managed && answer.existing.iter().all(|it| it.node != **id)
    });
    unused.into_iter().any(|(_, state)| {
        let labels = Requirements::from_labels(&state.labels());
        let suits = |it: &Requirements| labels.compatible(it, |_| false).is_ok();
        tolerates_all(&pod.scheduling.tolerations, &state.taints()).is_ok()
            && with_all_daemons(input, pod)
                .fits_in(&state.allocatable().expect("a node has a size"))
            && pod.scheduling.alternatives().iter().any(suits)
    })
}

/// What the pod and all DaemonSets take, which is more than would run beside it: the judgement
/// that it fits is on the safe side.
fn with_all_daemons(input: &PlanInput, pod: &Pod) -> Resources {
    let sets = input.snapshot.daemon_sets.values();
    let sizes = sets.map(|set| set.scheduling.resources());
    let size = pod.scheduling.resources().clone();
    sizes.fold(size, |sum, it| sum.checked_add(it).expect("small sizes"))
}

fn check_unplaced(input: &PlanInput, answer: &Plan) {
    for left in &answer.unplaced {
        let at = input
            .pending
            .iter()
            .position(|pod| pod.key == left.pod)
            .expect("only pending pods are judged");
        let (pod, reason) = (&left.pod, &left.reason);
        assert!(
            limits_forbid(reason) || !fits_somewhere_alone(input, at),
            "{pod} could be placed alone: {reason}"
        );
        assert!(
            !fits_on_unused_node(input, answer, at),
            "{pod} fits on a node that is there: {reason}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn plans_are_sound_stable_and_total((text, pods) in problem()) {
        let input = input(&text, &pods);
        // Lint clean, and planning again changes nothing.
        solved(&input);
        check_unplaced(&input, &plan(&input));
    }

    #[test]
    fn the_order_of_pods_does_not_matter((text, pods) in problem(), turn in 0_usize..6) {
        let mut turned = pods.clone();
        turned.rotate_left(turn.min(pods.len()));
        turned.reverse();
        let (one, other) = (plan(&input(&text, &pods)), plan(&input(&text, &turned)));
        prop_assert_eq!(report::plan(&one), report::plan(&other));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_plan_cut_short_is_sound((text, pods) in problem(), work in 0_u64..40) {
        let input = input(&format!("work {work}\n{text}"), &pods);
        let answer = plan(&input);
        prop_assert_eq!(lint(&input, &answer), []);
    }
}

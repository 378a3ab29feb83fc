//! NodeClaims: what is written is what is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tidewright::api::convert;
use tidewright::api::nodeclaim::NodeClaim as Object;
use tidewright::api::render::{node_claim, patch_claim};
use tidewright::model::catalog::CapacityType;
use tidewright::model::claim::{ClaimPhase, ClaimSpec, Machine, NodeClaim};
use tidewright::model::id::{LaunchGroup, NodeName};
use tidewright::model::labels::{LabelKey, LabelValue, keys};
use tidewright::model::node_class::NodeClassRef;
use tidewright::model::patch::ClaimPatch;
use tidewright::model::requirement::{Operator, Requirement, Requirements};
use tidewright::model::resources::{ResourceName, Resources};
use tidewright::model::taint::{Taint, TaintEffect};
use tidewright::model::time::Timestamp;

use super::{merged, object, told};

fn requirement() -> impl Strategy<Value = Requirement> {
    let key = select(vec![
        keys::ZONE,
        keys::INSTANCE_CPU,
        keys::INSTANCE_TYPE,
        "team",
    ]);
    let set = prop_oneof![
        (
            select(vec![Operator::In, Operator::NotIn]),
            prop::collection::vec("[a-c1-9]", 1..4)
        ),
        (
            select(vec![Operator::Exists, Operator::DoesNotExist]),
            Just(Vec::new())
        ),
        (
            select(vec![
                Operator::Gt,
                Operator::Lt,
                Operator::Gte,
                Operator::Lte
            ]),
            (0..9_u32).prop_map(|bound| vec![bound.to_string()])
        ),
    ];
    (key, set, prop::option::of(1..50_u32)).prop_map(|(key, (operator, values), min_values)| {
        let values = values.iter().map(String::as_str);
        let read = Requirement::new(key, operator, values).expect("a requirement");
        Requirement { min_values, ..read }
    })
}

fn resources() -> impl Strategy<Value = Resources> {
    let names = vec![
        "cpu",
        "memory",
        "ephemeral-storage",
        "pods",
        "nvidia.com/gpu",
        "hugepages-2Mi",
    ];
    let amount = (select(names), 0..=i64::MAX / 2_000);
    prop::collection::vec(amount, 0..5).prop_map(|amounts| {
        let amounts = amounts.into_iter();
        amounts.fold(Resources::ZERO, |all, (name, amount)| {
            all.with(&ResourceName::from(name), amount)
        })
    })
}

fn taints() -> impl Strategy<Value = Vec<Taint>> {
    let effect = select(vec![
        TaintEffect::NoSchedule,
        TaintEffect::PreferNoSchedule,
        TaintEffect::NoExecute,
    ]);
    let taint = ("[a-c]", "[a-c]?", effect);
    let taint = taint.prop_map(|(key, value, effect)| Taint::new(&key, &value, effect));
    prop::collection::vec(taint, 0..3)
}

/// Labels that only the user gives meaning to.
fn labels() -> impl Strategy<Value = BTreeMap<LabelKey, LabelValue>> {
    let label = ("example.com/[a-c]", "[a-c]?");
    let label = label.prop_map(|(key, value)| (LabelKey::from(key), LabelValue::from(value)));
    prop::collection::vec(label, 0..3).prop_map(|labels| labels.into_iter().collect())
}

fn annotations() -> impl Strategy<Value = BTreeMap<Arc<str>, Arc<str>>> {
    let key = select(vec![
        keys::NODE_POOL_HASH,
        keys::NODE_POOL_HASH_VERSION,
        "note",
    ]);
    let annotation = (key, "[a-c]?").prop_map(|(key, value)| (key.into(), value.into()));
    prop::collection::vec(annotation, 0..3).prop_map(|all| all.into_iter().collect())
}

fn class() -> NodeClassRef {
    NodeClassRef {
        group: "karpenter.k8s.aws".into(),
        kind: "EC2NodeClass".into(),
        name: "default".into(),
    }
}

/// A spec as the planner makes it: the labels name the pool and the class.
fn spec() -> impl Strategy<Value = ClaimSpec> {
    let requirements = prop::collection::vec(requirement(), 0..6);
    let times = (
        prop::option::of(0..9_999_u64),
        prop::option::of(0..9_999_u64),
    );
    (
        requirements,
        resources(),
        (taints(), taints()),
        labels(),
        annotations(),
        times,
    )
        .prop_map(
            |(requirements, requests, (taints, startup_taints), mut labels, annotations, times)| {
                labels.insert(keys::NODE_POOL.into(), "general".into());
                labels.insert(keys::EC2_NODE_CLASS.into(), "default".into());
                ClaimSpec {
                    pool: "general".into(),
                    node_class: class(),
                    requirements: requirements.into_iter().collect(),
                    requests,
                    taints,
                    startup_taints,
                    labels,
                    annotations,
                    expire_after: times.0.map(Duration::from_secs),
                    termination_grace: times.1.map(Duration::from_secs),
                }
            },
        )
}

fn machine() -> impl Strategy<Value = Machine> {
    let capacity_type = select(CapacityType::ALL.to_vec());
    (capacity_type, resources(), resources()).prop_map(|(capacity_type, capacity, allocatable)| {
        let labels = [
            (keys::INSTANCE_TYPE, "m6a.large"),
            (keys::ZONE, "us-east-2a"),
            (keys::CAPACITY_TYPE, capacity_type.as_str()),
            (keys::INSTANCE_CPU, "2"),
        ];
        Machine {
            provider_id: "aws:///us-east-2a/i-1".into(),
            instance_type: "m6a.large".into(),
            zone: "us-east-2a".into(),
            capacity_type,
            labels: labels.map(|(key, value)| (key.into(), value.into())).into(),
            capacity,
            allocatable,
        }
    })
}

fn read(object: &Object) -> NodeClaim {
    let read = convert::node_claim(object);
    assert_eq!(told(&read.problems), [""; 0]);
    read.value
}

/// Patches twice, later: the second time may change nothing.
fn patched(object: &mut Object, patch: &ClaimPatch, now: Timestamp) -> NodeClaim {
    patch_claim(object, patch, now);
    let once = object.clone();
    patch_claim(object, patch, now.saturating_add(Duration::from_mins(1)));
    assert_eq!(*object, once);
    read(object)
}

proptest! {
    #[test]
    fn a_claim_is_read_as_it_was_written_in_every_phase(spec in spec(), machine in machine()) {
        let node = NodeName::from("n");
        let at = |minutes| Timestamp::EPOCH.saturating_add(Duration::from_mins(minutes));
        let mut object = node_claim(&"general-1".into(), &spec);
        let claim = read(&object);
        prop_assert_eq!(&claim.spec, &spec);
        prop_assert_eq!(claim.name.as_str(), "general-1");
        prop_assert!(claim.held);
        prop_assert_eq!(claim.phase, ClaimPhase::Pending);

        let group = LaunchGroup::from("g");
        let claim = patched(&mut object, &ClaimPatch::LaunchGroup(group.clone()), at(1));
        prop_assert_eq!(claim.launch_group, Some(group));
        let launched = ClaimPatch::Launched(Box::new(machine.clone()));
        let claim = patched(&mut object, &launched, at(2));
        prop_assert_eq!(claim.phase, ClaimPhase::Launched { machine: machine.clone(), at: at(2) });
        let registered = ClaimPatch::Registered(node.clone());
        let claim = patched(&mut object, &registered, at(3));
        prop_assert_eq!(
            claim.phase,
            ClaimPhase::Registered { machine: machine.clone(), node: node.clone(), at: at(3) }
        );
        let claim = patched(&mut object, &ClaimPatch::Initialized, at(4));
        prop_assert_eq!(claim.phase, ClaimPhase::Initialized { machine, node, at: at(4) });
        let claim = patched(&mut object, &ClaimPatch::LastPodEvent(at(5)), at(5));
        prop_assert_eq!(claim.last_pod_event, Some(at(5)));
        patched(&mut object, &ClaimPatch::TerminationDeadline(at(6)), at(5));
        prop_assert_eq!(convert::termination_deadline(&object), Some(at(6)));
        // What is wanted never changed on the way.
        prop_assert_eq!(read(&object).spec, spec);

        // Neither is anything lost on the way through the API server.
        let wire = serde_json::to_value(&object).expect("a NodeClaim");
        let back: Object = super::object(wire);
        prop_assert_eq!(read(&back), read(&object));
    }
}

fn document() -> serde_json::Value {
    json!({
        "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
        "metadata": {"name": "c", "labels": {"karpenter.sh/nodepool": "p"}},
        "spec": {"requirements": [], "nodeClassRef": {"group": "g", "kind": "k", "name": "n"}},
    })
}

#[test]
fn conditions_move_only_when_their_status_does() {
    let spec = convert::node_claim(&object(document())).value.spec;
    let mut claim = node_claim(&"c".into(), &spec);
    claim.metadata.generation = Some(1);
    let machine = Machine {
        provider_id: "aws:///z/i-1".into(),
        instance_type: "t".into(),
        zone: "z".into(),
        capacity_type: CapacityType::Spot,
        labels: BTreeMap::new(),
        capacity: Resources::ZERO,
        allocatable: Resources::ZERO,
    };
    let steps = [
        (ClaimPatch::Launched(Box::new(machine)), 10_900),
        (ClaimPatch::Registered("n".into()), 20_000),
        (ClaimPatch::Initialized, 30_000),
    ];
    let expected = [
        [
            "Launched True 10",
            "Registered Unknown 10",
            "Initialized Unknown 10",
            "Ready Unknown 10",
        ],
        [
            "Launched True 10",
            "Registered True 20",
            "Initialized Unknown 10",
            "Ready Unknown 10",
        ],
        [
            "Launched True 10",
            "Registered True 20",
            "Initialized True 30",
            "Ready True 30",
        ],
    ];
    for ((patch, millis), expected) in steps.into_iter().zip(expected) {
        patch_claim(&mut claim, &patch, Timestamp::from_millis(millis));
        let conditions = &claim.status.as_ref().expect("a status").conditions;
        let conditions = conditions.iter();
        let conditions: Vec<_> = conditions
            .map(|it| {
                assert_eq!(it.observed_generation, Some(1));
                let second = it.last_transition_time.0.as_second();
                format!("{} {} {second}", it.type_, it.status)
            })
            .collect();
        assert_eq!(conditions, expected);
    }
}

#[test]
fn a_claim_that_names_a_machine_has_one() {
    let status = |over| merged(document(), &json!({"status": over}));
    let is_true = |name: &str| json!({"type": name, "status": "True", "reason": "", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let bought = convert::node_claim(&object(status(
        json!({"providerID": "aws:///z/i-1", "conditions": [is_true("Registered")]}),
    )));
    let ClaimPhase::Launched { machine, .. } = &bought.value.phase else {
        panic!("a machine is named: {:?}", bought.value.phase);
    };
    assert_eq!(machine.capacity_type, CapacityType::OnDemand);
    assert_eq!(
        told(&bought.problems),
        [
            "metadata.labels[\"node.kubernetes.io/instance-type\"]: missing, although a machine is named",
            "metadata.labels[\"topology.kubernetes.io/zone\"]: missing, although a machine is named",
            "metadata.labels[\"karpenter.sh/capacity-type\"]: missing, although a machine is named",
            "status.nodeName: missing, although the condition Registered is True",
        ]
    );
    let unbought = convert::node_claim(&object(status(
        json!({"conditions": [is_true("Launched")]}),
    )));
    assert_eq!(unbought.value.phase, ClaimPhase::Pending);
}

#[test]
fn what_was_asked_for_stands_when_the_machine_says_otherwise() {
    let asked =
        json!({"metadata": {"labels": {"karpenter.sh/capacity-type": "spot", "team": "a"}}});
    let read = convert::node_claim(&object(merged(document(), &asked)));
    assert_eq!(
        read.value.spec.labels.get("team").map(LabelValue::as_str),
        Some("a")
    );
    // A label that machines bring is no part of what is asked for; the requirements say it.
    assert_eq!(read.value.spec.labels.get(keys::CAPACITY_TYPE), None);

    let mut spec = read.value.spec;
    spec.requirements = Requirements::new();
    spec.labels
        .insert(keys::CAPACITY_TYPE.into(), "spot".into());
    let mut claim = node_claim(&"c".into(), &spec);
    let machine = Machine {
        provider_id: "aws:///z/i-1".into(),
        instance_type: "t".into(),
        zone: "z".into(),
        capacity_type: CapacityType::OnDemand,
        labels: [(keys::CAPACITY_TYPE.into(), "on-demand".into())].into(),
        capacity: Resources::ZERO,
        allocatable: Resources::ZERO,
    };
    patch_claim(
        &mut claim,
        &ClaimPatch::Launched(Box::new(machine)),
        Timestamp::EPOCH,
    );
    let labels = claim.metadata.labels.expect("labels");
    assert_eq!(
        labels.get(keys::CAPACITY_TYPE).map(String::as_str),
        Some("spot")
    );
}

#[test]
fn a_claim_without_pool_or_with_nonsense_is_read_as_far_as_it_goes() {
    let read = convert::node_claim(&object(json!({
        "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": {"name": "c"},
        "spec": {
            "requirements": [{"key": "a", "operator": "In"}, {"key": "b", "operator": "Exists", "minValues": -1}],
            "nodeClassRef": {"group": "g", "kind": "k", "name": "n"},
            "expireAfter": "soon", "terminationGracePeriod": "1d",
            "resources": {"requests": {"cpu": "x"}},
        },
    })));
    assert_eq!(read.value.spec.expire_after, None);
    assert_eq!(read.value.spec.termination_grace, None);
    let paths: Vec<_> = read.problems.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "metadata.labels[\"karpenter.sh/nodepool\"]",
            "spec.resources.requests[\"cpu\"]",
            "spec.requirements[0]",
            "spec.requirements[1].minValues",
            "spec.expireAfter",
            "spec.terminationGracePeriod",
        ]
    );
}

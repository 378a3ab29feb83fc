//! What a pod says about where it runs, and how it stands.

use std::time::Duration;

use serde_json::{Value, json};
use tidewright::api::convert::{daemon_set, pod};
use tidewright::model::labels::LabelKey;
use tidewright::model::pod::{
    DoNotDisrupt, FieldWeight, Placement, Pod, PodPhase, Scheduling, UnsupportedField,
};
use tidewright::model::taint::{Taint, TaintEffect, tolerates};
use tidewright::model::time::Timestamp;
use tidewright::model::topology::{
    LabelSelector, Namespaces, NodeInclusion, TopologySpread, WhenUnsatisfiable,
};

use super::{merged, object};

fn scheduling(spec: &Value) -> Scheduling {
    let document = merged(json!({"spec": {"containers": []}}), &json!({"spec": spec}));
    pod(&object(document)).scheduling
}

fn read(document: &Value) -> Pod {
    pod(&object(merged(
        json!({"spec": {"containers": []}}),
        document,
    )))
}

/// Fields as `Binding path` and `Preference path`.
fn told(fields: &[UnsupportedField]) -> Vec<String> {
    let weight = |field: &UnsupportedField| match field.weight {
        FieldWeight::Binding => "Binding",
        FieldWeight::Preference => "Preference",
    };
    let fields = fields.iter();
    fields
        .map(|field| format!("{} {field}", weight(field)))
        .collect()
}

#[track_caller]
fn check_unsupported(spec: &Value, expected: &[&str]) {
    assert_eq!(told(&scheduling(spec).unsupported), expected, "{spec}");
}

#[test]
fn what_is_acted_on_leaves_nothing_to_report() {
    let spec = json!({
        "nodeSelector": {"team": "a", "beta.kubernetes.io/arch": "arm64"},
        "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [
                    {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["b", "a"]},
                    {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["3"]},
                ]},
                {},
                {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]},
            ]},
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 7, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}},
                {"weight": 100, "preference": {}},
            ],
        }},
        "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "c"}}, {"name": "h", "hostPath": {"path": "/"}}],
    });
    let read = scheduling(&spec);
    assert_eq!(told(&read.unsupported), [""; 0]);
    assert_eq!(
        read.node_selector.to_string(),
        "kubernetes.io/arch In [arm64], team In [a]"
    );
    let terms: Vec<_> = read.node_affinity.iter().map(ToString::to_string).collect();
    assert_eq!(
        terms,
        [
            "karpenter.k8s.aws/instance-cpu Gte [4], topology.kubernetes.io/zone In [a, b]",
            "x DoesNotExist",
        ]
    );
    let preferred = read.node_affinity_preferred.iter();
    let preferred: Vec<_> = preferred
        .map(|it| (it.weight, it.term.to_string()))
        .collect();
    assert_eq!(preferred, [(7, "disk Exists".to_owned())]);
    assert_eq!(&*read.scheduler_name, "default-scheduler");
}

#[test]
fn what_is_not_acted_on_is_named_with_its_weight() {
    let required = |terms: Value| json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}});
    let fields =
        json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}]);
    let terms = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    check_unsupported(
        &required(fields),
        &[&format!("Binding {terms}[0].matchFields")],
    );
    check_unsupported(&required(json!([{}])), &[&format!("Binding {terms}")]);
    for (operator, values) in [
        ("In", json!([])),
        ("NotIn", json!([])),
        ("Gte", json!(["1"])),
        ("Gt", json!(["x"])),
        ("Exists", json!(["x"])),
        ("in", json!(["x"])),
    ] {
        let terms_written = json!([{"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "a", "operator": operator, "values": values}]}, {"matchExpressions": [{"key": "b", "operator": "Exists"}]}]);
        check_unsupported(
            &required(terms_written),
            &[&format!("Binding {terms}[0].matchExpressions[1]")],
        );
    }
    let preferred = json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}},
        {"weight": 0, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
        {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
    ]}}});
    let terms = "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution";
    check_unsupported(
        &preferred,
        &[
            &format!("Preference {terms}[0].preference.matchFields"),
            &format!("Preference {terms}[1]"),
            &format!("Preference {terms}[2]"),
        ],
    );
}

#[test]
fn ports_volumes_claims_and_gates_bind() {
    let with_port = |port: Value, over: Value| {
        merged(
            json!({"containers": [{"name": "a"}, {"name": "c", "ports": [{"containerPort": 1}, port]}]}),
            &over,
        )
    };
    let port = "Binding spec.containers[1].ports[1].hostPort";
    check_unsupported(&with_port(json!({"containerPort": 80}), json!({})), &[]);
    check_unsupported(
        &with_port(json!({"containerPort": 80, "hostPort": 80}), json!({})),
        &[port],
    );
    check_unsupported(
        &with_port(json!({"containerPort": 80}), json!({"hostNetwork": true})),
        &["Binding spec.containers[1].ports[0].hostPort", port],
    );
    let init = |policy: Value| json!({"initContainers": [{"name": "i", "restartPolicy": policy, "ports": [{"containerPort": 1, "hostPort": 1}]}]});
    check_unsupported(&init(Value::Null), &[]);
    check_unsupported(
        &init(json!("Always")),
        &["Binding spec.initContainers[0].ports[0].hostPort"],
    );
    check_unsupported(
        &json!({
            "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "d", "ephemeral": {}}],
            "resourceClaims": [{"name": "gpu"}],
            "schedulingGates": [{"name": "later"}],
            "schedulingGroup": {"podGroupName": "all"},
        }),
        &[
            "Binding spec.volumes[1].persistentVolumeClaim",
            "Binding spec.volumes[2].ephemeral",
            "Binding spec.resourceClaims[0]",
            "Binding spec.schedulingGates[0]",
            "Binding spec.schedulingGroup",
        ],
    );
}

#[test]
fn quantities_and_tolerations_without_meaning_bind() {
    let asking = |amount: &str| json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": amount}}}]});
    let path = "Binding spec.containers[0].resources.requests[\"cpu\"]";
    check_unsupported(&asking("1"), &[]);
    check_unsupported(&asking("much"), &[path]);
    check_unsupported(&asking("-1"), &[path]);
    let most =
        |name| json!({"name": name, "resources": {"requests": {"memory": "9223372036854775807"}}});
    check_unsupported(
        &json!({"containers": [most("a"), most("b")]}),
        &["Binding spec.containers"],
    );
    check_unsupported(
        &json!({"tolerations": [
            {"key": "a", "operator": "Like"},
            {"key": "a", "operator": "Exists", "effect": "NoWay"},
            {"key": "a", "operator": "Exists", "effect": ""},
        ]}),
        &["Binding spec.tolerations[0]", "Binding spec.tolerations[1]"],
    );
    let tolerations = scheduling(&json!({"tolerations": [
        {"key": "a", "value": "1"},
        {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
    ]}))
    .tolerations;
    let endures = |key, value, effect| tolerates(&tolerations, &Taint::new(key, value, effect));
    assert!(endures("a", "1", TaintEffect::NoSchedule));
    assert!(!endures("a", "2", TaintEffect::NoSchedule));
    assert!(endures("a", "2", TaintEffect::NoExecute));
    assert_eq!(tolerations[1].seconds, Some(5));
}

fn with_neighbours() -> Value {
    let term = json!({
        "topologyKey": "zone",
        "labelSelector": {"matchLabels": {"beta.kubernetes.io/os": "x"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]},
        "matchLabelKeys": ["hash"],
        "namespaces": ["other"],
    });
    json!({
        "affinity": {
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 3, "podAffinityTerm": term}],
            },
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [term],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 300, "podAffinityTerm": term}],
            },
        },
        "topologySpreadConstraints": [
            {"topologyKey": "zone", "maxSkew": 2, "minDomains": 3, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}},
            {"topologyKey": "host", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "nodeTaintsPolicy": "Honor"},
            {"topologyKey": "host", "maxSkew": 1, "whenUnsatisfiable": "Perhaps"},
        ],
    })
}

#[test]
fn neighbours_are_reported() {
    let read = scheduling(&with_neighbours());
    let (near, far) = ("spec.affinity.podAffinity", "spec.affinity.podAntiAffinity");
    let (must, may) = (
        "requiredDuringSchedulingIgnoredDuringExecution[0]",
        "preferredDuringSchedulingIgnoredDuringExecution[0]",
    );
    assert_eq!(
        told(&read.unsupported),
        [
            format!("Binding {near}.{must}"),
            format!("Binding {far}.{must}"),
            format!("Preference {near}.{may}"),
            format!("Preference {far}.{may}"),
            "Binding spec.topologySpreadConstraints[0]".into(),
            "Preference spec.topologySpreadConstraints[1]".into(),
            "Binding spec.topologySpreadConstraints[2]".into(),
        ]
    );
}

#[test]
fn neighbours_are_read() {
    let neighbours = scheduling(&with_neighbours()).neighbours;
    assert_eq!(
        neighbours.affinity_required[0].selector,
        LabelSelector::Nothing
    );
    assert_eq!(neighbours.affinity_required[0].namespaces, Namespaces::Own);
    let away = &neighbours.anti_affinity_required[0];
    let LabelSelector::Matching(labels) = &away.selector else {
        panic!("a selector was written");
    };
    // The retired name of a node label is an ordinary label of a pod.
    assert_eq!(
        labels.to_string(),
        "beta.kubernetes.io/os In [x], tier NotIn [db]"
    );
    assert_eq!(away.match_label_keys, [LabelKey::from("hash")]);
    assert_eq!(
        away.namespaces,
        Namespaces::Named {
            names: vec!["other".into()],
            selector: LabelSelector::Nothing
        }
    );
    assert_eq!(neighbours.affinity_preferred[0].weight, 3);
    assert_eq!(neighbours.anti_affinity_preferred, []);
    assert_eq!(neighbours.spread.len(), 2);
    assert_eq!(
        neighbours.spread[0],
        TopologySpread {
            key: "zone".into(),
            max_skew: 2,
            domains_min: Some(3),
            when_unsatisfiable: WhenUnsatisfiable::DoNotSchedule,
            selector: LabelSelector::Matching([].into_iter().collect()),
            match_label_keys: Vec::new(),
            node_affinity: NodeInclusion::Honor,
            node_taints: NodeInclusion::Ignore,
        }
    );
    assert_eq!(neighbours.spread[1].node_taints, NodeInclusion::Honor);
}

#[test]
fn a_pod_is_where_its_spec_and_status_say() {
    let unschedulable =
        json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
    let gated = json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
    let cases = [
        (json!({}), Placement::Unscheduled),
        (
            json!({"status": {"conditions": gated}}),
            Placement::Unscheduled,
        ),
        (
            json!({"status": {"conditions": unschedulable}}),
            Placement::Unschedulable,
        ),
        (
            json!({"status": {"conditions": unschedulable, "nominatedNodeName": "n"}}),
            Placement::Nominated("n".into()),
        ),
        (
            json!({"spec": {"nodeName": "m"}, "status": {"nominatedNodeName": "n"}}),
            Placement::Bound("m".into()),
        ),
        (json!({"spec": {"nodeName": ""}}), Placement::Unscheduled),
    ];
    for (document, expected) in cases {
        assert_eq!(read(&document).placement, expected, "{document}");
    }
    let phases = [
        (json!(null), PodPhase::Pending),
        (json!("Pending"), PodPhase::Pending),
        (json!("Running"), PodPhase::Running),
        (json!("Unknown"), PodPhase::Running),
        (json!("Succeeded"), PodPhase::Succeeded),
        (json!("Failed"), PodPhase::Failed),
    ];
    for (phase, expected) in phases {
        assert_eq!(read(&json!({"status": {"phase": phase}})).phase, expected);
    }
}

#[test]
fn annotations_of_a_pod_are_understood_or_reported() {
    let key = "karpenter.sh/do-not-disrupt";
    let cases = [
        (json!({}), DoNotDisrupt::No, 0, vec![]),
        (json!({key: "true"}), DoNotDisrupt::Always, 0, vec![]),
        (json!({key: "false"}), DoNotDisrupt::No, 0, vec![]),
        (
            json!({key: "1h30m"}),
            DoNotDisrupt::For(Duration::from_mins(90)),
            0,
            vec![],
        ),
        (json!({key: "0s"}), DoNotDisrupt::No, 0, vec![key]),
        (json!({key: "-1h"}), DoNotDisrupt::No, 0, vec![key]),
        (json!({key: "yes"}), DoNotDisrupt::No, 0, vec![key]),
        (
            json!({"controller.kubernetes.io/pod-deletion-cost": "-7"}),
            DoNotDisrupt::No,
            -7,
            vec![],
        ),
        (
            json!({"controller.kubernetes.io/pod-deletion-cost": "dear"}),
            DoNotDisrupt::No,
            0,
            vec!["controller.kubernetes.io/pod-deletion-cost"],
        ),
    ];
    for (annotations, protection, cost, reported) in cases {
        let read = read(&json!({"metadata": {"annotations": annotations}}));
        assert_eq!(read.do_not_disrupt, protection, "{annotations}");
        assert_eq!(read.deletion_cost, cost, "{annotations}");
        let reported: Vec<_> = reported
            .into_iter()
            .map(|key| format!("Preference metadata.annotations[{key:?}]"))
            .collect();
        assert_eq!(
            told(&read.scheduling.unsupported),
            reported,
            "{annotations}"
        );
    }
}

#[test]
fn a_deletion_began_its_grace_before_its_end() {
    let metadata = json!({"metadata": {
        "name": "a", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-01T01:00:00Z", "deletionGracePeriodSeconds": 60,
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "1"},
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "2", "controller": true},
        ],
    }, "spec": {"terminationGracePeriodSeconds": 600, "priorityClassName": "system-node-critical"},
       "status": {"startTime": "2026-01-01T00:00:05Z"}});
    let read = read(&metadata);
    let at = |text| Timestamp::parse(text).ok();
    assert_eq!(read.key.to_string(), "default/a");
    assert_eq!(Some(read.created), at("2026-01-01T00:00:00Z"));
    assert_eq!(read.deleting, at("2026-01-01T00:59:00Z"));
    assert_eq!(read.started, at("2026-01-01T00:00:05Z"));
    assert_eq!(read.termination_grace, Duration::from_mins(1));
    assert_eq!(
        read.owner.map(|owner| owner.name.to_string()),
        Some("r".into())
    );
    assert!(read.critical);
    assert_eq!(read.scheduling.priority, 2_000_001_000);
}

#[test]
fn pods_of_a_daemon_set_endure_what_their_controller_lets_them_endure() {
    let document = |host_network: bool| {
        json!({"metadata": {"namespace": "kube-system", "name": "d", "uid": "u"}, "spec": {
            "selector": {},
            "template": {"spec": {
                "hostNetwork": host_network,
                "containers": [{"name": "c", "ports": [{"containerPort": 9100, "hostPort": 9100}], "resources": {"requests": {"cpu": "100m"}}}],
                "tolerations": [{"key": "own", "operator": "Exists"}],
            }},
        }})
    };
    let set = daemon_set(&object(document(false)));
    assert_eq!(set.key.to_string(), "kube-system/d");
    assert_eq!(set.scheduling.resources().to_string(), "cpu 100m, pods 1");
    assert_eq!(
        told(&set.scheduling.unsupported),
        ["Binding spec.template.spec.containers[0].ports[0].hostPort"]
    );
    let endures = |set: &tidewright::model::pod::DaemonSet, key| {
        tolerates(
            &set.scheduling.tolerations,
            &Taint::new(key, "", TaintEffect::NoSchedule),
        )
    };
    assert!(endures(&set, "own"));
    assert!(endures(&set, "node.kubernetes.io/disk-pressure"));
    assert!(!endures(&set, "team"));
    let network = "node.kubernetes.io/network-unavailable";
    assert!(!endures(&set, network));
    assert!(endures(&daemon_set(&object(document(true))), network));
}

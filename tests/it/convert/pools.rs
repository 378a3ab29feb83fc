//! NodePools.

use std::time::Duration;

use serde_json::{Value, json};
use tidewright::api::convert::{HASH_VERSION, node_pool, node_pool_hash};
use tidewright::model::labels::keys;
use tidewright::model::pool::{BudgetNodes, ConsolidationPolicy, NodePool, PoolUsable};
use tidewright::model::reason::DisruptionReason;
use tidewright::model::time::Timestamp;

use super::{merged, object, told};

fn document(over: &Value) -> Value {
    let plain = json!({
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool",
        "metadata": {"name": "general"},
        "spec": {"template": {
            "spec": {
                "requirements": [],
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
            },
        }},
    });
    merged(plain, over)
}

fn read(over: &Value) -> NodePool {
    let read = node_pool(&object(document(over)));
    assert_eq!(told(&read.problems), [""; 0], "{over}");
    read.value
}

#[test]
fn a_pool_that_says_little_has_karpenters_defaults() {
    let pool = read(&json!({}));
    assert_eq!(pool.usable, PoolUsable::Yes);
    assert_eq!(pool.weight, 0);
    assert_eq!(
        pool.disruption.policy,
        ConsolidationPolicy::WhenEmptyOrUnderutilized
    );
    assert_eq!(pool.disruption.consolidate_after, Some(Duration::ZERO));
    assert_eq!(pool.disruption.budgets.len(), 1);
    assert_eq!(pool.disruption.budgets[0].nodes, BudgetNodes::Percent(10));
    assert_eq!(pool.template.expire_after, Some(Duration::from_hours(720)));
    assert_eq!(pool.template.termination_grace, None);
    assert_eq!(pool.limits.iter().count(), 0);
}

#[test]
fn the_template_carries_the_names_of_pool_and_class_and_the_hash() {
    let pool = read(&json!({"spec": {"template": {
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
        "spec": {
            "requirements": [
                {"key": "team", "operator": "Exists"},
                {"key": "beta.kubernetes.io/arch", "operator": "In", "values": ["amd64"], "minValues": 1},
            ],
            "taints": [{"key": "t", "value": "v", "effect": "NoSchedule"}],
            "startupTaints": [{"key": "s", "effect": "NoExecute"}],
            "expireAfter": "Never", "terminationGracePeriod": "48h",
        },
    }}}));
    let template = pool.template;
    assert_eq!(
        template.requirements.to_string(),
        "karpenter.k8s.aws/ec2nodeclass In [default], karpenter.sh/nodepool In [general], kubernetes.io/arch In [amd64], team In [a]"
    );
    assert_eq!(
        template
            .requirements
            .get(keys::ARCH)
            .and_then(|it| it.min_values),
        Some(1)
    );
    let labels: Vec<_> = template
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        labels,
        [
            "karpenter.k8s.aws/ec2nodeclass=default",
            "karpenter.sh/nodepool=general",
            "team=a"
        ]
    );
    let annotation = |key: &str| template.annotations.get(key).map(|value| &**value);
    assert_eq!(annotation(keys::NODE_POOL_HASH), Some(&*pool.hash));
    assert_eq!(annotation(keys::NODE_POOL_HASH_VERSION), Some(HASH_VERSION));
    assert_eq!(annotation("note"), Some("b"));
    assert_eq!(template.taints[0].to_string(), "t=v:NoSchedule");
    assert_eq!(template.startup_taints[0].to_string(), "s:NoExecute");
    assert_eq!(template.expire_after, None);
    assert_eq!(template.termination_grace, Some(Duration::from_hours(48)));
}

#[test]
fn budgets_speak_for_their_reasons_at_their_times() {
    let pool = read(&json!({"spec": {
        "weight": 100,
        "limits": {"cpu": "1500m", "nodes": "3"},
        "disruption": {"consolidateAfter": "Never", "consolidationPolicy": "WhenEmpty", "budgets": [
            {"nodes": "20%", "reasons": ["Drifted"]},
            {"nodes": "0", "schedule": "0 9 * * 1-5", "duration": "8h", "reasons": []},
            {"nodes": "5"},
        ]},
    }}));
    assert_eq!(pool.weight, 100);
    let limits: Vec<_> = pool
        .limits
        .iter()
        .map(|(name, bound)| format!("{name} {bound}"))
        .collect();
    assert_eq!(limits, ["cpu 1500", "nodes 3"]);
    let disruption = pool.disruption;
    assert_eq!(disruption.consolidate_after, None);
    assert_eq!(disruption.policy, ConsolidationPolicy::WhenEmpty);
    let at = |text| Timestamp::parse(text).expect("an instant");
    let (working, night) = (at("2026-01-05T10:00:00Z"), at("2026-01-05T20:00:00Z"));
    assert_eq!(
        disruption.allowed(DisruptionReason::Drifted, 10, night),
        Some(2)
    );
    assert_eq!(
        disruption.allowed(DisruptionReason::Empty, 10, night),
        Some(5)
    );
    assert!(
        disruption.budgets[1]
            .window
            .as_ref()
            .is_some_and(|it| it.is_active(working))
    );
    assert_eq!(disruption.budgets[1].reasons, Some([].into()));
}

/// A pool that may not be used, why, and all its problems.
fn refused(over: &Value) -> (NodePool, String, Vec<String>) {
    let read = node_pool(&object(document(over)));
    let PoolUsable::No { because } = &read.value.usable else {
        panic!("it should not be usable: {over}");
    };
    let because = because.to_string();
    (read.value, because, told(&read.problems))
}

#[test]
fn a_pool_with_a_problem_is_kept_and_not_used() {
    let (pool, because, problems) = refused(&json!({"spec": {
        "weight": 101,
        "limits": {"cpu": "lots"},
        "template": {"spec": {"requirements": [{"key": "a", "operator": "In"}]}},
        "disruption": {"consolidateAfter": "later", "budgets": [
            {"nodes": "101%"},
            {"nodes": "1", "schedule": "0 9 * * 1-5"},
            {"nodes": "1", "schedule": "never", "duration": "8x", "reasons": ["Empty"]},
        ]},
    }}));
    assert_eq!(because, problems[0]);
    assert_eq!(
        problems
            .iter()
            .map(|it| it.split(": ").next().expect("a path"))
            .collect::<Vec<_>>(),
        [
            "spec.limits[\"cpu\"]",
            "spec.weight",
            "spec.template.spec.requirements[0]",
            "spec.disruption.budgets[0].nodes",
            "spec.disruption.budgets[1]",
            "spec.disruption.budgets[2].schedule",
            "spec.disruption.budgets[2].duration",
            "spec.disruption.consolidateAfter",
        ]
    );
    // Nothing goes because of what was not understood.
    assert_eq!(pool.disruption.consolidate_after, None);
    for budget in &pool.disruption.budgets {
        assert_eq!(budget.nodes, BudgetNodes::Count(0));
        assert_eq!((&budget.reasons, &budget.window), (&None, &None));
    }
}

#[test]
fn a_pool_that_is_not_ready_or_of_fixed_size_is_not_used() {
    let (_, because, problems) = refused(&json!({"spec": {"replicas": 3}}));
    assert_eq!(
        because,
        "spec.replicas is 3: pools of a fixed size are not acted on yet"
    );
    assert_eq!(problems, [""; 0]);
    let ready = |status: &str| json!({"status": {"conditions": [{"type": "Ready", "status": status, "reason": "NodeClassNotFound", "message": "no such class", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}});
    let (_, because, _) = refused(&ready("False"));
    assert_eq!(because, "it is not ready: NodeClassNotFound: no such class");
    assert_eq!(read(&ready("True")).usable, PoolUsable::Yes);
    assert_eq!(read(&ready("Unknown")).usable, PoolUsable::Yes);
}

#[test]
fn the_hash_changes_with_what_makes_nodes_drift_and_with_nothing_else() {
    let hash = |over: &Value| node_pool_hash(&object(document(over)));
    let template = |over: Value| json!({"spec": {"template": over}});
    let plain = hash(&json!({}));
    // Recorded: another value makes every node of every user drift, so the version changes too.
    assert_eq!(plain, "2fe2d7ef99ead747");
    let same = [
        json!({"metadata": {"name": "other", "labels": {"a": "b"}}}),
        json!({"spec": {"weight": 3, "limits": {"cpu": "1"}, "disruption": {"budgets": []}}}),
        template(json!({"spec": {"requirements": [{"key": "a", "operator": "Exists"}]}})),
        template(json!({"spec": {"expireAfter": "43200m"}})),
    ];
    for over in &same {
        assert_eq!(hash(over), plain, "{over}");
    }
    let taint = |key: &str| json!({"key": key, "effect": "NoSchedule"});
    let other = [
        template(json!({"metadata": {"labels": {"a": "b"}}})),
        template(json!({"metadata": {"annotations": {"a": "b"}}})),
        template(json!({"spec": {"taints": [taint("a")]}})),
        template(json!({"spec": {"startupTaints": [taint("a")]}})),
        template(json!({"spec": {"nodeClassRef": {"name": "other"}}})),
        template(json!({"spec": {"terminationGracePeriod": "1h"}})),
        template(json!({"spec": {"expireAfter": "Never"}})),
    ];
    let mut hashes: Vec<String> = other.iter().map(hash).collect();
    hashes.push(plain);
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
    let taints = |first, second| {
        hash(&template(
            json!({"spec": {"taints": [taint(first), taint(second)]}}),
        ))
    };
    assert_eq!(taints("a", "b"), taints("b", "a"));
}

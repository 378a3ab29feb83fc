//! Worlds for tests, from manifests written as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tidewright::engine::Settings;
use tidewright::model::time::Timestamp;
use tidewright::planner::{Options, PreferencePolicy};
use tidewright_simulator::boot::BootProfile;
use tidewright_simulator::event::Entry;
use tidewright_simulator::faults::FaultSettings;
use tidewright_simulator::scenario::region;
use tidewright_simulator::setup::{Object, Setup};

/// A Tuesday morning.
pub const START: Timestamp = Timestamp::from_millis(1_769_500_800_000);

/// A world with the pool of [`pool`] and nothing else.
pub fn setup(profile: &str, capacity_types: &[&str]) -> Setup {
    Setup {
        seed: 1,
        start: START,
        objects: vec![
            Object::NodePool(Box::new(read(pool(capacity_types)))),
            node_class(),
        ],
        cluster: Vec::new(),
        region: region(),
        boot: BootProfile::named(profile).expect("an embedded profile"),
        faults: FaultSettings::default(),
        sabotage: None,
        settings: Settings {
            batch_idle: Duration::from_secs(1),
            batch_max: Duration::from_secs(10),
            plan: Options {
                preferences: PreferencePolicy::Respect,
                evaluations_max: 10_000_000,
            },
        },
        timeline: Vec::new(),
    }
}

/// A pool for pods that sleep most of the time.
pub fn pool(capacity_types: &[&str]) -> Value {
    json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "serverless"},
        "spec": {
            "template": {
                "spec": {
                    "nodeClassRef": {
                        "group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default",
                    },
                    "taints": [{"key": "serverless", "value": "true", "effect": "NoSchedule"}],
                    "requirements": [
                        {"key": "karpenter.sh/capacity-type", "operator": "In",
                         "values": capacity_types},
                        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                    ],
                    "expireAfter": "720h",
                },
            },
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": "1m",
                "budgets": [{"nodes": "10%"}],
            },
            "limits": {"cpu": "100", "memory": "200Gi"},
        },
    })
}

fn node_class() -> Object {
    Object::NodeClass(Box::new(read(json!({
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "default"},
        "spec": {
            "role": "node",
            "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "subnetSelectorTerms": [{"tags": {"discovery": "test"}}],
            "securityGroupSelectorTerms": [{"tags": {"discovery": "test"}}],
        },
    }))))
}

/// A pod for that pool.
pub fn pod(name: &str) -> Object {
    Object::Pod(Box::new(read(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": pod_spec(),
    }))))
}

/// What the pods for that pool are.
pub fn pod_spec() -> Value {
    json!({
        "tolerations": [{"key": "serverless", "operator": "Exists"}],
        "containers": [{
            "name": "main", "image": "app",
            "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}},
        }],
    })
}

/// A Deployment for that pool.
pub fn deployment(name: &str, replicas: u32) -> Object {
    Object::Deployment(Box::new(read(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec()},
        },
    }))))
}

/// An object from its JSON.
pub fn read<T: serde::de::DeserializeOwned>(manifest: Value) -> T {
    serde_json::from_value(manifest).expect("a manifest written in a test is sound")
}

/// A log as text, a line for each entry.
pub fn text(log: &[Entry]) -> String {
    let mut text = String::new();
    for entry in log {
        let millis = entry.at.since(START).as_millis();
        let line = writeln!(text, "{:>9} {:>5} {:?}", millis, entry.step, entry.event);
        line.expect("texts take every line");
    }
    text
}

//! The objects of drawn worlds.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::kube::kubelet::RUN_SECONDS;
use crate::setup::Object;

/// What a pool is like.
#[derive(Clone, Debug)]
pub(super) struct PoolShape {
    pub(super) name: &'static str,
    pub(super) families: &'static [&'static str],
    pub(super) spot: bool,
    pub(super) tainted: bool,
    pub(super) limit: Option<(&'static str, &'static str)>,
    pub(super) budget: &'static str,
    /// Whether the budget has a say about empty nodes.
    pub(super) budget_for_empty: bool,
    pub(super) consolidate_after: &'static str,
    pub(super) grace: Option<&'static str>,
    pub(super) startup_taint: Option<&'static str>,
    pub(super) weight: u32,
}

/// What a pod is like.
#[derive(Clone, Debug)]
pub(super) struct PodShape {
    pub(super) cpu: &'static str,
    pub(super) memory: &'static str,
    /// The pool that it insists on.
    pub(super) pool: Option<&'static str>,
    pub(super) protected: bool,
    pub(super) run_seconds: u32,
    pub(super) grace_seconds: u32,
}

/// Who makes pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workload {
    Deployment,
    StatefulSet,
    Job,
    CronJob,
    Pod,
}

impl fmt::Display for PoolShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pool {}: {}", self.name, self.families.join(" "))?;
        write!(
            f,
            ", {}",
            if self.spot {
                "spot and on-demand"
            } else {
                "on-demand"
            }
        )?;
        if let Some((name, limit)) = self.limit {
            write!(f, ", limit {name} {limit}")?;
        }
        let speaks = if self.budget_for_empty {
            ""
        } else {
            " (not for empty nodes)"
        };
        write!(f, ", budget {}{speaks}", self.budget)?;
        write!(f, ", consolidateAfter {}", self.consolidate_after)?;
        if let Some(grace) = self.grace {
            write!(f, ", terminationGracePeriod {grace}")?;
        }
        if self.tainted {
            f.write_str(", tainted")?;
        }
        match self.startup_taint {
            Some(taint) => write!(f, ", startup taint {taint}"),
            None => Ok(()),
        }
    }
}

/// The NodePool.
pub(super) fn pool(shape: &PoolShape) -> Object {
    let capacity_types = if shape.spot {
        json!(["spot", "on-demand"])
    } else {
        json!(["on-demand"])
    };
    let taints = if shape.tainted {
        json!([{"key": "dedicated", "value": shape.name, "effect": "NoSchedule"}])
    } else {
        json!([])
    };
    let startup: Vec<Value> = shape
        .startup_taint
        .iter()
        .map(|key| json!({"key": key, "effect": "NoSchedule"}))
        .collect();
    let mut budget = json!({"nodes": shape.budget});
    if !shape.budget_for_empty {
        budget["reasons"] = json!(["Underutilized", "Drifted"]);
    }
    let limits: serde_json::Map<String, Value> = shape
        .limit
        .iter()
        .map(|(name, limit)| ((*name).to_owned(), json!(limit)))
        .collect();
    let mut spec = json!({
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
        "requirements": [
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": capacity_types},
            {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": shape.families},
            {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lte", "values": ["32"]},
        ],
        "taints": taints,
        "startupTaints": startup,
        "expireAfter": "Never",
    });
    if let Some(grace) = shape.grace {
        spec["terminationGracePeriod"] = json!(grace);
    }
    Object::NodePool(Box::new(object(json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": shape.name},
        "spec": {
            "weight": shape.weight,
            "limits": limits,
            "template": {"metadata": {"labels": {"pool": shape.name}}, "spec": spec},
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": shape.consolidate_after,
                "budgets": [budget],
            },
        },
    }))))
}

/// A DaemonSet that runs everywhere.
pub(super) fn daemon_set() -> Object {
    let labels = json!({"app": "agent"});
    Object::DaemonSet(Box::new(object(json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [container("100m", "128Mi")],
                },
            },
        },
    }))))
}

/// Pods, or what makes them.
pub(super) fn workload(kind: Workload, name: &str, count: u32, shape: &PodShape) -> Object {
    let mut template = template(name, shape);
    let selector = json!({"matchLabels": {"app": name}});
    let runs = shape.run_seconds.to_string();
    match kind {
        Workload::Deployment => Object::Deployment(Box::new(object(json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": count, "selector": selector, "template": template},
        })))),
        Workload::StatefulSet => Object::StatefulSet(Box::new(object(json!({
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name},
            "spec": {
                "replicas": count, "serviceName": name, "selector": selector, "template": template,
                "podManagementPolicy": if count.is_multiple_of(2) { "OrderedReady" } else { "Parallel" },
            },
        })))),
        Workload::CronJob => {
            template["metadata"]["annotations"][RUN_SECONDS] = json!(runs);
            template["spec"]["restartPolicy"] = json!("Never");
            let policies = ["Allow", "Forbid", "Replace"];
            let policy = policies[usize::try_from(count).unwrap_or(0) % policies.len()];
            Object::CronJob(Box::new(object(json!({
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": {"name": name},
                "spec": {
                    "schedule": "*/3 * * * *", "concurrencyPolicy": policy,
                    "jobTemplate": {"spec": {
                        "parallelism": count, "completions": count, "template": template,
                        "ttlSecondsAfterFinished": 120,
                    }},
                },
            }))))
        }
        Workload::Job => {
            template["metadata"]["annotations"][RUN_SECONDS] = json!(runs);
            template["spec"]["restartPolicy"] = json!("Never");
            Object::Job(Box::new(object(json!({
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": name},
                "spec": {"completions": count, "parallelism": count, "template": template},
            }))))
        }
        Workload::Pod => {
            template["metadata"]["name"] = json!(name);
            template["metadata"]["annotations"][RUN_SECONDS] = json!(runs);
            template["spec"]["restartPolicy"] = json!("Never");
            Object::Pod(Box::new(object(template)))
        }
    }
}

/// The budget of a workload's pods.
pub(super) fn disruption_budget(name: &str, (field, amount): (&str, &str)) -> Object {
    let amount = amount
        .parse::<u32>()
        .map_or_else(|_| json!(amount), |number| json!(number));
    Object::PodDisruptionBudget(Box::new(object(json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {field: amount, "selector": {"matchLabels": {"app": name}}},
    }))))
}

fn template(name: &str, shape: &PodShape) -> Value {
    let mut annotations = json!({});
    if shape.protected {
        annotations["karpenter.sh/do-not-disrupt"] = json!("true");
    }
    let mut spec = json!({
        "containers": [container(shape.cpu, shape.memory)],
        "terminationGracePeriodSeconds": shape.grace_seconds,
    });
    if let Some(pool) = shape.pool {
        spec["nodeSelector"] = json!({"pool": pool});
        spec["tolerations"] = json!([
            {"key": "dedicated", "operator": "Equal", "value": pool, "effect": "NoSchedule"},
        ]);
    }
    json!({"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": spec})
}

fn container(cpu: &str, memory: &str) -> Value {
    json!({
        "name": "main",
        "image": "registry.example.com/work:1",
        "resources": {"requests": {"cpu": cpu, "memory": memory}},
    })
}

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the objects of this file have their shape")
}

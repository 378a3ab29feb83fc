//! A cluster as `kubectl get -o json` prints it.
//!
//! What a live cluster says is taken as it is: its objects passed the rules of a real API server,
//! perhaps a newer one, so that a field we do not know is no error here. Kinds that the world does
//! not know are counted and told. Pods on their way out are left out, since nobody knows how far they
//! have come.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tidewright::api::load::{Diagnostic, Severity, Source};
use tidewright::model::time::Timestamp;

use super::load::diagnostic;
use crate::setup::Object;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    /// The objects, in the order of the file.
    pub(super) objects: Vec<Object>,
    /// The last instant that an object names as that of its creation: the file is no older.
    pub(super) newest: Option<Timestamp>,
    /// What is to be said.
    pub(super) remarks: Vec<Diagnostic>,
}

impl Cluster {
    /// Whether it brings NodePools of its own.
    pub(super) fn has_pools(&self) -> bool {
        let mut objects = self.objects.iter();
        objects.any(|object| matches!(object, Object::NodePool(_)))
    }
}

/// Reads a file: one object, or a `List` of them.
pub(super) fn read(source: &Source) -> Result<Cluster, Vec<Diagnostic>> {
    let value: Value = serde_json::from_str(&source.text).map_err(|error| {
        let rule = format!("This is not the JSON of a cluster: {error}.");
        let fix = "Write it with `kubectl get … --all-namespaces -o json`.";
        vec![diagnostic(&source.name, rule, fix)]
    })?;
    let items = match value.get("items") {
        Some(Value::Array(items)) => items.clone(),
        Some(_) | None => vec![value],
    };
    let (mut cluster, mut broken) = (Cluster::default(), Vec::new());
    let (mut unknown, mut going) = (BTreeMap::new(), 0_usize);
    for item in items {
        let kind = text(&item, "/kind").to_owned();
        let created = Timestamp::parse(text(&item, "/metadata/creationTimestamp")).ok();
        cluster.newest = cluster.newest.max(created);
        if kind == "Pod" && item.pointer("/metadata/deletionTimestamp").is_some() {
            going += 1;
            continue;
        }
        match object(&kind, &item) {
            None => *unknown.entry(kind).or_insert(0_usize) += 1,
            Some(Ok(object)) => cluster.objects.push(object),
            Some(Err(error)) => {
                let (namespace, name) = (
                    text(&item, "/metadata/namespace"),
                    text(&item, "/metadata/name"),
                );
                let rule = format!("{kind} {namespace}/{name} cannot be read: {error}.");
                let fix =
                    "Write the file anew with `kubectl get -o json`, or leave the object out.";
                broken.push(diagnostic(&source.name, rule, fix));
            }
        }
    }
    let left_out = unknown.iter().map(|(kind, count)| {
        let rule = format!("{count} objects of kind {kind} mean nothing to this world.");
        notice(source, rule)
    });
    cluster.remarks.extend(left_out);
    if going > 0 {
        let rule = format!("{going} pods were on their way out and are left out.");
        cluster.remarks.push(notice(source, rule));
    }
    if broken.is_empty() {
        Ok(cluster)
    } else {
        Err(broken)
    }
}

fn text<'a>(item: &'a Value, path: &str) -> &'a str {
    item.pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn notice(source: &Source, rule: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Notice,
        ..diagnostic(&source.name, rule, "Nothing needs to be done.")
    }
}

/// The object, if its kind is known.
fn object(kind: &str, item: &Value) -> Option<Result<Object, serde_json::Error>> {
    Some(match (text(item, "/apiVersion"), kind) {
        ("v1", "Pod") => typed(item, Object::Pod),
        ("v1", "Node") => typed(item, Object::Node),
        ("apps/v1", "Deployment") => typed(item, Object::Deployment),
        ("apps/v1", "ReplicaSet") => typed(item, Object::ReplicaSet),
        ("apps/v1", "StatefulSet") => typed(item, Object::StatefulSet),
        ("apps/v1", "DaemonSet") => typed(item, Object::DaemonSet),
        ("batch/v1", "Job") => typed(item, Object::Job),
        ("batch/v1", "CronJob") => typed(item, Object::CronJob),
        ("policy/v1", "PodDisruptionBudget") => typed(item, Object::PodDisruptionBudget),
        ("scheduling.k8s.io/v1", "PriorityClass") => typed(item, Object::PriorityClass),
        ("karpenter.sh/v1", "NodePool") => typed(item, Object::NodePool),
        ("karpenter.sh/v1", "NodeClaim") => typed(item, Object::NodeClaim),
        ("karpenter.k8s.aws/v1", "EC2NodeClass") => typed(item, Object::NodeClass),
        _ => return None,
    })
}

fn typed<T: DeserializeOwned>(
    item: &Value,
    wrap: fn(Box<T>) -> Object,
) -> Result<Object, serde_json::Error> {
    T::deserialize(item).map(|object| wrap(Box::new(object)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Cluster, Vec<Diagnostic>> {
        read(&Source {
            name: "cluster.json".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn what_means_nothing_is_counted_and_what_is_broken_is_refused() {
        let cluster = check(
            r#"{"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}},
                {"apiVersion": "v1", "kind": "Pod", "metadata": {
                    "name": "p", "creationTimestamp": "2026-01-05T09:00:00Z"}},
                {"apiVersion": "v1", "kind": "Pod", "metadata": {
                    "name": "q", "deletionTimestamp": "2026-01-05T09:00:00Z"}}]}"#,
        )
        .expect("it can be read");
        assert_eq!(cluster.objects.len(), 1);
        assert!(!cluster.has_pools());
        assert_eq!(
            cluster.newest,
            Timestamp::parse("2026-01-05T09:00:00Z").ok()
        );
        let said: Vec<&str> = cluster.remarks.iter().map(|it| it.rule.as_str()).collect();
        let expected = [
            "2 objects of kind ConfigMap mean nothing to this world.",
            "1 pods were on their way out and are left out.",
        ];
        assert_eq!(said, expected);

        let broken = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 3}}"#;
        assert_eq!(check(broken).map(|_| ()).unwrap_err().len(), 1);
        assert!(check("items: []").is_err());
    }
}

//! Taints that a node keeps or starts with.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Taint;

use super::labels::{check_label_value, sentence};
use super::{FieldPath, Violation};
use crate::model::labels::check_key;
use crate::model::taint::TaintEffect;

/// Both lists of taints of a node, which share one space of keys and effects.
pub(super) fn check_taints(
    spec: &FieldPath,
    taints: &[Taint],
    startup_taints: &[Taint],
) -> Vec<Violation> {
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for (list, taints) in [("taints", taints), ("startupTaints", startup_taints)] {
        for (index, taint) in taints.iter().enumerate() {
            let path = spec.field(list).index(index);
            found.extend(check_taint(&path, taint));
            if let Some(before) = seen.insert((&taint.key, &taint.effect), path.clone()) {
                found.push(repeated(&path, taint, &before));
            }
        }
    }
    found
}

fn repeated(path: &FieldPath, taint: &Taint, before: &FieldPath) -> Violation {
    let rule = "A key may have each effect once, in taints and startupTaints together.";
    let value = format!("{}:{}", taint.key, taint.effect);
    Violation::new(path.clone(), value, rule, "Remove one of the two.")
        .depends_on(path.fields(["key", "effect"]))
        .depends_on(before.fields(["key", "effect"]))
}

fn check_taint(path: &FieldPath, taint: &Taint) -> Vec<Violation> {
    let mut found = Vec::new();
    if let Err(error) = check_key(&taint.key) {
        let fix = "Write a name, or a domain, a slash and a name, such as example.com/gpu.";
        let path = path.field("key");
        found.push(Violation::new(path, &taint.key, sentence(&error), fix));
    }
    if let Some(value) = &taint.value {
        found.extend(check_label_value(path.field("value"), value));
    }
    if TaintEffect::parse(&taint.effect).is_none() {
        let rule = "The effect must be one of the three that Kubernetes knows.";
        let fix = "Write NoSchedule, PreferNoSchedule or NoExecute.";
        let path = path.field("effect");
        found.push(Violation::new(path, &taint.effect, rule, fix));
    }
    found
}

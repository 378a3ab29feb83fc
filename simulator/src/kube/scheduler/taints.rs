//! Taints and tolerations (Kubernetes documentation, "Taints and Tolerations").

use k8s_openapi::api::core::v1::{Node, Pod, Taint, Toleration};

/// Whether a toleration lets a pod endure a taint.
pub fn endures(toleration: &Toleration, taint: &Taint) -> bool {
    let unset = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    let same = |text: &Option<String>, other: &str| text.as_deref().unwrap_or_default() == other;
    let effect = unset(&toleration.effect) || same(&toleration.effect, &taint.effect);
    let key = same(&toleration.key, &taint.key);
    let value = taint.value.as_deref().unwrap_or_default();
    let compared = match toleration.operator.as_deref() {
        // A toleration without a key endures every key, but only with this operator.
        Some("Exists") => key || unset(&toleration.key),
        None | Some("" | "Equal") => key && same(&toleration.value, value),
        Some(operator) => key && compares(operator, toleration.value.as_deref(), value),
    };
    effect && compared
}

/// The operators for integers: the taint's value must be above or below the toleration's.
fn compares(operator: &str, bound: Option<&str>, value: &str) -> bool {
    let bound = bound.unwrap_or_default().parse::<i64>();
    match (operator, value.parse::<i64>(), bound) {
        ("Gt", Ok(value), Ok(bound)) => value > bound,
        ("Lt", Ok(value), Ok(bound)) => value < bound,
        _ => false,
    }
}

fn unendured<'a>(pod: &'a Pod, node: &'a Node) -> impl Iterator<Item = &'a Taint> {
    let taints = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten());
    taints.into_iter().filter(move |taint| {
        let spec = pod.spec.iter();
        let mut tolerations = spec.flat_map(|spec| spec.tolerations.iter().flatten());
        !tolerations.any(|toleration| endures(toleration, taint))
    })
}

/// The first taint that keeps the pod away.
pub(super) fn first_unbearable<'a>(pod: &'a Pod, node: &'a Node) -> Option<&'a Taint> {
    unendured(pod, node).find(|taint| taint.effect != "PreferNoSchedule")
}

/// How many taints would rather keep the pod away.
pub(super) fn soft_count(pod: &Pod, node: &Node) -> usize {
    let soft = unendured(pod, node).filter(|taint| taint.effect == "PreferNoSchedule");
    soft.count()
}

/// Whether the pod comes although the node is closed by hand.
pub(super) fn tolerates_closing(pod: &Pod) -> bool {
    let closing = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    };
    let spec = pod.spec.iter();
    let mut tolerations = spec.flat_map(|spec| spec.tolerations.iter().flatten());
    tolerations.any(|toleration| endures(toleration, &closing))
}

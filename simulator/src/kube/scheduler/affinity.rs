//! Node selectors and node affinity (Kubernetes documentation, "Assigning Pods to Nodes").

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Node, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, Pod,
};

type Labels = BTreeMap<String, String>;

fn affinity(pod: &Pod) -> Option<&NodeAffinity> {
    pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()
}

/// Whether the node is one that the pod may run on.
pub(super) fn is_wanted(pod: &Pod, node: &Node) -> bool {
    let labels = node.metadata.labels.clone().unwrap_or_default();
    let selector = pod
        .spec
        .iter()
        .flat_map(|spec| spec.node_selector.iter().flatten());
    let mut selector = selector.into_iter();
    let selected = selector.all(|(key, value)| labels.get(key) == Some(value));
    let required = affinity(pod).and_then(|it| {
        it.required_during_scheduling_ignored_during_execution
            .as_ref()
    });
    selected
        && required.is_none_or(|required| {
            let mut terms = required.node_selector_terms.iter();
            terms.any(|term| holds(term, node, &labels))
        })
}

/// The sum of the weights of the preferences that the node satisfies.
pub(super) fn preference(pod: &Pod, node: &Node) -> i64 {
    let labels = node.metadata.labels.clone().unwrap_or_default();
    let terms = affinity(pod).and_then(|it| {
        it.preferred_during_scheduling_ignored_during_execution
            .as_deref()
    });
    let kept = terms.unwrap_or_default().iter();
    let kept = kept.filter(|term| holds(&term.preference, node, &labels));
    kept.map(|term| i64::from(term.weight)).sum()
}

/// A term without any expression selects nothing.
fn holds(term: &NodeSelectorTerm, node: &Node, labels: &Labels) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let name = node.metadata.name.clone().unwrap_or_default();
    let own = Labels::from([("metadata.name".to_owned(), name)]);
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|it| satisfies(it, labels))
        && fields.iter().all(|it| satisfies(it, &own))
}

fn satisfies(asked: &NodeSelectorRequirement, labels: &Labels) -> bool {
    let value = labels.get(&asked.key);
    let listed = asked.values.as_deref().unwrap_or_default();
    let compare = |holds: fn(i64, i64) -> bool| {
        let bound = listed.first().and_then(|bound| bound.parse().ok());
        let value = value.and_then(|value| value.parse().ok());
        value
            .zip(bound)
            .is_some_and(|(value, bound)| holds(value, bound))
    };
    match asked.operator.as_str() {
        "In" => value.is_some_and(|value| listed.contains(value)),
        "NotIn" => value.is_none_or(|value| !listed.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(|value, bound| value > bound),
        "Lt" => compare(|value, bound| value < bound),
        _ => false,
    }
}

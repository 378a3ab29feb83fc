//! Node affinity.

use k8s_openapi::api::core::v1 as k8s;

use super::unsupported::Unsupported;
use crate::api::convert::requirements;
use crate::api::rules::FieldPath;
use crate::model::requirement::Requirements;
use crate::model::topology::Weighted;

/// The required terms, one of which must hold. A term that says nothing matches no node
/// (Kubernetes API reference, `NodeSelectorTerm`), so it is left out; when no other is there, the
/// pod can run nowhere and the field is binding.
pub(super) fn required(
    affinity: &k8s::NodeAffinity,
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Vec<Requirements> {
    let required = &affinity.required_during_scheduling_ignored_during_execution;
    let Some(selector) = required else {
        return Vec::new();
    };
    let path = path.field("requiredDuringSchedulingIgnoredDuringExecution");
    let path = path.field("nodeSelectorTerms");
    let mut terms = Vec::new();
    for (index, written) in selector.node_selector_terms.iter().enumerate() {
        let path = path.index(index);
        if let Some(field) = fields_path(written, &path) {
            unsupported.binding(&field);
        }
        if is_empty(written) {
            continue;
        }
        match term(written) {
            Ok(term) => terms.push(term),
            Err(expression) => {
                unsupported.binding(&path.field("matchExpressions").index(expression));
            }
        }
    }
    if terms.is_empty() {
        unsupported.binding(&path);
    }
    terms
}

/// The preferred terms. One that says nothing suits every node alike, and is left out.
pub(super) fn preferred(
    affinity: &k8s::NodeAffinity,
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Vec<Weighted<Requirements>> {
    let preferred = &affinity.preferred_during_scheduling_ignored_during_execution;
    let path = path.field("preferredDuringSchedulingIgnoredDuringExecution");
    let mut terms = Vec::new();
    for (index, written) in preferred.iter().flatten().enumerate() {
        let path = path.index(index);
        if let Some(field) = fields_path(&written.preference, &path.field("preference")) {
            unsupported.preference(&field);
            continue;
        }
        if is_empty(&written.preference) {
            continue;
        }
        match (u8::try_from(written.weight), term(&written.preference)) {
            (Ok(weight @ 1..=100), Ok(term)) => terms.push(Weighted { weight, term }),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => unsupported.preference(&path),
        }
    }
    terms
}

/// The expressions of a term together, or the place of the first that means nothing.
fn term(written: &k8s::NodeSelectorTerm) -> Result<Requirements, usize> {
    let expressions = written.match_expressions.iter().flatten().enumerate();
    expressions
        .map(|(index, expression)| requirements::of_node(expression).map_err(|_| index))
        .collect()
}

fn is_empty(term: &k8s::NodeSelectorTerm) -> bool {
    let expressions = term.match_expressions.iter().flatten();
    expressions
        .chain(term.match_fields.iter().flatten())
        .next()
        .is_none()
}

/// Fields of the Node object are not labels: a node that does not exist yet has none.
fn fields_path(term: &k8s::NodeSelectorTerm, path: &FieldPath) -> Option<FieldPath> {
    let has_fields = term.match_fields.iter().flatten().next().is_some();
    has_fields.then(|| path.field("matchFields"))
}

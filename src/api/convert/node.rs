//! Nodes.

use k8s_openapi::api::core::v1 as k8s;

use super::resource_list::{Side, resources};
use super::{Converted, Problems, meta, spec, taints};
use crate::api::rules::FieldPath;
use crate::model::id::ProviderId;
use crate::model::labels::keys;
use crate::model::node::{Node, NodeReady};
use crate::model::taint::{Taint, TaintEffect};

/// The taint that stands for `spec.unschedulable`. Kubernetes' node lifecycle controller adds it
/// a moment after `kubectl cordon`; the field alone keeps pods away already.
const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// A Node.
pub fn node(object: &k8s::Node) -> Converted<Node> {
    let mut problems = Problems::default();
    let metadata = &object.metadata;
    let status = object.status.clone().unwrap_or_default();
    let own = object.spec.as_ref();
    let path = FieldPath::ROOT.field("status");
    let mut sizes = |list: Option<_>, name| {
        let list: Vec<_> = Option::into_iter(list).flatten().collect();
        resources(list, Side::Offered, &path.field(name), &mut problems)
    };
    let capacity = sizes(status.capacity.as_ref(), "capacity");
    let allocatable = sizes(status.allocatable.as_ref(), "allocatable");
    let node = Node {
        name: meta::name(metadata).into(),
        uid: meta::uid(metadata),
        provider_id: provider_id(own),
        created: meta::created(metadata),
        deleting: meta::deleting(metadata),
        held: meta::is_held(metadata),
        labels: meta::labels(metadata),
        taints: own.map_or_else(Vec::new, |own| node_taints(own, &mut problems)),
        capacity,
        allocatable,
        ready: ready(object),
        do_not_disrupt: meta::annotation(metadata, keys::DO_NOT_DISRUPT) == Some("true"),
    };
    problems.with(node)
}

fn provider_id(spec: Option<&k8s::NodeSpec>) -> Option<ProviderId> {
    let id = spec?.provider_id.as_deref()?;
    (!id.is_empty()).then(|| id.into())
}

fn node_taints(own: &k8s::NodeSpec, problems: &mut Problems) -> Vec<Taint> {
    let written = own.taints.as_deref().unwrap_or_default();
    let mut taints = taints::taints(written, &spec().field("taints"), problems);
    let cordoned = Taint::new(CORDONED, "", TaintEffect::NoSchedule);
    if own.unschedulable == Some(true) && !taints.contains(&cordoned) {
        taints.push(cordoned);
    }
    taints
}

/// A node that has not said anything yet is not ready since it was created.
fn ready(object: &k8s::Node) -> NodeReady {
    let status = object.status.as_ref();
    let mut conditions = status
        .into_iter()
        .flat_map(|it| it.conditions.iter().flatten());
    let condition = conditions.find(|condition| condition.type_ == "Ready");
    if condition.is_some_and(|condition| condition.status == "True") {
        return NodeReady::Ready;
    }
    let since = condition.and_then(|condition| condition.last_transition_time.as_ref());
    NodeReady::NotReady {
        since: since.map_or_else(|| meta::created(&object.metadata), meta::timestamp),
    }
}

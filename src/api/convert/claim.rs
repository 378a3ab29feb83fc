//! NodeClaims.
//!
//! The reverse of `render`: what was written there is read back here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::resource_list::{Side, resources};
use super::{Converted, Problems, meta, requirements, spec, taints};
use crate::api::nodeclaim::{NodeClaim as Object, NodeClassReference};
use crate::api::rules::FieldPath;
use crate::model::catalog::CapacityType;
use crate::model::claim::{ClaimPhase, ClaimSpec, Machine, NodeClaim};
use crate::model::labels::{LabelKey, LabelValue, is_well_known, keys};
use crate::model::node_class::NodeClassRef;
use crate::model::time::{Timestamp, parse_duration};

/// Annotations that tell what became of a claim; all others are for the node.
const OF_THE_RECORD: [&str; 2] = [keys::LAUNCH_GROUP, keys::TERMINATION_TIMESTAMP];

/// The word that stands for a duration without end.
const NEVER: &str = "Never";

/// A NodeClaim.
pub fn node_claim(object: &Object) -> Converted<NodeClaim> {
    let mut problems = Problems::default();
    let metadata = &object.metadata;
    let status = object.status.as_ref();
    let group = meta::annotation(metadata, keys::LAUNCH_GROUP);
    let last_pod_event = status.and_then(|status| status.last_pod_event_time.as_ref());
    let claim = NodeClaim {
        name: meta::name(metadata).into(),
        uid: meta::uid(metadata),
        created: meta::created(metadata),
        deleting: meta::deleting(metadata),
        held: meta::is_held(metadata),
        spec: claim_spec(object, &mut problems),
        launch_group: group.map(Into::into),
        phase: phase(object, &mut problems),
        last_pod_event: last_pod_event.map(meta::timestamp),
    };
    problems.with(claim)
}

/// When draining ends whatever still runs, if that has been decided.
pub fn termination_deadline(object: &Object) -> Option<Timestamp> {
    let written = meta::annotation(&object.metadata, keys::TERMINATION_TIMESTAMP)?;
    Timestamp::parse(written).ok()
}

pub(super) fn class_reference(written: &NodeClassReference) -> NodeClassRef {
    NodeClassRef {
        group: written.group.as_str().into(),
        kind: written.kind.as_str().into(),
        name: written.name.as_str().into(),
    }
}

/// A duration or `Never`. What is neither means never too: nothing goes because of it.
pub(super) fn duration_or_never(
    text: &str,
    path: FieldPath,
    problems: &mut Problems,
) -> Option<Duration> {
    if text == NEVER {
        return None;
    }
    problems.ok(path, parse_duration(text))
}

fn claim_spec(object: &Object, problems: &mut Problems) -> ClaimSpec {
    let own = &object.spec;
    let labels = meta::labels(&object.metadata);
    let pool = labels.get(keys::NODE_POOL).cloned();
    if pool.is_none() {
        let path = label_path(keys::NODE_POOL);
        problems.add(path, "missing; no NodePool answers for this NodeClaim");
    }
    let path = spec().field("resources").field("requests");
    let requests = resources(&own.resources.requests, Side::Requested, &path, problems);
    let startup = spec().field("startupTaints");
    let grace = own.termination_grace_period.as_deref();
    let grace_path = spec().field("terminationGracePeriod");
    ClaimSpec {
        pool: pool.as_ref().map_or("", LabelValue::as_str).into(),
        node_class: class_reference(&own.node_class_ref),
        requirements: requirements::of_claim(
            &own.requirements,
            &spec().field("requirements"),
            problems,
        ),
        requests,
        taints: taints::taints(&own.taints, &spec().field("taints"), problems),
        startup_taints: taints::taints(&own.startup_taints, &startup, problems),
        labels: labels
            .into_iter()
            .filter(|(key, _)| is_asked(key))
            .collect(),
        annotations: annotations(object),
        expire_after: duration_or_never(&own.expire_after, spec().field("expireAfter"), problems),
        termination_grace: grace.and_then(|text| problems.ok(grace_path, parse_duration(text))),
    }
}

/// Whether a label of a claim says what was asked for; the others say what was bought.
///
/// A launch adds the machine's labels to those of the pool's template, and the object does not say
/// which came when. All that machines bring is well known, and a pool that sets a well-known label
/// says the same in the claim's requirements, so nothing is lost by this division.
fn is_asked(key: &LabelKey) -> bool {
    key.as_str() == keys::NODE_POOL || !is_well_known(key.as_str())
}

fn annotations(object: &Object) -> BTreeMap<Arc<str>, Arc<str>> {
    let all = meta::annotation_map(object.metadata.annotations.iter().flatten());
    let for_node = all.into_iter();
    let for_node = for_node.filter(|(key, _)| !OF_THE_RECORD.contains(&&**key));
    for_node.collect()
}

/// A claim that names a machine has one, whatever its conditions say: nothing may be bought twice.
fn phase(object: &Object, problems: &mut Problems) -> ClaimPhase {
    let Some(machine) = machine(object, problems) else {
        return ClaimPhase::Pending;
    };
    let status = object.status.as_ref();
    let node = status.and_then(|status| status.node_name.as_deref());
    let launched = transition(object, "Launched");
    let launched = launched.unwrap_or_else(|| meta::created(&object.metadata));
    let registered = transition(object, "Registered");
    let initialized = transition(object, "Initialized");
    match (registered, initialized, node) {
        (Some(_), Some(at), Some(node)) => ClaimPhase::Initialized {
            machine,
            node: node.into(),
            at,
        },
        (Some(at), None, Some(node)) => ClaimPhase::Registered {
            machine,
            node: node.into(),
            at,
        },
        (None, _, _) | (Some(_), _, None) => {
            if registered.is_some() {
                let path = FieldPath::ROOT.field("status").field("nodeName");
                problems.add(path, "missing, although the condition Registered is True");
            }
            ClaimPhase::Launched {
                machine,
                at: launched,
            }
        }
    }
}

fn transition(object: &Object, name: &str) -> Option<Timestamp> {
    let conditions = &object.status.as_ref()?.conditions;
    let is_true = |it: &&Condition| it.type_ == name && it.status == "True";
    let condition = conditions.iter().find(is_true)?;
    Some(meta::timestamp(&condition.last_transition_time))
}

fn machine(object: &Object, problems: &mut Problems) -> Option<Machine> {
    let status = object.status.as_ref()?;
    let id = status.provider_id.as_deref().filter(|id| !id.is_empty())?;
    let path = FieldPath::ROOT.field("status");
    let mut sizes = |list, name| resources(list, Side::Offered, &path.field(name), problems);
    let capacity = sizes(&status.capacity, "capacity");
    let allocatable = sizes(&status.allocatable, "allocatable");
    let labels = meta::labels(&object.metadata);
    let mut settled = |key: &str| {
        let value = labels.get(key).map(LabelValue::as_str);
        if value.is_none() {
            problems.add(label_path(key), "missing, although a machine is named");
        }
        value.unwrap_or_default().to_owned()
    };
    let instance_type = settled(keys::INSTANCE_TYPE);
    let zone = settled(keys::ZONE);
    let capacity_type = settled(keys::CAPACITY_TYPE);
    Some(Machine {
        provider_id: id.into(),
        instance_type: instance_type.into(),
        zone: zone.into(),
        // What is paid in full is the dearest reading, so no bill is too low for it.
        capacity_type: CapacityType::parse(&capacity_type).unwrap_or(CapacityType::OnDemand),
        labels: labels
            .into_iter()
            .filter(|(key, _)| !is_asked(key))
            .collect(),
        capacity,
        allocatable,
    })
}

fn label_path(key: &str) -> FieldPath {
    FieldPath::ROOT.field("metadata").field("labels").key(key)
}

//! NodeClaims.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as k8s;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::conditions::{Moment, reach};
use super::{hold, time};
use crate::api::convert::class_label;
use crate::api::nodeclaim::{
    NodeClaim, NodeClaimSpec, NodeClaimStatus, NodeClassReference, NodeSelectorRequirement,
    RequirementOperator, ResourceRequirements,
};
use crate::model::claim::{ClaimSpec, Machine};
use crate::model::id::ClaimName;
use crate::model::labels::keys;
use crate::model::patch::ClaimPatch;
use crate::model::requirement::{Operator, Requirement};
use crate::model::resources::{Resources, format_amount};
use crate::model::taint::Taint;
use crate::model::time::{Timestamp, format_duration};

/// A NodeClaim to be created. Our finalizer holds it from the start, so that it cannot go while
/// its machine is being bought.
pub fn node_claim(name: &ClaimName, spec: &ClaimSpec) -> NodeClaim {
    let mut metadata = ObjectMeta {
        name: Some(name.as_str().into()),
        labels: Some(labels(spec)),
        annotations: annotations(spec),
        ..ObjectMeta::default()
    };
    hold(&mut metadata);
    NodeClaim {
        metadata,
        spec: NodeClaimSpec {
            taints: spec.taints.iter().map(taint).collect(),
            startup_taints: spec.startup_taints.iter().map(taint).collect(),
            requirements: spec.requirements.iter().flat_map(requirement).collect(),
            resources: ResourceRequirements {
                requests: quantities(&spec.requests),
            },
            node_class_ref: NodeClassReference {
                group: spec.node_class.group.to_string(),
                kind: spec.node_class.kind.to_string(),
                name: spec.node_class.name.to_string(),
            },
            termination_grace_period: spec.termination_grace.map(format_duration),
            expire_after: spec
                .expire_after
                .map_or_else(|| "Never".into(), format_duration),
        },
        status: None,
    }
}

/// Changes a NodeClaim as wanted.
pub fn patch_claim(object: &mut NodeClaim, patch: &ClaimPatch, now: Timestamp) {
    match patch {
        ClaimPatch::LaunchGroup(group) => annotate(object, keys::LAUNCH_GROUP, group.as_str()),
        ClaimPatch::Launched(machine) => launched(object, machine, now),
        ClaimPatch::Registered(node) => {
            status(object).node_name = Some(node.as_str().into());
            advance(object, "Registered", now);
        }
        ClaimPatch::Initialized => advance(object, "Initialized", now),
        ClaimPatch::TerminationDeadline(at) => {
            annotate(object, keys::TERMINATION_TIMESTAMP, &at.to_string());
        }
        ClaimPatch::LastPodEvent(at) => status(object).last_pod_event_time = Some(time(*at)),
    }
}

fn labels(spec: &ClaimSpec) -> BTreeMap<String, String> {
    let own = spec.labels.iter();
    let mut labels: BTreeMap<String, String> = own
        .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
        .collect();
    labels.insert(keys::NODE_POOL.into(), spec.pool.as_str().into());
    let (key, value) = class_label(&spec.node_class);
    labels.insert(key, value.to_string());
    labels
}

fn annotations(spec: &ClaimSpec) -> Option<BTreeMap<String, String>> {
    let own = spec.annotations.iter();
    let annotations: BTreeMap<String, String> = own
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    (!annotations.is_empty()).then_some(annotations)
}

/// The machine is bought. Its labels go on the claim, but for those that the claim has already:
/// what was asked for stands.
fn launched(object: &mut NodeClaim, machine: &Machine, now: Timestamp) {
    let labels = object.metadata.labels.get_or_insert_default();
    for (key, value) in &machine.labels {
        let label = labels.entry(key.as_str().into());
        label.or_insert_with(|| value.as_str().into());
    }
    let status = status(object);
    status.provider_id = Some(machine.provider_id.as_str().into());
    status.capacity = quantities(&machine.capacity);
    status.allocatable = quantities(&machine.allocatable);
    advance(object, "Launched", now);
}

fn advance(object: &mut NodeClaim, step: &str, now: Timestamp) {
    let generation = object.metadata.generation;
    let conditions = &mut status(object).conditions;
    reach(conditions, step, Moment { generation, now });
}

fn status(object: &mut NodeClaim) -> &mut NodeClaimStatus {
    object.status.get_or_insert_default()
}

fn annotate(object: &mut NodeClaim, key: &str, value: &str) {
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(key.into(), value.into());
}

fn quantities(resources: &Resources) -> BTreeMap<String, Quantity> {
    let amounts = resources.iter();
    amounts
        .map(|(name, amount)| (name.to_string(), Quantity(format_amount(&name, amount))))
        .collect()
}

pub(super) fn taint(taint: &Taint) -> k8s::Taint {
    let value = taint.value.as_str();
    k8s::Taint {
        key: taint.key.as_str().into(),
        value: (!value.is_empty()).then(|| value.into()),
        effect: taint.effect.as_str().into(),
        time_added: None,
    }
}

fn requirement(requirement: &Requirement) -> impl Iterator<Item = NodeSelectorRequirement> {
    let min_values = requirement
        .min_values
        .and_then(|least| i32::try_from(least).ok());
    let entries = requirement.entries().into_iter();
    entries.map(move |entry| NodeSelectorRequirement {
        key: requirement.key.as_str().into(),
        operator: entry.operator.into(),
        values: entry
            .values
            .iter()
            .map(|value| value.as_str().into())
            .collect(),
        min_values,
    })
}

impl From<Operator> for RequirementOperator {
    fn from(operator: Operator) -> Self {
        match operator {
            Operator::In => Self::In,
            Operator::NotIn => Self::NotIn,
            Operator::Exists => Self::Exists,
            Operator::DoesNotExist => Self::DoesNotExist,
            Operator::Gt => Self::Gt,
            Operator::Lt => Self::Lt,
            Operator::Gte => Self::Gte,
            Operator::Lte => Self::Lte,
        }
    }
}

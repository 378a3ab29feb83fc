//! NodePools.

use std::sync::Arc;

use super::claim::{class_reference, duration_or_never};
use super::resource_list::{Side, amounts};
use super::{
    Converted, HASH_VERSION, Problems, budget, meta, node_pool_hash, requirements, spec, taints,
};
use crate::api::nodepool::{
    ConsolidationPolicy as WrittenPolicy, Disruption as WrittenDisruption, NodePool as Object,
};
use crate::model::labels::keys;
use crate::model::node_class::NodeClassRef;
use crate::model::pool::{
    ClaimTemplate, ConsolidationPolicy, Disruption, Limits, NodePool, PoolUsable,
};
use crate::model::requirement::Requirements;
use crate::model::time::parse_duration;

/// A NodePool. One with a problem is unusable: nothing is bought for it until it is mended.
pub fn node_pool(object: &Object) -> Converted<NodePool> {
    let mut problems = Problems::default();
    let limits = amounts(
        &object.spec.limits,
        Side::Offered,
        &spec().field("limits"),
        &mut problems,
    );
    let hash: Arc<str> = node_pool_hash(object).into();
    let pool = NodePool {
        name: meta::name(&object.metadata).into(),
        uid: meta::uid(&object.metadata),
        deleting: meta::deleting(&object.metadata),
        weight: weight(object, &mut problems),
        template: template(object, &hash, &mut problems),
        limits: Limits::new(limits),
        disruption: disruption(&object.spec.disruption, &mut problems),
        usable: PoolUsable::Yes,
        hash,
    };
    let usable = usable(object, &problems);
    problems.with(NodePool { usable, ..pool })
}

fn weight(object: &Object, problems: &mut Problems) -> u8 {
    let Some(weight) = object.spec.weight else {
        return 0;
    };
    let weight = u8::try_from(weight).ok().filter(|weight| *weight <= 100);
    let what = "a weight lies between 1 and 100";
    problems
        .ok(spec().field("weight"), weight.ok_or(what))
        .unwrap_or(0)
}

/// The template, with what every claim of the pool carries: the labels that name the pool and the
/// node class, and the hash. Labels are requirements as well, so that a pod can ask for them.
fn template(object: &Object, hash: &Arc<str>, problems: &mut Problems) -> ClaimTemplate {
    let template = &object.spec.template;
    let (metadata, own) = (&template.metadata, &template.spec);
    let path = spec().field("template").field("spec");
    let node_class = class_reference(&own.node_class_ref);
    let mut labels = meta::label_map(&metadata.labels);
    labels.insert(keys::NODE_POOL.into(), meta::name(&object.metadata).into());
    let (key, value) = class_label(&node_class);
    labels.insert(key.as_str().into(), value.as_ref().into());
    let mut annotations = meta::annotation_map(&metadata.annotations);
    annotations.insert(keys::NODE_POOL_HASH.into(), hash.clone());
    annotations.insert(keys::NODE_POOL_HASH_VERSION.into(), HASH_VERSION.into());
    let asked = requirements::of_claim(&own.requirements, &path.field("requirements"), problems);
    let startup = path.field("startupTaints");
    let grace = own.termination_grace_period.as_deref();
    let grace_path = path.field("terminationGracePeriod");
    ClaimTemplate {
        node_class,
        requirements: asked.intersect(&Requirements::from_labels(&labels)),
        labels,
        annotations,
        taints: taints::taints(&own.taints, &path.field("taints"), problems),
        startup_taints: taints::taints(&own.startup_taints, &startup, problems),
        expire_after: duration_or_never(&own.expire_after, path.field("expireAfter"), problems),
        termination_grace: grace.and_then(|text| problems.ok(grace_path, parse_duration(text))),
    }
}

/// The label that names the node class: its group and its kind in lower case.
pub(in crate::api) fn class_label(class: &NodeClassRef) -> (String, Arc<str>) {
    let key = format!("{}/{}", class.group, class.kind.to_lowercase());
    (key, class.name.clone())
}

fn disruption(written: &WrittenDisruption, problems: &mut Problems) -> Disruption {
    let path = spec().field("disruption");
    let after = path.field("consolidateAfter");
    let budgets = written.budgets.iter().enumerate();
    let budgets = budgets.map(|(index, written)| {
        let path = path.field("budgets").index(index);
        budget::budget(written, &path, problems)
    });
    Disruption {
        policy: written.consolidation_policy.into(),
        budgets: budgets.collect(),
        consolidate_after: duration_or_never(&written.consolidate_after, after, problems),
    }
}

impl From<WrittenPolicy> for ConsolidationPolicy {
    fn from(policy: WrittenPolicy) -> Self {
        match policy {
            WrittenPolicy::WhenEmpty => Self::WhenEmpty,
            WrittenPolicy::WhenEmptyOrUnderutilized => Self::WhenEmptyOrUnderutilized,
            WrittenPolicy::Balanced => Self::Balanced,
        }
    }
}

fn usable(object: &Object, problems: &Problems) -> PoolUsable {
    let because = problems
        .0
        .first()
        .map(ToString::to_string)
        .or_else(|| not_ready(object))
        .or_else(|| {
            let replicas = object.spec.replicas?;
            Some(format!(
                "spec.replicas is {replicas}: pools of a fixed size are not acted on yet"
            ))
        });
    because.map_or(PoolUsable::Yes, |because| PoolUsable::No {
        because: because.into(),
    })
}

/// What the condition `Ready` says against the pool. A pool without that condition has not been
/// looked at yet and may be used.
fn not_ready(object: &Object) -> Option<String> {
    let conditions = &object.status.as_ref()?.conditions;
    let ready = conditions.iter().find(|it| it.type_ == "Ready")?;
    (ready.status == "False")
        .then(|| format!("it is not ready: {}: {}", ready.reason, ready.message))
}

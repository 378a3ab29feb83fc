//! What a node can be, as far as the checks have to know.

use crate::cluster::Snapshot;
use crate::model::catalog::InstanceType;
use crate::model::claim::ClaimSpec;
use crate::model::labels::{is_well_known, keys};
use crate::model::pod::{Pod, Scheduling};
use crate::model::pool::NodePool;
use crate::model::requirement::{Requirement, Requirements, ValueSet};
use crate::model::resources::Resources;
use crate::model::taint::{Taint, tolerates_all};

/// What DaemonSets take of a node of this pool and type.
pub(super) fn overhead(
    snapshot: &Snapshot,
    pool: &NodePool,
    instance_type: &InstanceType,
) -> Resources {
    let template = &pool.template;
    let class = &template.node_class;
    let class_key = format!("{}/{}", class.group, class.kind.to_ascii_lowercase());
    let fixed = [
        Requirement::one_of(keys::NODE_POOL, [pool.name.as_str()]),
        Requirement::one_of(&class_key, [&*class.name]),
        Requirement::one_of(keys::REGISTERED, ["true"]),
        Requirement::one_of(keys::INITIALIZED, ["true"]),
    ];
    let mut labels = template.requirements.clone();
    labels.extend(Requirements::from_labels(&template.labels).iter().cloned());
    labels.extend(fixed);
    let runs = |it: &&Scheduling| {
        tolerates_all(&it.tolerations, &template.taints).is_ok()
            && it.alternatives().iter().any(|asked| {
                labels.compatible(asked, is_well_known).is_ok()
                    && instance_type.requirements.intersects(asked).is_ok()
            })
    };
    let sets = snapshot.daemon_sets.values().map(|set| &set.scheduling);
    super::sum(sets.filter(runs).map(Scheduling::resources))
}

/// Whether a machine of this type, bought for this claim, certainly has the labels that a pod
/// asks for.
pub(super) fn satisfies(spec: &ClaimSpec, instance_type: &InstanceType, pod: &Pod) -> bool {
    let labels = |asked: &Requirement| label_is_sure(spec, instance_type, asked);
    let alternatives = pod.scheduling.alternatives();
    alternatives.iter().any(|asked| asked.iter().all(labels))
}

fn label_is_sure(spec: &ClaimSpec, instance_type: &InstanceType, asked: &Requirement) -> bool {
    let key = asked.key.as_str();
    if let Some(value) = spec.labels.get(key) {
        return asked.values.has(value.as_str());
    }
    let claimed = spec.requirements.get(key).map(|it| &it.values);
    let typed = instance_type.requirements.get(key).map(|it| &it.values);
    let possible = match (claimed, typed) {
        (Some(claimed), Some(typed)) => claimed.intersect(typed),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        // Every node has a name, and no pod can know this one's.
        (None, None) => return asked.values.accepts_absence() || is_any_name(asked),
    };
    match &possible {
        ValueSet::Only(values) if values.is_empty() => asked.values.accepts_absence(),
        ValueSet::Only(values) => values.iter().all(|it| asked.values.has(it.as_str())),
        ValueSet::AllBut { .. } => possible.intersect(&asked.values) == possible,
    }
}

fn is_any_name(asked: &Requirement) -> bool {
    asked.key.as_str() == keys::HOSTNAME && asked.values == ValueSet::ANY
}

/// The first taint of a place that one of its pods does not tolerate.
pub(super) fn untolerated<'a>(pod: &Pod, taints: &'a [Taint]) -> Option<&'a Taint> {
    tolerates_all(&pod.scheduling.tolerations, taints).err()
}

//! The hash of a NodePool whose change makes its nodes drift.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Taint;

use crate::api::nodepool::NodePool;
use crate::model::id::stable_hash;
use crate::model::time::{format_duration, parse_duration};

/// The recipe of [`node_pool_hash`], written beside every hash. Hashes of different recipes are
/// not compared, so that nodes which Karpenter (recipe `v3`) bought do not drift when we take over,
/// nor ours when Karpenter does.
pub const HASH_VERSION: &str = "tidewright-1";

/// A hash of the fields of the template that Karpenter's hash covers: labels, annotations, taints,
/// startup taints, node class, `terminationGracePeriod` and `expireAfter`.
///
/// The recipe is our own. Lists of taints count as sets, and durations as what they are worth, so
/// that writing the same in another way is no drift. Requirements are left out: whether a node
/// still satisfies them can be seen on the node.
pub fn node_pool_hash(pool: &NodePool) -> String {
    let template = &pool.spec.template;
    let (metadata, own) = (&template.metadata, &template.spec);
    let mut parts = Vec::new();
    for (name, map) in [
        ("labels", &metadata.labels),
        ("annotations", &metadata.annotations),
    ] {
        parts.push(name.to_owned());
        parts.extend(
            map.iter()
                .flat_map(|(key, value)| [key.clone(), value.clone()]),
        );
    }
    for (name, taints) in [
        ("taints", &own.taints),
        ("startupTaints", &own.startup_taints),
    ] {
        parts.push(name.to_owned());
        parts.extend(taints.iter().map(written).collect::<BTreeSet<_>>());
    }
    let class = &own.node_class_ref;
    parts.extend(["nodeClassRef", &class.group, &class.kind, &class.name].map(str::to_owned));
    let grace = own.termination_grace_period.as_deref();
    parts.extend([
        "terminationGracePeriod".to_owned(),
        worth(grace.unwrap_or_default()),
    ]);
    parts.extend(["expireAfter".to_owned(), worth(&own.expire_after)]);
    format!("{:016x}", stable_hash(parts.iter().map(String::as_str)))
}

fn written(taint: &Taint) -> String {
    let value = taint.value.as_deref().unwrap_or_default();
    format!("{}={value}:{}", taint.key, taint.effect)
}

/// `60m` and `1h` are one duration; `Never` and the absence of one stay as they are.
fn worth(text: &str) -> String {
    parse_duration(text).map_or_else(|_| text.to_owned(), format_duration)
}

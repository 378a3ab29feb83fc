//! A NodePool as a whole.

use super::disruption::check_disruption;
use super::labels::check_labels;
use super::node_claim::{check_lifetime, check_node_class_ref};
use super::quantities::check_quantities;
use super::requirements::{Holder, check_requirements};
use super::taints::check_taints;
use super::{FieldPath, Violation, negative, out_of_range};
use crate::api::nodepool::{NodeClaimTemplate, NodePool, NodePoolSpec};

/// The only limit of a pool whose number of nodes is fixed.
const NODES: &str = "nodes";

/// Every breach of a rule in a NodePool.
pub fn check_node_pool(pool: &NodePool) -> Vec<Violation> {
    let spec = &pool.spec;
    let path = FieldPath::ROOT.field("spec");
    let mut found = check_template(&path.field("template"), &spec.template);
    found.extend(check_disruption(
        &path.field("disruption"),
        &spec.disruption,
    ));
    found.extend(check_quantities(&path.field("limits"), &spec.limits));
    if let Some(weight) = spec.weight {
        found.extend(out_of_range(path.field("weight"), weight.into(), 1, 100));
    }
    if let Some(replicas) = spec.replicas {
        found.extend(negative(path.field("replicas"), replicas));
        found.extend(check_static(&path, spec));
    }
    found
}

fn check_template(path: &FieldPath, template: &NodeClaimTemplate) -> Vec<Violation> {
    let labels = path.field("metadata").field("labels");
    let path = path.field("spec");
    let requirements = path.field("requirements");
    let spec = &template.spec;
    let mut found = check_labels(&labels, &template.metadata.labels);
    found.extend(check_taints(&path, &spec.taints, &spec.startup_taints));
    found.extend(check_requirements(
        &requirements,
        &spec.requirements,
        Holder::Pool,
    ));
    found.extend(check_node_class_ref(&path, &spec.node_class_ref));
    found.extend(check_lifetime(
        &path,
        spec.termination_grace_period.as_deref(),
        &spec.expire_after,
    ));
    found
}

/// What a pool with a fixed number of nodes may not say.
fn check_static(path: &FieldPath, spec: &NodePoolSpec) -> Vec<Violation> {
    let limits = path.field("limits");
    let others = spec.limits.iter().filter(|(name, _)| *name != NODES);
    let mut found: Vec<_> = others
        .map(|(name, amount)| {
            let rule = "A pool with replicas can be limited by its number of nodes only.";
            Violation::new(
                limits.key(name),
                &amount.0,
                rule,
                "Remove it, or limit nodes.",
            )
        })
        .collect();
    if let Some(weight) = spec.weight {
        let rule = "A pool with replicas may have no weight, since pods do not choose it.";
        found.push(Violation::new(
            path.field("weight"),
            weight,
            rule,
            "Remove it.",
        ));
    }
    found
}

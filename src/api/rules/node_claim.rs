//! A NodeClaim as a whole, and the parts it shares with the template of a pool.

use super::durations::{check_duration, check_duration_or_never};
use super::quantities::check_quantities;
use super::requirements::{Holder, check_requirements};
use super::taints::check_taints;
use super::{FieldPath, Violation};
use crate::api::nodeclaim::{NodeClaim, NodeClassReference};

/// Every breach of a rule in a NodeClaim.
pub fn check_node_claim(claim: &NodeClaim) -> Vec<Violation> {
    let spec = &claim.spec;
    let path = FieldPath::ROOT.field("spec");
    let requests = path.field("resources").field("requests");
    let mut found = check_taints(&path, &spec.taints, &spec.startup_taints);
    found.extend(check_requirements(
        &path.field("requirements"),
        &spec.requirements,
        Holder::Claim,
    ));
    found.extend(check_quantities(&requests, &spec.resources.requests));
    found.extend(check_node_class_ref(&path, &spec.node_class_ref));
    found.extend(check_lifetime(
        &path,
        spec.termination_grace_period.as_deref(),
        &spec.expire_after,
    ));
    found
}

/// The reference to a node class.
pub(super) fn check_node_class_ref(
    spec: &FieldPath,
    reference: &NodeClassReference,
) -> Vec<Violation> {
    let path = spec.field("nodeClassRef");
    let missing = |member, value: &str, example| {
        value.is_empty().then(|| {
            let rule = format!("The {member} of the node class must not be empty.");
            let fix = format!("Write it, for example {example}.");
            Violation::new(path.field(member), value, rule, fix)
        })
    };
    let mut found = Vec::new();
    found.extend(missing("group", &reference.group, "karpenter.k8s.aws"));
    if let Some((group, _)) = reference.group.split_once('/') {
        let rule = "The group of the node class must be written without a version.";
        let fix = format!("Write {group}.");
        found.push(Violation::new(
            path.field("group"),
            &reference.group,
            rule,
            fix,
        ));
    }
    found.extend(missing("kind", &reference.kind, "EC2NodeClass"));
    found.extend(missing("name", &reference.name, "default"));
    found
}

/// How long a node may live, and how long it may take to leave.
pub(super) fn check_lifetime(
    spec: &FieldPath,
    termination_grace_period: Option<&str>,
    expire_after: &str,
) -> Vec<Violation> {
    let grace = termination_grace_period
        .and_then(|text| check_duration(spec.field("terminationGracePeriod"), text));
    let expiry = check_duration_or_never(spec.field("expireAfter"), expire_after);
    grace.into_iter().chain(expiry).collect()
}

//! Spread, affinity and anti-affinity among pods.
//!
//! All of it is read, and none of it acted on yet: what must hold is binding, what is only wished
//! for is a preference.

use k8s_openapi::api::core::v1 as k8s;

use super::unsupported::Unsupported;
use crate::api::convert::requirements;
use crate::api::rules::FieldPath;
use crate::model::labels::LabelKey;
use crate::model::topology::{
    LabelSelector, Namespaces, Neighbours, NodeInclusion, PodAffinityTerm, TopologySpread,
    Weighted, WhenUnsatisfiable,
};

pub(super) fn neighbours(
    own: &k8s::PodSpec,
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Neighbours {
    let affinity = own.affinity.clone().unwrap_or_default();
    let towards = affinity.pod_affinity.unwrap_or_default();
    let away = affinity.pod_anti_affinity.unwrap_or_default();
    let path_of = |field| path.field("affinity").field(field);
    let (near, far) = (path_of("podAffinity"), path_of("podAntiAffinity"));
    let mut required = |terms: Option<Vec<k8s::PodAffinityTerm>>, path: &FieldPath| {
        required(&terms.unwrap_or_default(), path, unsupported)
    };
    let affinity_required = required(
        towards.required_during_scheduling_ignored_during_execution,
        &near,
    );
    let anti_affinity_required = required(
        away.required_during_scheduling_ignored_during_execution,
        &far,
    );
    let mut preferred = |terms: Option<Vec<k8s::WeightedPodAffinityTerm>>, path: &FieldPath| {
        preferred(&terms.unwrap_or_default(), path, unsupported)
    };
    Neighbours {
        affinity_required,
        anti_affinity_required,
        affinity_preferred: preferred(
            towards.preferred_during_scheduling_ignored_during_execution,
            &near,
        ),
        anti_affinity_preferred: preferred(
            away.preferred_during_scheduling_ignored_during_execution,
            &far,
        ),
        spread: spreads(own, path, unsupported),
    }
}

fn required(
    terms: &[k8s::PodAffinityTerm],
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Vec<PodAffinityTerm> {
    let path = path.field("requiredDuringSchedulingIgnoredDuringExecution");
    let terms = terms.iter().enumerate();
    let understood = terms.filter_map(|(index, term)| {
        unsupported.binding(&path.index(index));
        affinity_term(term)
    });
    understood.collect()
}

fn preferred(
    terms: &[k8s::WeightedPodAffinityTerm],
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Vec<Weighted<PodAffinityTerm>> {
    let path = path.field("preferredDuringSchedulingIgnoredDuringExecution");
    let terms = terms.iter().enumerate();
    let understood = terms.filter_map(|(index, written)| {
        unsupported.preference(&path.index(index));
        let weight = u8::try_from(written.weight).ok()?;
        let term = affinity_term(&written.pod_affinity_term)?;
        Some(Weighted { weight, term })
    });
    understood.collect()
}

/// `None` when a selector means nothing; the term is on the list of what is not acted on anyway.
fn affinity_term(written: &k8s::PodAffinityTerm) -> Option<PodAffinityTerm> {
    Some(PodAffinityTerm {
        key: written.topology_key.as_str().into(),
        selector: requirements::selector(written.label_selector.as_ref()).ok()?,
        match_label_keys: keys(written.match_label_keys.as_ref()),
        mismatch_label_keys: keys(written.mismatch_label_keys.as_ref()),
        namespaces: namespaces(written)?,
    })
}

/// Without names and selector, the pod's own namespace is meant (Kubernetes API reference,
/// `PodAffinityTerm`).
fn namespaces(written: &k8s::PodAffinityTerm) -> Option<Namespaces> {
    let names = written.namespaces.clone().unwrap_or_default();
    let selector = requirements::selector(written.namespace_selector.as_ref()).ok()?;
    if names.is_empty() && selector == LabelSelector::Nothing {
        return Some(Namespaces::Own);
    }
    Some(Namespaces::Named { names, selector })
}

fn spreads(
    own: &k8s::PodSpec,
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Vec<TopologySpread> {
    let path = path.field("topologySpreadConstraints");
    let written = own.topology_spread_constraints.iter().flatten().enumerate();
    let understood = written.filter_map(|(index, written)| {
        let path = path.index(index);
        let spread = spread(written);
        match when_unsatisfiable(written) {
            Some(WhenUnsatisfiable::ScheduleAnyway) => unsupported.preference(&path),
            Some(WhenUnsatisfiable::DoNotSchedule) | None => unsupported.binding(&path),
        }
        spread
    });
    understood.collect()
}

fn spread(written: &k8s::TopologySpreadConstraint) -> Option<TopologySpread> {
    let domains_min = match written.min_domains {
        Some(least) => Some(u32::try_from(least).ok()?),
        None => None,
    };
    let affinity = written.node_affinity_policy.as_deref();
    let taints = written.node_taints_policy.as_deref();
    Some(TopologySpread {
        key: written.topology_key.as_str().into(),
        max_skew: u32::try_from(written.max_skew).ok()?,
        domains_min,
        when_unsatisfiable: when_unsatisfiable(written)?,
        selector: requirements::selector(written.label_selector.as_ref()).ok()?,
        match_label_keys: keys(written.match_label_keys.as_ref()),
        node_affinity: inclusion(affinity, NodeInclusion::Honor)?,
        node_taints: inclusion(taints, NodeInclusion::Ignore)?,
    })
}

fn when_unsatisfiable(written: &k8s::TopologySpreadConstraint) -> Option<WhenUnsatisfiable> {
    match written.when_unsatisfiable.as_str() {
        "DoNotSchedule" => Some(WhenUnsatisfiable::DoNotSchedule),
        "ScheduleAnyway" => Some(WhenUnsatisfiable::ScheduleAnyway),
        _ => None,
    }
}

fn inclusion(written: Option<&str>, default: NodeInclusion) -> Option<NodeInclusion> {
    match written {
        None => Some(default),
        Some("Honor") => Some(NodeInclusion::Honor),
        Some("Ignore") => Some(NodeInclusion::Ignore),
        Some(_) => None,
    }
}

fn keys(written: Option<&Vec<String>>) -> Vec<LabelKey> {
    let written = written.into_iter().flatten();
    written.map(|key| key.as_str().into()).collect()
}

//! Nodes.

use k8s_openapi::api::core::v1 as k8s;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;

use super::claim::taint;
use super::hold;
use crate::api::nodeclaim::NodeClaim;
use crate::model::id::{ClaimName, Uid};
use crate::model::labels::keys;
use crate::model::patch::NodePatch;
use crate::model::taint::{Taint, TaintEffect};

/// The value of the label that keeps load balancers away, as Karpenter writes it.
const EXCLUDED_BY: &str = "karpenter";

/// Changes a Node as wanted.
pub fn patch_node(object: &mut k8s::Node, patch: &NodePatch) {
    match patch {
        NodePatch::Register {
            claim,
            claim_uid,
            labels,
            annotations,
            taints,
        } => {
            hold(&mut object.metadata);
            own(&mut object.metadata, claim, claim_uid);
            for (key, value) in labels {
                label(object, key.as_str(), value.as_str());
            }
            for (key, value) in annotations {
                let all = object.metadata.annotations.get_or_insert_default();
                all.insert(key.to_string(), value.to_string());
            }
            for taint in taints {
                add_taint(object, taint);
            }
            remove_taint(object, &unregistered());
        }
        NodePatch::Initialized => label(object, keys::INITIALIZED, "true"),
        NodePatch::Disrupted => {
            add_taint(object, &disrupted());
            label(object, keys::EXCLUDE_FROM_LOAD_BALANCERS, EXCLUDED_BY);
        }
        NodePatch::NotDisrupted => {
            remove_taint(object, &disrupted());
            include_in_load_balancers(&mut object.metadata);
        }
    }
}

fn unregistered() -> Taint {
    Taint::new(keys::UNREGISTERED, "", TaintEffect::NoExecute)
}

fn disrupted() -> Taint {
    Taint::new(keys::DISRUPTED, "", TaintEffect::NoSchedule)
}

/// Makes the claim an owner of the node, once.
fn own(metadata: &mut ObjectMeta, claim: &ClaimName, uid: &Uid) {
    let owners = metadata.owner_references.get_or_insert_default();
    if owners.iter().any(|owner| owner.uid == uid.as_str()) {
        return;
    }
    owners.push(OwnerReference {
        api_version: NodeClaim::api_version(&()).into(),
        kind: NodeClaim::kind(&()).into(),
        name: claim.as_str().into(),
        uid: uid.as_str().into(),
        block_owner_deletion: Some(true),
        controller: None,
    });
}

fn label(object: &mut k8s::Node, key: &str, value: &str) {
    let labels = object.metadata.labels.get_or_insert_default();
    labels.insert(key.into(), value.into());
}

/// Takes away our mark only: an operator may have excluded the node for reasons of his own.
fn include_in_load_balancers(metadata: &mut ObjectMeta) {
    if let Some(labels) = &mut metadata.labels
        && labels
            .get(keys::EXCLUDE_FROM_LOAD_BALANCERS)
            .is_some_and(|by| by == EXCLUDED_BY)
    {
        labels.remove(keys::EXCLUDE_FROM_LOAD_BALANCERS);
    }
}

fn is_same(written: &k8s::Taint, wanted: &Taint) -> bool {
    written.key == wanted.key.as_str() && written.effect == wanted.effect.as_str()
}

/// A node has at most one taint of a key and an effect (Kubernetes API reference, `NodeSpec`).
fn add_taint(object: &mut k8s::Node, wanted: &Taint) {
    let spec = object.spec.get_or_insert_default();
    let taints = spec.taints.get_or_insert_default();
    if !taints.iter().any(|written| is_same(written, wanted)) {
        taints.push(taint(wanted));
    }
}

fn remove_taint(object: &mut k8s::Node, unwanted: &Taint) {
    let Some(spec) = &mut object.spec else {
        return;
    };
    if let Some(taints) = &mut spec.taints {
        taints.retain(|written| !is_same(written, unwanted));
        if taints.is_empty() {
            spec.taints = None;
        }
    }
}

//! Pods and DaemonSets.
//!
//! Everything a pod says about where it runs is read. What the planner does not act on yet is
//! named in `Scheduling::unsupported`, and so is every value that makes no sense: a pod that says
//! something we do not follow is refused, never misplaced.

mod neighbours;
mod node_affinity;
mod requests;
mod scheduling;
mod tolerations;
mod unsupported;

use std::time::Duration;

use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::core::v1 as k8s;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{meta, spec};
use crate::api::rules::FieldPath;
use crate::model::id::PodKey;
use crate::model::labels::keys;
use crate::model::pod::{DaemonSet, DoNotDisrupt, Owner, Placement, Pod, PodPhase};
use crate::model::time::parse_duration;
use unsupported::Unsupported;

/// What Kubernetes takes when a pod names no time to stop in.
const TERMINATION_GRACE_SECONDS_DEFAULT: i64 = 30;

/// The namespace of objects that name none.
const NAMESPACE_DEFAULT: &str = "default";

/// The priority classes that every cluster has (Kubernetes documentation, "Guaranteed Scheduling
/// For Critical Add-On Pods").
const CRITICAL: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

/// A Pod.
pub fn pod(object: &k8s::Pod) -> Pod {
    let metadata = &object.metadata;
    let own = object.spec.clone().unwrap_or_default();
    let status = object.status.as_ref();
    let mut unsupported = Unsupported::default();
    let do_not_disrupt = do_not_disrupt(metadata, &mut unsupported);
    let deletion_cost = deletion_cost(metadata, &mut unsupported);
    let class = own.priority_class_name.as_deref();
    Pod {
        key: key(metadata),
        uid: meta::uid(metadata),
        created: meta::created(metadata),
        owner: owner(metadata),
        labels: meta::labels(metadata),
        scheduling: scheduling::scheduling(&own, status, &spec(), unsupported),
        phase: phase(status),
        placement: placement(&own, status),
        deleting: meta::deleting(metadata),
        started: status.and_then(|status| Some(meta::timestamp(status.start_time.as_ref()?))),
        termination_grace: termination_grace(metadata, &own),
        do_not_disrupt,
        critical: class.is_some_and(|class| CRITICAL.contains(&class)),
        deletion_cost,
    }
}

/// A DaemonSet, with the tolerations that its controller gives every pod.
pub fn daemon_set(object: &apps::DaemonSet) -> DaemonSet {
    let template = object.spec.as_ref().map(|own| &own.template);
    let own = template.and_then(|template| template.spec.clone());
    let own = own.unwrap_or_default();
    let path = spec().field("template").field("spec");
    let mut scheduling = scheduling::scheduling(&own, None, &path, Unsupported::default());
    let host_network = own.host_network == Some(true);
    scheduling
        .tolerations
        .extend(tolerations::of_daemons(host_network));
    DaemonSet {
        key: key(&object.metadata),
        uid: meta::uid(&object.metadata),
        scheduling,
    }
}

fn key(metadata: &ObjectMeta) -> PodKey {
    let namespace = metadata.namespace.as_deref().unwrap_or(NAMESPACE_DEFAULT);
    PodKey::new(namespace, meta::name(metadata))
}

/// The owner that controls the object. Others are told of its end and do not remake it.
fn owner(metadata: &ObjectMeta) -> Option<Owner> {
    let mut owners = metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true))?;
    Some(Owner {
        api_version: owner.api_version.as_str().into(),
        kind: owner.kind.as_str().into(),
        name: owner.name.as_str().into(),
        uid: owner.uid.as_str().into(),
    })
}

/// The phase `Unknown` means that the node has stopped answering: the pod may well run.
fn phase(status: Option<&k8s::PodStatus>) -> PodPhase {
    match status.and_then(|status| status.phase.as_deref()) {
        Some("Running" | "Unknown") => PodPhase::Running,
        Some("Succeeded") => PodPhase::Succeeded,
        Some("Failed") => PodPhase::Failed,
        Some(_) | None => PodPhase::Pending,
    }
}

fn placement(own: &k8s::PodSpec, status: Option<&k8s::PodStatus>) -> Placement {
    if let Some(node) = named(own.node_name.as_deref()) {
        return Placement::Bound(node.into());
    }
    if let Some(node) = named(status.and_then(|status| status.nominated_node_name.as_deref())) {
        return Placement::Nominated(node.into());
    }
    let mut conditions = status
        .into_iter()
        .flat_map(|it| it.conditions.iter().flatten());
    let gave_up = conditions.any(|condition| {
        condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("Unschedulable")
    });
    if gave_up {
        Placement::Unschedulable
    } else {
        Placement::Unscheduled
    }
}

fn named(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.is_empty())
}

/// A deletion may grant another time than the pod asked for.
fn termination_grace(metadata: &ObjectMeta, own: &k8s::PodSpec) -> Duration {
    let granted = metadata.deletion_grace_period_seconds;
    let seconds = granted.or(own.termination_grace_period_seconds);
    meta::seconds(seconds.unwrap_or(TERMINATION_GRACE_SECONDS_DEFAULT))
}

/// `"true"` or a positive duration. Anything else protects nothing, as in Karpenter.
fn do_not_disrupt(metadata: &ObjectMeta, unsupported: &mut Unsupported) -> DoNotDisrupt {
    let (path, written) = annotation(metadata, keys::DO_NOT_DISRUPT);
    match written {
        None | Some("false") => DoNotDisrupt::No,
        Some("true") => DoNotDisrupt::Always,
        Some(text) => match parse_duration(text) {
            Ok(span) if !span.is_zero() => DoNotDisrupt::For(span),
            Ok(_) | Err(_) => {
                unsupported.preference(&path);
                DoNotDisrupt::No
            }
        },
    }
}

fn deletion_cost(metadata: &ObjectMeta, unsupported: &mut Unsupported) -> i32 {
    let (path, written) = annotation(metadata, keys::POD_DELETION_COST);
    let read = written.map(str::parse);
    if matches!(read, Some(Err(_))) {
        unsupported.preference(&path);
    }
    read.and_then(Result::ok).unwrap_or(0)
}

fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> (FieldPath, Option<&'a str>) {
    let path = FieldPath::ROOT.field("metadata").field("annotations");
    (path.key(key), meta::annotation(metadata, key))
}

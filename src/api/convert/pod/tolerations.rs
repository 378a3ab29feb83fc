//! Tolerations.

use k8s_openapi::api::core::v1 as k8s;

use super::unsupported::Unsupported;
use crate::api::rules::FieldPath;
use crate::model::labels::keys;
use crate::model::taint::{TaintEffect, Toleration, TolerationOperator};

/// The tolerations. One that makes no sense tolerates nothing.
pub(super) fn tolerations(
    own: &k8s::PodSpec,
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Vec<Toleration> {
    let written = own.tolerations.iter().flatten().enumerate();
    let understood = written.filter_map(|(index, written)| {
        let read = toleration(written);
        if read.is_none() {
            unsupported.binding(&path.field("tolerations").index(index));
        }
        read
    });
    understood.collect()
}

fn toleration(written: &k8s::Toleration) -> Option<Toleration> {
    let key = written.key.as_deref().filter(|key| !key.is_empty());
    let effect = written
        .effect
        .as_deref()
        .filter(|effect| !effect.is_empty());
    let effect = match effect {
        Some(name) => Some(TaintEffect::parse(name)?),
        None => None,
    };
    Some(Toleration {
        key: key.map(Into::into),
        operator: TolerationOperator::parse(written.operator.as_deref().unwrap_or_default())?,
        value: written.value.as_deref().unwrap_or_default().into(),
        effect,
        seconds: written.toleration_seconds,
    })
}

/// What the controller of DaemonSets adds to every pod (Kubernetes documentation, "DaemonSet",
/// section "Taints and tolerations").
pub(super) fn of_daemons(host_network: bool) -> impl Iterator<Item = Toleration> {
    use TaintEffect::{NoExecute, NoSchedule};
    let always = [
        (keys::NOT_READY, NoExecute),
        (keys::UNREACHABLE, NoExecute),
        ("node.kubernetes.io/disk-pressure", NoSchedule),
        ("node.kubernetes.io/memory-pressure", NoSchedule),
        ("node.kubernetes.io/pid-pressure", NoSchedule),
        ("node.kubernetes.io/unschedulable", NoSchedule),
    ];
    let network = ("node.kubernetes.io/network-unavailable", NoSchedule);
    let added = always.into_iter().chain(host_network.then_some(network));
    added.map(|(key, effect)| Toleration {
        key: Some(key.into()),
        operator: TolerationOperator::Exists,
        value: "".into(),
        effect: Some(effect),
        seconds: None,
    })
}

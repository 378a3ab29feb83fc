//! How pods go: with a grace.

use std::time::Duration;

use k8s_openapi::api::core::v1::{NodeSelectorTerm, Pod};
use tidewright::engine::ApiError;
use tidewright::model::time::Timestamp;

use super::{ObjectKey, Store, time};
use crate::event::Actor;

/// How long a pod may take to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// As long as it says itself.
    OfPod,
    /// So long.
    Of(Duration),
}

/// What a pod is given that says nothing (Kubernetes documentation, "Pod Lifecycle").
const GRACE_DEFAULT_SECONDS: i64 = 30;

impl Store {
    /// Tells a pod to go. One that no kubelet has, and one that has come to its end, is gone at
    /// once; the kubelet of its node lets go of any other. A second call can only shorten the
    /// grace.
    pub fn delete_pod(
        &mut self,
        key: &ObjectKey,
        grace: Grace,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let pod = self.get::<Pod>(key).ok_or(ApiError::NotFound)?;
        let seconds = match grace {
            Grace::OfPod => grace_seconds(pod),
            Grace::Of(span) => i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        };
        if seconds == 0 || is_terminal(pod) || node_name(pod).is_none() {
            self.remove::<Pod>(key, now);
            return Ok(());
        }
        let span = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let end = now.saturating_add(span);
        let known = pod.metadata.deletion_timestamp.as_ref();
        if known.is_some_and(|known| super::timestamp(known) <= end) {
            return Ok(());
        }
        self.mark::<Pod>(key, time(end), by);
        if let Some(pod) = self.pods.get_mut(key) {
            pod.metadata.deletion_grace_period_seconds = Some(seconds);
        }
        Ok(())
    }

    /// The pods that are bound to a node.
    pub fn pods_on<'a>(&'a self, node: &'a str) -> impl Iterator<Item = (&'a ObjectKey, &'a Pod)> {
        let pods = self.pods_of_node(node);
        pods.filter(move |(_, pod)| node_name(pod) == Some(node))
    }

    /// The pods that are bound to a node or made for it.
    pub fn pods_of_node<'a>(
        &'a self,
        node: &str,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Pod)> {
        let keys = self.index.of_node(node);
        keys.filter_map(|key| self.pods.get_key_value(key))
    }

    /// Removes a pod whose containers have stopped, or whose node is no more.
    pub fn remove_pod(&mut self, key: &ObjectKey, now: Timestamp) {
        self.remove::<Pod>(key, now);
    }
}

/// The node that a pod is bound to.
pub fn node_name(pod: &Pod) -> Option<&str> {
    let node = pod.spec.as_ref()?.node_name.as_deref()?;
    (!node.is_empty()).then_some(node)
}

/// The node that a pod of a DaemonSet is made for: every term of its node affinity names it.
pub fn node_made_for(pod: &Pod) -> Option<&str> {
    let affinity = pod.spec.as_ref()?.affinity.as_ref()?;
    let required = affinity
        .node_affinity
        .as_ref()?
        .required_during_scheduling_ignored_during_execution
        .as_ref()?;
    let (first, others) = required.node_selector_terms.split_first()?;
    let name = named_node(first)?;
    let agreed = others.iter().all(|term| named_node(term) == Some(name));
    agreed.then_some(name)
}

fn named_node(term: &NodeSelectorTerm) -> Option<&str> {
    let mut fields = term.match_fields.iter().flatten();
    let named = fields.find(|field| field.key == "metadata.name" && field.operator == "In")?;
    match named.values.as_deref() {
        Some([name]) => Some(name),
        Some(_) | None => None,
    }
}

/// Whether a pod has come to its end.
pub fn is_terminal(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The grace that a pod asks for, in seconds.
pub fn grace_seconds(pod: &Pod) -> i64 {
    let spec = pod.spec.as_ref();
    let asked = spec.and_then(|spec| spec.termination_grace_period_seconds);
    asked.unwrap_or(GRACE_DEFAULT_SECONDS).max(0)
}

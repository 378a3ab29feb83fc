//! Which node takes a pod.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::{Node, Pod};

use super::requests::{self, Amounts};
use super::rooms::Rooms;
use super::{affinity, taints};
use crate::store::{ObjectKey, Store, node_made_for};

/// Why a node does not take a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The node goes, or is closed by hand.
    Closed,
    /// The pod does not endure a taint.
    Taint(String),
    /// The labels are not those that the pod asks for.
    Labels,
    /// There is too little of a resource.
    Resource(String),
}

/// The best node that takes the pod, as things are in the store. A pod that is made for a node is
/// not tried elsewhere.
pub(super) fn place(rooms: &Rooms, store: &Store, pod: &Pod) -> Option<String> {
    let wanted = requests::of(pod);
    let made_for = node_made_for(pod);
    let only = made_for.and_then(|name| Some((name, rooms.of(name)?)));
    let any = made_for.is_none();
    let others = any.then(|| rooms.with_cpu(wanted.get("cpu")));
    let tried = only.into_iter().chain(others.into_iter().flatten());
    let tried = tried.filter(|(_, room)| wanted.first_short(room).is_none());
    let fitting = tried.filter_map(|(name, room)| {
        let node = store.get::<Node>(&ObjectKey::cluster(name))?;
        fits_labels_and_taints(pod, node).ok()?;
        Some((score(pod, node, room), name))
    });
    fitting.min().map(|(_, name)| name.to_owned())
}

/// Whether a node on which nothing runs takes a pod.
pub fn fits_empty(pod: &Pod, node: &Node) -> Result<(), Misfit> {
    fits(pod, node, &requests::room(&Store::default(), node))
}

/// Whether a node that has this room takes a pod.
pub(super) fn fits(pod: &Pod, node: &Node, room: &Amounts) -> Result<(), Misfit> {
    fits_labels_and_taints(pod, node)?;
    match requests::of(pod).first_short(room) {
        Some(name) => Err(Misfit::Resource(name.to_owned())),
        None => Ok(()),
    }
}

/// Whether labels and taints let a node take a pod, however full it is.
pub fn fits_labels_and_taints(pod: &Pod, node: &Node) -> Result<(), Misfit> {
    let spec = node.spec.as_ref();
    let closed = spec.and_then(|spec| spec.unschedulable).unwrap_or(false);
    if closed && !taints::tolerates_closing(pod) {
        return Err(Misfit::Closed);
    }
    if let Some(taint) = taints::first_unbearable(pod, node) {
        return Err(Misfit::Taint(taint.key.clone()));
    }
    if affinity::is_wanted(pod, node) {
        Ok(())
    } else {
        Err(Misfit::Labels)
    }
}

/// What decides between nodes that all take the pod; the least is best. Soft taints count first,
/// then what the pod prefers, then how much room there is.
fn score(pod: &Pod, node: &Node, room: &Amounts) -> (usize, Reverse<i64>, Reverse<i128>) {
    let soft = taints::soft_count(pod, node);
    let preferred = affinity::preference(pod, node);
    (soft, Reverse(preferred), Reverse(room.get("cpu")))
}

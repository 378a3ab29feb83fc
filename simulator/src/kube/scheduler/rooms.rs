//! What every node has left, added up once for each time that it changes.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Node;

use super::requests::{self, Amounts};
use crate::store::{ObjectKey, Store};

/// The rooms of all nodes. Most are too full for most pods, so they are also ordered by free cpu.
#[derive(Clone, Debug, Default)]
pub(super) struct Rooms {
    by_node: BTreeMap<String, Amounts>,
    by_cpu: BTreeSet<(i128, String)>,
    /// The nodes whose room has to be added up again.
    stale: BTreeSet<String>,
}

impl Rooms {
    /// Something about a node, or what runs on it, is different.
    pub(super) fn forget(&mut self, node: &str) {
        if !self.stale.contains(node) {
            self.stale.insert(node.to_owned());
        }
    }

    /// Brings everything up to date.
    pub(super) fn refresh(&mut self, store: &Store) {
        for name in std::mem::take(&mut self.stale) {
            if let Some(before) = self.by_node.remove(&name) {
                self.by_cpu.remove(&(before.get("cpu"), name.clone()));
            }
            if let Some(node) = store.get::<Node>(&ObjectKey::cluster(&name)) {
                let room = requests::room(store, node);
                self.by_cpu.insert((room.get("cpu"), name.clone()));
                self.by_node.insert(name, room);
            }
        }
    }

    /// The room of one node.
    pub(super) fn of(&self, node: &str) -> Option<&Amounts> {
        self.by_node.get(node)
    }

    /// The nodes that have at least so much cpu, with their rooms.
    pub(super) fn with_cpu(&self, cpu: i128) -> impl Iterator<Item = (&str, &Amounts)> {
        let nodes = self.by_cpu.range((cpu, String::new())..);
        nodes.filter_map(|(_, name)| Some((name.as_str(), self.by_node.get(name)?)))
    }
}

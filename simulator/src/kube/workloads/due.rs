//! Whom the controllers of workloads look at: the work queue of a controller, filled by its watches.

use std::collections::BTreeSet;

use tidewright::model::id::Uid;

use super::Wanted;
use crate::setup::ObjectKind;
use crate::store::{ObjectKey, Store, Stored, Touched, uid};

/// What was touched since the last run, or left undone by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Due {
    objects: BTreeSet<Uid>,
    /// The nodes whose pods of DaemonSets may be missing or too many.
    nodes: BTreeSet<String>,
}

impl Due {
    /// An object is due itself, and so is its owner. What becomes of a DaemonSet's pod concerns the
    /// pod's node alone.
    pub(super) fn touched(&mut self, touched: &Touched) {
        self.objects.insert(touched.uid.clone());
        if touched.kind == ObjectKind::Node {
            self.nodes.insert(touched.key.name.clone());
        }
        for owner in &touched.owners {
            match &touched.node {
                Some(node) if owner.kind == "DaemonSet" => {
                    self.nodes.insert(node.clone());
                }
                Some(_) | None => {
                    self.objects.insert(owner.uid.as_str().into());
                }
            }
        }
    }

    /// The pace left pods of this owner for later.
    pub(super) fn again(&mut self, wanted: &Wanted<'_>) {
        match wanted.node {
            Some(node) => self.nodes.insert(node.to_owned()),
            None => self.objects.insert(wanted.owner.uid.as_str().into()),
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.nodes.is_empty()
    }

    /// Whether an object is to be looked at: it is due, or its owner is.
    pub(super) fn has<T: Stored>(&self, object: &T) -> bool {
        let mut owners = object.meta().owner_references.iter().flatten();
        self.objects.contains(&uid(object))
            || owners.any(|owner| self.objects.contains(owner.uid.as_str()))
    }

    /// The objects of a kind that are to be looked at, by key.
    pub(super) fn of<T: Stored>(&self, store: &Store) -> Vec<(ObjectKey, T)> {
        let due = store.all::<T>().iter().filter(|(_, it)| self.has(*it));
        let staying = due.filter(|(_, it)| !super::is_going(*it));
        let objects = staying.map(|(key, object)| (key.clone(), object.clone()));
        objects.collect()
    }

    /// The nodes that are to be looked at whatever the DaemonSet.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(String::as_str)
    }
}

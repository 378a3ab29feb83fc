//! Who owns what, and which pods are on which node: questions that everybody asks all the time, and
//! that nobody should answer by looking at all there is.

use std::collections::{BTreeMap, BTreeSet};

use super::{ObjectKey, Stored};
use crate::setup::ObjectKind;

/// Which objects name an owner or a node. It says what the tables of the store say, and is kept by
/// the store wherever it changes a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_owner: BTreeMap<String, BTreeSet<(ObjectKind, ObjectKey)>>,
    by_node: BTreeMap<String, BTreeSet<ObjectKey>>,
}

impl Index {
    /// An object is there.
    pub(super) fn add<T: Stored>(&mut self, key: &ObjectKey, object: &T) {
        for owner in owners(object) {
            let owned = self.by_owner.entry(owner.to_owned()).or_default();
            owned.insert((T::KIND, key.clone()));
        }
        if let Some(node) = object.node() {
            let pods = self.by_node.entry(node.to_owned()).or_default();
            pods.insert(key.clone());
        }
    }

    /// An object is not there any more.
    pub(super) fn remove<T: Stored>(&mut self, key: &ObjectKey, object: &T) {
        for owner in owners(object) {
            take(&mut self.by_owner, owner, &(T::KIND, key.clone()));
        }
        if let Some(node) = object.node() {
            take(&mut self.by_node, node, key);
        }
    }

    /// The objects of a kind that name an owner, by key.
    pub(super) fn owned_by(
        &self,
        owner: &str,
        kind: ObjectKind,
    ) -> impl Iterator<Item = &ObjectKey> {
        let objects = self.by_owner.get(owner).into_iter().flatten();
        objects.filter_map(move |(known, key)| (*known == kind).then_some(key))
    }

    /// The pods that are on a node or made for it, by key.
    pub(super) fn of_node(&self, node: &str) -> impl Iterator<Item = &ObjectKey> {
        self.by_node.get(node).into_iter().flatten()
    }
}

/// Whether two states of an object have the same place here.
pub(super) fn is_same<T: Stored>(one: &T, other: &T) -> bool {
    one.node() == other.node() && owners(one).eq(owners(other))
}

fn owners<T: Stored>(object: &T) -> impl Iterator<Item = &str> {
    let owners = object.meta().owner_references.iter().flatten();
    owners.map(|owner| owner.uid.as_str())
}

fn take<V: Ord>(index: &mut BTreeMap<String, BTreeSet<V>>, name: &str, value: &V) {
    if let Some(values) = index.get_mut(name) {
        values.remove(value);
        if values.is_empty() {
            index.remove(name);
        }
    }
}

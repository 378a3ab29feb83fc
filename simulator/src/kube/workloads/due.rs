//! Whom the controllers of workloads look at: the work queue of a controller, which its watches fill.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::ReplicaSet;
use tidewright::model::id::Uid;
use tidewright::model::time::Timestamp;

use crate::setup::ObjectKind;
use crate::store::{ObjectKey, Store, Stored, Touched, uid};

/// What was touched since the last run, was left undone by it, or waits for a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Due {
    objects: BTreeSet<Uid>,
    /// The nodes whose pods of DaemonSets may be missing or too many.
    nodes: BTreeSet<String>,
    later: BTreeSet<(Timestamp, Uid)>,
}

impl Due {
    /// An object is due itself, and so is its owner, and the owner of a ReplicaSet. What becomes of
    /// a DaemonSet's pod concerns the pod's node alone.
    pub(super) fn touched(&mut self, store: &Store, touched: &Touched) {
        self.objects.insert(touched.uid.clone());
        if touched.kind == ObjectKind::Node {
            self.nodes.insert(touched.key.name.clone());
        }
        for owner in &touched.owners {
            if let Some(node) = &touched.node
                && owner.kind == "DaemonSet"
            {
                self.nodes.insert(node.clone());
                continue;
            }
            self.objects.insert(owner.uid.as_str().into());
            if owner.kind == "ReplicaSet" {
                let key = ObjectKey::new(&touched.key.namespace, &owner.name);
                let set = store.get::<ReplicaSet>(&key);
                let owners = set.and_then(|set| set.metadata.owner_references.as_ref());
                let owners = owners.into_iter().flatten();
                self.objects.extend(owners.map(|it| it.uid.as_str().into()));
            }
        }
    }

    /// An object is looked at again in the next run.
    pub(super) fn add(&mut self, object: &Uid) {
        self.objects.insert(object.clone());
    }

    /// A node is looked at again in the next run.
    pub(super) fn add_node(&mut self, node: &str) {
        self.nodes.insert(node.to_owned());
    }

    /// An object is looked at again at an instant.
    pub(super) fn at(&mut self, at: Timestamp, object: &Uid) {
        self.later.insert((at, object.clone()));
    }

    /// When the next object is due that waits for a time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }

    /// What is due now; what waits stays.
    pub(super) fn take(&mut self, now: Timestamp) -> Self {
        while let Some((at, object)) = self.later.pop_first() {
            if at > now {
                self.later.insert((at, object));
                break;
            }
            self.objects.insert(object);
        }
        Self {
            objects: std::mem::take(&mut self.objects),
            nodes: std::mem::take(&mut self.nodes),
            later: BTreeSet::new(),
        }
    }

    /// Whether an object is to be looked at: it is due, or its owner is.
    pub(super) fn has<T: Stored>(&self, object: &T) -> bool {
        let mut owners = object.meta().owner_references.iter().flatten();
        self.objects.contains(&uid(object))
            || owners.any(|owner| self.objects.contains(&Uid::from(owner.uid.as_str())))
    }

    /// The nodes that are to be looked at whatever the DaemonSet.
    pub(super) fn nodes(&self) -> Vec<String> {
        self.nodes.iter().cloned().collect()
    }
}

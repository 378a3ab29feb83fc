//! Which kinds have been listed, and what a list that is under way has shown so far.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Kind};
use crate::model::id::{ClaimName, NodeName, PodKey, PoolName};
use crate::model::node_class::NodeClassRef;

/// An object by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ObjectKey {
    Pod(PodKey),
    Node(NodeName),
    Claim(ClaimName),
    Pool(PoolName),
    NodeClass(NodeClassRef),
    DaemonSet(PodKey),
}

impl ObjectKey {
    /// The object that a change shows as present; none if it is gone.
    pub(super) fn shown_by(change: &Change) -> Option<Self> {
        match change {
            Change::Pod(pod) => Some(Self::Pod(pod.key.clone())),
            Change::Node(node) => Some(Self::Node(node.name.clone())),
            Change::Claim(claim) => Some(Self::Claim(claim.name.clone())),
            Change::Pool(pool) => Some(Self::Pool(pool.name.clone())),
            Change::NodeClass(class) => Some(Self::NodeClass(class.reference.clone())),
            Change::DaemonSet(set) => Some(Self::DaemonSet(set.key.clone())),
            Change::PodGone(_)
            | Change::NodeGone(_)
            | Change::ClaimGone(_)
            | Change::PoolGone(_)
            | Change::NodeClassGone(_)
            | Change::DaemonSetGone(_)
            | Change::ListBegins(_)
            | Change::ListEnds(_) => None,
        }
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Pod(_) => Kind::Pod,
            Self::Node(_) => Kind::Node,
            Self::Claim(_) => Kind::NodeClaim,
            Self::Pool(_) => Kind::NodePool,
            Self::NodeClass(_) => Kind::NodeClass,
            Self::DaemonSet(_) => Kind::DaemonSet,
        }
    }

    /// The change that says it is gone.
    pub(super) fn gone(self) -> Change {
        match self {
            Self::Pod(key) => Change::PodGone(key),
            Self::Node(name) => Change::NodeGone(name),
            Self::Claim(name) => Change::ClaimGone(name),
            Self::Pool(name) => Change::PoolGone(name),
            Self::NodeClass(reference) => Change::NodeClassGone(reference),
            Self::DaemonSet(key) => Change::DaemonSetGone(key),
        }
    }
}

/// The lists of all kinds.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    under_way: BTreeMap<Kind, BTreeSet<ObjectKey>>,
    complete: BTreeSet<Kind>,
}

impl Lists {
    pub(super) fn begin(&mut self, kind: Kind) {
        self.under_way.insert(kind, BTreeSet::new());
    }

    pub(super) fn show(&mut self, key: ObjectKey) {
        if let Some(shown) = self.under_way.get_mut(&key.kind()) {
            shown.insert(key);
        }
    }

    /// What the list has shown; none if it never began, and then it proves no absence.
    pub(super) fn end(&mut self, kind: Kind) -> Option<BTreeSet<ObjectKey>> {
        let shown = self.under_way.remove(&kind)?;
        self.complete.insert(kind);
        Some(shown)
    }

    /// Whether every kind has been listed in full at least once.
    pub(super) fn are_complete(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.complete.contains(kind))
    }
}

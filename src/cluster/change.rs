//! What the watches report.

use crate::model::claim::NodeClaim;
use crate::model::id::{ClaimName, NodeName, PodKey, PoolName};
use crate::model::node::Node;
use crate::model::node_class::{NodeClass, NodeClassRef};
use crate::model::pod::{DaemonSet, Pod};
use crate::model::pool::NodePool;

/// One fact about one object, or the end of a first list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A pod is so.
    Pod(Box<Pod>),
    /// A pod is gone.
    PodGone(PodKey),
    /// A node is so.
    Node(Box<Node>),
    /// A node is gone.
    NodeGone(NodeName),
    /// A NodeClaim is so.
    Claim(Box<NodeClaim>),
    /// A NodeClaim is gone.
    ClaimGone(ClaimName),
    /// A NodePool is so.
    Pool(Box<NodePool>),
    /// A NodePool is gone.
    PoolGone(PoolName),
    /// A node class is so.
    NodeClass(Box<NodeClass>),
    /// A node class is gone.
    NodeClassGone(NodeClassRef),
    /// A DaemonSet is so.
    DaemonSet(Box<DaemonSet>),
    /// A DaemonSet is gone.
    DaemonSetGone(PodKey),
    /// A list of all objects of a kind begins: those that do not follow before its end are gone.
    ListBegins(Kind),
    /// The list is complete.
    ListEnds(Kind),
}

/// The kinds that are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pods.
    Pod,
    /// Nodes.
    Node,
    /// NodeClaims.
    NodeClaim,
    /// NodePools.
    NodePool,
    /// Node classes.
    NodeClass,
    /// DaemonSets.
    DaemonSet,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Pod,
        Self::Node,
        Self::NodeClaim,
        Self::NodePool,
        Self::NodeClass,
        Self::DaemonSet,
    ];
}

//! The state of the cluster at one instant, shared and unchanging.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node_state::{NodeId, NodeState};
use crate::model::id::{PodKey, PoolName};
use crate::model::pod::{DaemonSet, Pod};
use crate::model::pool::NodePool;

/// What the planner may know. To copy it costs a few counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The NodePools.
    pub pools: Arc<BTreeMap<PoolName, Arc<NodePool>>>,
    /// The DaemonSets.
    pub daemon_sets: Arc<BTreeMap<PodKey, Arc<DaemonSet>>>,
    /// The nodes and the claims in flight.
    pub nodes: Arc<BTreeMap<NodeId, Arc<NodeState>>>,
    /// The pods that have no node and have not come to their end.
    pub unbound: Arc<BTreeMap<PodKey, Arc<Pod>>>,
}

impl Snapshot {
    /// The nodes and claims of a pool.
    pub fn nodes_of<'a>(
        &'a self,
        pool: &'a PoolName,
    ) -> impl Iterator<Item = (&'a NodeId, &'a Arc<NodeState>)> {
        let nodes = self.nodes.iter();
        nodes.filter(move |(_, state)| state.pool() == Some(pool))
    }
}

//! What is true of the cluster: one store, written by [`Change`]s alone, read as [`Snapshot`]s.

mod change;
mod node_state;
mod snapshot;

pub use change::{Change, Kind};
pub use node_state::{NodeId, NodeSource, NodeState};
pub use snapshot::Snapshot;

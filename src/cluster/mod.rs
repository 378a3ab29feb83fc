//! What is true of the cluster: one store, read as [`Snapshot`]s.
//!
//! [`Cluster::apply`] takes in what the watches report. What we know before a watch shows it
//! (a claim that was just created, a machine that was just bought, a pod's promised place) is told
//! to the store as well, so that no decision is made twice while the echo is on its way.

mod apply;
mod change;
mod claim_record;
mod dirty;
mod expect;
mod lists;
mod node_state;
mod nominations;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;

pub use change::{Change, Kind};
pub use claim_record::ClaimFact;
pub use dirty::Dirty;
pub use node_state::{NodeId, NodeSource, NodeState};
pub use snapshot::Snapshot;
pub use store::Cluster;

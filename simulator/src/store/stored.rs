//! The kinds of objects that the store holds.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;

use super::{Store, Table, node_made_for, node_name};
use crate::setup::ObjectKind;

/// A kind of objects in the store.
pub trait Stored: kube::Resource<DynamicType = ()> + Clone + PartialEq {
    /// Its name.
    const KIND: ObjectKind;

    /// The objects of this kind.
    fn table(store: &Store) -> &Table<Self>;

    /// The objects of this kind, to be changed.
    fn table_mut(store: &mut Store) -> &mut Table<Self>;

    /// Whether both say the same about what is wanted; what is says nothing of that.
    fn wants_the_same(&self, other: &Self) -> bool;

    /// Takes over metadata and wishes of `other`, and keeps what is.
    fn adopt(&mut self, other: Self);

    /// The node that it is on or made for, if it is a pod that has one.
    fn node(&self) -> Option<&str> {
        None
    }
}

macro_rules! stored {
    ($($kind:ident: $table:ident $(on $node:path)?,)*) => {$(
        impl Stored for $kind {
            const KIND: ObjectKind = stored!(@kind $kind);

            fn table(store: &Store) -> &Table<Self> {
                &store.$table
            }

            fn table_mut(store: &mut Store) -> &mut Table<Self> {
                &mut store.$table
            }

            fn wants_the_same(&self, other: &Self) -> bool {
                self.spec == other.spec
            }

            fn adopt(&mut self, other: Self) {
                self.metadata = other.metadata;
                self.spec = other.spec;
            }

            $(fn node(&self) -> Option<&str> {
                $node(self)
            })?
        }
    )*};
    (@kind EC2NodeClass) => { ObjectKind::NodeClass };
    (@kind $kind:ident) => { ObjectKind::$kind };
}

stored! {
    Pod: pods on node_on_or_made_for,
    Node: nodes,
    NodeClaim: node_claims,
    NodePool: node_pools,
    EC2NodeClass: node_classes,
    Deployment: deployments,
    ReplicaSet: replica_sets,
    DaemonSet: daemon_sets,
    StatefulSet: stateful_sets,
    Job: jobs,
    CronJob: cron_jobs,
    PodDisruptionBudget: disruption_budgets,
}

/// A PriorityClass has its wishes beside its metadata, and no status.
impl Stored for PriorityClass {
    const KIND: ObjectKind = ObjectKind::PriorityClass;

    fn table(store: &Store) -> &Table<Self> {
        &store.priority_classes
    }

    fn table_mut(store: &mut Store) -> &mut Table<Self> {
        &mut store.priority_classes
    }

    fn wants_the_same(&self, other: &Self) -> bool {
        self.value == other.value && self.global_default == other.global_default
    }

    fn adopt(&mut self, other: Self) {
        *self = other;
    }
}

fn node_on_or_made_for(pod: &Pod) -> Option<&str> {
    node_made_for(pod).or_else(|| node_name(pod))
}

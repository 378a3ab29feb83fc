//! Kubernetes as it reacts to pods and nodes: the scheduler, the kubelets and the controllers of
//! workloads. They read and write the store and know nothing of Tidewright.

pub mod budgets;
pub mod conditions;
pub mod eviction;
pub mod kubelet;
pub mod lifecycle;
pub mod scheduler;
pub mod selector;
pub mod share;
pub mod workloads;

//! The edge: the Kubernetes objects we read and write, and their conversion to the model.

pub mod convert;
pub mod features;
pub mod load;
pub mod nodeclaim;
pub mod nodeclass;
pub mod nodepool;
pub mod render;
pub mod rules;
pub mod schema;
mod spelling;

//! Values. No IO, no clock, no Kubernetes crates: everything here can be built in a test with a
//! literal and compared with `==`.

mod text;

pub mod catalog;
pub mod claim;
pub mod id;
pub mod labels;
pub mod node;
pub mod node_class;
pub mod patch;
pub mod pod;
pub mod pool;
pub mod price;
pub mod quantity;
pub mod reason;
pub mod requirement;
pub mod resources;
pub mod schedule;
pub mod taint;
pub mod time;
pub mod topology;

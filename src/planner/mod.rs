//! Decisions: pure functions from a snapshot to a plan.
//!
//! [`plan`] places pods: on nodes, on claims in flight, on new claims. [`disruption::plan`] says
//! which nodes go. Both answer with reasons for everything that they did not do.

pub mod disruption;
mod input;
mod plan_types;

pub use input::{Options, PlanInput, PreferencePolicy};
pub use plan_types::{
    Certificate, Cheapest, Dual, ExistingPlacement, Plan, PlannedClaim, Unplaced, Work,
};

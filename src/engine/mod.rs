//! Time: state machines that turn what happened into what to do. Nothing here acts.

mod backoff;
mod batch;
mod disrupt;
mod drain;
mod effect;
#[expect(
    clippy::module_inception,
    reason = "the type is called as the layer is"
)]
mod engine;
mod in_flight;
mod input;
mod interruption;
mod launch;
mod leadership;
mod lifecycle;
mod limits;
mod notice;
mod offers;
mod orders;
mod provision;
mod settle;
mod state;
mod sweep;
mod timers;

#[cfg(test)]
mod tests;

pub use effect::{
    Action, ClaimPatch, Effect, EffectId, Eviction, EvictionMode, LaunchRequest, MachineFilter,
    NodePatch, PlanAnswer, PlanRequest, Precondition, RankedOffering, Step,
};
pub use engine::{Engine, Questions};
pub use input::{
    ApiError, CloudError, CloudEvent, CloudEventKind, EffectOutcome, Input, LaunchOutcome,
    Leadership, MachineFact, OfferingFailure, Settings,
};
pub use notice::{Notice, NoticeKind, ObjectRef};

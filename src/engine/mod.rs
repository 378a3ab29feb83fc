//! Time: state machines that turn what happened into what to do. Nothing here acts.

mod effect;
mod input;
mod notice;

pub use effect::{
    Action, ClaimPatch, Effect, EffectId, Eviction, EvictionMode, LaunchRequest, MachineFilter,
    NodePatch, PlanAnswer, PlanRequest, Precondition, RankedOffering, Step,
};
pub use input::{
    ApiError, CloudError, EffectOutcome, Input, LaunchOutcome, Leadership, MachineFact,
    OfferingFailure, Settings,
};
pub use notice::{Notice, NoticeKind, ObjectRef};

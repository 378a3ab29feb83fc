//! Everything that is tested through the public interface or on the repository as a whole, in one
//! binary: one link step instead of one for each file.

mod api;
mod convert;
mod instance_types;
mod loading;
mod planner;
mod readme;
mod requirements;
mod schedules;
mod tidy;
mod validate;

//! Scenarios: a world, what is done to it, and what must come of it.

mod cloud_file;
mod cluster;
mod embedded;
mod expect;
mod file;
mod load;
mod rules;
mod services;

use std::path::PathBuf;
use std::time::Duration;

pub use embedded::region;
pub use expect::{Unmet, unmet};
pub use file::Expectations;
pub use load::{Loaded, Refused, load, usual_settings};

pub(crate) use embedded::{nearest_of, serverless};
pub(crate) use load::diagnostic;

use crate::setup::Setup;

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// The world before its first step.
    pub setup: Setup,
    /// When the world ends, after its start.
    pub until: Duration,
    /// What must come of it.
    pub expect: Expectations,
}

/// What a user chooses instead of what a scenario says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// A file or folder of policies.
    pub policies: Option<PathBuf>,
    /// A file with the objects of a cluster.
    pub cluster: Option<PathBuf>,
    /// The seed.
    pub seed: Option<u64>,
    /// The name of a boot profile.
    pub boot: Option<String>,
}

/// The names of the scenarios that come with the simulator, with what they are about.
pub fn list() -> Vec<(String, String)> {
    let loaded = embedded::names().map(|name| load(name, &Choices::default()));
    let sound = loaded.into_iter().filter_map(Result::ok);
    sound
        .map(|it| (it.scenario.name, it.scenario.description))
        .collect()
}

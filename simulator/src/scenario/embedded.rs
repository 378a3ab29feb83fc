//! What the binary carries: scenarios, a policy, a catalogue.

use std::sync::{Arc, OnceLock};

use tidewright::api::load::{Diagnostic, Source};
use tidewright::cloud::region::Region;

use super::load::diagnostic;
use crate::boot::BootProfile;

/// The scenarios by name.
const SCENARIOS: [(&str, &str); 10] = [
    (
        "burst-10-to-500",
        include_str!("../../scenarios/burst-10-to-500.yaml"),
    ),
    (
        "cron-night",
        include_str!("../../scenarios/cron-night.yaml"),
    ),
    (
        "limits-bind",
        include_str!("../../scenarios/limits-bind.yaml"),
    ),
    ("mixed-day", include_str!("../../scenarios/mixed-day.yaml")),
    (
        "spot-fallback",
        include_str!("../../scenarios/spot-fallback.yaml"),
    ),
    (
        "spot-storm",
        include_str!("../../scenarios/spot-storm.yaml"),
    ),
    (
        "thousand-nodes",
        include_str!("../../scenarios/thousand-nodes.yaml"),
    ),
    (
        "zero-to-one",
        include_str!("../../scenarios/zero-to-one.yaml"),
    ),
    (
        "zero-to-one-on-demand",
        include_str!("../../scenarios/zero-to-one-on-demand.yaml"),
    ),
    ("zone-loss", include_str!("../../scenarios/zone-loss.yaml")),
];

const SERVERLESS: &str = include_str!("../../../policies/serverless.yaml");
const CATALOG: &str = include_str!("../../catalog/us-east-2.json");

/// The names of the scenarios.
pub(super) fn names() -> [&'static str; 10] {
    SCENARIOS.map(|(name, _)| name)
}

/// The text of a scenario.
pub(super) fn scenario(name: &str) -> Option<Source> {
    let (name, text) = SCENARIOS.iter().find(|(known, _)| *known == name)?;
    Some(Source {
        name: format!("simulator/scenarios/{name}.yaml"),
        text: (*text).to_owned(),
    })
}

/// The scenario whose name is nearest to a misspelt one.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, names().into_iter())
}

/// The policy for functions and jobs that sleep most of the time.
pub(crate) fn serverless() -> Source {
    Source {
        name: "policies/serverless.yaml".to_owned(),
        text: SERVERLESS.to_owned(),
    }
}

/// What EC2 has in us-east-2, read once.
pub fn region() -> Arc<Region> {
    static READ: OnceLock<Arc<Region>> = OnceLock::new();
    let read = || {
        let region = Region::from_json(CATALOG);
        Arc::new(region.expect("a test reads the embedded catalogue"))
    };
    Arc::clone(READ.get_or_init(read))
}

/// There is no boot profile of this name.
pub(super) fn unknown_profile(name: &str) -> Diagnostic {
    let profiles = BootProfile::all();
    let names: Vec<&str> = profiles.iter().map(|it| it.name.as_str()).collect();
    let rule = format!(
        "There is no boot profile `{name}`; there are {}.",
        names.join(", ")
    );
    diagnostic("--boot", rule, "Name one of them.")
}

/// A name is near if few letters differ.
const EDITS_MAX: usize = 3;

pub(crate) fn nearest_of<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    let near = near.filter(|(edits, _)| *edits <= EDITS_MAX);
    near.min().map(|(_, known)| known)
}

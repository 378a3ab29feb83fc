//! How long the stages from a request to its first answer take.
//!
//! The profiles stand in one data file, `simulator/boot/profiles.yaml`. Each stage names what the
//! baseline takes, what it takes here, and the mechanism that makes the difference; a stage that
//! names none must take what the baseline takes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tidewright::api::load::{Source, load_document};
use tidewright::model::catalog::CapacityType;

use crate::random::{Purpose, Quantiles, Random};

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BootProfile {
    /// Its name.
    pub name: String,
    /// What machines it speaks of, in one sentence.
    pub summary: String,
    /// Its stages, in order: one of each [`StageName`].
    pub stages: Vec<Stage>,
}

/// The stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StageName {
    /// From the request to the call of the cloud. It takes what the engine takes.
    Decision,
    /// From the call of the cloud to the first instruction of the machine.
    Instance,
    /// From there to a kubelet that is ready.
    Boot,
    /// From there until pods can be bound: network and storage add-ons start, taints go.
    Schedulable,
    /// From the binding of a pod to its first answer.
    Pod,
}

impl StageName {
    /// All stages in order.
    pub const ALL: [Self; 5] = [
        Self::Decision,
        Self::Instance,
        Self::Boot,
        Self::Schedulable,
        Self::Pod,
    ];
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// Which.
    pub stage: StageName,
    /// What people call it.
    pub title: String,
    /// What it takes in the measured baseline.
    pub baseline: Spans,
    /// What it takes here, in the middle; none where the engine decides that.
    pub ours: Option<Spans>,
    /// How it varies, in thousandths of `ours`; none where it does not.
    spread_permille: Option<[u32; 7]>,
    /// Why it differs from the baseline; none where it does not.
    pub mechanism: Option<String>,
}

/// Spans for machines that are paid for differently, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spans {
    on_demand: u32,
    spot: u32,
}

impl Spans {
    /// The span for machines paid for like this. Reserved ones are there as on-demand ones are.
    pub fn of(self, capacity_type: CapacityType) -> Duration {
        Duration::from_millis(u64::from(self.millis(capacity_type)))
    }

    fn millis(self, capacity_type: CapacityType) -> u32 {
        match capacity_type {
            CapacityType::Spot => self.spot,
            CapacityType::OnDemand | CapacityType::Reserved => self.on_demand,
        }
    }
}

/// Why the profiles cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The text is not what it should be.
    #[error("the boot profiles cannot be read: {0}")]
    Malformed(String),
    /// A profile does not hold each stage once and in order.
    #[error("profile {profile} must hold the stages in order, each once")]
    Stages {
        /// The profile.
        profile: String,
    },
    /// A stage differs from the baseline and does not say why.
    #[error("profile {profile}, {title}: it differs from the baseline and names no mechanism")]
    Unexplained {
        /// The profile.
        profile: String,
        /// The stage.
        title: String,
    },
    /// A spread descends or is not 1000 in the middle.
    #[error("profile {profile}, {title}: the spread must ascend and be 1000 in the middle")]
    Spread {
        /// The profile.
        profile: String,
        /// The stage.
        title: String,
    },
}

const PROFILES: &str = include_str!("../boot/profiles.yaml");

impl BootProfile {
    /// The profiles that come with the simulator.
    pub fn all() -> Vec<Self> {
        Self::parse(PROFILES).expect("a test reads the embedded profiles")
    }

    /// The embedded profile of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|profile| profile.name == name)
    }

    /// Reads profiles and checks that every difference is explained.
    pub fn parse(text: &str) -> Result<Vec<Self>, ProfileError> {
        let source = Source {
            name: "boot/profiles.yaml".to_owned(),
            text: text.to_owned(),
        };
        let read = load_document(&source, |_: &Vec<Self>| Vec::new());
        let profiles = read.map_err(|wrong| {
            let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            ProfileError::Malformed(lines.join("\n"))
        })?;
        profiles.iter().try_for_each(Self::check)?;
        Ok(profiles)
    }

    /// One of its stages.
    pub fn stage(&self, name: StageName) -> &Stage {
        let stage = self.stages.iter().find(|stage| stage.stage == name);
        stage.expect("a profile is checked to hold every stage when it is read")
    }

    /// What all stages of the baseline take together.
    pub fn baseline(&self, capacity_type: CapacityType) -> Duration {
        let spans = self.stages.iter();
        spans.map(|stage| stage.baseline.of(capacity_type)).sum()
    }

    fn check(&self) -> Result<(), ProfileError> {
        let profile = self.name.clone();
        if !self
            .stages
            .iter()
            .map(|stage| stage.stage)
            .eq(StageName::ALL)
        {
            return Err(ProfileError::Stages { profile });
        }
        for stage in &self.stages {
            let title = stage.title.clone();
            if stage.mechanism.is_none() && stage.ours != Some(stage.baseline) {
                return Err(ProfileError::Unexplained { profile, title });
            }
            let spread = stage.spread_permille;
            let is_spread = |values| Quantiles::new(values).is_some_and(|it| it.median() == 1_000);
            if spread.is_some_and(|values| !is_spread(values)) {
                return Err(ProfileError::Spread { profile, title });
            }
        }
        Ok(())
    }
}

impl Stage {
    /// A draw of what it takes for one machine or pod; nothing where the engine decides that.
    pub fn draw(&self, random: &mut Random, purpose: Purpose, paid: CapacityType) -> Duration {
        let Some(ours) = self.ours else {
            return Duration::ZERO;
        };
        let millis = u64::from(ours.millis(paid));
        let factor = self.spread_permille.map_or(1_000, |values| {
            random.quantile(purpose, &Quantiles::of(values))
        });
        Duration::from_millis(millis * u64::from(factor) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_profiles_explain_every_difference() {
        let profiles = BootProfile::parse(PROFILES).expect("the embedded profiles are sound");
        let names: Vec<&str> = profiles.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["reference", "cached-image", "fast"]);
        for profile in &profiles {
            for paid in [CapacityType::OnDemand, CapacityType::Spot] {
                let seconds = if paid == CapacityType::Spot { 255 } else { 205 };
                assert_eq!(profile.baseline(paid), Duration::from_secs(seconds));
                for stage in profile.stages.iter().filter(|it| it.mechanism.is_none()) {
                    assert_eq!(
                        stage.ours.map(|ours| ours.of(paid)),
                        Some(stage.baseline.of(paid))
                    );
                }
            }
        }
        let reference = &profiles[0];
        let explained = reference.stages.iter().filter(|it| it.mechanism.is_some());
        assert_eq!(
            explained.map(|it| it.stage).collect::<Vec<_>>(),
            [StageName::Decision]
        );
    }

    #[test]
    fn unsound_profiles_are_refused() {
        let first = PROFILES
            .split("\n- name: cached-image")
            .next()
            .expect("split has a first");
        let cases = [
            (
                "onDemand: 10000, spot: 60000}\n      spread",
                "onDemand: 9, spot: 9}\n      spread",
            ),
            ("stage: boot", "stage: pod"),
            ("980, 1000, 1020", "1020, 1000, 980"),
            ("title:", "tittle:"),
        ];
        assert_eq!(BootProfile::parse(first).map(|it| it.len()), Ok(1));
        for (sound, broken) in cases {
            assert!(first.contains(sound), "{sound}");
            let refused = BootProfile::parse(&first.replacen(sound, broken, 1));
            assert!(refused.is_err(), "{broken}");
        }
    }

    #[test]
    fn draws_keep_to_the_spread() {
        let profile = BootProfile::named("reference").expect("it is embedded");
        let boot = profile.stage(StageName::Boot);
        let mut random = Random::new(5);
        let mut draws: Vec<Duration> = (0..1_001)
            .map(|_| boot.draw(&mut random, Purpose::Boot, CapacityType::Spot))
            .collect();
        draws.sort_unstable();
        assert!(draws[0] >= Duration::from_millis(115_200));
        assert!(draws[1_000] <= Duration::from_millis(129_600));
        assert!(draws[500].abs_diff(Duration::from_mins(2)) < Duration::from_millis(600));
    }
}

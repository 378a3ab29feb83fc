//! A drawn world as a value, before anything of it exists: what can be cut is a field or an element.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tidewright::model::time::Timestamp;

use super::objects::{self, PoolShape};
use crate::boot::BootProfile;
use crate::faults::{FaultSettings, Sabotage};
use crate::scenario::{region, usual_settings};
use crate::setup::{Happening, Object, Setup};

/// A Monday at 08:00 UTC: schedules that begin at nine are closed and open in no world.
const START: Timestamp = Timestamp::from_seconds(1_767_600_000);

/// From the end of all faults and changes to the end of the world: everything has come to rest.
const REST: Duration = Duration::from_mins(45);

/// A drawn world.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub(super) seed: u64,
    /// How long faults strike and users act.
    pub(super) active: Duration,
    pub(super) boot: &'static str,
    pub(super) faults: FaultSettings,
    pub(super) pools: Vec<Option<PoolShape>>,
    pub(super) with_daemon: bool,
    /// What is done from outside, in the order in which it was drawn.
    pub(super) deeds: Vec<Deed>,
}

/// What belongs together of what is done from outside: a shortage and its end are one deed, because
/// a world that is never well again is not sound.
#[derive(Clone, Debug)]
pub(super) struct Deed(pub(super) Vec<(Duration, Happening)>);

impl Deed {
    /// A deed that is done at once.
    pub(super) fn one(at: Duration, happening: Happening) -> Self {
        Self(vec![(at, happening)])
    }
}

impl Drawn {
    /// The world before its first step.
    pub fn setup(&self, sabotage: Option<Sabotage>) -> Setup {
        let mut objects: Vec<Object> = self.pools.iter().flatten().map(objects::pool).collect();
        if self.with_daemon {
            objects.push(objects::daemon_set());
        }
        let pools = self.pools.iter().flatten();
        let families = pools.flat_map(|pool| pool.families.iter().copied());
        let sold: BTreeSet<&str> = families.collect();
        let seconds = self.active.as_secs();
        Setup {
            seed: self.seed,
            start: START,
            objects,
            cluster: Vec::new(),
            region: Arc::new(region().limited_to(&sold)),
            boot: BootProfile::named(self.boot).expect("these profiles come with the simulator"),
            faults: FaultSettings {
                quiet_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
                ..self.faults.clone()
            },
            sabotage,
            settings: usual_settings(),
            timeline: self.timeline(),
        }
    }

    /// When it ends, after its start.
    pub fn until(&self) -> Duration {
        self.active + REST
    }

    /// Its settings, one a line.
    pub fn settings(&self) -> Vec<String> {
        let Self { boot, active, .. } = self;
        let mut settings = vec![
            format!("boot profile {boot}, faults for {} s", active.as_secs()),
            format!("faults {}", written(&self.faults)),
        ];
        settings.extend(self.pools.iter().flatten().map(ToString::to_string));
        if self.with_daemon {
            settings.push("a DaemonSet on every node".to_owned());
        }
        let done = self.timeline().len();
        settings.push(match done {
            1 => "1 thing done from outside".to_owned(),
            _ => format!("{done} things done from outside"),
        });
        settings
    }

    /// How many objects users make, and how many other things they do.
    pub fn size(&self) -> usize {
        self.pools.iter().flatten().count() + usize::from(self.with_daemon) + self.timeline().len()
    }

    /// All that is done from outside, by time. Nothing is done after the quiet has begun.
    fn timeline(&self) -> Vec<(Duration, Happening)> {
        let done = self.deeds.iter().flat_map(|Deed(parts)| parts);
        let mut timeline: Vec<_> = done
            .map(|(at, happening)| ((*at).min(self.active), happening.clone()))
            .collect();
        timeline.sort_by_key(|(at, _)| *at);
        timeline
    }
}

/// Fault settings in one line.
pub(super) fn written(faults: &FaultSettings) -> String {
    serde_json::to_string(faults).expect("fault settings are numbers")
}

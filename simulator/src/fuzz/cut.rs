//! What can be left out of a drawn world. A world with any cuts is as sound as the whole one.

use std::fmt;
use std::time::Duration;

use super::drawn::{Deed, Drawn};
use super::objects::PoolShape;
use crate::faults::FaultKind;
use crate::setup::{Happening, Object};

/// One thing that is left out, or made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cut {
    /// What is done from outside under this number is not done.
    Deed(usize),
    /// What is done from outside under this number has half as many pods.
    Pods(usize),
    /// The pool at this place is not there.
    Pool(usize),
    /// The pool at this place buys of its first family only.
    Families(usize),
    /// The DaemonSet is not there.
    Daemon,
    /// Faults of this kind do not strike.
    Fault(FaultKind),
    /// Faults of this kind strike half as often.
    Rate(FaultKind),
    /// Plans take no longer than they do.
    Plans,
    /// Faults strike and users act for so many minutes at most.
    Minutes(u32),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deed(number) => write!(f, "deed={number}"),
            Self::Pods(number) => write!(f, "pods={number}"),
            Self::Pool(place) => write!(f, "pool={place}"),
            Self::Families(place) => write!(f, "families={place}"),
            Self::Daemon => f.write_str("daemon"),
            Self::Fault(kind) => write!(f, "fault={}", word(*kind)),
            Self::Rate(kind) => write!(f, "rate={}", word(*kind)),
            Self::Plans => f.write_str("plans"),
            Self::Minutes(minutes) => write!(f, "minutes={minutes}"),
        }
    }
}

/// Reads cuts as a command line has them, with commas between; the answer is the first word that is
/// none otherwise.
pub fn parse_cuts(text: &str) -> Result<Vec<Cut>, String> {
    let words = text.split(',').filter(|word| !word.is_empty());
    words
        .map(|word| parse(word).ok_or_else(|| word.to_owned()))
        .collect()
}

fn parse(word: &str) -> Option<Cut> {
    let (what, which) = word.split_once('=').unwrap_or((word, ""));
    Some(match what {
        "deed" => Cut::Deed(which.parse().ok()?),
        "pods" => Cut::Pods(which.parse().ok()?),
        "pool" => Cut::Pool(which.parse().ok()?),
        "families" => Cut::Families(which.parse().ok()?),
        "fault" => Cut::Fault(kind(which)?),
        "rate" => Cut::Rate(kind(which)?),
        "minutes" => Cut::Minutes(which.parse().ok()?),
        "daemon" if which.is_empty() => Cut::Daemon,
        "plans" if which.is_empty() => Cut::Plans,
        _ => return None,
    })
}

/// A kind of fault as one word.
fn word(kind: FaultKind) -> String {
    kind.name().replace(' ', "-")
}

fn kind(named: &str) -> Option<FaultKind> {
    let mut kinds = FaultKind::ALL.into_iter();
    kinds.find(|kind| word(*kind) == named)
}

impl Drawn {
    /// Leaves something out. What is not there cannot be left out, and nothing happens.
    ///
    /// Pools and deeds are emptied and not removed, so that the others keep their numbers.
    pub(super) fn cut(&mut self, cut: Cut) {
        match cut {
            Cut::Deed(number) => {
                if let Some(deed) = self.deeds.get_mut(number) {
                    *deed = Deed(Vec::new());
                }
            }
            Cut::Pods(number) => {
                let deed = self.deeds.get_mut(number);
                let parts = deed.into_iter().flat_map(|Deed(parts)| parts);
                for (_, happening) in parts {
                    halve(happening);
                }
            }
            Cut::Pool(place) => {
                if let Some(pool) = self.pools.get_mut(place) {
                    *pool = None;
                }
            }
            Cut::Families(place) => {
                if let Some(Some(pool)) = self.pools.get_mut(place) {
                    pool.families = &pool.families[..1];
                }
            }
            Cut::Daemon => self.with_daemon = false,
            Cut::Fault(kind) => *self.faults.permille_mut(kind) = 0,
            Cut::Rate(kind) => *self.faults.permille_mut(kind) /= 2,
            Cut::Plans => self.faults.plan_millis_max = 0,
            Cut::Minutes(minutes) => {
                let active = Duration::from_mins(u64::from(minutes));
                self.active = self.active.min(active);
            }
        }
    }

    /// What can be left out one by one.
    pub(super) fn droppable(&self) -> Vec<Cut> {
        let deeds = self.deeds.iter().enumerate();
        let deeds = deeds.filter(|(_, Deed(parts))| !parts.is_empty());
        let deeds = deeds.map(|(number, _)| Cut::Deed(number));
        let pools = self.pools.iter().enumerate();
        let pools = pools.filter(|(_, pool)| pool.is_some());
        let pools = pools.map(|(place, _)| Cut::Pool(place));
        let daemon = self.with_daemon.then_some(Cut::Daemon);
        let plans = (self.faults.plan_millis_max > 0).then_some(Cut::Plans);
        let cuts = deeds.chain(pools).chain(daemon).chain(plans);
        cuts.chain(self.striking().map(Cut::Fault)).collect()
    }

    /// What can be made smaller one by one, perhaps more than once.
    pub(super) fn reducible(&self) -> Vec<Cut> {
        let minutes = u32::try_from(self.active.as_secs() / 60).unwrap_or(u32::MAX);
        let minutes = (minutes > 1).then_some(Cut::Minutes(minutes / 2));
        let pools = self.pools.iter().enumerate();
        let is_rich = |pool: &PoolShape| pool.families.len() > 1;
        let families = pools.filter(|(_, pool)| pool.as_ref().is_some_and(is_rich));
        let families = families.map(|(place, _)| Cut::Families(place));
        let deeds = self.deeds.iter().enumerate();
        let crowded = deeds.filter(|(_, Deed(parts))| parts.iter().any(|(_, it)| is_crowded(it)));
        let crowded = crowded.map(|(number, _)| Cut::Pods(number));
        let rates = self.striking().map(Cut::Rate);
        let cuts = minutes.into_iter().chain(families).chain(crowded);
        cuts.chain(rates).collect()
    }

    fn striking(&self) -> impl Iterator<Item = FaultKind> {
        let mut faults = self.faults.clone();
        let strikes = move |kind: &FaultKind| *faults.permille_mut(*kind) > 0;
        FaultKind::ALL.into_iter().filter(strikes)
    }
}

/// Asks for half as many pods, one at least; says whether that is less.
fn halve(happening: &mut Happening) -> bool {
    match happening {
        Happening::Apply(Object::Deployment(object)) => {
            let spec = object.spec.as_mut();
            spec.is_some_and(|spec| halve_count(&mut spec.replicas))
        }
        Happening::Apply(Object::StatefulSet(object)) => {
            let spec = object.spec.as_mut();
            spec.is_some_and(|spec| halve_count(&mut spec.replicas))
        }
        Happening::Apply(Object::Job(object)) => {
            let spec = object.spec.as_mut();
            spec.is_some_and(|spec| {
                halve_count(&mut spec.parallelism) | halve_count(&mut spec.completions)
            })
        }
        Happening::Scale { replicas, .. } => {
            let is_less = *replicas > 1;
            *replicas = replicas.div_ceil(2);
            is_less
        }
        Happening::Apply(_)
        | Happening::Delete { .. }
        | Happening::DeleteAny { .. }
        | Happening::Capacity { .. }
        | Happening::Prices(_)
        | Happening::Interrupt(_)
        | Happening::ZoneOutage { .. }
        | Happening::Quota { .. }
        | Happening::Silence { .. }
        | Happening::CrashController => false,
    }
}

fn halve_count(count: &mut Option<i32>) -> bool {
    match count {
        Some(count) if *count > 1 => {
            *count = (*count + 1) / 2;
            true
        }
        Some(_) | None => false,
    }
}

/// Whether something can be made smaller by asking for fewer pods.
fn is_crowded(happening: &Happening) -> bool {
    halve(&mut happening.clone())
}

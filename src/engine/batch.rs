//! Which pods wait for a place, and when to look for it.
//!
//! | State | Leaves it when | To |
//! |---|---|---|
//! | closed | a new pod comes | open |
//! | closed | room may have appeared for pods without a place, and [`STUCK_RETRY`] has passed since the last plan | ready |
//! | open | nothing of ours could take the pod | ready |
//! | open | no new pod came for the idle time, or the longest time has passed | ready |
//! | any | pods lost their promised place | ready |
//! | ready | a plan is asked for | closed |
//!
//! Waiting lets one plan see all pods of a burst. The first pod of an empty pool does not wait: a
//! node takes minutes, and those that follow find it on its way.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::input::Settings;
use super::limits::STUCK_RETRY;
use crate::model::id::{PodKey, Uid};
use crate::model::pod::Pod;
use crate::model::reason::Unschedulable;
use crate::model::time::Timestamp;

#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    window: Option<Window>,
    /// The pods that some plan was asked for, or that the window waits for, by uid.
    known: BTreeMap<PodKey, Uid>,
    /// The pods that the last plan found no place for.
    stuck: BTreeMap<PodKey, Unschedulable>,
    /// Whether something changed that may help them.
    room: bool,
    planned: Option<Timestamp>,
}

/// An open batch.
#[derive(Clone, Copy, Debug)]
struct Window {
    opened: Timestamp,
    last_pod: Timestamp,
    at_once: bool,
}

impl Batch {
    /// A pod waits; does nothing for a pod that is known.
    pub(super) fn add(&mut self, key: &PodKey, uid: &Uid, now: Timestamp) -> bool {
        if self.known.get(key) == Some(uid) {
            return false;
        }
        self.known.insert(key.clone(), uid.clone());
        self.stuck.remove(key);
        let window = self.window.get_or_insert(Window {
            opened: now,
            last_pod: now,
            at_once: false,
        });
        window.last_pod = now;
        true
    }

    /// The pod waits no longer, or has to be seen as new.
    pub(super) fn remove(&mut self, key: &PodKey) {
        self.known.remove(key);
        self.stuck.remove(key);
    }

    /// Only these pods wait, sorted by key.
    pub(super) fn keep_only(&mut self, waiting: &[Arc<Pod>]) {
        let waits = |key: &PodKey| waiting.binary_search_by(|pod| pod.key.cmp(key)).is_ok();
        self.known.retain(|key, _| waits(key));
        self.stuck.retain(|key, _| waits(key));
    }

    /// The open batch does not wait for more.
    pub(super) fn close_at_once(&mut self) {
        if let Some(window) = &mut self.window {
            window.at_once = true;
        }
    }

    /// There is a plan to be made, and not before then.
    pub(super) fn postpone(&mut self, until: Timestamp) {
        self.window = Some(Window {
            opened: until,
            last_pod: until,
            at_once: true,
        });
    }

    /// Something changed that may help pods without a place.
    pub(super) fn room(&mut self) {
        self.room = true;
    }

    /// When the next plan is due; none if nobody waits.
    pub(super) fn due(&self, settings: &Settings) -> Option<Timestamp> {
        let window = self.window.map(|window| {
            let idle = window.last_pod.saturating_add(settings.batch_idle);
            let longest = window.opened.saturating_add(settings.batch_max);
            if window.at_once {
                window.opened
            } else {
                idle.min(longest)
            }
        });
        let retry = self.planned.map(|at| at.saturating_add(STUCK_RETRY));
        let retry = retry.filter(|_| self.room && !self.stuck.is_empty());
        [window, retry].into_iter().flatten().min()
    }

    /// Whether new pods wait for a plan.
    pub(super) fn is_open(&self) -> bool {
        self.window.is_some()
    }

    /// Whether there is a reason to plan, be it due or not.
    pub(super) fn wants_plan(&self) -> bool {
        self.is_open() || (self.room && !self.stuck.is_empty())
    }

    /// A plan was asked for.
    pub(super) fn planned(&mut self, now: Timestamp) {
        self.window = None;
        self.room = false;
        self.planned = Some(now);
    }

    /// The clock was set back: nothing began later than now.
    pub(super) fn clock_set_back(&mut self, now: Timestamp) {
        if let Some(window) = &mut self.window {
            window.opened = window.opened.min(now);
            window.last_pod = window.last_pod.min(now);
        }
        self.planned = self.planned.map(|at| at.min(now));
    }

    /// The plan found no place for a pod; says whether the reason is news.
    pub(super) fn stuck(&mut self, key: &PodKey, reason: &Unschedulable) -> bool {
        self.stuck.insert(key.clone(), reason.clone()).as_ref() != Some(reason)
    }
}

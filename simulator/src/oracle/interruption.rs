//! What the cloud says is heeded.

use std::collections::BTreeMap;
use std::time::Duration;

use tidewright::model::id::ProviderId;
use tidewright::model::time::Timestamp;

use super::Scene;
use crate::event::{Entry, Event};
use crate::trace::Trace;

/// How long after a message the claim may go on as if nothing had been said. It is one call; a few
/// answers in a row may be lost, and each costs ten seconds.
const HEEDED_MAX: Duration = Duration::from_mins(1);

/// The machines that are lost, and since when the controller has been told.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeMap<ProviderId, Timestamp>);

impl Open {
    /// Takes note of messages and of what follows from them. Of a machine that no claim has yet,
    /// nobody could know; what a process was told dies with it, and is left to the sweep.
    pub(super) fn note(&mut self, trace: &Trace, entry: &Entry) {
        if let Event::CloudSaid { machine, kind } = &entry.event {
            let claim = trace.claim_with(machine);
            if kind.is_loss() && claim.is_some_and(|it| it.deleting.is_none()) {
                self.0.entry(machine.clone()).or_insert(entry.at);
            }
        } else if let Event::ClaimDeleting { claim, .. } = &entry.event {
            let machine = trace.claim(claim).and_then(|it| it.machine.as_ref());
            self.0.retain(|told, _| Some(told) != machine);
        } else if entry.event == Event::ControllerStarted {
            self.0.clear();
        }
    }

    /// Looks at all that have not gone.
    pub(super) fn check(&self, scene: &mut Scene<'_>) {
        let now = scene.entry.at;
        for (machine, since) in &self.0 {
            let open = now.since(*since);
            scene.check(
                "interruption",
                open <= HEEDED_MAX,
                || vec![format!("machine {machine}")],
                || {
                    let open = open.as_secs();
                    format!("the cloud said {open} s ago that it is lost, and its NodeClaim stays")
                },
            );
        }
    }
}

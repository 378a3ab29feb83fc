//! Machines that are taken away, and what the cloud says of it.
//!
//! Messages come through a queue: some time later, now and then twice, and as often lost as events
//! of watches are. While no controller lives they wait for the next one.

use std::time::Duration;

use tidewright::engine::{CloudEvent, CloudEventKind, Input};
use tidewright::model::catalog::CapacityType;
use tidewright::model::id::ProviderId;

use super::{Occurrence, World};
use crate::cloud::CloudMachine;
use crate::event::Event;
use crate::faults::Sabotage;
use crate::random::{Purpose, Quantiles};
use crate::setup::{Interrupt, Taking};

/// From the notice until a spot machine is taken (EC2 documentation, "Spot Instance interruption
/// notices").
const NOTICE: Duration = Duration::from_mins(2);

/// From the announcement of a scheduled change until the machine is taken out of service. EC2 gives
/// notice of weeks where it can (EC2 documentation, "Scheduled events for your instances").
const RETIRED_AFTER: Duration = Duration::from_hours(48);

/// From an event until its message arrives, in milliseconds: it passes an event bus and a queue.
const MESSAGE_MILLIS: Quantiles = Quantiles::of([200, 400, 600, 900, 1_500, 3_000, 6_000]);

/// How many of a thousand messages come twice: the queue promises once at least.
const TWICE_PERMILLE: u32 = 20;

/// From the start of a controller until it reads what waits for it.
const INBOX_AFTER: Duration = Duration::from_millis(500);

/// A step on the way of a machine that is taken away.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    /// A rebalance is recommended.
    Recommended,
    /// It is told that it will be taken, or goes at once.
    Told(Taking),
    /// It goes.
    Taken(Taking),
}

impl World {
    /// Picks the machines and says when each is told.
    pub(super) fn interrupt(&mut self, interrupt: &Interrupt) -> (bool, String) {
        let mut machines = self.takeable(interrupt);
        let count = interrupt.share.of(machines.len());
        let within = u32::try_from(interrupt.within.as_millis()).unwrap_or(u32::MAX);
        for _ in 0..count {
            let all = u32::try_from(machines.len()).unwrap_or(u32::MAX);
            let place = self.random.below(Purpose::Taking, all);
            let id = machines.remove(usize::try_from(place).unwrap_or(0));
            let millis = self.random.below(Purpose::Taking, within);
            let told = Duration::from_millis(u64::from(millis));
            self.doom(id, told, interrupt);
        }
        let Interrupt { how, share, .. } = interrupt;
        let what = format!("{share}: {} by others, {count} in all", how.name());
        (count > 0, what)
    }

    /// The machines that match and that nobody is about to take, by id.
    fn takeable(&self, interrupt: &Interrupt) -> Vec<ProviderId> {
        let same = |asked: &Option<String>, name: &str| asked.as_ref().is_none_or(|it| it == name);
        let matches = |machine: &&CloudMachine| {
            let fact = &machine.fact.machine;
            let is_spot = fact.capacity_type == CapacityType::Spot;
            machine.runs()
                && (is_spot || interrupt.how != Taking::Spot)
                && same(&interrupt.instance_type, fact.instance_type.as_str())
                && same(&interrupt.zone, fact.zone.as_str())
                && !self.doomed.contains(&fact.provider_id)
        };
        let machines = self.cloud.machines().filter(matches);
        machines
            .map(|machine| machine.fact.machine.provider_id.clone())
            .collect()
    }

    fn doom(&mut self, id: ProviderId, told: Duration, interrupt: &Interrupt) {
        let mut at = self.after(told);
        if let Some(before) = interrupt.rebalance_before {
            self.queue
                .push(at, Occurrence::Taking(id.clone(), Loss::Recommended));
            at = at.saturating_add(before);
        }
        let next = Occurrence::Taking(id.clone(), Loss::Told(interrupt.how));
        self.queue.push(at, next);
        self.doomed.insert(id);
    }

    pub(super) fn taking(&mut self, id: &ProviderId, loss: Loss) {
        if !self.cloud.machine(id).is_some_and(CloudMachine::runs) {
            return;
        }
        match loss {
            Loss::Recommended => self.say(id, CloudEventKind::RebalanceRecommended),
            Loss::Told(how @ Taking::Spot) => {
                self.say(id, CloudEventKind::SpotInterrupted);
                let taken = Occurrence::Taking(id.clone(), Loss::Taken(how));
                self.queue.push(self.after(NOTICE), taken);
            }
            Loss::Told(how @ Taking::Retired) => {
                self.say(id, CloudEventKind::ChangeScheduled);
                let taken = Occurrence::Taking(id.clone(), Loss::Taken(how));
                self.queue.push(self.after(RETIRED_AFTER), taken);
            }
            Loss::Told(Taking::Stopped) | Loss::Taken(Taking::Stopped) => self.halt(id),
            Loss::Told(Taking::Terminated)
            | Loss::Taken(Taking::Spot | Taking::Retired | Taking::Terminated) => {
                self.take(id);
                self.shut_down(id);
            }
        }
    }

    /// Somebody halts a machine. Its node stays, and nothing is heard of it any more.
    fn halt(&mut self, id: &ProviderId) {
        if self.cloud.halt(id, self.now) {
            self.record_taken(id);
            let node = self.hosts.iter().find(|(_, machine)| *machine == id);
            if let Some(node) = node.map(|(node, _)| node.clone()) {
                self.silence(&node, None);
            }
            self.say(id, CloudEventKind::Stopping);
        }
    }

    fn take(&mut self, id: &ProviderId) {
        if self.cloud.terminate(id, self.now) == Ok(true) {
            self.doomed.insert(id.clone());
            self.taken_by_others.insert(id.clone());
            self.record_taken(id);
        }
    }

    /// A machine is taken, and nobody says so.
    pub(super) fn take_silently(&mut self, id: &ProviderId) {
        self.take(id);
        self.taken_by_others.remove(id);
        self.shut_down(id);
    }

    fn record_taken(&mut self, id: &ProviderId) {
        let machine = id.clone();
        self.record(Event::MachineTaken {
            machine: machine.clone(),
        });
        self.record(Event::MachineTerminated { machine });
    }

    /// A machine has stopped. That is said of those that others have taken; of those that we gave
    /// back it would say nothing new.
    pub(super) fn say_if_taken(&mut self, id: &ProviderId) {
        let taken = self.taken_by_others.remove(id);
        if taken {
            self.say(id, CloudEventKind::Terminated);
        }
    }

    /// A zone is lost. Nobody says so: nodes vanish, and lists become shorter.
    pub(super) fn lose_zone(&mut self, zone: &str, lasts: Duration) -> (bool, String) {
        self.cloud.close_zone(zone, self.after(lasts));
        let here = self.cloud.machines().filter(|it| it.runs());
        let here = here.map(|it| &it.fact.machine);
        let here = here.filter(|it| it.zone.as_str() == zone);
        let lost: Vec<ProviderId> = here.map(|it| it.provider_id.clone()).collect();
        for id in &lost {
            self.take_silently(id);
        }
        let (count, seconds) = (lost.len(), lasts.as_secs());
        let what = format!("zone {zone} is lost for {seconds} s, with {count} machines");
        (true, what)
    }

    fn say(&mut self, machine: &ProviderId, kind: CloudEventKind) {
        let lost_permille = self.faults().watch_lost_permille;
        if self.random.happens(Purpose::Taking, lost_permille) {
            return;
        }
        let twice = self.random.happens(Purpose::Taking, TWICE_PERMILLE);
        for _ in 0..=u32::from(twice) {
            let millis = self.random.quantile(Purpose::Taking, &MESSAGE_MILLIS);
            let at = self.after(Duration::from_millis(u64::from(millis)));
            let machine = machine.clone();
            self.queue
                .push(at, Occurrence::Said(CloudEvent { machine, kind }));
        }
    }

    pub(super) fn said(&mut self, event: CloudEvent) {
        if self.controller.alive().is_none() {
            self.inbox.push(event);
            return;
        }
        self.record(Event::CloudSaid {
            machine: event.machine.clone(),
            kind: event.kind,
        });
        if self.setup.sabotage != Some(Sabotage::InterruptionUnheard) {
            self.feed(Input::Cloud(event));
        }
    }

    /// A controller starts, and finds what waits for it.
    pub(super) fn empty_inbox(&mut self) {
        let at = self.after(INBOX_AFTER);
        for event in std::mem::take(&mut self.inbox) {
            self.queue.push(at, Occurrence::Said(event));
        }
    }
}

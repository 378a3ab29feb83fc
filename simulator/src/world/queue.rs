//! What is going to happen, by time and then by the order in which it was decided.

use std::collections::BTreeMap;

use tidewright::cluster::Kind;
use tidewright::engine::{CloudEvent, Effect, EffectId, EffectOutcome};
use tidewright::model::id::{NodeName, ProviderId, Uid};
use tidewright::model::time::Timestamp;

use super::interruption::Loss;
use crate::cloud::SpotMarket;
use crate::echo::Delivery;
use crate::kube::kubelet::{MachineStage, PodStage};
use crate::store::ObjectKey;

/// The number of a controller process: what was on its way to one that died finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Life(pub(super) u32);

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Occurrence {
    /// The objects of the setup come into being.
    Begin,
    /// The entry of the timeline with this number.
    Happening(usize),
    /// A controller starts with an empty memory.
    StartController,
    /// A watch event arrives.
    Deliver(Life, Box<Delivery>),
    /// A watch starts over.
    Relist(Life, Kind),
    /// What can be bought may have changed.
    Catalog(Life),
    /// Spot prices move, until an instant if there is one.
    Prices(SpotMarket, Option<Timestamp>),
    /// The controller asks for prices.
    AskPrices(Life),
    /// The engine wanted to be called.
    Wake(Life),
    /// An effect arrives where it is carried out.
    Arrive(Life, Box<Effect>),
    /// The answer to an effect arrives.
    Answer(Life, EffectId, Box<EffectOutcome>),
    /// The scheduler looks at its pods.
    Schedule,
    /// The controllers of workloads look at what is missing.
    Workloads,
    /// A machine that is to be taken away is told so, or goes.
    Taking(ProviderId, Loss),
    /// What the cloud says arrives.
    Said(CloudEvent),
    /// A machine takes its next step.
    Machine(ProviderId, MachineStage),
    /// It is noticed that a node's kubelet is silent.
    Unheard(NodeName),
    /// A pod leaves a node that is silent.
    Impatient(ObjectKey, Uid),
    /// A silent kubelet speaks again.
    Heard(NodeName),
    /// A pod takes its next step.
    Pod(ObjectKey, Uid, PodStage),
}

impl Occurrence {
    /// What kind of thing it is, in a word.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Happening(_) => "happening",
            Self::StartController => "start controller",
            Self::Deliver(..) => "watch event",
            Self::Relist(..) => "relist",
            Self::Catalog(_) => "catalog",
            Self::Prices(..) => "prices",
            Self::AskPrices(_) => "ask prices",
            Self::Wake(_) => "wake",
            Self::Arrive(..) => "effect",
            Self::Answer(..) => "answer",
            Self::Schedule => "schedule",
            Self::Workloads => "workloads",
            Self::Taking(..) => "taking",
            Self::Said(_) => "message",
            Self::Machine(..) => "machine",
            Self::Unheard(_) => "unheard",
            Self::Impatient(..) => "impatient",
            Self::Heard(_) => "heard",
            Self::Pod(..) => "pod",
        }
    }
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    entries: BTreeMap<(Timestamp, u64), Occurrence>,
    sequence: u64,
}

impl Queue {
    /// Something will happen at an instant, after all that was decided for it before.
    pub(super) fn push(&mut self, at: Timestamp, occurrence: Occurrence) {
        self.sequence += 1;
        self.entries.insert((at, self.sequence), occurrence);
    }

    /// What happens next.
    pub(super) fn pop(&mut self) -> Option<(Timestamp, Occurrence)> {
        let ((at, _), occurrence) = self.entries.pop_first()?;
        Some((at, occurrence))
    }

    /// When something happens next.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        let ((at, _), _) = self.entries.first_key_value()?;
        Some(*at)
    }
}

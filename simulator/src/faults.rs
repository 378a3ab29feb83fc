//! What goes wrong in a world, and how often.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// The cloud has no machine of an offering.
    InsufficientCapacity,
    /// The cloud answers that there were too many calls.
    Throttled,
    /// A machine takes much longer to boot.
    SlowBoot,
    /// A machine never joins.
    DeadBoot,
    /// A watch event comes late.
    WatchDelayed,
    /// Watch events of different objects change places.
    WatchReordered,
    /// A watch event is lost; a relist brings the truth later.
    WatchLost,
    /// A watch starts over with a full list.
    Relist,
    /// The API server or the cloud did the work, and the answer was lost.
    AnswerLost,
    /// The controller died between two effects and started again.
    Crash,
    /// The machine is not in the cloud's list for a while.
    ListStale,
    /// A machine joins and is never ready.
    NeverReady,
    /// Somebody else gives a machine back, and nobody says so.
    Vanished,
    /// A watch goes back a little and shows what it has shown before.
    WatchRepeated,
    /// The controller's clock is set to another time.
    ClockStep,
    /// The API server is not well, or somebody else was faster.
    WriteRefused,
    /// The cloud says that it is not well, whether it did the work or not.
    CallFailed,
    /// An answer takes long, perhaps longer than anybody waits for it.
    AnswerSlow,
    /// The cloud sells fewer machines than it was asked for.
    FleetPartial,
    /// A pod does not stop when it is told to.
    PodStuck,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 20] = [
        Self::InsufficientCapacity,
        Self::Throttled,
        Self::SlowBoot,
        Self::DeadBoot,
        Self::WatchDelayed,
        Self::WatchReordered,
        Self::WatchLost,
        Self::Relist,
        Self::AnswerLost,
        Self::Crash,
        Self::ListStale,
        Self::NeverReady,
        Self::Vanished,
        Self::WatchRepeated,
        Self::ClockStep,
        Self::WriteRefused,
        Self::CallFailed,
        Self::AnswerSlow,
        Self::FleetPartial,
        Self::PodStuck,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InsufficientCapacity => "insufficient capacity",
            Self::Throttled => "throttled call",
            Self::SlowBoot => "slow boot",
            Self::DeadBoot => "dead boot",
            Self::WatchDelayed => "delayed event",
            Self::WatchReordered => "reordered event",
            Self::WatchLost => "lost event",
            Self::Relist => "relist",
            Self::AnswerLost => "lost answer",
            Self::Crash => "crash",
            Self::ListStale => "stale list",
            Self::NeverReady => "node never ready",
            Self::Vanished => "vanished machine",
            Self::WatchRepeated => "repeated event",
            Self::ClockStep => "clock step",
            Self::WriteRefused => "refused write",
            Self::CallFailed => "failed call",
            Self::AnswerSlow => "slow answer",
            Self::FleetPartial => "partial fleet",
            Self::PodStuck => "stuck pod",
        }
    }
}

/// How often each fault strikes, in thousandths, and how hard. All zero: nothing goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultSettings {
    /// Of fleet calls: an offering turns out to be sold out.
    pub insufficient_capacity_permille: u32,
    /// Of cloud calls.
    pub throttled_permille: u32,
    /// Of machines.
    pub slow_boot_permille: u32,
    /// Of machines.
    pub dead_boot_permille: u32,
    /// Of watch events.
    pub watch_delayed_permille: u32,
    /// The longest delay of a watch event.
    pub watch_delay_millis_max: u32,
    /// Of watch events.
    pub watch_reordered_permille: u32,
    /// Of watch events.
    pub watch_lost_permille: u32,
    /// Of watch events: the watch starts over.
    pub relist_permille: u32,
    /// Of effects.
    pub answer_lost_permille: u32,
    /// Of effects: the controller dies before or after it.
    pub crash_permille: u32,
    /// Of lists of machines.
    pub list_stale_permille: u32,
    /// Of machines.
    pub never_ready_permille: u32,
    /// Of machines: somebody else gives it back.
    pub vanished_permille: u32,
    /// Of watch events: what was shown of the object is shown again.
    pub watch_repeated_permille: u32,
    /// Of effects: the controller's clock is set before.
    pub clock_step_permille: u32,
    /// How far the clock is wrong at most, in either direction.
    pub clock_step_millis_max: u32,
    /// Of calls of the API server.
    pub write_refused_permille: u32,
    /// Of cloud calls.
    pub call_failed_permille: u32,
    /// Of effects.
    pub answer_slow_permille: u32,
    /// Of fleet calls.
    pub fleet_partial_permille: u32,
    /// Of pods that are told to go.
    pub pod_stuck_permille: u32,
    /// The longest that a plan takes.
    pub plan_millis_max: u32,
    /// When faults stop, in seconds after the start, so that liveness can be judged after.
    pub quiet_after_seconds: u32,
}

impl FaultSettings {
    /// By how much a span that the controller measures may differ from the same span in the world.
    pub fn clock_error_max(&self) -> Duration {
        let strikes = self.clock_step_permille > 0;
        let millis = if strikes {
            self.clock_step_millis_max
        } else {
            0
        };
        Duration::from_millis(2 * u64::from(millis))
    }

    /// How often a kind strikes.
    pub fn permille_mut(&mut self, kind: FaultKind) -> &mut u32 {
        match kind {
            FaultKind::InsufficientCapacity => &mut self.insufficient_capacity_permille,
            FaultKind::Throttled => &mut self.throttled_permille,
            FaultKind::SlowBoot => &mut self.slow_boot_permille,
            FaultKind::DeadBoot => &mut self.dead_boot_permille,
            FaultKind::WatchDelayed => &mut self.watch_delayed_permille,
            FaultKind::WatchReordered => &mut self.watch_reordered_permille,
            FaultKind::WatchLost => &mut self.watch_lost_permille,
            FaultKind::Relist => &mut self.relist_permille,
            FaultKind::AnswerLost => &mut self.answer_lost_permille,
            FaultKind::Crash => &mut self.crash_permille,
            FaultKind::ListStale => &mut self.list_stale_permille,
            FaultKind::NeverReady => &mut self.never_ready_permille,
            FaultKind::Vanished => &mut self.vanished_permille,
            FaultKind::WatchRepeated => &mut self.watch_repeated_permille,
            FaultKind::ClockStep => &mut self.clock_step_permille,
            FaultKind::WriteRefused => &mut self.write_refused_permille,
            FaultKind::CallFailed => &mut self.call_failed_permille,
            FaultKind::AnswerSlow => &mut self.answer_slow_permille,
            FaultKind::FleetPartial => &mut self.fleet_partial_permille,
            FaultKind::PodStuck => &mut self.pod_stuck_permille,
        }
    }
}

/// A deliberate fault in the shell, with which an oracle is put to the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sabotage {
    /// Fleet calls carry a fresh token each time, and tags are not looked at.
    TokenDropped,
    /// Every effect is carried out twice.
    EffectTwice,
    /// Preconditions are not checked.
    PreconditionIgnored,
    /// The engine sees every budget as 100 %.
    BudgetUnread,
    /// Lists of machines come back empty.
    SweepOff,
    /// The engine sees no annotation `karpenter.sh/do-not-disrupt`.
    ProtectionUnread,
    /// The engine sees no limits.
    LimitsUnread,
    /// The engine is told that sold-out offerings failed for another reason.
    SoldOutUnreported,
    /// Terminated machines run on, and the bill with them.
    TerminateLost,
    /// The engine sees half of what each pod requests.
    RequestsHalved,
    /// What the cloud says of its machines is thrown away.
    InterruptionUnheard,
    /// The eviction API asks no PodDisruptionBudget.
    PdbIgnored,
    /// The engine sees the graces of pods end a day later.
    StuckAwaited,
    /// The engine sees claims as if they had been made tomorrow.
    AgesUnread,
    /// The engine is told that refused writes were done.
    RefusalHidden,
    /// The engine is not called when it asked to be.
    WakeUpsLost,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::TokenDropped,
        Self::EffectTwice,
        Self::PreconditionIgnored,
        Self::BudgetUnread,
        Self::SweepOff,
        Self::ProtectionUnread,
        Self::LimitsUnread,
        Self::SoldOutUnreported,
        Self::TerminateLost,
        Self::RequestsHalved,
        Self::InterruptionUnheard,
        Self::PdbIgnored,
        Self::StuckAwaited,
        Self::AgesUnread,
        Self::RefusalHidden,
        Self::WakeUpsLost,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenDropped => "token-dropped",
            Self::EffectTwice => "effect-twice",
            Self::PreconditionIgnored => "precondition-ignored",
            Self::BudgetUnread => "budget-unread",
            Self::SweepOff => "sweep-off",
            Self::ProtectionUnread => "protection-unread",
            Self::LimitsUnread => "limits-unread",
            Self::SoldOutUnreported => "sold-out-unreported",
            Self::TerminateLost => "terminate-lost",
            Self::RequestsHalved => "requests-halved",
            Self::InterruptionUnheard => "interruption-unheard",
            Self::PdbIgnored => "pdb-ignored",
            Self::StuckAwaited => "stuck-awaited",
            Self::AgesUnread => "ages-unread",
            Self::RefusalHidden => "refusal-hidden",
            Self::WakeUpsLost => "wake-ups-lost",
        }
    }

    /// The sabotage of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

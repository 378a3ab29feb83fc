//! Every bound of the engine, with its reason.

use std::time::Duration;

/// How long the API server may take to answer. It cuts off ordinary requests after 60 s itself,
/// but one that takes ten has been lost, and every write here can be repeated.
pub(super) const API_CALL_MAX: Duration = Duration::from_secs(10);

/// How long the cloud may take to answer. CreateFleet of type `instant` takes some seconds for
/// large fleets; what takes longer is looked up by tag.
pub(super) const CLOUD_CALL_MAX: Duration = Duration::from_secs(30);

/// How long a plan may take. Work is bounded by counts, so only a lost answer takes this long.
pub(super) const PLAN_MAX: Duration = Duration::from_mins(1);

/// How long after its deadline an effect is forgotten although the shell has not said so. The
/// shell answers at the deadline; only a broken one stays silent.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(5);

/// How long a confirmed write may take to show on a watch before it is written again. Watches lag
/// by milliseconds, under load by seconds; writing twice is harmless.
pub(super) const ECHO_MAX: Duration = Duration::from_secs(5);

/// The first pause after a failed call. It doubles each time.
pub(super) const BACKOFF_FIRST: Duration = Duration::from_millis(200);

/// The longest pause after failed calls: short enough to notice within seconds that the other
/// side is well again.
pub(super) const BACKOFF_LAST: Duration = Duration::from_secs(10);

/// How often the pause doubles; after six times it has reached [`BACKOFF_LAST`].
pub(super) const BACKOFF_DOUBLINGS_MAX: u32 = 6;

/// How often a claim's creation is tried before its pods are planned anew.
pub(super) const CREATIONS_MAX: u32 = 8;

/// How long an offering that had no capacity is left out, as Karpenter does. Shorter, and calls
/// are wasted; longer, and cheap capacity that came back is missed.
pub(super) const SOLD_OUT_FOR: Duration = Duration::from_mins(3);

/// The most that the cloud has said and that is kept until everything has been listed. The lists are
/// there within seconds; what is left out is found by the sweep.
pub(super) const ANNOUNCED_MAX: usize = 4_096;

/// How long buying may take before a claim is given up. Karpenter's bound.
pub(super) const LAUNCH_MAX: Duration = Duration::from_mins(5);

/// How long a machine may take to join. Karpenter's bound; ordinary machines take two minutes.
pub(super) const REGISTRATION_MAX: Duration = Duration::from_mins(15);

/// How long a node may take from joining to being usable, if nothing runs on it. Karpenter waits
/// for ever and pays for ever.
pub(super) const INITIALIZATION_MAX: Duration = Duration::from_mins(15);

/// How long a pool is left out after the cloud refused a launch for it. A wrong policy has to be
/// mended by people; half a minute lets them see the effect of mending it.
pub(super) const POOL_REST: Duration = Duration::from_secs(30);

/// How soon a plan is asked for again that could not be asked for yet.
pub(super) const PLAN_RETRY: Duration = Duration::from_secs(1);

/// The most claims that one fleet call buys for. EC2 takes 1,000; a smaller call is answered
/// sooner.
pub(super) const GROUP_CLAIMS_MAX: usize = 500;

/// How long a promise to a node that can be used holds. Karpenter's nomination window; the
/// scheduler tries again within ten seconds.
pub(super) const NOMINATION_MAX: Duration = Duration::from_secs(20);

/// How long at least lies between two attempts to place pods that found no place. Each attempt
/// takes a plan, and a busy cluster changes every second.
pub(super) const STUCK_RETRY: Duration = Duration::from_secs(10);

/// How long at least lies between two looks for nodes that can go. Changes come in bursts.
pub(super) const DISRUPTION_IDLE: Duration = Duration::from_secs(1);

/// How long a node that is to go may take to be marked before the decision is dropped.
pub(super) const MARKING_MAX: Duration = Duration::from_secs(30);

/// How often at most the last pod event of a claim is written. Karpenter's bound: it saves writes
/// where pods come and go all the time.
pub(super) const POD_EVENT_WRITE: Duration = Duration::from_secs(10);

/// How long after its announced end a pod that still terminates is waited for. Karpenter's bound:
/// its kubelet is dead.
pub(super) const STUCK_TERMINATING: Duration = Duration::from_mins(1);

/// The most evictions that one node asks for at a time, so that one large drain does not crowd
/// out all other calls.
pub(super) const EVICTIONS_MAX: usize = 50;

/// How soon a termination is confirmed by asking again. The cloud takes half a minute or more to
/// stop a machine.
pub(super) const TERMINATION_POLL: Duration = Duration::from_secs(2);

/// How often all machines are listed. Until then a machine without a claim costs money.
pub(super) const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How old a machine must be before it counts as ownerless: its claim may not have been seen yet.
pub(super) const ORPHAN_AGE: Duration = Duration::from_secs(30);

/// In how many lists in a row a machine must be missing to be gone. The cloud's lists lag behind.
pub(super) const MISSING_LISTS: u32 = 2;

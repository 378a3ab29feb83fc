//! Jobs: so many pods that succeed, so many at once (Kubernetes documentation, "Jobs").
//!
//! | Form | Done when |
//! |---|---|
//! | `completions` given | so many pods have succeeded |
//! | only `parallelism` given | one pod has succeeded and the others have ended |
//! | `completionMode: Indexed` | a pod of every index has succeeded |
//!
//! A Job fails when more pods have failed than `backoffLimit`, or when `activeDeadlineSeconds` have
//! passed; what still runs then goes. What has ended is remembered here although the pod may go
//! with its node: the API does so with a finalizer of each pod.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec};
use k8s_openapi::api::core::v1::Pod;
use tidewright::model::id::Uid;
use tidewright::model::time::Timestamp;

use super::{Name, Pass, Wanted, count, is_active, own_pods, written};
use crate::event::Actor;
use crate::kube::conditions::Truth;
use crate::store::{ObjectKey, time, timestamp, uid};

/// How often pods of a job may fail that does not say.
const BACKOFF_LIMIT_DEFAULT: usize = 6;

/// From a failure to the next attempt; doubled each time ("Pod backoff failure policy").
const BACKOFF_FIRST: Duration = Duration::from_secs(10);
const BACKOFF_MAX: Duration = Duration::from_mins(6);

/// The annotation with a pod's index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All that was wanted has succeeded.
    Complete,
    /// It was given up.
    Failed,
}

impl Ending {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "Complete",
            Self::Failed => "Failed",
        }
    }
}

/// The pods of each job that have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(BTreeMap<Uid, Tally>);

#[derive(Clone, Debug, Default)]
struct Tally {
    succeeded: BTreeSet<Uid>,
    failed: BTreeSet<Uid>,
    indexes: BTreeSet<usize>,
    last_failure: Option<Timestamp>,
}

/// Each job has as many active pods as it still needs, or comes to its end.
pub(super) fn run(pass: &mut Pass<'_>) {
    for (key, job) in pass.due::<Job>() {
        pass.turn_to(&job);
        match (&job.spec, ending(&job)) {
            (Some(spec), None) => advance(pass, &key, &job, spec),
            (Some(spec), Some(_)) => expire(pass, &key, &job, spec),
            (None, _) => {}
        }
    }
}

/// How a job ended, if it has.
pub(super) fn ending(job: &Job) -> Option<Ending> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let mut endings = conditions.iter().filter_map(|it| match it.type_.as_str() {
        "Complete" => Some(Ending::Complete),
        "Failed" => Some(Ending::Failed),
        _ => None,
    });
    endings.next()
}

/// When a job ended.
pub(super) fn finished_at(job: &Job) -> Option<Timestamp> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let ended = conditions
        .iter()
        .find(|it| matches!(it.type_.as_str(), "Complete" | "Failed"))?;
    ended.last_transition_time.as_ref().map(timestamp)
}

/// A job that is over goes some time later, if it says so ("Automatic Cleanup for Finished Jobs").
fn expire(pass: &mut Pass<'_>, key: &ObjectKey, job: &Job, spec: &JobSpec) {
    let Some((at, seconds)) = finished_at(job).zip(spec.ttl_seconds_after_finished) else {
        return;
    };
    let span = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let end = at.saturating_add(span);
    pass.look_again(end);
    if end <= pass.now {
        let gone = pass.store.delete::<Job>(key, Actor::User, pass.now);
        debug_assert!(gone.is_ok(), "it was listed a moment ago");
    }
}

fn advance(pass: &mut Pass<'_>, key: &ObjectKey, job: &Job, spec: &JobSpec) {
    let pods = own_pods(pass.store, &uid(job));
    let tally = pass.workloads.tallies.count(&uid(job), &pods, pass.now);
    let active: Vec<&(ObjectKey, Pod)> = pods.iter().filter(|(_, pod)| is_active(pod)).collect();
    if spec.suspend == Some(true) {
        stop_all(pass, &active);
        return;
    }
    let start = start_time(pass, key, job);
    let limit = count(spec.backoff_limit, BACKOFF_LIMIT_DEFAULT);
    let end = if tally.is_done(spec, active.len()) {
        Some((Ending::Complete, "CompletionsReached"))
    } else if tally.failed.len() > limit {
        Some((Ending::Failed, "BackoffLimitExceeded"))
    } else if is_overdue(pass, spec, start) {
        Some((Ending::Failed, "DeadlineExceeded"))
    } else {
        None
    };
    match end {
        Some(how) => {
            stop_all(pass, &active);
            finish(pass, key, &tally, how);
            pass.workloads.tallies.0.remove(&uid(job));
        }
        None => replenish(pass, (key, job), spec, &tally, &active),
    }
}

fn stop_all(pass: &mut Pass<'_>, pods: &[&(ObjectKey, Pod)]) {
    for (pod, _) in pods {
        pass.stop(pod);
    }
}

/// When a job began: when its controller first saw it.
fn start_time(pass: &mut Pass<'_>, key: &ObjectKey, job: &Job) -> Timestamp {
    let known = job.status.as_ref().and_then(|it| it.start_time.as_ref());
    if let Some(known) = known {
        return timestamp(known);
    }
    let now = pass.now;
    let started = pass.store.update::<Job>(key, |job| {
        job.status.get_or_insert_default().start_time = Some(time(now));
    });
    debug_assert!(started.is_ok(), "it was listed a moment ago");
    now
}

fn is_overdue(pass: &mut Pass<'_>, spec: &JobSpec, start: Timestamp) -> bool {
    let Some(seconds) = spec.active_deadline_seconds else {
        return false;
    };
    let end = start.saturating_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    pass.look_again(end);
    end <= pass.now
}

fn finish(pass: &mut Pass<'_>, key: &ObjectKey, tally: &Tally, (how, reason): (Ending, &str)) {
    let now = time(pass.now);
    let ended = pass.store.update::<Job>(key, |job| {
        let status = job.status.get_or_insert_default();
        status.succeeded = Some(written(tally.succeeded.len()));
        status.failed = Some(written(tally.failed.len()));
        if how == Ending::Complete {
            status.completion_time = Some(now.clone());
        }
        status
            .conditions
            .get_or_insert_default()
            .push(JobCondition {
                type_: how.as_str().to_owned(),
                status: Truth::True.as_str().to_owned(),
                reason: Some(reason.to_owned()),
                last_transition_time: Some(now.clone()),
                ..JobCondition::default()
            });
    });
    debug_assert!(ended.is_ok(), "it was listed a moment ago");
}

/// Creates the pods that are missing and lets those go that are too many.
fn replenish(
    pass: &mut Pass<'_>,
    (key, job): (&ObjectKey, &Job),
    spec: &JobSpec,
    tally: &Tally,
    active: &[&(ObjectKey, Pod)],
) {
    let needed = tally.needed(spec, active.len());
    for (pod, _) in active.iter().skip(needed) {
        pass.stop(pod);
    }
    let missing = needed.saturating_sub(active.len());
    if missing == 0 {
        return;
    }
    if let Some(at) = tally.next_attempt().filter(|at| *at > pass.now) {
        return pass.look_again(at);
    }
    let mut template = spec.template.clone();
    let pod = template.spec.get_or_insert_default();
    pod.restart_policy.get_or_insert_with(|| "Never".to_owned());
    if !is_indexed(spec) {
        let wanted = Wanted::of(job, &key.namespace, &template);
        return pass.create(&wanted, missing);
    }
    let taken: BTreeSet<usize> = active.iter().filter_map(|(_, pod)| index(pod)).collect();
    let free = (0..count(spec.completions, 1))
        .filter(|it| !taken.contains(it) && !tally.indexes.contains(it));
    for index in free.take(missing) {
        let wanted = Wanted {
            name: Name::After(format!("{}-{index}", key.name)),
            labels: vec![(INDEX, index.to_string())],
            annotations: vec![(INDEX, index.to_string())],
            ..Wanted::of(job, &key.namespace, &template)
        };
        pass.create(&wanted, 1);
    }
}

fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

fn index(pod: &Pod) -> Option<usize> {
    let annotations = pod.metadata.annotations.as_ref()?;
    annotations.get(INDEX)?.parse().ok()
}

impl Tallies {
    /// Forgets a job that is gone.
    pub(super) fn forget(&mut self, job: &Uid) {
        self.0.remove(job);
    }

    /// The tally of a job, with those of its pods that have ended since.
    fn count(&mut self, job: &Uid, pods: &[(ObjectKey, Pod)], now: Timestamp) -> Tally {
        let tally = self.0.entry(job.clone()).or_default();
        for (_, pod) in pods {
            let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
            match phase {
                Some("Succeeded") => {
                    tally.succeeded.insert(uid(pod));
                    tally.indexes.extend(index(pod));
                }
                Some("Failed") if tally.failed.insert(uid(pod)) => {
                    tally.last_failure = Some(now);
                }
                Some(_) | None => {}
            }
        }
        tally.clone()
    }
}

impl Tally {
    /// Whether all that is wanted has succeeded. A job that says nothing wants one pod.
    fn is_done(&self, spec: &JobSpec, active: usize) -> bool {
        match (spec.completions, spec.parallelism) {
            (Some(_), _) if is_indexed(spec) => self.indexes.len() >= count(spec.completions, 1),
            (None, Some(_)) => !self.succeeded.is_empty() && active == 0,
            (Some(_), _) | (None, None) => self.succeeded.len() >= count(spec.completions, 1),
        }
    }

    /// How many pods are to be active.
    fn needed(&self, spec: &JobSpec, active: usize) -> usize {
        let parallelism = count(spec.parallelism, 1);
        match (spec.completions, spec.parallelism) {
            (None, Some(_)) if !self.succeeded.is_empty() => active.min(parallelism),
            (None, Some(_)) => parallelism,
            (Some(_), _) | (None, None) => {
                let done = if is_indexed(spec) {
                    self.indexes.len()
                } else {
                    self.succeeded.len()
                };
                let left = count(spec.completions, 1).saturating_sub(done);
                left.min(parallelism)
            }
        }
    }

    /// When the next pod may be tried after a failure.
    fn next_attempt(&self) -> Option<Timestamp> {
        let failures = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        let doublings = failures.checked_sub(1)?.min(6);
        let pause = BACKOFF_FIRST
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(BACKOFF_MAX);
        Some(self.last_failure?.saturating_add(pause))
    }
}

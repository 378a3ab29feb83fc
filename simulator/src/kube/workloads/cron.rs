//! CronJobs: a Job for every hit of a schedule (Kubernetes documentation, "CronJob").
//!
//! | `concurrencyPolicy` | A hit while a Job of before still runs |
//! |---|---|
//! | `Allow` | both run |
//! | `Forbid` | waits; the last hit that was missed so is made good when that Job ends |
//! | `Replace` | the Job of before goes |
//!
//! A Job is named by the minute it was due in, so that nothing is started twice. Hits that were
//! missed for longer than `startingDeadlineSeconds` are not made good; of several the last counts. A
//! schedule or zone that cannot be read never hits.

use std::time::Duration;

use chrono_tz::Tz;
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, Job};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tidewright::model::schedule::Schedule;
use tidewright::model::time::Timestamp;

use super::jobs::{Ending, ending, finished_at};
use super::{Pass, count, reference};
use crate::event::Actor;
use crate::store::{ObjectKey, time, timestamp, uid};

/// How many finished Jobs are kept that does not say: those that succeeded, and those that failed.
const KEPT_DEFAULT: (usize, usize) = (3, 1);

/// Each CronJob starts what is due and forgets what is long over.
pub(super) fn run(pass: &mut Pass<'_>) {
    for (key, cron) in pass.due::<CronJob>() {
        pass.turn_to(&cron);
        let spec = &cron.spec;
        forget(pass, &cron, spec);
        let Some(schedule) = schedule(spec) else {
            continue;
        };
        if spec.suspend == Some(true) {
            continue;
        }
        if let Some(due) = due(&cron, spec, &schedule, pass.now) {
            start(pass, (&key, &cron), spec, due);
        }
        if let Some(next) = schedule.next_after(pass.now) {
            pass.look_again(next);
        }
    }
}

/// The schedule in its zone; UTC is the zone of this world's control plane.
fn schedule(spec: &CronJobSpec) -> Option<Schedule> {
    let zone = spec.time_zone.as_deref().unwrap_or("UTC");
    let zone: Tz = zone.parse().ok()?;
    Schedule::parse(&spec.schedule, zone).ok()
}

/// The last hit that nothing was started for and that may still be made good.
fn due(
    cron: &CronJob,
    spec: &CronJobSpec,
    schedule: &Schedule,
    now: Timestamp,
) -> Option<Timestamp> {
    let status = cron.status.as_ref();
    let last = status.and_then(|it| it.last_schedule_time.as_ref());
    let created = cron.metadata.creation_timestamp.as_ref();
    let mut after = timestamp(last.or(created)?);
    if let Some(seconds) = spec.starting_deadline_seconds {
        let span = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        // A hit exactly at the deadline is not late yet, and the search leaves its start out.
        let earliest = now
            .saturating_sub(span)
            .saturating_sub(Duration::from_millis(1));
        after = after.max(earliest);
    }
    schedule.last_in(after, now)
}

fn start(
    pass: &mut Pass<'_>,
    (key, cron): (&ObjectKey, &CronJob),
    spec: &CronJobSpec,
    due: Timestamp,
) {
    let active = active(pass, cron);
    match spec.concurrency_policy.as_deref() {
        Some("Forbid") if !active.is_empty() => return,
        Some("Replace") => {
            for job in &active {
                let gone = pass.store.delete::<Job>(job, Actor::User, pass.now);
                debug_assert!(gone.is_ok(), "it was listed a moment ago");
            }
        }
        Some(_) | None => {}
    }
    let minute = due.as_millis() / 60_000;
    let template = spec.job_template.metadata.clone().unwrap_or_default();
    let job = Job {
        metadata: ObjectMeta {
            name: Some(format!("{}-{minute}", key.name)),
            namespace: Some(key.namespace.clone()),
            labels: template.labels,
            annotations: template.annotations,
            owner_references: Some(vec![reference(cron)]),
            ..ObjectMeta::default()
        },
        spec: spec.job_template.spec.clone(),
        status: None,
    };
    // The minute was started before if the name is taken: the status was all that was missing.
    let _known = pass.store.create(job, pass.now);
    let noted = pass.store.update::<CronJob>(key, |cron| {
        cron.status.get_or_insert_default().last_schedule_time = Some(time(due));
    });
    debug_assert!(noted.is_ok(), "it was listed a moment ago");
}

fn active(pass: &Pass<'_>, cron: &CronJob) -> Vec<ObjectKey> {
    let mut jobs = pass.store.owned_by::<Job>(&uid(cron));
    jobs.retain(|key| {
        let job = pass.store.get::<Job>(key);
        job.is_some_and(|job| ending(job).is_none())
    });
    jobs
}

/// Deletes all but the last few Jobs that are over.
fn forget(pass: &mut Pass<'_>, cron: &CronJob, spec: &CronJobSpec) {
    let (succeeded, failed) = KEPT_DEFAULT;
    let kept = [
        (
            Ending::Complete,
            count(spec.successful_jobs_history_limit, succeeded),
        ),
        (
            Ending::Failed,
            count(spec.failed_jobs_history_limit, failed),
        ),
    ];
    for (how, kept) in kept {
        let jobs = pass.store.owned_by::<Job>(&uid(cron)).into_iter();
        let over = jobs.filter_map(|key| {
            let job = pass.store.get::<Job>(&key)?;
            (ending(job) == Some(how)).then(|| (finished_at(job), key))
        });
        let mut over: Vec<_> = over.collect();
        over.sort();
        for (_, key) in over.iter().take(over.len().saturating_sub(kept)) {
            let gone = pass.store.delete::<Job>(key, Actor::User, pass.now);
            debug_assert!(gone.is_ok(), "it was listed a moment ago");
        }
    }
}

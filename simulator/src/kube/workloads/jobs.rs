//! Jobs: so many pods that succeed, so many at once (Kubernetes documentation, "Jobs").

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::Pod;
use tidewright::model::time::Timestamp;

use super::due::Due;
use super::{Wanted, Workloads, is_active, owner, pods_of};
use crate::kube::conditions::Truth;
use crate::store::{ObjectKey, Store, time, uid};

/// How often pods of a job may fail that does not say.
const BACKOFF_LIMIT_DEFAULT: i32 = 6;

struct Counts {
    active: usize,
    succeeded: usize,
    failed: usize,
}

/// Each job has as many active pods as it still needs.
pub(super) fn run(workloads: &mut Workloads, store: &mut Store, due: &Due, now: Timestamp) {
    let jobs = due.of::<Job>(store);
    for (key, job) in jobs.iter().filter(|(_, it)| !is_over(it)) {
        let Some(spec) = job.spec.as_ref() else {
            continue;
        };
        let counts = counts(&pods_of(store, &uid(job)));
        let count =
            |number: Option<i32>, unset: i32| usize::try_from(number.unwrap_or(unset)).unwrap_or(0);
        let parallelism = count(spec.parallelism, 1);
        let completions = count(spec.completions, 1);
        if counts.failed > count(spec.backoff_limit, BACKOFF_LIMIT_DEFAULT) {
            end(store, key, "Failed", now);
        } else if counts.succeeded >= completions {
            end(store, key, "Complete", now);
        } else if spec.suspend != Some(true) {
            let needed = (completions - counts.succeeded).min(parallelism);
            let wanted = Wanted {
                owner: owner(job),
                namespace: &key.namespace,
                template: &spec.template,
                node: None,
            };
            let missing = needed.saturating_sub(counts.active);
            workloads.create(store, &wanted, missing, now);
        }
    }
}

fn counts(pods: &[(&ObjectKey, &Pod)]) -> Counts {
    let in_phase = |phase: &str| {
        let pods = pods.iter().filter(|(_, pod)| {
            let own = pod.status.as_ref().and_then(|it| it.phase.as_deref());
            own == Some(phase)
        });
        pods.count()
    };
    Counts {
        active: pods.iter().filter(|(_, pod)| is_active(pod)).count(),
        succeeded: in_phase("Succeeded"),
        failed: in_phase("Failed"),
    }
}

fn is_over(job: &Job) -> bool {
    let conditions = job
        .status
        .iter()
        .flat_map(|it| it.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|known| matches!(known.type_.as_str(), "Complete" | "Failed"))
}

fn end(store: &mut Store, key: &ObjectKey, how: &str, now: Timestamp) {
    let ended = store.update::<Job>(key, |job| {
        let conditions = &mut job.status.get_or_insert_default().conditions;
        conditions.get_or_insert_default().push(JobCondition {
            type_: how.to_owned(),
            status: Truth::True.as_str().to_owned(),
            last_transition_time: Some(time(now)),
            ..JobCondition::default()
        });
    });
    debug_assert!(ended.is_ok(), "it was listed a moment ago");
}

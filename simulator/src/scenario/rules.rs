//! What a scenario file must satisfy beyond its shape.

use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use k8s_openapi::api::batch::v1::CronJob;
use tidewright::api::rules::{FieldPath, Violation, check_ec2_node_class, check_node_pool};
use tidewright::model::schedule::Schedule;
use tidewright::model::time::{Timestamp, parse_duration};

use super::expect::{dollars, thousandths};
use super::file::{Bound, Expectations, Happens, ScenarioFile};
use super::services;

const CORRECT_THE_PATH: &str = "Correct the path; it begins at the folder of this file.";

/// Everything that is wrong with a file that has its shape.
pub(super) fn check(file: &ScenarioFile) -> Vec<Violation> {
    let root = FieldPath::ROOT;
    let mut violations = Vec::new();
    if !is_name(&file.name) {
        let rule = "A name consists of small letters, digits and dashes.";
        let fix = "Write it as in zero-to-one.";
        violations.push(Violation::new(root.field("name"), &file.name, rule, fix));
    }
    violations.extend(span(&root.field("until"), &file.until));
    let start = file.start.as_ref();
    if let Some(start) = start.filter(|it| Timestamp::parse(it).is_err()) {
        let rule = "This must be an instant as RFC 3339 writes it.";
        let fix = "Write it as 2026-01-31T09:30:00Z.";
        violations.push(Violation::new(root.field("start"), start, rule, fix));
    }
    let settings = root.field("settings");
    let spans = [
        ("batchIdleDuration", &file.settings.batch_idle_duration),
        ("batchMaxDuration", &file.settings.batch_max_duration),
    ];
    for (name, text) in spans {
        violations.extend(text.as_ref().and_then(|it| span(&settings.field(name), it)));
    }
    for (index, happens) in file.timeline.iter().enumerate() {
        violations.extend(happening(&root.field("timeline").index(index), happens));
    }
    violations.extend(services::check(&file.services, &file.replicas));
    violations.extend(expectations(&root.field("expect"), &file.expect));
    violations
}

/// The files and folders that are named and not there. Paths begin at `folder`.
pub(super) fn check_paths(file: &ScenarioFile, folder: &Path) -> Vec<Violation> {
    let root = FieldPath::ROOT;
    let mut violations = Vec::new();
    let policies = file.policies.as_deref().unwrap_or_default();
    violations.extend(missing(&root.field("policies"), policies, folder));
    violations.extend(missing(&root.field("manifests"), &file.manifests, folder));
    for (index, happens) in file.timeline.iter().enumerate() {
        let path = root.field("timeline").index(index).field("apply");
        let applied = happens.apply.iter().flat_map(|it| &it.manifests);
        let applied: Vec<String> = applied.cloned().collect();
        violations.extend(missing(&path.field("manifests"), &applied, folder));
    }
    let files = [("cluster", &file.cluster), ("catalog", &file.catalog)];
    for (name, named) in files {
        if let Some(named) = named.as_ref().filter(|it| !folder.join(it).is_file()) {
            let rule = format!("There is no file {}.", folder.join(named).display());
            let path = root.field(name);
            violations.push(Violation::new(path, named, rule, CORRECT_THE_PATH));
        }
    }
    violations
}

fn missing(path: &FieldPath, named: &[String], folder: &Path) -> Vec<Violation> {
    let paths = named.iter().enumerate();
    let missing = paths.filter(|(_, it)| !folder.join(it).exists());
    missing
        .map(|(index, it)| {
            let rule = format!("There is no file or folder {}.", folder.join(it).display());
            Violation::new(path.index(index), it, rule, CORRECT_THE_PATH)
        })
        .collect()
}

fn is_name(text: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(known)
}

pub(super) fn span(path: &FieldPath, text: &str) -> Option<Violation> {
    let error = parse_duration(text).err()?;
    let rule = format!("This must be a duration: {error}.");
    let fix = "Write it as 30s, 10m or 1h30m.";
    Some(Violation::new(path.clone(), text, rule, fix))
}

/// A duration of a file whose rules have been checked.
pub(super) fn length(text: &str) -> Duration {
    parse_duration(text).expect("the rules of the file check its durations")
}

fn happening(path: &FieldPath, happens: &Happens) -> Vec<Violation> {
    let mut violations: Vec<_> = span(&path.field("at"), &happens.at).into_iter().collect();
    let apply = &happens.apply;
    if let Some(prices) = &happens.prices {
        violations.extend(prices.check(&path.field("prices")));
    }
    if let Some(interrupt) = &happens.interrupt {
        violations.extend(interrupt.check(&path.field("interrupt")));
    }
    if let Some(outage) = &happens.zone_outage {
        let lasts = path.field("zoneOutage").field("lasts");
        violations.extend(span(&lasts, &outage.lasts));
    }
    let lasts = happens.silence.as_ref().and_then(|it| it.lasts.as_ref());
    let lasts_path = path.field("silence").field("lasts");
    violations.extend(lasts.and_then(|it| span(&lasts_path, it)));
    if is_empty(happens) {
        let value = format!("at {}", happens.at);
        let rule = "Something must happen here.";
        let fix = format!("Add one of {}.", HAPPENINGS.join(", "));
        let things = path.fields(HAPPENINGS);
        violations.push(Violation::new(path.clone(), value, rule, fix).depends_on(things));
    }
    let applied = apply.as_ref();
    if let Some(pool) = applied.and_then(|it| it.node_pool.as_ref()) {
        let path = path.field("apply").field("nodePool");
        let found = check_node_pool(&pool.object()).into_iter();
        violations.extend(found.map(|it| it.within(&path)));
    }
    if let Some(cron) = applied.and_then(|it| it.cron_job.as_ref()) {
        let path = path.field("apply").field("cronJob").field("spec");
        violations.extend(schedule(&path, cron));
    }
    if let Some(class) = applied.and_then(|it| it.node_class.as_ref()) {
        let path = path.field("apply").field("nodeClass");
        let found = check_ec2_node_class(&class.object()).into_iter();
        violations.extend(found.map(|it| it.within(&path)));
    }
    violations
}

/// What can happen.
const HAPPENINGS: [&str; 10] = [
    "prices",
    "capacity",
    "quota",
    "zoneOutage",
    "interrupt",
    "silence",
    "apply",
    "scale",
    "delete",
    "crashController",
];

fn is_empty(happens: &Happens) -> bool {
    let Happens {
        at: _,
        prices,
        capacity,
        quota,
        zone_outage,
        interrupt,
        silence,
        apply,
        scale,
        delete,
        crash_controller,
    } = happens;
    let of_cloud = prices.is_some() || capacity.is_some() || quota.is_some();
    let lost = zone_outage.is_some() || interrupt.is_some() || silence.is_some();
    let of_users = apply.is_some() || scale.is_some() || delete.is_some();
    !of_cloud && !lost && !of_users && !crash_controller
}

/// A schedule that cannot be read would never start anything.
fn schedule(path: &FieldPath, cron: &CronJob) -> Option<Violation> {
    let spec = &cron.spec;
    let zone = spec.time_zone.as_deref().unwrap_or("UTC");
    let Ok(zone) = zone.parse::<Tz>() else {
        let rule = "This must be a zone of the IANA time zone database.";
        let fix = "Write it as Europe/Berlin, or leave it out.";
        return Some(Violation::new(path.field("timeZone"), zone, rule, fix));
    };
    let error = Schedule::parse(&spec.schedule, zone).err()?;
    let rule = format!("This must be a schedule: {error}.");
    let fix = "Write five fields, as in `30 2 * * *`.";
    let path = path.field("schedule");
    Some(Violation::new(path, &spec.schedule, rule, fix))
}

fn expectations(path: &FieldPath, expect: &Expectations) -> Vec<Violation> {
    let waits = expect.pod_wait_seconds.clone().unwrap_or_default();
    let waiting = path.field("podWaitSeconds");
    let bounds = [
        (
            path.field("firstAnswerSeconds"),
            &expect.first_answer_seconds,
        ),
        (path.field("ourSeconds"), &expect.our_seconds),
        (
            path.field("allNodesGoneSeconds"),
            &expect.all_nodes_gone_seconds,
        ),
        (path.field("fallbackSeconds"), &expect.fallback_seconds),
        (path.field("nodesPeak"), &expect.nodes_peak),
        (path.field("evictions"), &expect.evictions),
        (
            path.field("interruptionNotices"),
            &expect.interruption_notices,
        ),
        (path.field("machinesTaken"), &expect.machines_taken),
        (path.field("podGapSeconds"), &expect.pod_gap_seconds),
        (waiting.field("p50"), &waits.p50),
        (waiting.field("p95"), &waits.p95),
        (waiting.field("max"), &waits.max),
    ];
    let mut violations: Vec<_> = bounds
        .iter()
        .filter_map(|(path, bound)| Some(numbers(path, bound.as_ref()?)))
        .flatten()
        .collect();
    let cost = expect.cost_usd.clone().unwrap_or_default();
    for (name, text) in [("min", cost.min), ("max", cost.max)] {
        if let Some(text) = text.filter(|text| dollars(text).is_none()) {
            let path = path.field("costUsd").field(name);
            let rule = "This must be an amount of dollars.";
            let fix = "Write a plain decimal, such as \"0.05\".";
            violations.push(Violation::new(path, text, rule, fix));
        }
    }
    violations
}

fn numbers(path: &FieldPath, bound: &Bound) -> Vec<Violation> {
    let ends = [("min", &bound.min), ("max", &bound.max)];
    let wrong = ends.into_iter().filter_map(|(name, number)| {
        let number = number.as_ref()?;
        thousandths(number).is_none().then(|| {
            let rule = "This must be a number that is not below zero.";
            let fix = "Write a plain decimal, such as 145 or 0.5.";
            Violation::new(path.field(name), number, rule, fix)
        })
    });
    wrong.collect()
}

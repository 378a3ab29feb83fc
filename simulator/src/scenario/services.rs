//! Many similar workloads in few lines, and how many pods they have at what time.
//!
//! A curve is a few points. Without `ramp` the replicas jump from one to the next; with it they
//! change evenly, so often. With `every` the curve begins anew, as days do.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use schemars::JsonSchema;
use serde::Deserialize;
use tidewright::api::rules::{FieldPath, Violation};
use tidewright::model::time::parse_duration;

use super::file::ScalableKind;
use super::rules::length;
use crate::setup::{Happening, Object, ObjectKind};

/// The most copies of one service: names have three digits.
const COUNT_MAX: u32 = 999;

/// One workload, or many that are alike, from the beginning.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// The name. With `count` it is followed by a number from 001 on.
    pub name: String,
    /// How many there are that are alike.
    pub count: Option<u32>,
    /// The namespace.
    #[serde(default = "super::file::default_namespace")]
    pub namespace: String,
    /// What it is; a Deployment unless said otherwise.
    #[serde(default)]
    pub kind: ServiceKind,
    /// Its pods. The label `app` with its name is added.
    pub template: Box<PodTemplateSpec>,
    /// How many pods there are when.
    pub replicas: Curve,
    /// By how much the curve of each copy is later than that of the one before.
    pub shift: Option<String>,
}

/// What a service can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ServiceKind {
    /// A Deployment.
    #[default]
    Deployment,
    /// A StatefulSet.
    StatefulSet,
}

/// How many pods a workload has that was applied elsewhere.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaling {
    /// The kind.
    pub kind: ScalableKind,
    /// The namespace.
    #[serde(default = "super::file::default_namespace")]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// How many pods there are when.
    pub replicas: Curve,
}

/// How many pods there are when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Curve {
    /// So many from these times on, counted from the start.
    pub points: BTreeMap<String, u32>,
    /// After so long it begins anew.
    pub every: Option<String>,
    /// Between two points the number changes evenly, so often; left out, it jumps.
    pub ramp: Option<String>,
}

/// What is wrong with the services and curves of a file.
pub(super) fn check(services: &[Service], scalings: &[Scaling]) -> Vec<Violation> {
    let root = FieldPath::ROOT;
    let mut violations = Vec::new();
    for (index, service) in services.iter().enumerate() {
        let path = root.field("services").index(index);
        violations.extend(curve(&path.field("replicas"), &service.replicas));
        let shift = service.shift.as_ref();
        violations.extend(shift.and_then(|it| super::rules::span(&path.field("shift"), it)));
        let count = service.count.unwrap_or(1);
        if !(1..=COUNT_MAX).contains(&count) {
            let rule = format!("There can be 1 to {COUNT_MAX} copies of a service.");
            let fix = "Write a number in this range, or a second service.";
            violations.push(Violation::new(path.field("count"), count, rule, fix));
        }
    }
    for (index, scaling) in scalings.iter().enumerate() {
        let path = root.field("replicas").index(index);
        violations.extend(curve(&path.field("replicas"), &scaling.replicas));
    }
    violations
}

fn curve(path: &FieldPath, curve: &Curve) -> Vec<Violation> {
    let points = path.field("points");
    let times = curve.points.keys();
    let mut violations: Vec<Violation> = times
        .filter_map(|time| super::rules::span(&points.field(time.clone()), time))
        .collect();
    for (name, text) in [("every", &curve.every), ("ramp", &curve.ramp)] {
        let Some(text) = text else { continue };
        violations.extend(super::rules::span(&path.field(name), text));
        if parse_duration(text).is_ok_and(|span| span.is_zero()) {
            let rule = "This time must be longer than nothing.";
            let fix = "Write it as 24h or 10m, or leave it out.";
            violations.push(Violation::new(path.field(name), text, rule, fix));
        }
    }
    if curve.points.is_empty() {
        let rule = "A curve has one point at least.";
        let fix = "Write it as {0s: 2, 8h: 20, 18h: 2}.";
        violations.push(Violation::new(points, "{}", rule, fix));
    }
    violations
}

/// What services and curves do to a world that ends at `until`.
pub(super) fn happenings(
    services: &[Service],
    scalings: &[Scaling],
    until: Duration,
) -> Vec<(Duration, Happening)> {
    let mut all = Vec::new();
    for service in services {
        let shift = service.shift.as_deref().map_or(Duration::ZERO, length);
        for number in 1..=service.count.unwrap_or(1) {
            let name = match service.count {
                Some(_) => format!("{}-{number:03}", service.name),
                None => service.name.clone(),
            };
            let late = shift.saturating_mul(number - 1);
            let course = Course::of(&service.replicas, late);
            let replicas = course.at(Duration::ZERO);
            all.push((
                Duration::ZERO,
                Happening::Apply(object(service, &name, replicas)),
            ));
            let kind = match service.kind {
                ServiceKind::Deployment => ObjectKind::Deployment,
                ServiceKind::StatefulSet => ObjectKind::StatefulSet,
            };
            all.extend(course.scales(until, (kind, &service.namespace, &name)));
        }
    }
    for scaling in scalings {
        let course = Course::of(&scaling.replicas, Duration::ZERO);
        let workload = (
            scaling.kind.object(),
            scaling.namespace.as_str(),
            scaling.name.as_str(),
        );
        all.extend(course.scales(until, workload));
    }
    all
}

fn object(service: &Service, name: &str, replicas: u32) -> Object {
    let app = || BTreeMap::from([("app".to_owned(), name.to_owned())]);
    let mut template = (*service.template).clone();
    let labels = &mut template.metadata.get_or_insert_default().labels;
    labels.get_or_insert_default().extend(app());
    let selector = LabelSelector {
        match_labels: Some(app()),
        ..LabelSelector::default()
    };
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(service.namespace.clone()),
        ..ObjectMeta::default()
    };
    let replicas = Some(i32::try_from(replicas).unwrap_or(i32::MAX));
    match service.kind {
        ServiceKind::Deployment => Object::Deployment(Box::new(Deployment {
            metadata,
            spec: Some(DeploymentSpec {
                replicas,
                selector,
                template,
                ..DeploymentSpec::default()
            }),
            status: None,
        })),
        ServiceKind::StatefulSet => Object::StatefulSet(Box::new(StatefulSet {
            metadata,
            spec: Some(StatefulSetSpec {
                replicas,
                selector,
                template,
                service_name: Some(name.to_owned()),
                ..StatefulSetSpec::default()
            }),
            status: None,
        })),
    }
}

/// A curve that can be asked.
struct Course {
    points: Vec<(Duration, u32)>,
    every: Option<Duration>,
    ramp: Option<Duration>,
    late: Duration,
}

impl Course {
    fn of(curve: &Curve, late: Duration) -> Self {
        let points = curve.points.iter();
        let mut points: Vec<_> = points.map(|(time, count)| (length(time), *count)).collect();
        points.sort_unstable();
        Self {
            points,
            every: curve.every.as_deref().map(length),
            ramp: curve.ramp.as_deref().map(length),
            late,
        }
    }

    /// How many pods there are at a time. Before its first point a curve is what it is at its end, if
    /// it begins anew, and what it is at that point if not.
    fn at(&self, time: Duration) -> u32 {
        let time = self.own_time(time);
        let after = self.points.partition_point(|(at, _)| *at <= time);
        let last = self.points.last().copied();
        let before = after
            .checked_sub(1)
            .and_then(|it| self.points.get(it).copied());
        let next = self.points.get(after).copied();
        match (before, next, self.every) {
            (Some(before), Some(next), _) => self.between(before, next, time),
            (Some(before), None, Some(every)) => {
                let (at, count) = self.points[0];
                self.between(before, (at + every, count), time)
            }
            (None, Some(next), Some(every)) => {
                let (at, count) = last.unwrap_or(next);
                self.between((at, count), (next.0 + every, next.1), time + every)
            }
            (Some((_, count)), None, None) | (None, Some((_, count)), None) => count,
            (None, None, _) => 0,
        }
    }

    /// The time on the curve's own clock.
    fn own_time(&self, time: Duration) -> Duration {
        let Some(every) = self.every else {
            return time.saturating_sub(self.late);
        };
        let (every, late) = (every.as_millis(), self.late.as_millis());
        let own = (time.as_millis() + every - late % every) % every;
        Duration::from_millis(u64::try_from(own).expect("it is less than a duration of the file"))
    }

    fn between(
        &self,
        (from, old): (Duration, u32),
        (to, new): (Duration, u32),
        time: Duration,
    ) -> u32 {
        let whole = to.saturating_sub(from).as_millis();
        if self.ramp.is_none() || whole == 0 {
            return old;
        }
        let passed = time.saturating_sub(from).as_millis();
        let (old, new) = (u128::from(old), u128::from(new));
        let sum = old * (whole - passed.min(whole)) + new * passed.min(whole);
        u32::try_from((sum + whole / 2) / whole).expect("it lies between two such numbers")
    }

    /// When the number changes after the start, and to what.
    fn changes(&self, until: Duration) -> Vec<(Duration, u32)> {
        let mut times: Vec<Duration> = Vec::new();
        if let Some(ramp) = self.ramp {
            let mut time = ramp;
            while time <= until {
                times.push(time);
                time += ramp;
            }
        }
        for (at, _) in &self.points {
            let mut time = *at + self.late;
            while time <= until {
                times.push(time);
                let Some(every) = self.every else { break };
                time += every;
            }
        }
        times.sort_unstable();
        let mut known = self.at(Duration::ZERO);
        times.retain(|time| {
            let is_new = self.at(*time) != known;
            known = self.at(*time);
            is_new
        });
        times
            .into_iter()
            .map(|time| (time, self.at(time)))
            .collect()
    }

    fn scales(
        &self,
        until: Duration,
        (kind, namespace, name): (ObjectKind, &str, &str),
    ) -> impl Iterator<Item = (Duration, Happening)> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.changes(until).into_iter().map(move |(at, replicas)| {
            let scale = Happening::Scale {
                kind,
                namespace: namespace.clone(),
                name: name.clone(),
                replicas,
            };
            (at, scale)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    /// The changes of a curve within so many hours, in hours and thousandths of them.
    fn check(
        curve: &serde_json::Value,
        (late, until): (u64, u64),
        expected: &[(u64, u32)],
        first: u32,
    ) {
        let read: Curve = serde_json::from_value(curve.clone()).expect("sound");
        assert_eq!(super::curve(&FieldPath::ROOT, &read), []);
        let course = Course::of(&read, Duration::from_secs(late * HOUR));
        assert_eq!(course.at(Duration::ZERO), first, "{curve}");
        let changes = course.changes(Duration::from_secs(until * HOUR));
        let minutes = changes
            .iter()
            .map(|(at, count)| (at.as_secs() / 60, *count));
        assert_eq!(minutes.collect::<Vec<_>>(), expected, "{curve}");
    }

    #[test]
    fn a_curve_jumps_or_climbs_and_begins_anew() {
        let day = serde_json::json!({"points": {"0s": 2, "8h": 6, "20h": 2}, "every": "24h"});
        check(&day, (0, 36), &[(480, 6), (1_200, 2), (1_920, 6)], 2);
        check(&day, (1, 12), &[(540, 6)], 2);
        let once = serde_json::json!({"points": {"1h": 3, "2h": 5}});
        check(&once, (0, 24), &[(120, 5)], 3);
        let climb = serde_json::json!({"points": {"0s": 0, "1h": 4}, "ramp": "15m"});
        check(&climb, (0, 24), &[(15, 1), (30, 2), (45, 3), (60, 4)], 0);
        // From the last point back to the first the curve climbs as well.
        let wave = serde_json::json!({"points": {"0s": 0, "1h": 2}, "every": "2h", "ramp": "30m"});
        check(&wave, (0, 2), &[(30, 1), (60, 2), (90, 1), (120, 0)], 0);
        check(&wave, (1, 2), &[(30, 1), (60, 0), (90, 1), (120, 2)], 2);
    }

    #[test]
    fn what_is_wrong_with_a_curve_is_said() {
        let bad: Curve = serde_json::from_value(serde_json::json!({
            "points": {"soon": 1}, "every": "0s",
        }))
        .expect("it has its shape");
        let paths = curve(&FieldPath::ROOT, &bad).into_iter();
        let paths: Vec<String> = paths.map(|it| it.path.to_string()).collect();
        assert_eq!(paths, ["points.soon", "every"]);
    }
}

use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::*;
use crate::event::Actor;
use crate::kube::kubelet;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn read<T: serde::de::DeserializeOwned>(manifest: Value) -> T {
    serde_json::from_value(manifest).expect("a manifest written in a test is sound")
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c"}]}})
}

fn pods(store: &Store) -> usize {
    store
        .all::<Pod>()
        .values()
        .filter(|pod| is_active(pod))
        .count()
}

/// Shows the controllers what was touched, and lets them run.
fn run(workloads: &mut Workloads, store: &mut Store, now: Timestamp) -> Option<Timestamp> {
    for touched in store.take_touched() {
        workloads.touched(store, &touched);
    }
    workloads.run(store, now)
}

#[test]
fn a_deployment_gets_its_pods_at_the_pace_of_the_controllers() {
    let (mut store, mut workloads) = (Store::default(), Workloads::new(NOW));
    let deployment: Deployment = read(json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 50, "selector": {}, "template": template()},
    }));
    store.create(deployment, NOW).expect("new");
    let again = run(&mut workloads, &mut store, NOW).expect("the burst is 30");
    assert_eq!(pods(&store), 30);
    assert_eq!(
        run(&mut workloads, &mut store, again),
        Some(again.saturating_add(again.since(NOW)))
    );
    assert_eq!(pods(&store), 31);
    let later = NOW.saturating_add(Duration::from_secs(1));
    assert_eq!(run(&mut workloads, &mut store, later), None);
    assert_eq!(pods(&store), 50);

    let key = ObjectKey::new("default", "web");
    let scaled = store.update::<Deployment>(&key, |deployment| {
        deployment.spec.get_or_insert_default().replicas = Some(2);
    });
    scaled.expect("known");
    assert_eq!(run(&mut workloads, &mut store, later), None);
    assert_eq!(pods(&store), 2);

    store
        .delete::<Deployment>(&key, Actor::User, later)
        .expect("known");
    assert_eq!(pods(&store), 0);
}

#[test]
fn a_job_ends_when_enough_pods_have_succeeded() {
    let (mut store, mut workloads) = (Store::default(), Workloads::new(NOW));
    let job: Job = read(json!({
        "metadata": {"name": "report"},
        "spec": {"completions": 3, "parallelism": 2, "template": template()},
    }));
    store.create(job, NOW).expect("new");
    let mut started = 0;
    for active in [2, 2, 1] {
        assert_eq!(run(&mut workloads, &mut store, NOW), None);
        assert_eq!(pods(&store), active);
        let running = store.all::<Pod>().iter().find(|(_, pod)| is_active(pod));
        let key = running.map(|(key, _)| key.clone()).expect("one is active");
        kubelet::finish(&mut store, &key, NOW);
        started += 1;
    }
    run(&mut workloads, &mut store, NOW);
    assert_eq!((started, pods(&store)), (3, 0));
    let job = store
        .get::<Job>(&ObjectKey::new("default", "report"))
        .expect("known");
    let conditions = job
        .status
        .clone()
        .and_then(|it| it.conditions)
        .unwrap_or_default();
    assert_eq!(conditions[0].type_, "Complete");
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node_that_it_tolerates() {
    let (mut store, mut workloads) = (Store::default(), Workloads::new(NOW));
    let set: DaemonSet = read(json!({
        "metadata": {"name": "log"},
        "spec": {"selector": {}, "template": template()},
    }));
    store.create(set, NOW).expect("new");
    let nodes = [
        ("open", json!([])),
        (
            "draining",
            json!([{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]),
        ),
        ("closed", json!([{"key": "k", "effect": "NoSchedule"}])),
    ];
    for (name, taints) in nodes {
        let node: Node = read(json!({"metadata": {"name": name}, "spec": {"taints": taints}}));
        store.create(node, NOW).expect("new");
    }
    run(&mut workloads, &mut store, NOW);
    assert_eq!(pods(&store), 2);
    // A taint that comes later keeps new pods away and lets those that are there stay.
    let key = ObjectKey::cluster("open");
    let tainted = store.update::<Node>(&key, |node| {
        let taints = json!([{"key": "k", "effect": "NoSchedule"}]);
        node.spec.get_or_insert_default().taints = Some(read(taints));
    });
    tainted.expect("known");
    run(&mut workloads, &mut store, NOW);
    assert_eq!(pods(&store), 2);
}

/// 1970-01-03T00:16:40Z: schedules hit from the second day of the calendar on.
const LATER: Timestamp = Timestamp::from_seconds(2 * 86_400 + 1_000);

/// A cluster of controllers alone, in which pods become ready when a test says so.
struct Cluster {
    store: Store,
    workloads: Workloads,
    now: Timestamp,
}

impl Cluster {
    fn new() -> Self {
        Self {
            store: Store::default(),
            workloads: Workloads::new(LATER),
            now: LATER,
        }
    }

    fn apply<T: Stored + serde::de::DeserializeOwned>(&mut self, manifest: Value) {
        self.store
            .apply::<T>(read(manifest), self.now)
            .expect("applies");
    }

    /// The controllers look until they have nothing to do at this instant.
    fn settle(&mut self) -> Option<Timestamp> {
        self.show();
        loop {
            let again = self.workloads.run(&mut self.store, self.now);
            if !self.show() {
                return again;
            }
        }
    }

    /// Shows the controllers what was touched; says whether anything was.
    fn show(&mut self) -> bool {
        let touched = self.store.take_touched();
        for touched in &touched {
            self.workloads.touched(&self.store, touched);
        }
        !touched.is_empty()
    }

    fn after(&mut self, seconds: u64) -> Option<Timestamp> {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
        self.settle()
    }

    /// Every pod that waits is ready.
    fn all_ready(&mut self) {
        let keys: Vec<ObjectKey> = self.store.all::<Pod>().keys().cloned().collect();
        for key in keys {
            let ready = self.store.update::<Pod>(&key, |pod| {
                pod.spec.get_or_insert_default().node_name = Some("n".to_owned());
                if ready_since(pod).is_none() {
                    let status = pod.status.get_or_insert_default();
                    status.phase = Some("Running".to_owned());
                    crate::kube::conditions::set_pod(
                        pod,
                        "Ready",
                        crate::kube::conditions::Truth::True,
                        None,
                        self.now,
                    );
                }
            });
            ready.expect("listed");
        }
    }

    /// Pods that were told to go are gone.
    fn stop(&mut self) {
        let going = self.store.all::<Pod>().iter();
        let going = going.filter(|(_, pod)| pod.metadata.deletion_timestamp.is_some());
        let going: Vec<ObjectKey> = going.map(|(key, _)| key.clone()).collect();
        for key in going {
            self.store.remove_pod(&key, self.now);
        }
    }

    /// What the containers of the active pods are called, and how many pods there are of each.
    fn by_container(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for pod in self.store.all::<Pod>().values().filter(|it| is_active(it)) {
            let containers = &pod.spec.as_ref().expect("made of a template").containers;
            *counts.entry(containers[0].name.clone()).or_default() += 1;
        }
        counts
    }

    /// The names of the active pods.
    fn names(&self) -> Vec<&str> {
        let pods = self.store.all::<Pod>().iter();
        let active = pods.filter(|(_, pod)| is_active(pod));
        active.map(|(key, _)| key.name.as_str()).collect()
    }

    fn finish_any(&mut self) {
        let mut pods = self.store.all::<Pod>().iter();
        let active = pods.find(|(_, pod)| is_active(pod));
        let key = active.map(|(key, _)| key.clone()).expect("one is active");
        kubelet::finish(&mut self.store, &key, self.now);
    }
}

fn deployment(replicas: u32, container: &str, strategy: &Value) -> Value {
    json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "strategy": strategy,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": container}]},
            },
        },
    })
}

/// Rolls from `old` to `new`: how many pods of each there are after each step.
fn rollout(replicas: u32, strategy: &Value) -> Vec<(usize, usize)> {
    let mut cluster = Cluster::new();
    cluster.apply::<Deployment>(deployment(replicas, "old", strategy));
    cluster.settle();
    cluster.all_ready();
    cluster.apply::<Deployment>(deployment(replicas, "new", strategy));
    let mut steps = Vec::new();
    loop {
        cluster.after(10);
        let counts = cluster.by_container();
        let of = |name: &str| counts.get(name).copied().unwrap_or(0);
        let step = (of("old"), of("new"));
        if steps.last() == Some(&step) {
            return steps;
        }
        steps.push(step);
        cluster.stop();
        cluster.all_ready();
    }
}

#[test]
fn a_rollout_keeps_within_its_bounds() {
    // A quarter of ten: three more at most, two fewer at most.
    let expected = [(8, 5), (3, 10), (0, 10)];
    assert_eq!(rollout(10, &json!({})), expected);
    let one_by_one = json!({
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    });
    assert_eq!(rollout(2, &one_by_one), [(2, 1), (1, 2), (0, 2)]);
    // Neither may be zero, or nothing could move.
    let stuck = json!({
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0%"},
    });
    assert_eq!(rollout(2, &stuck), [(1, 1), (0, 2)]);
    let recreate = json!({"type": "Recreate"});
    assert_eq!(rollout(3, &recreate), [(0, 0), (0, 3)]);
}

#[test]
fn a_pod_counts_when_it_has_been_ready_for_long_enough() {
    let mut cluster = Cluster::new();
    let with_pause = |container: &str| {
        let strategy = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
        let mut manifest = deployment(1, container, &strategy);
        manifest["spec"]["minReadySeconds"] = json!(30);
        manifest
    };
    cluster.apply::<Deployment>(with_pause("old"));
    cluster.settle();
    cluster.all_ready();
    cluster.after(60);
    cluster.apply::<Deployment>(with_pause("new"));
    cluster.settle();
    cluster.all_ready();
    let again = cluster.after(10).expect("the new pod is on its way");
    assert_eq!(cluster.by_container().len(), 2);
    assert_eq!(again.since(cluster.now), Duration::from_secs(20));
    cluster.after(20);
    assert_eq!(
        cluster.by_container(),
        BTreeMap::from([("new".to_owned(), 1)])
    );
}

fn stateful(replicas: u32, container: &str, more: &Value) -> Value {
    let mut spec = json!({
        "replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [{"name": container}]},
        },
    });
    for (key, value) in more.as_object().expect("an object") {
        spec[key] = value.clone();
    }
    json!({"metadata": {"name": "db"}, "spec": spec})
}

#[test]
fn a_stateful_set_comes_and_goes_in_order() {
    let mut cluster = Cluster::new();
    cluster.apply::<StatefulSet>(stateful(3, "c", &json!({})));
    for expected in [
        &["db-0"] as &[&str],
        &["db-0", "db-1"],
        &["db-0", "db-1", "db-2"],
    ] {
        cluster.after(1);
        assert_eq!(cluster.names(), expected);
        cluster.all_ready();
    }
    // One that was evicted comes back under its name when it is gone, and not before.
    let first = ObjectKey::new("default", "db-0");
    let before = uid(cluster.store.get::<Pod>(&first).expect("there"));
    let evicted = cluster
        .store
        .delete_pod(&first, Grace::OfPod, Actor::User, cluster.now);
    evicted.expect("there");
    cluster.after(1);
    assert_eq!(cluster.names(), ["db-1", "db-2"]);
    cluster.stop();
    cluster.after(1);
    let after = uid(cluster.store.get::<Pod>(&first).expect("there again"));
    assert_ne!(before, after);

    // While one is not ready, none goes.
    cluster.apply::<StatefulSet>(stateful(1, "c", &json!({})));
    cluster.after(1);
    assert_eq!(cluster.names(), ["db-0", "db-1", "db-2"]);
    cluster.all_ready();
    for expected in [&["db-0", "db-1"] as &[&str], &["db-0"], &["db-0"]] {
        cluster.after(1);
        assert_eq!(cluster.names(), expected);
        cluster.stop();
    }
}

#[test]
fn a_parallel_set_waits_for_nothing() {
    let mut cluster = Cluster::new();
    let parallel = json!({"podManagementPolicy": "Parallel", "ordinals": {"start": 5}});
    cluster.apply::<StatefulSet>(stateful(3, "c", &parallel));
    cluster.settle();
    assert_eq!(cluster.names(), ["db-5", "db-6", "db-7"]);
    cluster.apply::<StatefulSet>(stateful(0, "c", &parallel));
    cluster.settle();
    assert!(cluster.names().is_empty());
}

#[test]
fn an_update_goes_from_the_highest_ordinal_to_the_partition() {
    let mut cluster = Cluster::new();
    let strategy = json!({"updateStrategy": {
        "type": "RollingUpdate", "rollingUpdate": {"partition": 1},
    }});
    cluster.apply::<StatefulSet>(stateful(3, "old", &strategy));
    for _ in 0..3 {
        cluster.after(1);
        cluster.all_ready();
    }
    cluster.apply::<StatefulSet>(stateful(3, "new", &strategy));
    let mut gone = Vec::new();
    for _ in 0..6 {
        cluster.after(1);
        let pods = cluster.store.all::<Pod>().iter();
        let going = pods.filter(|(_, pod)| pod.metadata.deletion_timestamp.is_some());
        gone.extend(going.map(|(key, _)| key.name.clone()));
        cluster.stop();
        cluster.after(1);
        cluster.all_ready();
    }
    assert_eq!(gone, ["db-2", "db-1"]);
    let expected = BTreeMap::from([("new".to_owned(), 2), ("old".to_owned(), 1)]);
    assert_eq!(cluster.by_container(), expected);
    // A pod below the partition comes back as it was.
    let first = ObjectKey::new("default", "db-0");
    cluster.store.remove_pod(&first, cluster.now);
    cluster.after(1);
    assert_eq!(cluster.by_container(), expected);
}

#[test]
fn a_daemon_set_replaces_its_pods_one_by_one() {
    let mut cluster = Cluster::new();
    let set = |container: &str| {
        json!({
            "metadata": {"name": "log"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": container}]}}},
        })
    };
    for name in ["a", "b", "c"] {
        cluster.apply::<Node>(json!({"metadata": {"name": name}}));
    }
    cluster.apply::<DaemonSet>(set("old"));
    cluster.settle();
    cluster.all_ready();
    cluster.apply::<DaemonSet>(set("new"));
    let mut old = Vec::new();
    for _ in 0..4 {
        cluster.after(1);
        old.push(cluster.by_container().get("old").copied().unwrap_or(0));
        cluster.all_ready();
    }
    assert_eq!(old, [2, 1, 0, 0]);
    assert_eq!(pods(&cluster.store), 3);
}

fn job(more: &Value) -> Value {
    let mut spec = json!({"template": template()});
    for (key, value) in more.as_object().expect("an object") {
        spec[key] = value.clone();
    }
    json!({"metadata": {"name": "report"}, "spec": spec})
}

fn reason(cluster: &Cluster) -> Option<String> {
    let job = cluster
        .store
        .get::<Job>(&ObjectKey::new("default", "report"))?;
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.first()?.reason.clone()
}

#[test]
fn a_job_remembers_what_succeeded_on_a_node_that_is_gone() {
    let mut cluster = Cluster::new();
    cluster.apply::<Job>(job(&json!({"completions": 2, "parallelism": 1})));
    for _ in 0..2 {
        cluster.settle();
        cluster.finish_any();
        cluster.settle();
        let over = cluster.store.all::<Pod>().iter();
        let over: Vec<ObjectKey> = over
            .filter(|(_, pod)| is_terminal(pod))
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            cluster.store.remove_pod(&key, cluster.now);
        }
    }
    cluster.settle();
    assert_eq!(reason(&cluster).as_deref(), Some("CompletionsReached"));
}

#[test]
fn a_job_is_given_up_when_it_fails_too_often_or_takes_too_long() {
    let mut cluster = Cluster::new();
    let mut failing = job(&json!({"backoffLimit": 1}));
    failing["spec"]["template"]["metadata"]["annotations"][kubelet::EXIT_CODE] = json!("1");
    cluster.apply::<Job>(failing);
    cluster.settle();
    cluster.finish_any();
    let again = cluster.settle().expect("it is tried again");
    assert_eq!(again.since(cluster.now), Duration::from_secs(10));
    assert_eq!(pods(&cluster.store), 0);
    cluster.after(10);
    cluster.finish_any();
    cluster.settle();
    assert_eq!(reason(&cluster).as_deref(), Some("BackoffLimitExceeded"));

    let mut cluster = Cluster::new();
    let slow = json!({"activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 30});
    cluster.apply::<Job>(job(&slow));
    let deadline = cluster.settle().expect("it has a deadline");
    assert_eq!(deadline.since(LATER), Duration::from_mins(1));
    cluster.after(60);
    assert_eq!(reason(&cluster).as_deref(), Some("DeadlineExceeded"));
    assert_eq!(pods(&cluster.store), 0);
    cluster.after(30);
    assert!(cluster.store.all::<Job>().is_empty());
}

#[test]
fn an_indexed_job_runs_every_index_once() {
    let mut cluster = Cluster::new();
    let indexed = json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed"});
    cluster.apply::<Job>(job(&indexed));
    cluster.settle();
    let first_two: Vec<bool> = cluster
        .names()
        .iter()
        .map(|name| name.starts_with("report-0-") || name.starts_with("report-1-"))
        .collect();
    assert_eq!(first_two, [true, true]);
    for _ in 0..3 {
        cluster.finish_any();
        cluster.settle();
    }
    assert_eq!(reason(&cluster).as_deref(), Some("CompletionsReached"));
}

fn cron(more: &Value) -> Value {
    let mut spec = json!({
        "schedule": "*/5 * * * *",
        "jobTemplate": {"spec": {"template": template()}},
    });
    for (key, value) in more.as_object().expect("an object") {
        spec[key] = value.clone();
    }
    json!({"metadata": {"name": "night"}, "spec": spec})
}

/// The names of the Jobs after so many minutes, of which none has ended.
fn jobs_after(minutes: &[u64], more: &Value) -> Vec<Vec<String>> {
    let mut cluster = Cluster::new();
    cluster.apply::<CronJob>(cron(more));
    cluster.settle();
    let seen = minutes.iter().map(|minutes| {
        cluster.after(minutes * 60);
        let jobs = cluster.store.all::<Job>().keys();
        jobs.map(|key| key.name.clone()).collect()
    });
    seen.collect()
}

#[test]
fn a_cron_job_starts_what_is_due() {
    // The first instant is 16 minutes and 40 seconds after midnight.
    let allow = jobs_after(&[4, 5], &json!({}));
    assert_eq!(allow[0], ["night-2900"]);
    assert_eq!(allow[1], ["night-2900", "night-2905"]);
    let forbid = jobs_after(&[4, 5], &json!({"concurrencyPolicy": "Forbid"}));
    assert_eq!(forbid[1], ["night-2900"]);
    let replace = jobs_after(&[4, 5], &json!({"concurrencyPolicy": "Replace"}));
    assert_eq!(replace[1], ["night-2905"]);
    assert!(jobs_after(&[9], &json!({"suspend": true}))[0].is_empty());
    // Of hits that were missed the last is made good, unless it is too late.
    assert_eq!(jobs_after(&[14], &json!({}))[0], ["night-2910"]);
    let strict = json!({"startingDeadlineSeconds": 20});
    assert!(jobs_after(&[14], &strict)[0].is_empty());
    // Every zone of this schedule hits at whole minutes, those of Lord Howe among them.
    let elsewhere = json!({"schedule": "20 10 * * *", "timeZone": "Australia/Lord_Howe"});
    assert_eq!(jobs_after(&[4], &elsewhere)[0], ["night-2900"]);
    assert!(jobs_after(&[60], &json!({"timeZone": "Nowhere"}))[0].is_empty());
}

#[test]
fn a_cron_job_keeps_the_last_few_that_are_over() {
    let mut cluster = Cluster::new();
    cluster.apply::<CronJob>(cron(&json!({"successfulJobsHistoryLimit": 2})));
    cluster.settle();
    for _ in 0..4 {
        cluster.after(300);
        cluster.finish_any();
        cluster.settle();
    }
    assert_eq!(cluster.store.all::<Job>().len(), 2);
}

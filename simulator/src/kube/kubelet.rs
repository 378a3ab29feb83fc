//! Kubelets: nodes that join, pods that start, end and stop.
//!
//! | A machine | What happens |
//! |---|---|
//! | boots | nothing that the cluster sees |
//! | joins | a Node object, not ready, with the taints that the machine was given |
//! | is ready | condition `Ready` |
//! | is schedulable | add-ons run: the taint `not-ready` and the startup taints go |
//! | stopped | the Node object is deleted by the cloud's controller |
//!
//! | A pod on a node | What happens |
//! |---|---|
//! | is taken | start time |
//! | is ready | phase `Running`, condition `Ready` |
//! | finishes | phase `Succeeded` or `Failed` if an annotation says how long it runs, or a restart |
//! | is told to go | its containers stop, and it is gone |

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ContainerStatus, Node, NodeSpec, NodeStatus, Pod, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::model::claim::Machine;
use tidewright::model::id::{NodeName, stable_hash};
use tidewright::model::labels::keys;
use tidewright::model::resources::{Resources, format_amount};
use tidewright::model::time::Timestamp;

use super::conditions::{Truth, set_node_ready, set_pod};
use crate::random::{Purpose, Quantiles, Random};
use crate::store::{ObjectKey, Store, is_terminal, time, timestamp};

/// Annotation of a pod: it comes to its end by itself so many seconds after it is ready.
pub const RUN_SECONDS: &str = "simulator.tidewright.dev/run-seconds";

/// Annotation of a pod: the exit code that it comes to its end with; 0 unless given.
pub const EXIT_CODE: &str = "simulator.tidewright.dev/exit-code";

/// The pauses between restarts.
const RESTART_FIRST: Duration = Duration::from_secs(10);
const RESTART_MAX: Duration = Duration::from_mins(5);

/// What containers take to stop when they are asked to, in milliseconds: most heed the signal.
const STOP_MILLIS: Quantiles = Quantiles::of([100, 200, 400, 800, 1_200, 1_600, 2_500]);

/// The steps of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MachineStage {
    /// Its first instruction.
    Boots,
    /// Its kubelet makes the Node object.
    Joins,
    /// Its kubelet is ready.
    Ready,
    /// Pods can be bound.
    Schedulable,
    /// Somebody else gives it back.
    Vanishes,
    /// It has stopped.
    Stopped,
}

/// The steps of a pod on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodStage {
    /// It answers.
    Ready,
    /// It comes to its end by itself.
    Finished,
    /// Its containers have stopped.
    Stopped,
}

/// What a machine is told when it is bought: how its kubelet registers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserData {
    labels: BTreeMap<String, String>,
    taints: Vec<Taint>,
    startup_taints: Vec<Taint>,
}

impl UserData {
    /// What the machine of a claim is told.
    pub fn of(claim: &NodeClaim) -> Self {
        Self {
            labels: claim.metadata.labels.clone().unwrap_or_default(),
            taints: claim.spec.taints.clone(),
            startup_taints: claim.spec.startup_taints.clone(),
        }
    }

    /// Whether an add-on takes this taint away when it runs.
    pub fn is_startup_taint(&self, taint: &Taint) -> bool {
        self.startup_taints.contains(taint)
    }
}

/// The name of a machine's node, as EC2 names hosts by their address.
pub fn node_name_of(machine: &Machine) -> NodeName {
    let [.., a, b, c] = stable_hash([machine.provider_id.as_str()]).to_be_bytes();
    let zone = machine.zone.as_str();
    let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
    format!("ip-10-{a}-{b}-{c}.{region}.compute.internal").into()
}

/// The kubelet makes its Node object. False if there is one already.
pub fn join(store: &mut Store, machine: &Machine, told: &UserData, now: Timestamp) -> bool {
    let name = node_name_of(machine);
    let mut labels = told.labels.clone();
    let own = machine.labels.iter();
    labels.extend(own.map(|(key, value)| (key.to_string(), value.to_string())));
    labels.insert(keys::HOSTNAME.to_owned(), name.to_string());
    let mut taints = vec![
        taint(keys::UNREGISTERED, "NoExecute"),
        taint(keys::NOT_READY, "NoSchedule"),
    ];
    taints.extend(told.taints.iter().cloned());
    taints.extend(told.startup_taints.iter().cloned());
    let mut node = Node {
        metadata: ObjectMeta {
            name: Some(name.to_string()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec {
            provider_id: Some(machine.provider_id.to_string()),
            taints: Some(taints),
            ..NodeSpec::default()
        }),
        status: Some(NodeStatus {
            capacity: Some(quantities(&machine.capacity)),
            allocatable: Some(quantities(&machine.allocatable)),
            ..NodeStatus::default()
        }),
    };
    set_node_ready(&mut node, Truth::False, now);
    store.create(node, now).is_ok()
}

fn taint(key: &str, effect: &str) -> Taint {
    Taint {
        key: key.to_owned(),
        effect: effect.to_owned(),
        ..Taint::default()
    }
}

fn quantities(amounts: &Resources) -> BTreeMap<String, Quantity> {
    let amounts = amounts.iter();
    let written = amounts.map(|(name, amount)| {
        let text = format_amount(&name, amount);
        (name.to_string(), Quantity(text))
    });
    written.collect()
}

/// The kubelet is ready. False if its node is gone.
pub fn ready(store: &mut Store, node: &NodeName, now: Timestamp) -> bool {
    let key = ObjectKey::cluster(node.as_str());
    let done = store.update::<Node>(&key, |node| set_node_ready(node, Truth::True, now));
    done.is_ok()
}

/// The add-ons run: the taints that waited for them go. False if the node is gone.
pub fn schedulable(store: &mut Store, node: &NodeName, told: &UserData) -> bool {
    let key = ObjectKey::cluster(node.as_str());
    let done = store.update::<Node>(&key, |node| {
        let taints = node.spec.as_mut().and_then(|spec| spec.taints.as_mut());
        if let Some(taints) = taints {
            taints.retain(|taint| taint.key != keys::NOT_READY && !told.is_startup_taint(taint));
        }
    });
    done.is_ok()
}

/// The kubelet takes a pod. It is taken once; the caller keeps count.
pub fn take(store: &mut Store, pod: &ObjectKey, now: Timestamp) {
    let taken = store.update::<Pod>(pod, |pod| {
        let status = pod.status.get_or_insert_default();
        status.start_time = Some(time(now));
        status.phase = Some("Pending".to_owned());
    });
    debug_assert!(taken.is_ok(), "the caller has just read the pod");
}

/// The pod answers. The answer is how long it will run, if it ends by itself.
pub fn pod_ready(store: &mut Store, pod: &ObjectKey, now: Timestamp) -> Option<Duration> {
    let pod = store.update::<Pod>(pod, |pod| {
        pod.status.get_or_insert_default().phase = Some("Running".to_owned());
        set_pod(pod, "Ready", Truth::True, None, now);
    });
    let seconds = annotation(pod.ok()?, RUN_SECONDS)?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Whether the kubelet starts the containers of a pod again when they have ended (Kubernetes
/// documentation, "Pod Lifecycle", "Container restart policy"), and then after how long: at once the
/// first time, then after 10 s, doubled each time, five minutes at most.
pub fn restarts_after(store: &mut Store, pod: &ObjectKey, now: Timestamp) -> Option<Duration> {
    let known = store.get::<Pod>(pod)?;
    let policy = known.spec.as_ref()?.restart_policy.as_deref();
    let again = match policy {
        Some("Never") => false,
        Some("OnFailure") => has_failed(known),
        Some(_) | None => true,
    };
    if !again {
        return None;
    }
    let mut count = 0;
    let restarted = store.update::<Pod>(pod, |pod| {
        let status = pod.status.get_or_insert_default();
        let containers = status.container_statuses.get_or_insert_default();
        if containers.is_empty() {
            containers.push(ContainerStatus::default());
        }
        for container in containers {
            count = container.restart_count;
            container.restart_count += 1;
        }
        set_pod(pod, "Ready", Truth::False, Some("ContainersNotReady"), now);
    });
    debug_assert!(restarted.is_ok(), "the pod was read a moment ago");
    let doublings = u32::try_from(count).unwrap_or(0).checked_sub(1);
    Some(doublings.map_or(Duration::ZERO, |doublings| {
        RESTART_FIRST
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(RESTART_MAX)
    }))
}

fn has_failed(pod: &Pod) -> bool {
    annotation(pod, EXIT_CODE).is_some_and(|code| code != "0")
}

/// How long the first readiness probe of a pod waits: it cannot be ready before.
pub fn first_probe_after(pod: &Pod) -> Duration {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let probes = containers.filter_map(|it| it.readiness_probe.as_ref());
    let delays = probes.filter_map(|it| u64::try_from(it.initial_delay_seconds?).ok());
    Duration::from_secs(delays.max().unwrap_or(0))
}

/// The pod comes to its end by itself.
pub fn finish(store: &mut Store, pod: &ObjectKey, now: Timestamp) {
    let finished = store.update::<Pod>(pod, |pod| {
        let phase = if has_failed(pod) {
            "Failed"
        } else {
            "Succeeded"
        };
        pod.status.get_or_insert_default().phase = Some(phase.to_owned());
        set_pod(pod, "Ready", Truth::False, Some("PodCompleted"), now);
    });
    debug_assert!(finished.is_ok(), "the caller has just read the pod");
}

/// How long a pod that was told to go takes to stop: as its containers please, within its grace.
pub fn stopping_takes(pod: &Pod, random: &mut Random, now: Timestamp) -> Duration {
    let millis = random.quantile(Purpose::Pods, &STOP_MILLIS);
    let wished = Duration::from_millis(u64::from(millis));
    let end = pod.metadata.deletion_timestamp.as_ref().map(timestamp);
    end.map_or(wished, |end| wished.min(end.since(now)))
}

fn annotation<'a>(pod: &'a Pod, name: &str) -> Option<&'a str> {
    let annotations = pod.metadata.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}

/// The pods on a node that have not come to their end.
pub fn pods_on(store: &Store, node: &str) -> Vec<ObjectKey> {
    let here = store.pods_on(node).filter(|(_, pod)| !is_terminal(pod));
    here.map(|(key, _)| key.clone()).collect()
}

/// The machine of a node is no more: nobody knows whether the node is ready, and its object is
/// deleted by the cloud's controller (Kubernetes documentation, "Cloud Controller Manager").
pub fn lose(store: &mut Store, node: &NodeName, now: Timestamp) {
    let key = ObjectKey::cluster(node.as_str());
    let lost = store.update::<Node>(&key, |node| set_node_ready(node, Truth::Unknown, now));
    if lost.is_ok() {
        let deleted = store.delete::<Node>(&key, crate::event::Actor::User, now);
        debug_assert!(deleted.is_ok(), "the node was read a moment ago");
    }
}

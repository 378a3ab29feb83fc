//! What a pod takes, counted as the scheduler counts it.
//!
//! Kubernetes documentation, "Init Containers" and "Sidecar Containers", sections on resource
//! sharing, "Assign Pod-level CPU and memory resources", "Pod Overhead" and "Resize CPU and Memory
//! Resources assigned to Containers":
//!
//! 1. All containers and sidecars run together: their requests add up.
//! 2. An init container runs after the sidecars before it have started, alone with those.
//! 3. The greater of the two counts, for each resource.
//! 4. Where the pod itself requests cpu, memory or huge pages, that counts instead.
//! 5. The overhead of the runtime is added, and one pod.
//!
//! A container that is being resized counts for the greatest of what it wants, has been promised
//! and has. A request that is missing where a limit stands is that limit: the API server fills it
//! in, and here that serves pods out of manifests.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as k8s;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::unsupported::Unsupported;
use crate::api::convert::Problems;
use crate::api::convert::resource_list::{Side, amounts, resources};
use crate::api::rules::FieldPath;
use crate::model::resources::{ResourceName, Resources};

pub(super) fn requests(
    own: &k8s::PodSpec,
    status: Option<&k8s::PodStatus>,
    path: &FieldPath,
    unsupported: &mut Unsupported,
) -> Resources {
    let mut problems = Problems::default();
    let sizes = Sizes::read(own, status, path, &mut problems);
    let total = sizes.and_then(Sizes::total);
    let one_pod = Resources::new().with(&ResourceName::PODS, 1);
    let total = total.map(|total| total.with(&ResourceName::PODS, 1));
    if total.is_none() {
        problems.add(path.field("containers"), "the requests add up to too much");
    }
    unsupported.problems(problems);
    total.unwrap_or(one_pod)
}

/// Whether an init container goes on running beside the others.
pub(super) fn is_sidecar(container: &k8s::Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// The sizes that make up a pod's request.
struct Sizes {
    /// Containers and sidecars together.
    running: Resources,
    /// The most that any moment of the start takes.
    starting: Resources,
    /// What the pod says for itself; it replaces the sum.
    pod_level: BTreeMap<ResourceName, i64>,
    overhead: Resources,
}

impl Sizes {
    /// `None` when a sum leaves the range.
    fn read(
        own: &k8s::PodSpec,
        status: Option<&k8s::PodStatus>,
        path: &FieldPath,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut running = Resources::ZERO;
        let statuses = status.and_then(|status| status.container_statuses.as_ref());
        let resize = Resize::of(status, statuses);
        for (index, container) in own.containers.iter().enumerate() {
            let path = path.field("containers").index(index);
            let size = resize.apply(container, of_container(container, &path, problems));
            running = running.checked_add(&size)?;
        }
        let statuses = status.and_then(|status| status.init_container_statuses.as_ref());
        let resize = Resize::of(status, statuses);
        let (mut sidecars, mut starting) = (Resources::ZERO, Resources::ZERO);
        for (index, container) in own.init_containers.iter().flatten().enumerate() {
            let path = path.field("initContainers").index(index);
            let size = of_container(container, &path, problems);
            if is_sidecar(container) {
                let size = resize.apply(container, size);
                running = running.checked_add(&size)?;
                sidecars = sidecars.checked_add(&size)?;
                starting = starting.max(&sidecars);
            } else {
                starting = starting.max(&sidecars.checked_add(&size)?);
            }
        }
        let overhead = own.overhead.iter().flatten();
        let overhead_path = path.field("overhead");
        Some(Self {
            pod_level: pod_level(own, &running.max(&starting), path, problems),
            running,
            starting,
            overhead: resources(overhead, Side::Requested, &overhead_path, problems),
        })
    }

    fn total(self) -> Option<Resources> {
        let mut total = self.running.max(&self.starting);
        for (name, amount) in &self.pod_level {
            total.set(name, *amount);
        }
        total.checked_add(&self.overhead)
    }
}

fn of_container(
    container: &k8s::Container,
    path: &FieldPath,
    problems: &mut Problems,
) -> Resources {
    let written = container.resources.clone().unwrap_or_default();
    let path = path.field("resources");
    let mut of = |list: Option<_>, field| {
        let list: BTreeMap<String, Quantity> = list.unwrap_or_default();
        amounts(&list, Side::Requested, &path.field(field), problems)
    };
    let limits = of(written.limits, "limits");
    let requests = of(written.requests, "requests");
    let all = limits.into_iter().chain(requests);
    all.fold(Resources::ZERO, |all, (name, amount)| {
        all.with(&name, amount)
    })
}

/// What the pod requests as a whole. A limit without a request stands for one where no container
/// requests that resource (`counted`).
fn pod_level(
    own: &k8s::PodSpec,
    counted: &Resources,
    path: &FieldPath,
    problems: &mut Problems,
) -> BTreeMap<ResourceName, i64> {
    let written = own.resources.clone().unwrap_or_default();
    let path = path.field("resources");
    let mut of = |list: Option<_>, field| {
        let list: BTreeMap<String, Quantity> = list.unwrap_or_default();
        amounts(&list, Side::Requested, &path.field(field), problems)
    };
    let mut all = of(written.limits, "limits");
    all.retain(|name, _| counted.get(name) == 0);
    all.extend(of(written.requests, "requests"));
    all.retain(|name, _| is_pod_level(name));
    all
}

fn is_pod_level(name: &ResourceName) -> bool {
    [ResourceName::CPU, ResourceName::MEMORY].contains(name)
        || name.as_str().starts_with("hugepages-")
}

/// What the kubelet says of containers that are, or were, resized in place.
struct Resize<'a> {
    statuses: &'a [k8s::ContainerStatus],
    /// The node can never grant what is wanted, so that does not count.
    is_infeasible: bool,
}

impl<'a> Resize<'a> {
    fn of(
        status: Option<&k8s::PodStatus>,
        statuses: Option<&'a Vec<k8s::ContainerStatus>>,
    ) -> Self {
        let mut conditions = status
            .into_iter()
            .flat_map(|it| it.conditions.iter().flatten());
        Self {
            statuses: statuses.map_or(&[], Vec::as_slice),
            is_infeasible: conditions.any(|condition| {
                condition.type_ == "PodResizePending"
                    && condition.reason.as_deref() == Some("Infeasible")
            }),
        }
    }

    fn apply(&self, container: &k8s::Container, wanted: Resources) -> Resources {
        let named = |status: &&k8s::ContainerStatus| status.name == container.name;
        let Some(status) = self.statuses.iter().find(named) else {
            return wanted;
        };
        let Some(actual) = &status.resources else {
            return wanted;
        };
        let known = |list: Option<&BTreeMap<String, Quantity>>| {
            let list: Vec<_> = list.into_iter().flatten().collect();
            // A status is the kubelet's word: what it garbles is not the user's mistake.
            let mut unread = Problems::default();
            resources(list, Side::Requested, &FieldPath::ROOT, &mut unread)
        };
        let granted = known(actual.requests.as_ref());
        let granted = granted.max(&known(status.allocated_resources.as_ref()));
        if self.is_infeasible {
            granted
        } else {
            granted.max(&wanted)
        }
    }
}

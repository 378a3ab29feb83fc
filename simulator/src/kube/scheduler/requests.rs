//! What pods take and nodes have (Kubernetes documentation, "Resource Management for Pods and
//! Containers", "Sidecar Containers", "Pod Overhead").

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use tidewright::model::quantity::Quantity;

use crate::store::{Store, is_terminal};

/// Amounts by resource, in thousand-millionths, so that no quantity needs to be rounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amounts(BTreeMap<String, i128>);

impl Amounts {
    /// A quantity that cannot be read asks for more than there is: nothing takes such a pod.
    fn read(texts: Option<&BTreeMap<String, Text>>) -> Self {
        let texts = texts.into_iter().flatten();
        let amounts = texts.map(|(name, Text(text))| {
            let amount = Quantity::parse(text).map_or(i128::MAX / 4, Quantity::to_nanos);
            (name.clone(), amount)
        });
        Self(amounts.collect())
    }

    /// The amount of one resource.
    pub(super) fn get(&self, name: &str) -> i128 {
        self.0.get(name).copied().unwrap_or(0)
    }

    fn merge(&mut self, other: &Self, pick: fn(i128, i128) -> i128) {
        for (name, amount) in &other.0 {
            let known = self.0.entry(name.clone()).or_default();
            *known = pick(*known, *amount);
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        self.merge(other, i128::saturating_add);
        self
    }

    fn at_least(mut self, other: &Self) -> Self {
        self.merge(other, i128::max);
        self
    }

    /// The first resource of which there is less than this.
    pub(super) fn first_short(&self, room: &Self) -> Option<&str> {
        let mut amounts = self.0.iter();
        let short = amounts.find(|(name, amount)| **amount > 0 && **amount > room.get(name));
        short.map(|(name, _)| name.as_str())
    }
}

fn of_container(container: &Container) -> Amounts {
    let resources = container.resources.as_ref();
    Amounts::read(resources.and_then(|it| it.requests.as_ref()))
}

/// What a pod takes. Init containers run one after the other, before the others but beside the
/// sidecars that were started before them.
pub(super) fn of(pod: &Pod) -> Amounts {
    let one = Amounts(BTreeMap::from([("pods".to_owned(), 1_000_000_000)]));
    let Some(spec) = pod.spec.as_ref() else {
        return one;
    };
    let (mut sidecars, mut peak) = (Amounts::default(), Amounts::default());
    for container in spec.init_containers.iter().flatten() {
        let amounts = of_container(container);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = sidecars.plus(&amounts);
            peak = peak.at_least(&sidecars);
        } else {
            peak = peak.at_least(&amounts.plus(&sidecars));
        }
    }
    let main = spec.containers.iter().map(of_container);
    let running = main.fold(sidecars, |sum, amounts| sum.plus(&amounts));
    let mut total = running.at_least(&peak);
    // What the pod as a whole asks for takes the place of what its containers add up to.
    let whole = spec.resources.as_ref().and_then(|it| it.requests.as_ref());
    for (name, amount) in Amounts::read(whole).0 {
        total.0.insert(name, amount);
    }
    total
        .plus(&Amounts::read(spec.overhead.as_ref()))
        .plus(&one)
}

/// What a node has left.
pub(super) fn room(store: &Store, node: &Node) -> Amounts {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let status = node.status.as_ref();
    let mut room = Amounts::read(status.and_then(|it| it.allocatable.as_ref()));
    let pods = store.pods_on(name).filter(|(_, pod)| !is_terminal(pod));
    for (_, pod) in pods {
        room.merge(&of(pod), i128::saturating_sub);
    }
    room
}

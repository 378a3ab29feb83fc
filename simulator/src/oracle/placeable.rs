//! Whether a pod that waits at rest could have had a place.
//!
//! For each pool and offering this builds the node that a machine would become, from the raw NodePool
//! and the cloud's facts, and asks the naive scheduler. To be sure, it leaves room for the pods that
//! come with every node, and for the limits' last machine.
//!
//! Work may go on while the world is at rest: a Job replaces pods that are done, and a node that is
//! empty goes and makes room below a limit. A pod that is new, or whose place is, is still being
//! served; it is looked at when it has waited as long as that may take.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, NodeSpec, NodeStatus, Pod, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tidewright::api::convert;
use tidewright::api::nodeclaim::RequirementOperator;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::model::claim::Machine;
use tidewright::model::id::{PodKey, PoolName};
use tidewright::model::labels::keys;
use tidewright::model::node_class::NodeClass;
use tidewright::model::resources::{ResourceName, Resources, format_amount};
use tidewright::model::time::Timestamp;

use super::Scene;
use super::pools::plus;
use crate::kube::scheduler::fits_empty;
use crate::store::{ObjectKey, is_terminal, node_name};
use crate::world::World;

/// What is left free for the pods that come with every node.
const SPARE_CPU_MILLIS: i64 = 1_000;
const SPARE_MEMORY_BYTES: i64 = 2 << 30;
const SPARE_PODS: i64 = 10;

/// How long a pod may wait for a place that can be bought. Buying and booting take four minutes; a
/// plan that came to nothing, or a place that a sister took, costs a second round.
const PLACING_MAX: Duration = Duration::from_mins(10);

/// Looks at every pod that has been without a node for long.
pub(super) fn every_placeable_pod_is_bound(scene: &mut Scene<'_>, world: &World) {
    let pods = world.store().all::<Pod>().iter();
    let waiting: Vec<_> = pods
        .filter(|(key, pod)| is_waiting(pod) && !is_new(scene, key))
        .collect();
    if waiting.is_empty() {
        return;
    }
    let places: Vec<Place> = world
        .store()
        .all::<NodePool>()
        .values()
        .flat_map(|pool| places(scene, world, pool))
        .collect();
    for (key, pod) in waiting {
        let place = places.iter().find(|it| fits_empty(pod, &it.node).is_ok());
        scene.check(
            "bound",
            place.is_none(),
            || vec![format!("pod {key}")],
            || {
                let place = place.map_or("", |it| it.what.as_str());
                format!("it waits although nothing is wrong and {place} would take it")
            },
        );
    }
}

/// Whether a pod came so lately that its place may be on its way.
fn is_new(scene: &Scene<'_>, key: &ObjectKey) -> bool {
    let pod = scene.trace.pod(&PodKey::new(&key.namespace, &key.name));
    pod.is_some_and(|pod| is_recent(scene, pod.created))
}

fn is_recent(scene: &Scene<'_>, at: Timestamp) -> bool {
    scene.entry.at.since(at) <= PLACING_MAX
}

fn is_waiting(pod: &Pod) -> bool {
    let gated = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.scheduling_gates.as_ref());
    let gated = gated.is_some_and(|gates| !gates.is_empty());
    node_name(pod).is_none()
        && !is_terminal(pod)
        && !gated
        && pod.metadata.deletion_timestamp.is_none()
}

/// A node that could be bought.
struct Place {
    what: String,
    node: Node,
}

/// The nodes that a pool could have bought for some time without leaving its limits.
fn places(scene: &Scene<'_>, world: &World, pool: &NodePool) -> Vec<Place> {
    let name = pool.metadata.name.clone().unwrap_or_default();
    let rules = scene.pools.get(&PoolName::from(name.as_str()));
    let Some(rules) = rules.filter(|rules| !rules.is_deleting && pool.spec.replicas.is_none())
    else {
        return Vec::new();
    };
    let class = node_class(world, pool);
    let (machines, used) = usage(scene, &rules.name);
    let region = world.cloud().region();
    let offerings: Vec<_> = region.offerings().collect();
    let places = offerings.into_iter().filter_map(|offering| {
        let machine = region.machine(&offering, &class, "aws:///none/i-0".into())?;
        let after = plus(&used, &machine.capacity);
        let node = node(pool, &machine);
        let allowed = rules.broken_limit(machines + 1, &after).is_none();
        (allowed && wanted(pool, &node)).then(|| Place {
            what: format!("{offering} for NodePool {name}"),
            node,
        })
    });
    places.collect()
}

fn node_class(world: &World, pool: &NodePool) -> NodeClass {
    let reference = convert::node_pool(pool).value.template.node_class;
    let class = world
        .store()
        .get::<EC2NodeClass>(&ObjectKey::cluster(&reference.name));
    class.map_or_else(
        || NodeClass::with_defaults(reference),
        |class| convert::ec2_node_class(class).value,
    )
}

/// What a pool has, and what it had a short time ago: where that stood in the way, the place is new. A
/// machine that somebody has halted counts as long as its claim lives: it still exists, the message may
/// have been lost, and its claim may wait for pods that nobody stops.
fn usage(scene: &Scene<'_>, pool: &PoolName) -> (u64, Resources) {
    let trace = scene.trace;
    let counted = trace.machines.iter().filter(|(id, machine)| {
        let of_pool = machine.group.as_ref().and_then(|it| trace.pool_of(it)) == Some(pool);
        let was_lately = machine.terminated.is_none_or(|at| is_recent(scene, at));
        let claim = trace.claim_with(id);
        of_pool && (was_lately || claim.is_some_and(|claim| claim.gone.is_none()))
    });
    let running = counted.map(|(_, machine)| machine);
    running.fold((0, Resources::ZERO), |(count, sum), machine| {
        let capacity = scene.capacity.get(&machine.offering.instance_type);
        let sum = capacity.map_or_else(|| sum.clone(), |it| plus(&sum, it));
        (count + 1, sum)
    })
}

/// The node that a machine becomes, with less room than it has.
fn node(pool: &NodePool, machine: &Machine) -> Node {
    let template = &pool.spec.template;
    let own = machine.labels.iter();
    let mut labels: BTreeMap<String, String> = own
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    labels.extend(template.metadata.labels.clone());
    let name = pool.metadata.name.clone().unwrap_or_default();
    labels.insert(keys::NODE_POOL.to_owned(), name);
    let taints: Vec<Taint> = template.spec.taints.clone();
    let free = machine.allocatable.saturating_sub(
        &Resources::ZERO
            .with(&ResourceName::CPU, SPARE_CPU_MILLIS)
            .with(&ResourceName::MEMORY, SPARE_MEMORY_BYTES)
            .with(&ResourceName::PODS, SPARE_PODS),
    );
    let free = free
        .iter()
        .map(|(name, amount)| (name.to_string(), Quantity(format_amount(&name, amount))));
    Node {
        metadata: ObjectMeta {
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec {
            taints: Some(taints),
            ..NodeSpec::default()
        }),
        status: Some(NodeStatus {
            allocatable: Some(free.collect()),
            ..NodeStatus::default()
        }),
    }
}

/// Whether the pool's requirements allow a node with these labels.
fn wanted(pool: &NodePool, node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    let requirements = &pool.spec.template.spec.requirements;
    requirements.iter().all(|it| {
        let found = labels.and_then(|labels| labels.get(&it.key));
        let number = |text: &String| text.parse::<i64>().ok();
        let bound = it.values.first().and_then(number);
        let found_number = found.and_then(number);
        let compare = |holds: fn(&i64, &i64) -> bool| {
            found_number
                .zip(bound)
                .is_some_and(|(found, bound)| holds(&found, &bound))
        };
        match it.operator {
            RequirementOperator::In => found.is_some_and(|found| it.values.contains(found)),
            RequirementOperator::NotIn => found.is_none_or(|found| !it.values.contains(found)),
            RequirementOperator::Exists => found.is_some(),
            RequirementOperator::DoesNotExist => found.is_none(),
            RequirementOperator::Gt => compare(i64::gt),
            RequirementOperator::Gte => compare(i64::ge),
            RequirementOperator::Lt => compare(i64::lt),
            RequirementOperator::Lte => compare(i64::le),
        }
    })
}

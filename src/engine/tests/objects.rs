//! The objects of the tests: one pool, two instance types, two zones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Settings;
use crate::model::catalog::{CapacityType, Catalog, InstanceType, Offering, OfferingKey, Overhead};
use crate::model::claim::Machine;
use crate::model::id::{NodeName, PodKey, TypeName, Uid};
use crate::model::labels::{LabelKey, LabelValue, keys};
use crate::model::node::{Node, NodeReady};
use crate::model::node_class::NodeClassRef;
use crate::model::pod::{DoNotDisrupt, Placement, Pod, PodPhase, Requests, Scheduling};
use crate::model::pool::{
    Budget, BudgetNodes, ClaimTemplate, ConsolidationPolicy, Disruption, Limits, NodePool,
    PoolUsable,
};
use crate::model::price::Price;
use crate::model::requirement::{Requirement, Requirements};
use crate::model::resources::{ResourceName, Resources};
use crate::model::taint::{Taint, TaintEffect};
use crate::model::time::Timestamp;
use crate::planner::{Options, PreferencePolicy};

pub const CONSOLIDATE_AFTER: Duration = Duration::from_secs(30);

pub fn settings() -> Settings {
    Settings {
        batch_idle: Duration::from_secs(1),
        batch_max: Duration::from_secs(10),
        plan: Options {
            preferences: PreferencePolicy::Respect,
            evaluations_max: 1_000_000,
        },
    }
}

pub fn pool() -> NodePool {
    let reference = NodeClassRef {
        group: "karpenter.k8s.aws".into(),
        kind: "EC2NodeClass".into(),
        name: "default".into(),
    };
    NodePool {
        name: "general".into(),
        uid: "uid-pool".into(),
        deleting: None,
        usable: PoolUsable::Yes,
        weight: 0,
        template: ClaimTemplate {
            node_class: reference,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            requirements: Requirements::new().with(Requirement::one_of(
                keys::CAPACITY_TYPE,
                ["spot", "on-demand"],
            )),
            taints: Vec::new(),
            startup_taints: Vec::new(),
            expire_after: None,
            termination_grace: None,
        },
        limits: Limits::default(),
        disruption: Disruption {
            policy: ConsolidationPolicy::WhenEmpty,
            consolidate_after: Some(CONSOLIDATE_AFTER),
            budgets: vec![Budget {
                nodes: BudgetNodes::Percent(100),
                reasons: None,
                window: None,
            }],
        },
        hash: "1".into(),
    }
}

fn capacity(cpu: i64) -> Resources {
    Resources::new()
        .with(&ResourceName::CPU, cpu * 1_000)
        .with(&ResourceName::MEMORY, cpu << 32)
        .with(&ResourceName::PODS, 58)
}

/// Two types of 2 and 4 processors; spot costs a third.
pub fn catalog() -> Arc<Catalog> {
    let types = [("m.large", 2, 90_000_u64), ("m.xlarge", 4, 180_000)];
    let types = types.map(|(name, cpu, price)| {
        let labels = [
            Requirement::one_of(keys::INSTANCE_TYPE, [name]),
            Requirement::one_of(keys::ARCH, ["amd64"]),
            Requirement::one_of(keys::OS, ["linux"]),
            Requirement::one_of(keys::ZONE, ["a", "b"]),
            Requirement::one_of(keys::CAPACITY_TYPE, ["spot", "on-demand"]),
        ];
        let offerings = ["a", "b"].into_iter().flat_map(|zone| {
            let step = u64::from(zone == "b") * 1_000;
            [
                offering(zone, CapacityType::Spot, price / 3 + step),
                offering(zone, CapacityType::OnDemand, price),
            ]
        });
        Arc::new(InstanceType {
            name: name.into(),
            requirements: labels.into_iter().collect(),
            capacity: capacity(cpu),
            overhead: Overhead::default(),
            offerings: offerings.collect(),
        })
    });
    let mut catalog = Catalog::new();
    catalog.set("general".into(), types.into());
    Arc::new(catalog)
}

/// The rank of a price is here the price itself.
fn offering(zone: &str, capacity_type: CapacityType, micros: u64) -> Offering {
    let rank = u32::try_from(micros).expect("the prices of the tests are small");
    Offering::new(zone.into(), capacity_type, Price::from_micros(micros), rank)
}

pub fn spot(instance_type: &str, zone: &str) -> OfferingKey {
    OfferingKey {
        capacity_type: CapacityType::Spot,
        instance_type: TypeName::from(instance_type),
        zone: zone.into(),
    }
}

pub fn machine(key: &OfferingKey, number: usize) -> Machine {
    let cpu = if key.instance_type.as_str() == "m.large" {
        2
    } else {
        4
    };
    let labels: [(LabelKey, LabelValue); 3] = [
        (
            keys::INSTANCE_TYPE.into(),
            key.instance_type.as_str().into(),
        ),
        (keys::ZONE.into(), key.zone.as_str().into()),
        (
            keys::CAPACITY_TYPE.into(),
            key.capacity_type.as_str().into(),
        ),
    ];
    Machine {
        provider_id: format!("aws:///{}/i-{number:04}", key.zone).into(),
        instance_type: key.instance_type.clone(),
        zone: key.zone.clone(),
        capacity_type: key.capacity_type,
        labels: labels.into(),
        capacity: capacity(cpu),
        allocatable: capacity(cpu),
    }
}

pub fn node_name(machine: &Machine) -> NodeName {
    let id = machine.provider_id.as_str();
    let (_, last) = id.rsplit_once('/').expect("ids have slashes");
    format!("node-{last}").into()
}

/// A node that has just joined.
pub fn node(machine: &Machine, uid: Uid, now: Timestamp) -> Node {
    Node {
        name: node_name(machine),
        uid,
        provider_id: Some(machine.provider_id.clone()),
        created: now,
        deleting: None,
        held: false,
        labels: machine.labels.clone(),
        taints: vec![
            Taint::new(keys::UNREGISTERED, "", TaintEffect::NoExecute),
            Taint::new(keys::NOT_READY, "", TaintEffect::NoSchedule),
        ],
        capacity: machine.capacity.clone(),
        allocatable: machine.allocatable.clone(),
        ready: NodeReady::NotReady { since: now },
        do_not_disrupt: false,
    }
}

pub fn make_ready(node: &mut Node) {
    node.ready = NodeReady::Ready;
    node.taints.retain(|it| it.key.as_str() != keys::NOT_READY);
}

/// A pod of one and a half processors, so that an m.large takes one.
pub fn pod(name: &str, uid: Uid, now: Timestamp) -> Pod {
    let requests = Resources::new()
        .with(&ResourceName::CPU, 1_500)
        .with(&ResourceName::MEMORY, 1 << 30)
        .with(&ResourceName::PODS, 1);
    Pod {
        key: PodKey::new("default", name),
        uid,
        created: now,
        owner: None,
        labels: BTreeMap::new(),
        scheduling: Scheduling {
            requests: Requests(requests),
            ..Scheduling::default()
        },
        phase: PodPhase::Pending,
        placement: Placement::Unschedulable,
        deleting: None,
        started: None,
        termination_grace: Duration::from_secs(30),
        do_not_disrupt: DoNotDisrupt::No,
        critical: false,
        deletion_cost: 0,
    }
}

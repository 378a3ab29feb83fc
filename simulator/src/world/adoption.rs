//! A world that begins in the middle: nodes with running pods, and NodeClaims whose machines exist.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::api::convert;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::model::claim::Machine;
use tidewright::model::id::{NodeName, Uid};
use tidewright::model::price::Price;

use super::World;
use super::reactions::{Taken, pod_key};
use crate::event::Event;
use crate::kube::conditions::{node_is_ready, pod_is};
use crate::kube::kubelet::UserData;
use crate::setup::Object;
use crate::store::{ObjectKey, is_terminal, node_name, uid};

impl World {
    /// The objects of a cluster come into being as they were found there.
    pub(super) fn adopt_cluster(&mut self) {
        if self.setup.cluster.is_empty() {
            return;
        }
        for object in self.setup.cluster.clone() {
            self.import(object);
        }
        let running = self.take_running_pods();
        let claims: Vec<NodeClaim> = self.store.all::<NodeClaim>().values().cloned().collect();
        // The log tells of claims and pods before it tells what became of them.
        self.react();
        for claim in &claims {
            self.adopt_machine(claim);
        }
        for (key, of, node) in running {
            let pod = pod_key(&key);
            self.record(Event::PodBound {
                pod: pod.clone(),
                node,
            });
            let stored = self.store.get::<Pod>(&key).filter(|it| uid(*it) == of);
            if stored.is_some_and(|it| pod_is(it, "Ready")) {
                self.record(Event::PodReady { pod });
            }
        }
    }

    fn import(&mut self, object: Object) {
        let (store, now) = (&mut self.store, self.now);
        match object {
            Object::NodePool(object) => store.import(*object, now),
            Object::NodeClass(object) => store.import(*object, now),
            Object::NodeClaim(object) => store.import(*object, now),
            Object::Pod(object) => store.import(*object, now),
            Object::Node(object) => store.import(*object, now),
            Object::Deployment(object) => store.import(*object, now),
            Object::ReplicaSet(object) => store.import(*object, now),
            Object::DaemonSet(object) => store.import(*object, now),
            Object::StatefulSet(object) => store.import(*object, now),
            Object::Job(object) => store.import(*object, now),
            Object::CronJob(object) => store.import(*object, now),
            Object::PodDisruptionBudget(object) => store.import(*object, now),
            Object::PriorityClass(object) => store.import(*object, now),
        }
    }

    /// Kubelets have the pods that run already.
    fn take_running_pods(&mut self) -> Vec<(ObjectKey, Uid, NodeName)> {
        let pods = self.store.all::<Pod>().iter();
        let running = pods.filter_map(|(key, pod)| {
            let node = NodeName::from(node_name(pod).filter(|_| !is_terminal(pod))?);
            let phase = pod.status.as_ref()?.phase.as_deref();
            (phase == Some("Running")).then(|| (key.clone(), uid(pod), node))
        });
        let running: Vec<_> = running.collect();
        for (_, of, _) in &running {
            self.taken.insert(of.clone(), Taken::RUNNING);
        }
        running
    }

    /// The machine of a claim exists and costs money from now on.
    fn adopt_machine(&mut self, object: &NodeClaim) {
        let claim = convert::node_claim(object).value;
        let Some(machine) = claim.phase.machine().cloned() else {
            return;
        };
        let id = machine.provider_id.clone();
        let price = self.cloud.region().price(&machine.offering());
        let price = price.unwrap_or(Price::ZERO);
        let group = claim.launch_group.clone();
        let now = self.now;
        self.cloud.adopt((machine.clone(), group), price, now);
        self.told.insert(id.clone(), UserData::of(object));
        self.record(Event::MachineBought {
            machine: id.clone(),
            offering: machine.offering(),
            price,
            group: None,
        });
        self.record(Event::MachineBooting {
            machine: id.clone(),
        });
        self.record(Event::ClaimMatched {
            claim: claim.name.clone(),
            machine: id,
        });
        self.adopt_node(&machine);
    }

    fn adopt_node(&mut self, machine: &Machine) {
        let id = &machine.provider_id;
        let nodes = self.store.all::<Node>().iter();
        let of_machine = |node: &Node| {
            let spec = node.spec.as_ref();
            spec.and_then(|spec| spec.provider_id.as_deref()) == Some(id.as_str())
        };
        let mut own = nodes.filter(|(_, node)| of_machine(node));
        let found = own.next().map(|(key, node)| {
            let name = NodeName::from(key.name.as_str());
            (name, node_is_ready(node))
        });
        let Some((node, is_ready)) = found else {
            return;
        };
        self.hosts.insert(node.clone(), id.clone());
        self.nodes_of.insert(id.clone(), node.clone());
        self.record(Event::NodeJoined {
            node: node.clone(),
            machine: id.clone(),
        });
        if is_ready {
            self.schedulable.insert(node.clone());
            self.record(Event::NodeReady { node });
        }
    }
}

/// The names of nodes that are not called after their machine, by machine.
pub(super) type AdoptedNodes = BTreeMap<tidewright::model::id::ProviderId, NodeName>;

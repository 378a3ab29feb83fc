//! Kubelets that fall silent, and speak again or not.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::model::id::{NodeName, Uid};

use super::{Occurrence, World};
use crate::cloud::CloudMachine;
use crate::event::{Actor, Event};
use crate::kube::kubelet::{self, PodStage};
use crate::kube::lifecycle;
use crate::store::{Grace, ObjectKey, Touch, is_terminal, node_name, uid};

impl World {
    /// The kubelet of a node falls silent, for a while or for ever. Its machine runs on and costs
    /// what it costs.
    pub fn silence(&mut self, node: &NodeName, span: Option<Duration>) {
        if !self.silent.insert(node.clone()) {
            return;
        }
        let noticed = self.after(lifecycle::MONITOR_GRACE);
        self.queue.push(noticed, Occurrence::Unheard(node.clone()));
        if let Some(span) = span {
            let again = self.after(span);
            self.queue.push(again, Occurrence::Heard(node.clone()));
        }
    }

    /// Silences so many ready nodes, the first by name.
    pub(super) fn silence_some(&mut self, count: u32, span: Option<Duration>) -> String {
        let nodes = self.store.all::<Node>().iter();
        let ready = nodes.filter(|(_, node)| crate::kube::conditions::node_is_ready(node));
        let names = ready.map(|(key, _)| NodeName::from(key.name.as_str()));
        let speaking = names.filter(|name| !self.silent.contains(name));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let chosen: Vec<NodeName> = speaking.take(count).collect();
        for node in &chosen {
            self.silence(node, span);
        }
        let names: Vec<&str> = chosen.iter().map(NodeName::as_str).collect();
        format!("silence of {}", names.join(", "))
    }

    /// Somebody notices that a node is silent.
    pub(super) fn unheard(&mut self, node: &NodeName) {
        if !self.silent.contains(node)
            || !lifecycle::unreachable(&mut self.store, node.as_str(), self.now)
        {
            return;
        }
        for key in kubelet::pods_on(&self.store, node.as_str()) {
            let Some(pod) = self.store.get::<Pod>(&key) else {
                continue;
            };
            if let Some(patience) = lifecycle::patience(pod) {
                let of = uid(pod);
                let at = self.after(patience);
                self.queue.push(at, Occurrence::Impatient(key, of));
            }
        }
    }

    /// A pod has endured its silent node for as long as it would.
    pub(super) fn impatient(&mut self, key: &ObjectKey, of: &Uid) {
        let Some(pod) = self.store.get::<Pod>(key).filter(|pod| uid(*pod) == *of) else {
            return;
        };
        let Some(node) = node_name(pod).map(NodeName::from) else {
            return;
        };
        let known = self.store.get::<Node>(&ObjectKey::cluster(node.as_str()));
        if !known.is_some_and(lifecycle::is_unreachable) {
            return;
        }
        if let Some(event) = self.driven_out(key, node.as_str()) {
            self.record(event);
        }
        let gone = self
            .store
            .delete_pod(key, Grace::OfPod, Actor::User, self.now);
        debug_assert!(gone.is_ok(), "the pod was read a moment ago");
    }

    /// The kubelet speaks again, if its machine still runs: it takes, starts and stops what it would
    /// have meanwhile.
    pub(super) fn heard(&mut self, node: &NodeName) {
        let machine = self.hosts.get(node).and_then(|id| self.cloud.machine(id));
        if !machine.is_some_and(CloudMachine::runs)
            || !self.silent.remove(node)
            || !lifecycle::heard(&mut self.store, node.as_str(), self.now)
        {
            return;
        }
        self.record(Event::NodeReady { node: node.clone() });
        let here = self.store.pods_on(node.as_str());
        let here: Vec<(ObjectKey, Uid, bool, bool)> = here
            .map(|(key, pod)| {
                let is_going = pod.metadata.deletion_timestamp.is_some();
                (key.clone(), uid(pod), is_going, is_terminal(pod))
            })
            .collect();
        for (key, of, is_going, is_over) in here {
            if is_going {
                self.pod_after(&key, &of, Duration::ZERO, PodStage::Stopped);
            } else if self.taken.contains_key(&of) {
                if !is_over {
                    self.pod_after(&key, &of, Duration::ZERO, PodStage::Ready);
                }
            } else {
                self.kubelet_sees(&key, &of, Touch::Changed);
            }
        }
    }
}

//! Who reacts to what was touched: the log, the watches, the scheduler, the kubelets and the
//! controllers of workloads.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::model::id::{NodeName, PodKey, Uid};
use tidewright::model::labels::keys;
use tidewright::model::time::Timestamp;

use super::{Life, Occurrence, World};
use crate::echo::{Echoed, WatchFaults};
use crate::event::Event;
use crate::kube::conditions::pod_is;
use crate::kube::kubelet::MachineStage;
use crate::kube::scheduler::Verdict;
use crate::setup::ObjectKind;
use crate::store::{ObjectKey, Touch, Touched, is_terminal, node_name};

/// From a change to the scheduler's next look.
const SCHEDULE_AFTER: Duration = Duration::from_millis(8);

/// From a change to the next look of the controllers of workloads.
const WORKLOADS_AFTER: Duration = Duration::from_millis(40);

/// From a startup taint that is put on a node late until the add-on takes it away.
const LATE_TAINT_AFTER: Duration = Duration::from_secs(1);

/// A pod that a kubelet has.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    stopping: bool,
}

impl Taken {
    /// A pod that runs.
    pub(super) const RUNNING: Self = Self { stopping: false };
}

/// Namespace and name as the log writes them.
pub(super) fn pod_key(key: &ObjectKey) -> PodKey {
    PodKey::new(&key.namespace, &key.name)
}

impl World {
    /// Shows everyone what was touched, until nothing is touched any more.
    pub(super) fn react(&mut self) {
        loop {
            let touched = self.store.take_touched();
            if touched.is_empty() {
                return;
            }
            for touched in touched {
                self.log_touched(&touched);
                self.echo(&touched);
                self.react_to(&touched);
            }
        }
    }

    fn log_touched(&mut self, touched: &Touched) {
        let Touched {
            kind,
            key,
            uid,
            how,
            ..
        } = touched;
        match kind {
            ObjectKind::Pod => self.log_pod(key, uid, *how),
            ObjectKind::NodeClaim => self.log_claim(key, uid, *how),
            ObjectKind::Node => self.log_node(key, *how),
            ObjectKind::NodePool
            | ObjectKind::NodeClass
            | ObjectKind::Deployment
            | ObjectKind::ReplicaSet
            | ObjectKind::DaemonSet
            | ObjectKind::StatefulSet
            | ObjectKind::Job
            | ObjectKind::CronJob
            | ObjectKind::PodDisruptionBudget
            | ObjectKind::PriorityClass => {}
        }
    }

    fn log_pod(&mut self, key: &ObjectKey, uid: &Uid, how: Touch) {
        match how {
            Touch::Created => self.record(Event::PodCreated {
                pod: pod_key(key),
                uid: uid.clone(),
                node_bound: self.is_node_bound(key),
                owner: self.owner_of(key),
            }),
            Touch::Gone => self.pod_ended(key, uid),
            Touch::Changed | Touch::Deleting(_) => {}
        }
    }

    fn log_claim(&mut self, key: &ObjectKey, uid: &Uid, how: Touch) {
        let claim = key.name.as_str().into();
        match how {
            Touch::Created => self.record(Event::ClaimCreated {
                claim,
                uid: uid.clone(),
                pool: self.pool_of(key).as_str().into(),
            }),
            Touch::Changed => self.claim_matched(key, uid),
            Touch::Deleting(by) => self.record(Event::ClaimDeleting { claim, by }),
            Touch::Gone => self.record(Event::ClaimGone { claim }),
        }
    }

    fn log_node(&mut self, key: &ObjectKey, how: Touch) {
        let node = key.name.as_str().into();
        match how {
            Touch::Deleting(_) => self.record(Event::NodeDeleting { node }),
            Touch::Gone => self.record(Event::NodeGone { node }),
            Touch::Created | Touch::Changed => {}
        }
    }

    /// A claim says which machine is its own: that is said once.
    fn claim_matched(&mut self, key: &ObjectKey, uid: &Uid) {
        let claim = self.store.get::<NodeClaim>(key);
        let machine = claim.and_then(|claim| claim.status.as_ref()?.provider_id.clone());
        if let Some(machine) = machine
            && self.matched.insert(uid.clone())
        {
            let (claim, machine) = (key.name.as_str().into(), machine.as_str().into());
            self.record(Event::ClaimMatched { claim, machine });
        }
    }

    /// A pod came to its end: that is said once.
    pub(super) fn pod_ended(&mut self, key: &ObjectKey, uid: &Uid) {
        if self.ended.insert(uid.clone()) {
            let (pod, uid) = (pod_key(key), uid.clone());
            self.record(Event::PodEnded { pod, uid });
        }
    }

    fn is_node_bound(&self, key: &ObjectKey) -> bool {
        let pod = self.store.get::<Pod>(key);
        let owners = pod.and_then(|pod| pod.metadata.owner_references.as_ref());
        owners
            .into_iter()
            .flatten()
            .any(|owner| owner.kind == "DaemonSet")
    }

    fn owner_of(&self, key: &ObjectKey) -> Option<Arc<str>> {
        let owners = self
            .store
            .get::<Pod>(key)?
            .metadata
            .owner_references
            .as_ref();
        let owner = owners?.first()?;
        Some(format!("{} {}/{}", owner.kind, key.namespace, owner.name).into())
    }

    fn pool_of(&self, key: &ObjectKey) -> String {
        let claim = self.store.get::<NodeClaim>(key);
        let labels = claim.and_then(|claim| claim.metadata.labels.as_ref());
        let pool = labels.and_then(|labels| labels.get(keys::NODE_POOL));
        pool.cloned().unwrap_or_default()
    }

    fn echo(&mut self, touched: &Touched) {
        let Some(life) = self.controller.alive() else {
            return;
        };
        let settings = self.faults();
        let mut faults = WatchFaults {
            settings: &settings,
            random: &mut self.random,
        };
        let object = (touched.kind, &touched.key);
        let echoed = self
            .controller
            .echo
            .touched(&self.store, object, &mut faults, self.now);
        self.deliver_later(life, echoed);
        if matches!(touched.kind, ObjectKind::NodePool | ObjectKind::NodeClass) {
            self.catalog_is_due();
        }
    }

    fn deliver_later(&mut self, life: Life, echoed: Echoed) {
        if let Some(fault) = echoed.fault {
            self.record(Event::Fault(fault));
        }
        for delivery in echoed.deliveries {
            let at = delivery.at;
            self.queue
                .push(at, Occurrence::Deliver(life, Box::new(delivery)));
        }
        if let Some((at, kind)) = echoed.relist {
            self.queue.push(at, Occurrence::Relist(life, kind));
        }
    }

    fn react_to(&mut self, touched: &Touched) {
        self.workloads.touched(&self.store, touched);
        let Touched {
            kind,
            key,
            uid,
            how,
            ..
        } = touched;
        match kind {
            ObjectKind::Pod => {
                if let Some(node) = &touched.node {
                    self.scheduler.load_touched(node);
                    if *how == Touch::Gone {
                        // Its room is free, whether or not a kubelet had taken it.
                        self.scheduler.node_touched(&self.store, node);
                    }
                }
                self.scheduler.pod_touched(&self.store, key);
                self.kubelet_sees(key, uid, *how);
                self.schedule_later();
                self.workloads_later();
            }
            ObjectKind::Node => {
                if *how == Touch::Gone {
                    self.lose_pods(&key.name);
                }
                self.startup_taints_again(&NodeName::from(key.name.as_str()));
                self.scheduler.node_touched(&self.store, &key.name);
                self.schedule_later();
                self.workloads_later();
            }
            ObjectKind::Deployment
            | ObjectKind::ReplicaSet
            | ObjectKind::DaemonSet
            | ObjectKind::StatefulSet
            | ObjectKind::Job
            | ObjectKind::CronJob
            | ObjectKind::PodDisruptionBudget => self.workloads_later(),
            ObjectKind::NodePool
            | ObjectKind::NodeClaim
            | ObjectKind::NodeClass
            | ObjectKind::PriorityClass => {}
        }
    }

    pub(super) fn kubelet_sees(&mut self, key: &ObjectKey, uid: &Uid, how: Touch) {
        if how == Touch::Gone {
            self.taken.remove(uid);
            return;
        }
        let Some(pod) = self.store.get::<Pod>(key) else {
            return;
        };
        let going = pod.metadata.deletion_timestamp.is_some();
        let over = is_terminal(pod);
        let Some(node) = node_name(pod).map(NodeName::from) else {
            return;
        };
        if over {
            // Its resources are free although its object stays.
            self.scheduler.node_touched(&self.store, node.as_str());
        }
        let has_kubelet = self.has_kubelet(&node);
        match self.taken.get_mut(uid) {
            None if !over && has_kubelet => {
                self.taken.insert(uid.clone(), Taken::RUNNING);
                self.start_pod(key, uid, &node);
            }
            Some(taken) if going && !taken.stopping => {
                taken.stopping = true;
                self.stop_pod(key, uid);
            }
            None | Some(_) => {}
        }
    }

    /// The pods of a node that is gone are removed by the pod garbage collector. One that nobody
    /// had asked to leave was driven out.
    fn lose_pods(&mut self, node: &str) {
        let here = self.store.pods_on(node);
        let here: Vec<ObjectKey> = here.map(|(key, _)| key.clone()).collect();
        for key in here {
            if let Some(event) = self.driven_out(&key, node) {
                self.record(event);
            }
            self.store.remove_pod(&key, self.now);
        }
        self.hosts.remove(node);
        self.silent.remove(node);
        self.schedulable.remove(node);
    }

    pub(super) fn driven_out(&self, key: &ObjectKey, node: &str) -> Option<Event> {
        let pod = self.store.get::<Pod>(key)?;
        let stays = pod.metadata.deletion_timestamp.is_none() && !is_terminal(pod);
        (stays && !self.is_node_bound(key)).then(|| Event::PodEvicted {
            pod: pod_key(key),
            uid: crate::store::uid(pod),
            node: node.into(),
            protected: crate::executor::is_protected(pod, self.now),
            ready: pod_is(pod, "Ready"),
            forced: true,
        })
    }

    /// Add-ons take their startup taints away whenever they see them.
    fn startup_taints_again(&mut self, node: &NodeName) {
        if !self.schedulable.contains(node) {
            return;
        }
        let Some(machine) = self.hosts.get(node) else {
            return;
        };
        let told = self.told.get(machine);
        let key = ObjectKey::cluster(node.as_str());
        let taints = self
            .store
            .get::<Node>(&key)
            .and_then(|it| it.spec.as_ref()?.taints.as_ref());
        let mut taints = taints.into_iter().flatten();
        if taints.any(|taint| told.is_some_and(|told| told.is_startup_taint(taint))) {
            let at = self.after(LATE_TAINT_AFTER);
            let again = Occurrence::Machine(machine.clone(), MachineStage::Schedulable);
            self.queue.push(at, again);
        }
    }

    fn schedule_later(&mut self) {
        let Some(ready) = self.scheduler.next(self.now) else {
            return;
        };
        let at = ready.max(self.after(SCHEDULE_AFTER));
        if self.schedule_at.is_none_or(|known| at < known) {
            self.schedule_at = Some(at);
            self.queue.push(at, Occurrence::Schedule);
        }
    }

    pub(super) fn schedule(&mut self) {
        if self.schedule_at.is_some_and(|at| at <= self.now) {
            self.schedule_at = None;
        }
        for verdict in self.scheduler.run(&mut self.store, self.now) {
            self.record(match verdict {
                Verdict::Bound { pod, node } => Event::PodBound {
                    pod: pod_key(&pod),
                    node: node.into(),
                },
                Verdict::Unschedulable { pod } => Event::PodUnschedulable { pod: pod_key(&pod) },
            });
        }
        self.schedule_later();
    }

    fn workloads_later(&mut self) {
        let at = self.after(WORKLOADS_AFTER);
        if self.workloads_at.first().is_none_or(|known| *known > at) {
            self.run_workloads_at(at);
        }
    }

    fn run_workloads_at(&mut self, at: Timestamp) {
        if self.workloads_at.insert(at) {
            self.queue.push(at, Occurrence::Workloads);
        }
    }

    pub(super) fn run_workloads(&mut self) {
        let now = self.now;
        self.workloads_at.retain(|at| *at > now);
        if let Some(at) = self.workloads.run(&mut self.store, now) {
            self.run_workloads_at(at);
        }
    }
}

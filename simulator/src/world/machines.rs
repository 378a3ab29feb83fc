//! Machines boot, join and stop, and their pods start and end, in the time that the boot profile
//! gives them.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::model::catalog::CapacityType;
use tidewright::model::id::{NodeName, ProviderId, Uid};
use tidewright::model::labels::keys;

use super::{Occurrence, World};
use crate::boot::StageName;
use crate::cloud::CloudMachine;
use crate::event::Event;
use crate::faults::FaultKind;
use crate::kube::kubelet::{self, MachineStage, PodStage};
use crate::random::{Purpose, Quantiles};
use crate::store::{ObjectKey, is_terminal, uid};

/// From the call that stops a machine until it has stopped, in milliseconds.
const SHUTDOWN_MILLIS: Quantiles = Quantiles::of([1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 8_000]);

/// The share of the stage `boot` after which the kubelet makes its Node object.
const JOIN_PERMILLE: u32 = 950;

/// How long after its purchase a machine vanishes at the latest, if it does.
const VANISHES_SECONDS_MAX: u32 = 600;

/// By how much a slow machine is slower, in thousandths.
const SLOW_PERMILLE: (u32, u32) = (2_000, 8_000);

impl World {
    /// A machine was bought: its steps follow as the profile says.
    pub(super) fn boot(&mut self, id: &ProviderId) {
        let faults = self.faults();
        let Some(machine) = self.cloud.machine(id) else {
            return;
        };
        let paid = machine.fact.machine.capacity_type;
        let profile = &self.setup.boot;
        let mut draw = |stage| {
            profile
                .stage(stage)
                .draw(&mut self.random, Purpose::Boot, paid)
        };
        let instance = draw(StageName::Instance);
        let mut boot = draw(StageName::Boot);
        let schedulable = draw(StageName::Schedulable);
        let dead = self
            .random
            .happens(Purpose::Boot, faults.dead_boot_permille);
        if self
            .random
            .happens(Purpose::Boot, faults.slow_boot_permille)
        {
            let (least, most) = SLOW_PERMILLE;
            boot = permille(boot, least + self.random.below(Purpose::Boot, most - least));
            self.record(Event::Fault(FaultKind::SlowBoot));
        }
        let ready = instance + boot;
        self.machine_after(id, instance, MachineStage::Boots);
        if dead {
            self.record(Event::Fault(FaultKind::DeadBoot));
            return;
        }
        self.perhaps_vanish(id, faults.vanished_permille);
        self.machine_after(
            id,
            instance + permille(boot, JOIN_PERMILLE),
            MachineStage::Joins,
        );
        if self
            .random
            .happens(Purpose::Mishaps, faults.never_ready_permille)
        {
            self.record(Event::Fault(FaultKind::NeverReady));
            return;
        }
        self.machine_after(id, ready, MachineStage::Ready);
        self.machine_after(id, ready + schedulable, MachineStage::Schedulable);
    }

    /// Somebody else gives a machine back without a word, some time after it was bought.
    fn perhaps_vanish(&mut self, id: &ProviderId, permille: u32) {
        if self.random.happens(Purpose::Mishaps, permille) {
            let seconds = self.random.below(Purpose::Mishaps, VANISHES_SECONDS_MAX);
            let span = Duration::from_secs(u64::from(seconds));
            self.machine_after(id, span, MachineStage::Vanishes);
        }
    }

    fn vanish(&mut self, id: &ProviderId) {
        // A machine that was to go while faults struck stays if they have ended since.
        if self.faults().vanished_permille == 0 {
            return;
        }
        self.record(Event::Fault(FaultKind::Vanished));
        self.take_silently(id);
    }

    /// A machine was told to stop.
    pub(super) fn shut_down(&mut self, id: &ProviderId) {
        let millis = self.random.quantile(Purpose::Boot, &SHUTDOWN_MILLIS);
        let span = Duration::from_millis(u64::from(millis));
        self.machine_after(id, span, MachineStage::Stopped);
    }

    fn machine_after(&mut self, id: &ProviderId, span: Duration, stage: MachineStage) {
        let at = self.after(span);
        self.queue.push(at, Occurrence::Machine(id.clone(), stage));
    }

    pub(super) fn machine(&mut self, id: &ProviderId, stage: MachineStage) {
        let Some(machine) = self.cloud.machine(id) else {
            return;
        };
        let runs = machine.runs();
        let machine = machine.fact.machine.clone();
        let adopted = self.nodes_of.get(id).cloned();
        let node = adopted.unwrap_or_else(|| kubelet::node_name_of(&machine));
        let told = self.told.get(id).cloned().unwrap_or_default();
        match stage {
            MachineStage::Stopped => {
                self.cloud.stopped(id, self.now);
                self.say_if_taken(id);
                kubelet::lose(&mut self.store, &node, self.now);
            }
            _ if !runs => {}
            MachineStage::Vanishes => self.vanish(id),
            MachineStage::Boots => self.record(Event::MachineBooting {
                machine: id.clone(),
            }),
            MachineStage::Joins => {
                self.hosts.insert(node.clone(), id.clone());
                if kubelet::join(&mut self.store, &machine, &told, self.now) {
                    let machine = id.clone();
                    self.record(Event::NodeJoined { node, machine });
                }
            }
            MachineStage::Ready => {
                if kubelet::ready(&mut self.store, &node, self.now) {
                    self.record(Event::NodeReady { node });
                }
            }
            MachineStage::Schedulable => {
                if kubelet::schedulable(&mut self.store, &node, &told) {
                    self.schedulable.insert(node);
                }
            }
        }
    }

    /// Whether a kubelet runs on a node. Nodes of others have one as long as they are there.
    pub(super) fn has_kubelet(&self, node: &NodeName) -> bool {
        if self.silent.contains(node) {
            return false;
        }
        match self.hosts.get(node) {
            Some(machine) => self.cloud.machine(machine).is_some_and(CloudMachine::runs),
            None => true,
        }
    }

    /// A kubelet takes a pod and starts it.
    pub(super) fn start_pod(&mut self, key: &ObjectKey, uid: &Uid, node: &NodeName) {
        kubelet::take(&mut self.store, key, self.now);
        let paid = self.paid_for(node);
        let stage = self.setup.boot.stage(StageName::Pod);
        let span = stage.draw(&mut self.random, Purpose::Pods, paid);
        let pod = self.store.get::<Pod>(key);
        let span = span + pod.map_or(Duration::ZERO, kubelet::first_probe_after);
        self.pod_after(key, uid, span, PodStage::Ready);
    }

    /// A kubelet stops a pod that was told to go.
    pub(super) fn stop_pod(&mut self, key: &ObjectKey, uid: &Uid) {
        let permille = self.faults().pod_stuck_permille;
        if self.random.happens(Purpose::Mishaps, permille) {
            self.record(Event::Fault(FaultKind::PodStuck));
            return;
        }
        let Some(pod) = self.store.get::<Pod>(key) else {
            return;
        };
        let span = kubelet::stopping_takes(pod, &mut self.random, self.now);
        self.pod_after(key, uid, span, PodStage::Stopped);
    }

    fn paid_for(&self, node: &NodeName) -> CapacityType {
        let node = self.store.get::<Node>(&ObjectKey::cluster(node.as_str()));
        let labels = node.and_then(|node| node.metadata.labels.as_ref());
        let label = labels.and_then(|labels| labels.get(keys::CAPACITY_TYPE));
        let paid = label.and_then(|label| CapacityType::parse(label));
        paid.unwrap_or(CapacityType::OnDemand)
    }

    pub(super) fn pod_after(
        &mut self,
        key: &ObjectKey,
        uid: &Uid,
        span: Duration,
        stage: PodStage,
    ) {
        let at = self.after(span);
        let next = Occurrence::Pod(key.clone(), uid.clone(), stage);
        self.queue.push(at, next);
    }

    pub(super) fn pod(&mut self, key: &ObjectKey, of: &Uid, stage: PodStage) {
        let pod = self.store.get::<Pod>(key).filter(|pod| uid(*pod) == *of);
        let Some(pod) = pod else {
            return;
        };
        let node: Option<NodeName> = crate::store::node_name(pod).map(NodeName::from);
        let runs = node.is_some_and(|node| self.has_kubelet(&node));
        let over = is_terminal(pod) || pod.metadata.deletion_timestamp.is_some();
        match stage {
            _ if !runs => {}
            PodStage::Stopped => self.store.remove_pod(key, self.now),
            _ if over => {}
            PodStage::Ready => {
                let runs_for = kubelet::pod_ready(&mut self.store, key, self.now);
                let pod = super::reactions::pod_key(key);
                self.record(Event::PodReady { pod });
                if let Some(span) = runs_for {
                    self.pod_after(key, of, span, PodStage::Finished);
                }
            }
            PodStage::Finished => {
                if let Some(pause) = kubelet::restarts_after(&mut self.store, key, self.now) {
                    return self.pod_after(key, of, pause, PodStage::Ready);
                }
                kubelet::finish(&mut self.store, key, self.now);
                self.pod_ended(key, of);
            }
        }
    }
}

fn permille(span: Duration, permille: u32) -> Duration {
    let millis = span.as_millis() * u128::from(permille) / 1_000;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

//! What a log says, added up by object: the report and the oracles look here for who was where and
//! when. It knows the log and nothing else.

mod money;

pub use money::Rate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidewright::model::catalog::OfferingKey;
use tidewright::model::id::{ClaimName, LaunchGroup, NodeName, PodKey, PoolName, ProviderId, Uid};
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

use crate::event::{Actor, Entry, Event};
use crate::faults::FaultKind;

/// The objects of a world, past and present.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The instant of the last entry.
    pub now: Option<Timestamp>,
    /// The pods in the order of their creation.
    pub pods: Vec<PodTrace>,
    /// The claims by uid.
    pub claims: BTreeMap<Uid, ClaimTrace>,
    /// The machines by id.
    pub machines: BTreeMap<ProviderId, MachineTrace>,
    /// The nodes by name; of one name, the last.
    pub nodes: BTreeMap<NodeName, NodeTrace>,
    /// The launch groups.
    pub groups: BTreeMap<LaunchGroup, GroupTrace>,
    /// How many faults of each kind struck.
    pub faults: BTreeMap<FaultKind, u64>,
    /// When controllers started; the last is the one that lives.
    pub starts: Vec<Timestamp>,
    /// The prices that have moved: when and to what.
    prices: BTreeMap<OfferingKey, Vec<(Timestamp, Price)>>,
    latest_pod: BTreeMap<PodKey, usize>,
    latest_claim: BTreeMap<ClaimName, Uid>,
    pod_by_uid: BTreeMap<Uid, usize>,
    claim_by_machine: BTreeMap<ProviderId, Uid>,
}

/// The life of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTrace {
    /// Namespace and name.
    pub key: PodKey,
    /// The uid.
    pub uid: Uid,
    /// Whether it came with a node and is no demand of its own.
    pub node_bound: bool,
    /// The kind and name of its owner, if it has one.
    pub owner: Option<Arc<str>>,
    /// When it was created.
    pub created: Timestamp,
    /// When the scheduler first found no place for it.
    pub unschedulable: Option<Timestamp>,
    /// When it was bound, and to which node.
    pub bound: Option<(Timestamp, NodeName)>,
    /// When it answered.
    pub ready: Option<Timestamp>,
    /// When it was told to leave its node.
    pub evicted: Option<Timestamp>,
    /// When it came to its end.
    pub ended: Option<Timestamp>,
}

/// The life of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimTrace {
    /// The name.
    pub name: ClaimName,
    /// The pool.
    pub pool: PoolName,
    /// When it was created.
    pub created: Timestamp,
    /// The machine that is its own.
    pub machine: Option<ProviderId>,
    /// When it was told to go, and by whom.
    pub deleting: Option<(Timestamp, Actor)>,
    /// When it was gone.
    pub gone: Option<Timestamp>,
}

/// The life of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineTrace {
    /// What it is.
    pub offering: OfferingKey,
    /// What it cost when it was bought.
    pub price: Price,
    /// What it was bought for.
    pub group: Option<LaunchGroup>,
    /// When it was bought.
    pub bought: Timestamp,
    /// When it began to boot.
    pub booting: Option<Timestamp>,
    /// When the controller first heard that it is lost.
    pub announced: Option<Timestamp>,
    /// When it was taken away, not by the controller.
    pub taken: Option<Timestamp>,
    /// When it stopped to cost.
    pub terminated: Option<Timestamp>,
    /// Its node, once that has joined.
    pub node: Option<NodeName>,
}

/// The life of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTrace {
    /// Its machine.
    pub machine: ProviderId,
    /// When it joined.
    pub joined: Timestamp,
    /// When its kubelet was ready.
    pub ready: Option<Timestamp>,
    /// When it was told to go.
    pub deleting: Option<Timestamp>,
    /// When it was gone.
    pub gone: Option<Timestamp>,
}

/// What was bought together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupTrace {
    /// The claims, by uid.
    pub claims: BTreeSet<Uid>,
    /// The most machines that one call asked for.
    pub wanted: u32,
    /// When the first call reached the cloud.
    pub first_call: Option<Timestamp>,
    /// The machines bought.
    pub machines: Vec<ProviderId>,
}

impl PodTrace {
    /// Whether it is to stay.
    pub fn is_alive(&self) -> bool {
        self.ended.is_none() && self.evicted.is_none()
    }

    /// When it needed its place no longer.
    pub fn left(&self) -> Option<Timestamp> {
        self.ended.or(self.evicted)
    }
}

impl MachineTrace {
    /// Whether it costs money.
    pub fn is_running(&self) -> bool {
        self.terminated.is_none()
    }
}

impl Trace {
    /// All entries together.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut trace = Self::default();
        for entry in entries {
            trace.add(entry);
        }
        trace
    }

    /// The next entry.
    pub fn add(&mut self, entry: &Entry) {
        let at = entry.at;
        self.now = Some(at);
        match &entry.event {
            Event::PodCreated { .. } => self.pod_created(&entry.event, at),
            Event::PodUnschedulable { pod } => {
                self.on_pod(pod, |it| it.unschedulable = it.unschedulable.or(Some(at)));
            }
            Event::PodBound { pod, node } => {
                self.on_pod(pod, |it| it.bound = Some((at, node.clone())));
            }
            Event::PodReady { pod } => self.on_pod(pod, |it| it.ready = it.ready.or(Some(at))),
            Event::PodEnded { pod, uid } => self.on_pod_of(pod, uid, |it| it.ended = Some(at)),
            Event::PodEvicted { pod, uid, .. } => {
                self.on_pod_of(pod, uid, |it| it.evicted = it.evicted.or(Some(at)));
            }
            Event::ClaimCreated { claim, uid, pool } => self.claim_created(claim, uid, pool, at),
            Event::ClaimMatched { claim, machine } => self.claim_matched(claim, machine),
            Event::ClaimDeleting { claim, by } => {
                self.on_claim(claim, |it| it.deleting = it.deleting.or(Some((at, *by))));
            }
            Event::ClaimGone { claim } => self.on_claim(claim, |it| it.gone = Some(at)),
            Event::FleetCalled { .. } => self.fleet_called(&entry.event, at),
            Event::MachineBought { machine, .. } => self.machine_bought(machine, &entry.event, at),
            Event::PricesMoved { prices } => self.prices_moved(prices, at),
            Event::MachineBooting { machine } => {
                self.on_machine(machine, |it| it.booting = Some(at));
            }
            Event::MachineTerminated { machine } => {
                self.on_machine(machine, |it| it.terminated = it.terminated.or(Some(at)));
            }
            Event::CloudSaid { machine, kind } if kind.is_loss() => {
                self.on_machine(machine, |it| it.announced = it.announced.or(Some(at)));
            }
            Event::MachineTaken { machine } => {
                self.on_machine(machine, |it| it.taken = it.taken.or(Some(at)));
            }
            Event::NodeJoined { node, machine } => self.node_joined(node, machine, at),
            Event::NodeReady { node } => self.on_node(node, |it| it.ready = it.ready.or(Some(at))),
            Event::NodeDeleting { node } => {
                self.on_node(node, |it| it.deleting = it.deleting.or(Some(at)));
            }
            Event::NodeGone { node } => self.on_node(node, |it| it.gone = Some(at)),
            Event::Fault(kind) => *self.faults.entry(*kind).or_default() += 1,
            Event::ControllerStarted => self.starts.push(at),
            Event::CloudSaid { .. }
            | Event::SoldOut { .. }
            | Event::Notice(_)
            | Event::Promised { .. }
            | Event::Happened { .. } => {}
        }
    }

    /// The last pod of that name.
    pub fn pod(&self, key: &PodKey) -> Option<&PodTrace> {
        self.latest_pod.get(key).map(|index| &self.pods[*index])
    }

    /// The last claim of that name.
    pub fn claim(&self, name: &ClaimName) -> Option<&ClaimTrace> {
        self.claims.get(self.latest_claim.get(name)?)
    }

    /// The node of a claim, once it has joined.
    pub fn node_of(&self, name: &ClaimName) -> Option<&NodeTrace> {
        let machine = self.claim(name)?.machine.as_ref()?;
        self.nodes.get(self.machines.get(machine)?.node.as_ref()?)
    }

    /// The claim of a node.
    pub fn claim_of(&self, node: &NodeName) -> Option<&ClaimTrace> {
        self.claim_with(&self.nodes.get(node)?.machine)
    }

    /// The claim that has a machine.
    pub fn claim_with(&self, machine: &ProviderId) -> Option<&ClaimTrace> {
        self.claims.get(self.claim_by_machine.get(machine)?)
    }

    /// The pods that are demand: all but those that come with a node.
    pub fn demand(&self) -> impl Iterator<Item = &PodTrace> {
        self.pods.iter().filter(|pod| !pod.node_bound)
    }

    /// The claims of a group that are not gone.
    pub fn living_claims(&self, group: &GroupTrace) -> usize {
        let claims = group.claims.iter().filter_map(|uid| self.claims.get(uid));
        claims.filter(|claim| claim.gone.is_none()).count()
    }

    /// The machines of a group that cost money.
    pub fn running_machines(&self, group: &GroupTrace) -> usize {
        let machines = group.machines.iter().filter_map(|id| self.machines.get(id));
        machines.filter(|machine| machine.is_running()).count()
    }

    /// The pool that a group buys for.
    pub fn pool_of(&self, group: &LaunchGroup) -> Option<&PoolName> {
        let uid = self.groups.get(group)?.claims.first()?;
        self.claims.get(uid).map(|claim| &claim.pool)
    }

    fn pod_created(&mut self, event: &Event, at: Timestamp) {
        let Event::PodCreated {
            pod: key,
            uid,
            node_bound,
            owner,
        } = event
        else {
            return;
        };
        self.latest_pod.insert(key.clone(), self.pods.len());
        self.pod_by_uid.insert(uid.clone(), self.pods.len());
        self.pods.push(PodTrace {
            key: key.clone(),
            uid: uid.clone(),
            node_bound: *node_bound,
            owner: owner.clone(),
            created: at,
            unschedulable: None,
            bound: None,
            ready: None,
            evicted: None,
            ended: None,
        });
    }

    fn on_pod(&mut self, key: &PodKey, change: impl FnOnce(&mut PodTrace)) {
        if let Some(index) = self.latest_pod.get(key) {
            change(&mut self.pods[*index]);
        }
    }

    /// A pod that ends may have a successor of the same name already.
    fn on_pod_of(&mut self, key: &PodKey, uid: &Uid, change: impl FnOnce(&mut PodTrace)) {
        let known = self.pod_by_uid.get(uid).map(|index| &mut self.pods[*index]);
        if let Some(pod) = known.filter(|pod| pod.key == *key) {
            change(pod);
        }
    }

    fn claim_created(&mut self, name: &ClaimName, uid: &Uid, pool: &PoolName, at: Timestamp) {
        self.latest_claim.insert(name.clone(), uid.clone());
        let created = ClaimTrace {
            name: name.clone(),
            pool: pool.clone(),
            created: at,
            machine: None,
            deleting: None,
            gone: None,
        };
        self.claims.insert(uid.clone(), created);
    }

    fn fleet_called(&mut self, event: &Event, at: Timestamp) {
        let Event::FleetCalled {
            group,
            claims,
            count,
            ..
        } = event
        else {
            return;
        };
        let known = self.groups.entry(group.clone()).or_default();
        known.claims.extend(claims.values().cloned());
        known.wanted = known.wanted.max(*count);
        known.first_call.get_or_insert(at);
    }

    fn claim_matched(&mut self, name: &ClaimName, machine: &ProviderId) {
        if let Some(uid) = self.latest_claim.get(name) {
            self.claim_by_machine.insert(machine.clone(), uid.clone());
        }
        self.on_claim(name, |it| it.machine = Some(machine.clone()));
    }

    fn on_claim(&mut self, name: &ClaimName, change: impl FnOnce(&mut ClaimTrace)) {
        let uid = self.latest_claim.get(name);
        if let Some(claim) = uid.and_then(|uid| self.claims.get_mut(uid)) {
            change(claim);
        }
    }

    fn machine_bought(&mut self, id: &ProviderId, event: &Event, at: Timestamp) {
        let Event::MachineBought {
            offering,
            price,
            group,
            ..
        } = event
        else {
            return;
        };
        if let Some(group) = group {
            let known = self.groups.entry(group.clone()).or_default();
            known.machines.push(id.clone());
        }
        let bought = MachineTrace {
            offering: offering.clone(),
            price: *price,
            group: group.clone(),
            bought: at,
            booting: None,
            announced: None,
            taken: None,
            terminated: None,
            node: None,
        };
        self.machines.insert(id.clone(), bought);
    }

    fn prices_moved(&mut self, prices: &BTreeMap<OfferingKey, Price>, at: Timestamp) {
        for (offering, price) in prices {
            let moves = self.prices.entry(offering.clone()).or_default();
            moves.push((at, *price));
        }
    }

    fn node_joined(&mut self, node: &NodeName, machine: &ProviderId, at: Timestamp) {
        self.on_machine(machine, |machine| machine.node = Some(node.clone()));
        let joined = NodeTrace {
            machine: machine.clone(),
            joined: at,
            ready: None,
            deleting: None,
            gone: None,
        };
        self.nodes.insert(node.clone(), joined);
    }

    fn on_machine(&mut self, id: &ProviderId, change: impl FnOnce(&mut MachineTrace)) {
        if let Some(machine) = self.machines.get_mut(id) {
            change(machine);
        }
    }

    fn on_node(&mut self, name: &NodeName, change: impl FnOnce(&mut NodeTrace)) {
        if let Some(node) = self.nodes.get_mut(name) {
            change(node);
        }
    }
}

//! A shell of model values: it carries out effects at once, boots machines, binds pods, and can
//! lose answers and crash. The real worlds are the simulator's; this one is small enough to stop
//! between any two effects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::objects;
use crate::cluster::{Change, Kind};
use crate::engine::{
    Action, ApiError, ClaimPatch, CloudError, Effect, EffectOutcome, Engine, EvictionMode, Input,
    LaunchOutcome, LaunchRequest, Leadership, MachineFact, MachineFilter, NodePatch,
    OfferingFailure, PlanAnswer, PlanRequest, Precondition,
};
use crate::model::catalog::{Catalog, OfferingKey};
use crate::model::claim::{ClaimPhase, Machine, NodeClaim};
use crate::model::id::{ClaimName, LaunchToken, NodeName, PodKey, ProviderId, Uid};
use crate::model::labels::keys;
use crate::model::node::Node;
use crate::model::pod::{Placement, Pod, PodPhase};
use crate::model::taint::{Taint, TaintEffect, tolerates_all};
use crate::model::time::Timestamp;

/// How long a machine boots.
pub const BOOT: Duration = Duration::from_secs(40);

/// The Node of a machine shows up so long after it was bought, and is not ready until [`BOOT`].
pub const JOIN: Duration = Duration::from_secs(30);

pub struct Rig {
    pub now: Timestamp,
    pub engine: Engine,
    pub claims: BTreeMap<ClaimName, NodeClaim>,
    pub nodes: BTreeMap<NodeName, Node>,
    pub pods: BTreeMap<PodKey, Pod>,
    pub pool: crate::model::pool::NodePool,
    pub machines: BTreeMap<ProviderId, MachineFact>,
    pub bought: usize,
    pub sold_out: BTreeSet<OfferingKey>,
    pub catalog: Arc<Catalog>,
    /// Every notice and every effect, with the second it came in.
    pub log: Vec<String>,
    /// The answers that are lost: the effects with these numbers, counted over all engines.
    pub lost_answers: BTreeSet<u64>,
    /// The controller dies before it carries out the effect of this number.
    pub crash_before: Option<u64>,
    /// The controller dies when it has carried out the effect of this number.
    pub crash_after: Option<u64>,
    pub executed: u64,
    /// Whether a user deletes each claim at the moment at which its machine is bought.
    pub deletes_bought: bool,
    /// Whether the cloud is too busy to stop machines.
    pub stops_none: bool,
    /// Whether plans are answered when asked, or held back.
    pub hold_plans: bool,
    pub held_plans: Vec<Effect>,
    queue: VecDeque<Effect>,
    wake: Option<Timestamp>,
    tokens: BTreeMap<LaunchToken, LaunchOutcome>,
    uids: u64,
}

impl Rig {
    pub fn new() -> Self {
        let mut rig = Self {
            now: Timestamp::from_seconds(1_000),
            engine: Engine::new(objects::settings()),
            claims: BTreeMap::new(),
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            pool: objects::pool(),
            machines: BTreeMap::new(),
            bought: 0,
            sold_out: BTreeSet::new(),
            catalog: objects::catalog(),
            log: Vec::new(),
            lost_answers: BTreeSet::new(),
            crash_before: None,
            crash_after: None,
            executed: 0,
            deletes_bought: false,
            stops_none: false,
            hold_plans: false,
            held_plans: Vec::new(),
            queue: VecDeque::new(),
            wake: None,
            tokens: BTreeMap::new(),
            uids: 0,
        };
        rig.start();
        rig
    }

    /// Starts the controller with an empty memory.
    pub fn start(&mut self) {
        self.engine = Engine::new(objects::settings());
        self.queue.clear();
        self.held_plans.clear();
        self.step(Input::Catalog(self.catalog.clone()));
        for kind in Kind::ALL {
            self.step(Input::Observed(Change::ListBegins(kind)));
        }
        self.observe(Change::Pool(Box::new(self.pool.clone())));
        for claim in self.claims.clone().into_values() {
            self.observe(Change::Claim(Box::new(claim)));
        }
        for node in self.nodes.clone().into_values() {
            self.observe(Change::Node(Box::new(node)));
        }
        for pod in self.pods.clone().into_values() {
            self.observe(Change::Pod(Box::new(pod)));
        }
        for kind in Kind::ALL {
            self.step(Input::Observed(Change::ListEnds(kind)));
        }
        self.step(Input::Leadership(Leadership::Leading));
    }

    pub fn uid(&mut self) -> Uid {
        self.uids += 1;
        format!("uid-{}", self.uids).into()
    }

    pub fn seconds(&self) -> i64 {
        self.now.as_millis() / 1_000 - 1_000
    }

    pub fn observe(&mut self, change: Change) {
        self.step(Input::Observed(change));
    }

    pub fn step(&mut self, input: Input) {
        let step = self.engine.step(self.now, input);
        let second = self.seconds();
        for notice in &step.notices {
            let line = format!(
                "{second} {} {}: {}",
                notice.object, notice.reason, notice.message
            );
            self.log.push(line);
        }
        let keys = step.effects.iter().map(|it| &it.idempotency_key);
        self.log.extend(keys.map(|key| format!("{second} > {key}")));
        self.queue.extend(step.effects);
        self.wake = step.wake_at;
    }

    /// The lines of the log that contain a text.
    pub fn lines(&self, text: &str) -> Vec<&str> {
        let lines = self.log.iter().filter(|line| line.contains(text));
        lines.map(String::as_str).collect()
    }

    pub fn run_for(&mut self, span: Duration) {
        let end = self.now.saturating_add(span);
        while self.now < end {
            self.settle();
            let tick = self.now.saturating_add(Duration::from_millis(500));
            let next = self.wake.map_or(tick, |wake| wake.min(tick));
            self.now = next.min(end);
            self.boot();
            self.bind();
            self.step(Input::Tick);
        }
        self.settle();
    }

    /// Carries out what is wanted until nothing is.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let Some(effect) = self.queue.pop_front() else {
                return;
            };
            self.executed += 1;
            if self.crash_before == Some(self.executed) {
                self.start();
                continue;
            }
            if self.crash_after == Some(self.executed) {
                if self.holds(&effect) {
                    self.act(effect.action);
                }
                self.start();
                continue;
            }
            self.carry_out(effect);
        }
        panic!("the engine wants more and more:\n{}", self.log.join("\n"));
    }

    fn carry_out(&mut self, effect: Effect) {
        if self.hold_plans && matches!(effect.action, Action::Plan(_)) {
            self.held_plans.push(effect);
            return;
        }
        let outcome = if self.holds(&effect) {
            self.act(effect.action)
        } else {
            EffectOutcome::PreconditionFailed
        };
        let outcome = if self.lost_answers.contains(&self.executed) {
            EffectOutcome::Unknown
        } else {
            outcome
        };
        let id = effect.id;
        self.step(Input::Done { id, outcome });
    }

    /// Answers the plans that were held back.
    pub fn release_plans(&mut self) {
        self.hold_plans = false;
        for effect in std::mem::take(&mut self.held_plans) {
            self.carry_out(effect);
        }
    }

    fn holds(&self, effect: &Effect) -> bool {
        let found = match &effect.action {
            Action::PatchClaim { name, .. }
            | Action::DeleteClaim { name }
            | Action::ReleaseClaim { name } => {
                let claim = self.claims.get(name);
                claim.map(|it| (it.uid.clone(), it.deleting.is_some()))
            }
            Action::PatchNode { name, .. }
            | Action::DeleteNode { name }
            | Action::ReleaseNode { name } => {
                let node = self.nodes.get(name);
                node.map(|it| (it.uid.clone(), it.deleting.is_some()))
            }
            Action::Evict(eviction) => {
                let pod = self.pods.get(&eviction.pod);
                pod.map(|it| (it.uid.clone(), it.deleting.is_some()))
            }
            Action::CreateClaim { .. }
            | Action::Launch(_)
            | Action::Terminate { .. }
            | Action::ListMachines(_)
            | Action::Plan(_) => None,
        };
        match &effect.precondition {
            Precondition::None => true,
            Precondition::Uid(uid) => found.is_some_and(|(known, _)| known == *uid),
            Precondition::Alive(uid) => found.is_some_and(|it| it == (uid.clone(), false)),
            Precondition::Group(group, claims) => claims.iter().all(|(name, uid)| {
                let claim = self.claims.get(name);
                claim.is_some_and(|claim| {
                    claim.uid == *uid
                        && claim.deleting.is_none()
                        && claim.launch_group.as_ref() == Some(group)
                })
            }),
        }
    }

    fn act(&mut self, action: Action) -> EffectOutcome {
        match action {
            Action::CreateClaim { name, spec } => self.create(name, *spec),
            Action::PatchClaim { name, patch } => {
                self.patch_claim(&name, patch);
                EffectOutcome::Done
            }
            Action::DeleteClaim { name } => {
                self.delete_claim(&name);
                EffectOutcome::Done
            }
            Action::ReleaseClaim { name } => {
                self.claims.remove(&name);
                self.observe(Change::ClaimGone(name));
                EffectOutcome::Done
            }
            Action::Launch(request) => self.launch(&request),
            Action::Terminate { .. } if self.stops_none => {
                EffectOutcome::Cloud(CloudError::Throttled)
            }
            Action::Terminate { provider_id } => match self.machines.remove(&provider_id) {
                Some(_) => EffectOutcome::Done,
                None => EffectOutcome::Cloud(CloudError::NotFound),
            },
            Action::ListMachines(filter) => self.list(&filter),
            Action::PatchNode { name, patch } => {
                self.patch_node(&name, patch);
                EffectOutcome::Done
            }
            Action::DeleteNode { name } => {
                self.delete_node(&name);
                EffectOutcome::Done
            }
            Action::ReleaseNode { name } => {
                self.nodes.remove(&name);
                self.observe(Change::NodeGone(name));
                EffectOutcome::Done
            }
            Action::Evict(eviction) => {
                self.evict(&eviction.pod, eviction.mode);
                EffectOutcome::Done
            }
            Action::Plan(request) => EffectOutcome::Planned(Box::new(match *request {
                PlanRequest::Provision(input) => {
                    PlanAnswer::Provision(crate::planner::plan(&input))
                }
                PlanRequest::Disrupt(input) => {
                    PlanAnswer::Disrupt(crate::planner::disruption::plan(&input))
                }
            })),
        }
    }

    fn create(&mut self, name: ClaimName, spec: crate::model::claim::ClaimSpec) -> EffectOutcome {
        if self.claims.contains_key(&name) {
            return EffectOutcome::Api(ApiError::AlreadyExists);
        }
        let claim = NodeClaim {
            name: name.clone(),
            uid: self.uid(),
            created: self.now,
            deleting: None,
            held: true,
            spec,
            launch_group: None,
            phase: ClaimPhase::Pending,
            last_pod_event: None,
        };
        self.claims.insert(name, claim.clone());
        self.observe(Change::Claim(Box::new(claim.clone())));
        EffectOutcome::ClaimCreated(Box::new(claim))
    }

    fn patch_claim(&mut self, name: &ClaimName, patch: ClaimPatch) {
        let at = self.now;
        let claim = self.claims.get_mut(name).expect("the precondition holds");
        let phase = claim.phase.clone();
        match (patch, phase) {
            (ClaimPatch::LaunchGroup(group), _) => claim.launch_group = Some(group),
            (ClaimPatch::Launched(machine), ClaimPhase::Pending) => {
                let machine = *machine;
                claim.phase = ClaimPhase::Launched { machine, at };
            }
            (ClaimPatch::Registered(node), ClaimPhase::Launched { machine, .. }) => {
                claim.phase = ClaimPhase::Registered { machine, node, at };
            }
            (ClaimPatch::Initialized, ClaimPhase::Registered { machine, node, .. }) => {
                claim.phase = ClaimPhase::Initialized { machine, node, at };
            }
            (ClaimPatch::LastPodEvent(at), _) => claim.last_pod_event = Some(at),
            (ClaimPatch::TerminationDeadline(_), _) => {}
            (ClaimPatch::Launched(_) | ClaimPatch::Registered(_) | ClaimPatch::Initialized, _) => {
                panic!("phases are written in order, once")
            }
        }
        let claim = claim.clone();
        self.observe(Change::Claim(Box::new(claim)));
    }

    pub fn delete_claim(&mut self, name: &ClaimName) {
        let claim = self.claims.get_mut(name).expect("the precondition holds");
        claim.deleting = Some(self.now);
        let claim = claim.clone();
        self.observe(Change::Claim(Box::new(claim)));
    }

    pub fn delete_node(&mut self, name: &NodeName) {
        let node = self.nodes.get_mut(name).expect("the precondition holds");
        node.deleting = Some(self.now);
        let node = node.clone();
        self.observe(Change::Node(Box::new(node)));
    }

    fn launch(&mut self, request: &LaunchRequest) -> EffectOutcome {
        if let Some(known) = self.tokens.get(&request.token) {
            return EffectOutcome::Launched(known.clone());
        }
        let mut outcome = LaunchOutcome::default();
        let first_open = request
            .offerings
            .iter()
            .find(|it| !self.sold_out.contains(&it.key));
        if let Some(offering) = first_open {
            for _ in &request.claims {
                let machine = self.buy(&offering.key, request);
                outcome.machines.push(machine);
            }
        } else {
            let failures = request.offerings.iter().map(|it| OfferingFailure {
                offering: it.key.clone(),
                code: "InsufficientInstanceCapacity".into(),
            });
            outcome.failures.extend(failures);
        }
        self.tokens.insert(request.token.clone(), outcome.clone());
        if self.deletes_bought {
            for name in request.claims.keys() {
                self.delete_claim(name);
            }
        }
        EffectOutcome::Launched(outcome)
    }

    fn buy(&mut self, key: &OfferingKey, request: &LaunchRequest) -> Machine {
        self.bought += 1;
        let machine = objects::machine(key, self.bought);
        let fact = MachineFact {
            machine: machine.clone(),
            launch_group: Some(request.group.clone()),
            tags: request.tags.clone(),
            launched_at: self.now,
        };
        self.machines.insert(machine.provider_id.clone(), fact);
        machine
    }

    fn list(&self, filter: &MachineFilter) -> EffectOutcome {
        let matches = |fact: &&MachineFact| match filter {
            MachineFilter::All => true,
            MachineFilter::Group(group) => fact.launch_group.as_ref() == Some(group),
        };
        let facts = self.machines.values().filter(matches).cloned();
        EffectOutcome::Machines(facts.collect())
    }

    fn patch_node(&mut self, name: &NodeName, patch: NodePatch) {
        let disrupted = Taint::new(keys::DISRUPTED, "", TaintEffect::NoSchedule);
        let node = self.nodes.get_mut(name).expect("the precondition holds");
        match patch {
            NodePatch::Register { labels, taints, .. } => {
                node.held = true;
                node.labels.extend(labels);
                node.taints.extend(taints);
                node.taints
                    .retain(|it| it.key.as_str() != keys::UNREGISTERED);
            }
            NodePatch::Initialized => {
                node.labels.insert(keys::INITIALIZED.into(), "true".into());
            }
            NodePatch::Disrupted => {
                if !node.taints.contains(&disrupted) {
                    node.taints.push(disrupted);
                }
            }
            NodePatch::NotDisrupted => node.taints.retain(|it| *it != disrupted),
        }
        let node = node.clone();
        self.observe(Change::Node(Box::new(node)));
    }

    fn evict(&mut self, key: &PodKey, mode: EvictionMode) {
        let pod = self.pods.get(key).expect("the precondition holds");
        let is_forced = matches!(mode, EvictionMode::Delete { .. });
        assert!(
            is_forced || !pod.is_protected(self.now),
            "a protected pod was evicted"
        );
        self.end_pod(key);
    }

    fn boot(&mut self) {
        for fact in self.machines.clone().into_values() {
            let age = self.now.since(fact.launched_at);
            let name = objects::node_name(&fact.machine);
            if age >= JOIN && !self.nodes.contains_key(&name) {
                let uid = self.uid();
                let node = objects::node(&fact.machine, uid, self.now);
                self.nodes.insert(name.clone(), node.clone());
                self.observe(Change::Node(Box::new(node)));
            }
            let is_waiting = |node: &Node| node.taints.iter().any(Taint::is_ephemeral);
            if age >= BOOT
                && let Some(node) = self.nodes.get_mut(&name)
                && is_waiting(node)
            {
                objects::make_ready(node);
                let node = node.clone();
                self.observe(Change::Node(Box::new(node)));
            }
        }
    }

    /// Binds each pod to the first node that takes it.
    fn bind(&mut self) {
        let waiting: Vec<PodKey> = self
            .pods
            .values()
            .filter(|it| it.node().is_none())
            .map(|it| it.key.clone())
            .collect();
        for key in waiting {
            let tolerations = &self.pods[&key].scheduling.tolerations;
            let open = |node: &&Node| {
                node.deleting.is_none()
                    && node.is_registered()
                    && tolerates_all(tolerations, &node.taints).is_ok()
                    && self.has_room(node, &key)
            };
            let Some(node) = self.nodes.values().find(open).map(|node| node.name.clone()) else {
                continue;
            };
            let pod = self.pods.get_mut(&key).expect("it was just found");
            pod.placement = Placement::Bound(node);
            pod.phase = PodPhase::Running;
            pod.started = Some(self.now);
            let pod = pod.clone();
            self.observe(Change::Pod(Box::new(pod)));
        }
    }

    fn has_room(&self, node: &Node, key: &PodKey) -> bool {
        let on_it = self
            .pods
            .values()
            .filter(|it| it.node() == Some(&node.name) || it.key == *key);
        let cpu: i64 = on_it.map(|it| it.scheduling.resources().cpu_millis()).sum();
        cpu <= node.allocatable.cpu_millis()
    }

    pub fn add_pod(&mut self, name: &str) -> PodKey {
        self.add_pod_with(name, |_| {})
    }

    pub fn add_pod_with(&mut self, name: &str, change: impl FnOnce(&mut Pod)) -> PodKey {
        let uid = self.uid();
        let mut pod = objects::pod(name, uid, self.now);
        change(&mut pod);
        let key = pod.key.clone();
        self.pods.insert(key.clone(), pod.clone());
        self.observe(Change::Pod(Box::new(pod)));
        key
    }

    pub fn end_pod(&mut self, key: &PodKey) {
        self.pods.remove(key);
        self.observe(Change::PodGone(key.clone()));
    }
}

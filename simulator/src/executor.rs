//! Carries out the engine's effects against the world, at the moment at which they arrive there.
//!
//! A shell checks preconditions and decides nothing. What a sabotage breaks in it stands here
//! beside what it breaks.

mod latency;

use latency::Recipient;
pub(crate) use latency::latency;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::{convert, render};
use tidewright::engine::{
    Action, ApiError, CloudError, Effect, EffectOutcome, Eviction, EvictionMode, LaunchOutcome,
    LaunchRequest, MachineFilter, PlanAnswer, PlanRequest, Precondition,
};
use tidewright::model::id::{ClaimName, LaunchGroup, ProviderId, Uid};
use tidewright::model::labels::keys;
use tidewright::model::node_class::NodeClass;
use tidewright::model::time::{Timestamp, parse_duration};
use tidewright::planner;

use crate::cloud::{Cloud, CloudMachine, FleetFaults, INSUFFICIENT};
use crate::event::{Actor, Event};
use crate::faults::{FaultKind, FaultSettings, Sabotage};
use crate::kube::conditions::pod_is;
use crate::kube::eviction;
use crate::kube::kubelet::UserData;
use crate::random::{Purpose, Random};
use crate::store::{Grace, ObjectKey, Store, Stored, is_terminal, node_name, timestamp, uid};

/// How much older than now a machine must be to be in a list that lags behind, and for how long a
/// young one is not seen.
const LIST_LAG_SECONDS: u64 = 20;

/// What an effect is carried out with, and what came of it.
#[derive(Debug)]
pub struct Hands<'a> {
    /// The API server.
    pub store: &'a mut Store,
    /// The cloud.
    pub cloud: &'a mut Cloud,
    /// What machines were told when they were bought.
    pub told: &'a mut BTreeMap<ProviderId, UserData>,
    /// What goes wrong at present.
    pub faults: &'a FaultSettings,
    /// The world's chance.
    pub random: &'a mut Random,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// The instant.
    pub now: Timestamp,
    /// What the controller's clock says.
    pub clock: Timestamp,
    /// What happened, to be logged.
    pub events: Vec<Event>,
    /// Machines that were bought: they begin to boot.
    pub bought: Vec<ProviderId>,
    /// Machines that were told to stop.
    pub stopped: Vec<ProviderId>,
}

impl Hands<'_> {
    /// Carries out one effect.
    pub fn execute(&mut self, effect: &Effect) -> EffectOutcome {
        if self.sabotage == Some(Sabotage::EffectTwice) {
            let _first = self.attempt(effect);
            return self.attempt(&repeated(effect));
        }
        self.attempt(effect)
    }

    fn attempt(&mut self, effect: &Effect) -> EffectOutcome {
        if let Some(error) = self.refused(&effect.action) {
            return match self.sabotage {
                Some(Sabotage::RefusalHidden) => EffectOutcome::Done,
                Some(_) | None => EffectOutcome::Api(error),
            };
        }
        let checked = self.check(&effect.action, &effect.precondition);
        match checked {
            Err(outcome) if self.sabotage != Some(Sabotage::PreconditionIgnored) => outcome,
            Ok(()) | Err(_) => self.act(&effect.action),
        }
    }

    fn check(&self, action: &Action, precondition: &Precondition) -> Result<(), EffectOutcome> {
        match precondition {
            Precondition::None => Ok(()),
            Precondition::Uid(asked) => {
                let (known, _) = self.object(action)?;
                let same = known == *asked;
                same.then_some(()).ok_or(EffectOutcome::PreconditionFailed)
            }
            Precondition::Alive(asked) => {
                let (known, deleting) = self.object(action)?;
                let alive = known == *asked && !deleting;
                alive.then_some(()).ok_or(EffectOutcome::PreconditionFailed)
            }
            Precondition::Group(group, claims) => {
                let held = claims
                    .iter()
                    .all(|(name, uid)| self.carries(name, uid, group));
                held.then_some(()).ok_or(EffectOutcome::PreconditionFailed)
            }
        }
    }

    /// The uid of the object of an action, and whether it was told to go.
    fn object(&self, action: &Action) -> Result<(Uid, bool), EffectOutcome> {
        let found = match action {
            Action::CreateClaim { name, .. }
            | Action::PatchClaim { name, .. }
            | Action::DeleteClaim { name }
            | Action::ReleaseClaim { name } => self.known::<NodeClaim>(&cluster_key(name.as_str())),
            Action::PatchNode { name, .. }
            | Action::DeleteNode { name }
            | Action::ReleaseNode { name } => self.known::<Node>(&cluster_key(name.as_str())),
            Action::Evict(Eviction { pod, .. }) => {
                self.known::<Pod>(&ObjectKey::new(&pod.namespace, &pod.name))
            }
            Action::Launch(_)
            | Action::Terminate { .. }
            | Action::ListMachines(_)
            | Action::Plan(_) => None,
        };
        found.ok_or(EffectOutcome::Api(ApiError::NotFound))
    }

    fn known<T: Stored>(&self, key: &ObjectKey) -> Option<(Uid, bool)> {
        let object = self.store.get::<T>(key)?;
        Some((uid(object), object.meta().deletion_timestamp.is_some()))
    }

    fn carries(&self, name: &ClaimName, asked: &Uid, group: &LaunchGroup) -> bool {
        let claim = self.store.get::<NodeClaim>(&cluster_key(name.as_str()));
        claim.is_some_and(|claim| {
            let annotations = claim.metadata.annotations.as_ref();
            let carried = annotations.and_then(|it| it.get(keys::LAUNCH_GROUP));
            uid(claim) == *asked
                && claim.metadata.deletion_timestamp.is_none()
                && carried.map(String::as_str) == Some(group.as_str())
        })
    }

    fn act(&mut self, action: &Action) -> EffectOutcome {
        let now = self.now;
        match action {
            Action::CreateClaim { name, spec } => {
                let claim = render::node_claim(name, spec);
                match self.store.create(claim, now) {
                    Ok(claim) => {
                        let claim = convert::node_claim(claim).value;
                        EffectOutcome::ClaimCreated(Box::new(claim))
                    }
                    Err(error) => EffectOutcome::Api(error),
                }
            }
            Action::PatchClaim { name, patch } => {
                let key = cluster_key(name.as_str());
                let clock = self.clock;
                let change = |claim: &mut NodeClaim| render::patch_claim(claim, patch, clock);
                answer(self.store.update(&key, change).map(|_| ()))
            }
            Action::DeleteClaim { name } => self.delete::<NodeClaim>(name.as_str()),
            Action::ReleaseClaim { name } => self.release::<NodeClaim>(name.as_str()),
            Action::PatchNode { name, patch } => {
                let key = cluster_key(name.as_str());
                let change = |node: &mut Node| render::patch_node(node, patch);
                answer(self.store.update(&key, change).map(|_| ()))
            }
            Action::DeleteNode { name } => self.delete::<Node>(name.as_str()),
            Action::ReleaseNode { name } => self.release::<Node>(name.as_str()),
            Action::Evict(eviction) => self.evict(eviction),
            Action::Launch(request) => self.launch(request),
            Action::Terminate { provider_id } => self.terminate(provider_id),
            Action::ListMachines(filter) => self.list(filter),
            Action::Plan(request) => EffectOutcome::Planned(Box::new(think(request))),
        }
    }

    fn delete<T: Stored>(&mut self, name: &str) -> EffectOutcome {
        answer(
            self.store
                .delete::<T>(&cluster_key(name), Actor::Controller, self.now),
        )
    }

    fn release<T: Stored>(&mut self, name: &str) -> EffectOutcome {
        answer(
            self.store
                .release::<T>(&cluster_key(name), keys::TERMINATION, self.now),
        )
    }

    fn evict(&mut self, eviction: &Eviction) -> EffectOutcome {
        let key = ObjectKey::new(&eviction.pod.namespace, &eviction.pod.name);
        let Some(pod) = self.store.get::<Pod>(&key) else {
            return EffectOutcome::Api(ApiError::NotFound);
        };
        let stays = pod.metadata.deletion_timestamp.is_none() && !is_terminal(pod);
        let told = Event::PodEvicted {
            pod: eviction.pod.clone(),
            uid: uid(pod),
            node: node_name(pod).unwrap_or_default().into(),
            protected: is_protected(pod, self.now),
            ready: pod_is(pod, "Ready"),
            forced: matches!(eviction.mode, EvictionMode::Delete { .. }),
        };
        let whom = uid(pod);
        let done = match eviction.mode {
            EvictionMode::Evict if self.sabotage == Some(Sabotage::PdbIgnored) => {
                let by = Actor::Controller;
                self.store.delete_pod(&key, Grace::OfPod, by, self.now)
            }
            EvictionMode::Evict => eviction::evict(self.store, &key, &whom, self.now),
            EvictionMode::Delete { grace } => {
                let grace = Grace::Of(grace);
                self.store
                    .delete_pod(&key, grace, Actor::Controller, self.now)
            }
        };
        if done.is_ok() && stays {
            self.events.push(told);
        }
        answer(done)
    }

    fn launch(&mut self, request: &LaunchRequest) -> EffectOutcome {
        let failing = self.fails();
        if failing == Some(Failing::Before) {
            return EffectOutcome::Cloud(CloudError::Unavailable);
        }
        let mut request = request.clone();
        if self.sabotage == Some(Sabotage::TokenDropped) {
            request.token = fresh_token(&request, self.random);
        }
        let offerings = request
            .offerings
            .iter()
            .map(|offering| offering.key.clone());
        self.events.push(Event::FleetCalled {
            group: request.group.clone(),
            claims: request.claims.clone(),
            offerings: offerings.collect(),
            count: u32::try_from(request.claims.len()).unwrap_or(u32::MAX),
        });
        let class = self.node_class(&request);
        let mut struck = Vec::new();
        let faults = FleetFaults {
            settings: self.faults,
            random: self.random,
            struck: &mut struck,
        };
        let outcome = self.cloud.create_fleet(&request, &class, faults, self.now);
        self.events.extend(struck.into_iter().map(Event::Fault));
        match outcome {
            Ok(launched) => {
                for machine in &launched.machines {
                    self.bought(&request, &machine.provider_id);
                }
                if failing == Some(Failing::After) {
                    return EffectOutcome::Cloud(CloudError::Unavailable);
                }
                self.told_sold_out(&launched);
                EffectOutcome::Launched(launched)
            }
            Err(error) => EffectOutcome::Cloud(error),
        }
    }

    /// Which offerings an answer says there is nothing of.
    fn told_sold_out(&mut self, launched: &LaunchOutcome) {
        let failures = launched.failures.iter();
        let sold_out = failures.filter(|failure| *failure.code == *INSUFFICIENT);
        let sold_out = sold_out.map(|failure| Event::SoldOut {
            offering: failure.offering.clone(),
        });
        self.events.extend(sold_out);
    }

    /// A machine in an answer: bought just now, unless the answer is an old one.
    fn bought(&mut self, request: &LaunchRequest, id: &ProviderId) {
        let Some(machine) = self.cloud.machine(id) else {
            return;
        };
        if self.told.contains_key(id) {
            return;
        }
        let claim = request.claims.keys().next();
        let claim = claim.and_then(|name| self.store.get(&cluster_key(name.as_str())));
        let told = claim.map(UserData::of).unwrap_or_default();
        self.told.insert(id.clone(), told);
        self.events.push(Event::MachineBought {
            machine: id.clone(),
            offering: machine.fact.machine.offering(),
            price: machine.first_price(),
            group: machine.fact.launch_group.clone(),
        });
        self.bought.push(id.clone());
    }

    fn node_class(&self, request: &LaunchRequest) -> NodeClass {
        let name = &request.node_class.name;
        let class = self.store.get::<EC2NodeClass>(&cluster_key(name));
        class.map_or_else(
            || NodeClass::with_defaults(request.node_class.clone()),
            |class| convert::ec2_node_class(class).value,
        )
    }

    fn terminate(&mut self, id: &ProviderId) -> EffectOutcome {
        if self.throttled() {
            return EffectOutcome::Cloud(CloudError::Throttled);
        }
        let failing = self.fails();
        if failing == Some(Failing::Before) {
            return EffectOutcome::Cloud(CloudError::Unavailable);
        }
        let ran = self.cloud.machine(id).is_some_and(CloudMachine::runs);
        let stopped = if self.sabotage == Some(Sabotage::TerminateLost) {
            self.cloud.pretend_to_terminate(id)
        } else {
            self.cloud.terminate(id, self.now)
        };
        match stopped {
            Ok(begins_to_stop) => {
                if begins_to_stop && ran {
                    let machine = id.clone();
                    self.events.push(Event::MachineTerminated { machine });
                }
                if begins_to_stop {
                    self.stopped.push(id.clone());
                }
                match failing {
                    Some(_) => EffectOutcome::Cloud(CloudError::Unavailable),
                    None => EffectOutcome::Done,
                }
            }
            Err(error) => EffectOutcome::Cloud(error),
        }
    }

    fn list(&mut self, filter: &MachineFilter) -> EffectOutcome {
        if self.throttled() {
            return EffectOutcome::Cloud(CloudError::Throttled);
        }
        if self.fails().is_some() {
            return EffectOutcome::Cloud(CloudError::Unavailable);
        }
        if self
            .random
            .happens(Purpose::Cloud, self.faults.list_stale_permille)
        {
            self.events.push(Event::Fault(FaultKind::ListStale));
            let lag = std::time::Duration::from_secs(LIST_LAG_SECONDS);
            let after = self.now.saturating_sub(lag);
            self.cloud.lag(after, self.now.saturating_add(lag));
        }
        let untagged = self.sabotage == Some(Sabotage::TokenDropped);
        match filter {
            MachineFilter::Group(_) if untagged => EffectOutcome::Machines(Vec::new()),
            MachineFilter::All | MachineFilter::Group(_) => {
                EffectOutcome::Machines(self.cloud.list(filter, self.now))
            }
        }
    }

    /// What the API server says to a call that it does not carry out.
    fn refused(&mut self, action: &Action) -> Option<ApiError> {
        let permille = self.faults.write_refused_permille;
        let is_write = Recipient::of(action) == Recipient::ApiServer;
        let strikes = is_write && self.random.happens(Purpose::Refusals, permille);
        strikes.then(|| {
            self.events.push(Event::Fault(FaultKind::WriteRefused));
            match self.random.below(Purpose::Refusals, 3) {
                0 => ApiError::Conflict,
                1 => ApiError::TooManyRequests,
                _ => ApiError::Unavailable,
            }
        })
    }

    /// Whether the cloud fails in this call; it may have done the work before.
    fn fails(&mut self) -> Option<Failing> {
        let permille = self.faults.call_failed_permille;
        let strikes = self.random.happens(Purpose::Refusals, permille);
        strikes.then(|| {
            self.events.push(Event::Fault(FaultKind::CallFailed));
            match self.random.below(Purpose::Refusals, 2) {
                0 => Failing::Before,
                _ => Failing::After,
            }
        })
    }

    fn throttled(&mut self) -> bool {
        let permille = self.faults.throttled_permille;
        let throttled = self.random.happens(Purpose::Cloud, permille);
        if throttled {
            self.events.push(Event::Fault(FaultKind::Throttled));
        }
        throttled
    }
}

/// When a call of the cloud fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failing {
    /// Before anything was done.
    Before,
    /// When all was done.
    After,
}

/// The effect as a careless client repeats it: a fleet call gets a token of its own.
fn repeated(effect: &Effect) -> Effect {
    let mut effect = effect.clone();
    if let Action::Launch(request) = &mut effect.action {
        request.token = format!("{}-again", request.token).into();
    }
    effect
}

fn fresh_token(request: &LaunchRequest, random: &mut Random) -> tidewright::model::id::LaunchToken {
    let number = random.below(Purpose::Controller, u32::MAX);
    format!("{}-{number}", request.token).into()
}

fn think(request: &PlanRequest) -> PlanAnswer {
    match request {
        PlanRequest::Provision(input) => PlanAnswer::Provision(planner::plan(input)),
        PlanRequest::Disrupt(input) => PlanAnswer::Disrupt(planner::disruption::plan(input)),
    }
}

fn answer(done: Result<(), ApiError>) -> EffectOutcome {
    done.map_or_else(EffectOutcome::Api, |()| EffectOutcome::Done)
}

fn cluster_key(name: &str) -> ObjectKey {
    ObjectKey::cluster(name)
}

/// Whether a pod asks to be left alone at this moment: `karpenter.sh/do-not-disrupt` is `true`, or
/// a time that it has not run for yet.
pub fn is_protected(pod: &Pod, now: Timestamp) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    let Some(value) = annotations.and_then(|it| it.get(keys::DO_NOT_DISRUPT)) else {
        return false;
    };
    let started = pod.status.as_ref().and_then(|it| it.start_time.as_ref());
    let ran = started.map(|started| now.since(timestamp(started)));
    let within = |span| ran.is_none_or(|ran| ran < span);
    let protects = value == "true" || parse_duration(value).is_ok_and(within);
    protects && pod.metadata.deletion_timestamp.is_none() && !is_terminal(pod)
}

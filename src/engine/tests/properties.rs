//! Whatever comes in, in whatever order: the engine does not panic, moves time forward, and never
//! wants a second time what is on its way.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::objects;
use crate::cluster::{Change, Kind};
use crate::engine::{
    Action, ApiError, CloudError, CloudEvent, CloudEventKind, Effect, EffectId, EffectOutcome,
    Engine, Input, LaunchOutcome, Leadership, MachineFact, OfferingFailure, PlanAnswer,
    PlanRequest,
};
use crate::model::claim::{ClaimPhase, ClaimSpec, NodeClaim};
use crate::model::id::PodKey;
use crate::model::pod::Placement;
use crate::model::time::Timestamp;

/// Something that may happen, by numbers that are read in the light of what is there.
#[derive(Clone, Debug)]
enum Happening {
    Wait(u64),
    Pod(u8, u8),
    Node(u8, u8),
    Claim(u8, u8),
    Gone(u8, u8),
    List(u8, bool),
    Answer(usize, u8),
    Lead(bool),
    Said(u8, usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (1_u64..20_000).prop_map(Happening::Wait),
        4 => (0_u8..4, 0_u8..6).prop_map(|(a, b)| Happening::Pod(a, b)),
        2 => (0_u8..4, 0_u8..4).prop_map(|(a, b)| Happening::Node(a, b)),
        2 => (0_u8..4, 0_u8..6).prop_map(|(a, b)| Happening::Claim(a, b)),
        1 => (0_u8..4, 0_u8..4).prop_map(|(a, b)| Happening::Gone(a, b)),
        1 => (0_u8..6, any::<bool>()).prop_map(|(a, b)| Happening::List(a, b)),
        8 => (any::<usize>(), 0_u8..12).prop_map(|(a, b)| Happening::Answer(a, b)),
        1 => (0_u8..5, 0_usize..5).prop_map(|(a, b)| Happening::Said(a, b)),
        1 => prop::bool::weighted(0.8).prop_map(Happening::Lead),
    ]
}

struct Chaos {
    now: Timestamp,
    engine: Engine,
    outstanding: BTreeMap<EffectId, Effect>,
    specs: Vec<ClaimSpec>,
    machines: usize,
}

impl Chaos {
    fn new() -> Self {
        let mut chaos = Self {
            now: Timestamp::from_seconds(1_000),
            engine: Engine::new(objects::settings()),
            outstanding: BTreeMap::new(),
            specs: Vec::new(),
            machines: 0,
        };
        chaos.step(Input::Catalog(objects::catalog()));
        for kind in Kind::ALL {
            chaos.step(Input::Observed(Change::ListBegins(kind)));
        }
        chaos.step(Input::Observed(Change::Pool(Box::new(objects::pool()))));
        for kind in Kind::ALL {
            chaos.step(Input::Observed(Change::ListEnds(kind)));
        }
        chaos.step(Input::Leadership(Leadership::Leading));
        chaos
    }

    fn step(&mut self, input: Input) {
        let now = self.now;
        // The engine gives up on a shell that is silent for five seconds after a deadline.
        let patient =
            |effect: &Effect| effect.deadline.saturating_add(Duration::from_secs(5)) > now;
        self.outstanding.retain(|_, effect| patient(effect));
        let step = self.engine.step(now, input);
        assert!(step.wake_at.is_none_or(|wake| wake > now));
        for effect in step.effects {
            let key = &effect.idempotency_key;
            let mut known = self.outstanding.values();
            assert!(
                known.all(|it| it.idempotency_key != *key),
                "{key} twice in flight"
            );
            if let Action::CreateClaim { spec, .. } = &effect.action {
                self.specs.push(ClaimSpec::clone(spec));
            }
            self.outstanding.insert(effect.id, effect);
        }
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Wait(millis) => {
                self.now = self.now.saturating_add(Duration::from_millis(millis));
                self.step(Input::Tick);
            }
            Happening::Pod(name, how) => self.pod(name, how),
            Happening::Node(name, how) => self.node(name, how),
            Happening::Claim(name, how) => self.claim(name, how),
            Happening::Gone(kind, name) => {
                let change = match kind {
                    0 => Change::PodGone(PodKey::new("default", &format!("p{name}"))),
                    1 => Change::NodeGone(format!("node-i-{name:04}").into()),
                    2 => Change::ClaimGone(format!("c{name}").into()),
                    _ => Change::PoolGone("general".into()),
                };
                self.step(Input::Observed(change));
            }
            Happening::List(kind, begins) => {
                let kind = Kind::ALL[usize::from(kind)];
                let change = if begins {
                    Change::ListBegins(kind)
                } else {
                    Change::ListEnds(kind)
                };
                self.step(Input::Observed(change));
                self.step(Input::Observed(Change::Pool(Box::new(objects::pool()))));
            }
            Happening::Answer(which, how) => self.answer(which, how),
            Happening::Said(number, kind) => {
                let offering = objects::spot("m.large", "a");
                let machine = objects::machine(&offering, usize::from(number)).provider_id;
                let kind = CloudEventKind::ALL[kind];
                self.step(Input::Cloud(CloudEvent { machine, kind }));
            }
            Happening::Lead(leads) => self.step(Input::Leadership(if leads {
                Leadership::Leading
            } else {
                Leadership::Standby
            })),
        }
    }

    fn pod(&mut self, name: u8, how: u8) {
        let mut pod = objects::pod(&format!("p{name}"), format!("pod-{name}").into(), self.now);
        match how {
            0 => pod.placement = Placement::Unscheduled,
            1 => pod.placement = Placement::Bound(format!("node-i-{name:04}").into()),
            2 => pod.deleting = Some(self.now),
            3 => pod.uid = format!("other-{name}").into(),
            _ => {}
        }
        self.step(Input::Observed(Change::Pod(Box::new(pod))));
    }

    fn node(&mut self, number: u8, how: u8) {
        let machine = objects::machine(&objects::spot("m.large", "a"), usize::from(number));
        let mut node = objects::node(&machine, format!("node-{number}").into(), self.now);
        match how {
            0 => objects::make_ready(&mut node),
            1 => node.deleting = Some(self.now),
            2 => node.held = true,
            _ => {}
        }
        self.step(Input::Observed(Change::Node(Box::new(node))));
    }

    fn claim(&mut self, number: u8, how: u8) {
        let Some(spec) = self.specs.first().cloned() else {
            return;
        };
        let machine = objects::machine(&objects::spot("m.large", "a"), usize::from(number));
        let at = self.now;
        let phase = match how {
            0 | 1 => ClaimPhase::Pending,
            2 => ClaimPhase::Launched { machine, at },
            _ => ClaimPhase::Registered {
                node: objects::node_name(&machine),
                machine,
                at,
            },
        };
        let claim = NodeClaim {
            name: format!("c{number}").into(),
            uid: format!("claim-{number}-{}", how % 2).into(),
            created: at,
            deleting: (how == 5).then_some(at),
            held: true,
            spec,
            launch_group: (how == 1).then(|| "group".into()),
            phase,
            last_pod_event: None,
        };
        self.step(Input::Observed(Change::Claim(Box::new(claim))));
    }

    fn answer(&mut self, which: usize, how: u8) {
        let ids: Vec<EffectId> = self.outstanding.keys().copied().collect();
        let Some(id) = ids.get(which.checked_rem(ids.len()).unwrap_or(0)) else {
            return;
        };
        let effect = self.outstanding.remove(id).expect("it was just listed");
        let outcome = match how {
            0 => EffectOutcome::Unknown,
            1 => EffectOutcome::PreconditionFailed,
            2 => EffectOutcome::Api(ApiError::NotFound),
            3 => EffectOutcome::Api(ApiError::Conflict),
            4 => EffectOutcome::Cloud(CloudError::Throttled),
            5 => EffectOutcome::Cloud(CloudError::Refused { code: "Odd".into() }),
            6 => EffectOutcome::Machines(Vec::new()),
            _ => self.fitting(&effect),
        };
        let id = effect.id;
        self.step(Input::Done { id, outcome });
    }

    fn fitting(&mut self, effect: &Effect) -> EffectOutcome {
        match &effect.action {
            Action::CreateClaim { name, spec } => {
                EffectOutcome::ClaimCreated(Box::new(NodeClaim {
                    name: name.clone(),
                    uid: format!("uid-of-{name}").into(),
                    created: self.now,
                    deleting: None,
                    held: true,
                    spec: ClaimSpec::clone(spec),
                    launch_group: None,
                    phase: ClaimPhase::Pending,
                    last_pod_event: None,
                }))
            }
            Action::Launch(request) => {
                self.machines += 1;
                let offering = request.offerings[0].key.clone();
                let bought = objects::machine(&offering, self.machines);
                let failure = OfferingFailure {
                    offering,
                    code: "InsufficientInstanceCapacity".into(),
                };
                EffectOutcome::Launched(LaunchOutcome {
                    machines: if self.machines.is_multiple_of(3) {
                        Vec::new()
                    } else {
                        vec![bought]
                    },
                    failures: vec![failure],
                })
            }
            Action::ListMachines(_) => EffectOutcome::Machines(vec![MachineFact {
                machine: objects::machine(&objects::spot("m.large", "b"), 7),
                launch_group: Some("group".into()),
                tags: BTreeMap::new(),
                launched_at: self.now,
            }]),
            Action::Plan(request) => EffectOutcome::Planned(Box::new(match &**request {
                PlanRequest::Provision(input) => PlanAnswer::Provision(crate::planner::plan(input)),
                PlanRequest::Disrupt(input) => {
                    PlanAnswer::Disrupt(crate::planner::disruption::plan(input))
                }
            })),
            Action::PatchClaim { .. }
            | Action::DeleteClaim { .. }
            | Action::ReleaseClaim { .. }
            | Action::Terminate { .. }
            | Action::PatchNode { .. }
            | Action::DeleteNode { .. }
            | Action::ReleaseNode { .. }
            | Action::Evict(_) => EffectOutcome::Done,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_input_is_legal_at_any_time(happenings in prop::collection::vec(happening(), 1..120)) {
        let mut chaos = Chaos::new();
        for happening in &happenings {
            chaos.happen(happening);
        }
    }

    #[test]
    fn equal_inputs_give_equal_steps(happenings in prop::collection::vec(happening(), 1..40)) {
        let (mut one, mut other) = (Chaos::new(), Chaos::new());
        for happening in &happenings {
            one.happen(happening);
            other.happen(happening);
            prop_assert_eq!(&one.outstanding, &other.outstanding);
        }
    }
}

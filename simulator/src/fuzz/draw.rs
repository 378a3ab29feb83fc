//! What a seed means.

use std::time::Duration;

use tidewright::model::catalog::CapacityType;

use super::drawn::{Deed, Drawn, written};
use super::objects::{self, PodShape, PoolShape, Workload};
use crate::cloud::SpotMarket;
use crate::faults::FaultSettings;
use crate::random::{Purpose, Random};
use crate::setup::{Happening, Interrupt, ObjectKind, Share, Taking};

/// How long faults strike and users act, in minutes.
const ACTIVE_MINUTES: (u32, u32) = (6, 15);

const BOOT_PROFILES: [&str; 4] = ["fast", "fast", "cached-image", "reference"];
const POOLS: [&str; 3] = ["alpha", "beta", "gamma"];
const WORKLOADS: (u32, u32) = (2, 6);

/// The most of each fault.
const MOST: FaultSettings = FaultSettings {
    insufficient_capacity_permille: 300,
    throttled_permille: 200,
    slow_boot_permille: 200,
    dead_boot_permille: 100,
    watch_delayed_permille: 300,
    watch_delay_millis_max: 10_000,
    watch_reordered_permille: 200,
    watch_lost_permille: 50,
    relist_permille: 20,
    answer_lost_permille: 100,
    crash_permille: 30,
    list_stale_permille: 200,
    never_ready_permille: 100,
    vanished_permille: 200,
    watch_repeated_permille: 200,
    clock_step_permille: 50,
    clock_step_millis_max: 60_000,
    write_refused_permille: 200,
    call_failed_permille: 200,
    answer_slow_permille: 100,
    fleet_partial_permille: 200,
    pod_stuck_permille: 200,
    plan_millis_max: 5_000,
    quiet_after_seconds: ACTIVE_MINUTES.1 * 60,
};

/// What every seed draws from, in words, one a line.
pub fn drawn_from() -> Vec<String> {
    let ((least, most), pools) = (ACTIVE_MINUTES, POOLS.len());
    let (fewest, workloads) = WORKLOADS;
    vec![
        format!("boot profile one of {}", BOOT_PROFILES.join(", ")),
        format!("faults for {least} to {most} minutes, each off in half of all worlds, at most"),
        format!("  {}", written(&MOST)),
        "in half of all worlds machines that are taken away, a lost zone, and quotas".to_owned(),
        format!("1 to {pools} NodePools, {fewest} to {workloads} workloads"),
    ]
}

/// The world of a seed.
pub fn draw(seed: u64) -> Drawn {
    let mut draw = Draw(Random::new(seed));
    let active = Duration::from_mins(u64::from(draw.span(ACTIVE_MINUTES)));
    let boot = draw.one(&BOOT_PROFILES);
    let faults = draw.faults(active);
    let pools = draw.pools();
    let with_daemon = draw.chance(500);
    let deeds = draw.deeds(&pools, active);
    Drawn {
        seed,
        active,
        boot,
        faults,
        pools: pools.into_iter().map(Some).collect(),
        with_daemon,
        deeds,
    }
}

struct Draw(Random);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        let bound = u32::try_from(bound).unwrap_or(u32::MAX);
        let drawn = self.0.below(Purpose::Drawing, bound);
        usize::try_from(drawn).expect("an index has at least 32 bits")
    }

    fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.0.below(Purpose::Drawing, most - least + 1)
    }

    fn span(&mut self, (least, most): (u32, u32)) -> u32 {
        self.between(least, most)
    }

    fn chance(&mut self, permille: u32) -> bool {
        self.0.happens(Purpose::Drawing, permille)
    }

    fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = self.below(choices.len());
        choices[place]
    }

    /// Each kind is off in half of all worlds.
    fn fault(&mut self, most_permille: u32) -> u32 {
        if self.chance(500) {
            self.between(1, most_permille)
        } else {
            0
        }
    }

    fn faults(&mut self, active: Duration) -> FaultSettings {
        FaultSettings {
            insufficient_capacity_permille: self.fault(MOST.insufficient_capacity_permille),
            throttled_permille: self.fault(MOST.throttled_permille),
            slow_boot_permille: self.fault(MOST.slow_boot_permille),
            dead_boot_permille: self.fault(MOST.dead_boot_permille),
            watch_delayed_permille: self.fault(MOST.watch_delayed_permille),
            watch_delay_millis_max: self.between(100, MOST.watch_delay_millis_max),
            watch_reordered_permille: self.fault(MOST.watch_reordered_permille),
            watch_lost_permille: self.fault(MOST.watch_lost_permille),
            relist_permille: self.fault(MOST.relist_permille),
            answer_lost_permille: self.fault(MOST.answer_lost_permille),
            crash_permille: self.fault(MOST.crash_permille),
            list_stale_permille: self.fault(MOST.list_stale_permille),
            plan_millis_max: if self.chance(500) {
                self.between(50, MOST.plan_millis_max)
            } else {
                0
            },
            quiet_after_seconds: u32::try_from(active.as_secs()).unwrap_or(u32::MAX),
            never_ready_permille: self.fault(MOST.never_ready_permille),
            vanished_permille: self.fault(MOST.vanished_permille),
            watch_repeated_permille: self.fault(MOST.watch_repeated_permille),
            clock_step_permille: self.fault(MOST.clock_step_permille),
            clock_step_millis_max: self.between(1_000, MOST.clock_step_millis_max),
            write_refused_permille: self.fault(MOST.write_refused_permille),
            call_failed_permille: self.fault(MOST.call_failed_permille),
            answer_slow_permille: self.fault(MOST.answer_slow_permille),
            fleet_partial_permille: self.fault(MOST.fleet_partial_permille),
            pod_stuck_permille: self.fault(MOST.pod_stuck_permille),
        }
    }

    fn pools(&mut self) -> Vec<PoolShape> {
        let count = 1 + self.below(POOLS.len());
        let names = POOLS.into_iter().take(count);
        names.map(|name| self.pool(name)).collect()
    }

    fn pool(&mut self, name: &'static str) -> PoolShape {
        let limits: &[(&str, &str)] = &[
            ("cpu", "4"),
            ("cpu", "16"),
            ("cpu", "64"),
            ("memory", "32Gi"),
            ("nodes", "1"),
            ("nodes", "3"),
        ];
        PoolShape {
            name,
            families: self.one(&[
                &["m6a"],
                &["c6a", "c7a"],
                &["m6a", "m7a", "r6a"],
                &["c6a", "m6a", "r6a", "c7a", "m7a", "r7a"],
            ]),
            spot: self.chance(700),
            tainted: self.chance(300),
            limit: self.chance(500).then(|| self.one(limits)),
            budget: self.one(&["0", "1", "1", "2", "10%", "50%", "100%"]),
            budget_for_empty: self.chance(800),
            consolidate_after: self.one(&["0s", "10s", "30s", "1m", "2m"]),
            grace: self.chance(300).then(|| self.one(&["30s", "2m"])),
            startup_taint: self.chance(200).then_some("example.com/starting"),
            weight: self.between(1, 100),
        }
    }

    fn deeds(&mut self, pools: &[PoolShape], active: Duration) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let workloads = self.span(WORKLOADS);
        for number in 0..workloads {
            self.workload(pools, active, number, &mut deeds);
        }
        for _ in 0..self.below(4) {
            let kind = self.one(&[
                ObjectKind::NodeClaim,
                ObjectKind::NodeClaim,
                ObjectKind::Node,
            ]);
            let place = self.below(8);
            let at = self.within(active);
            deeds.push(Deed::one(at, Happening::DeleteAny { kind, place }));
        }
        for _ in 0..self.below(3) {
            let shortage = self.shortage(active);
            deeds.push(shortage);
        }
        if self.chance(300) {
            let at = self.within(active);
            deeds.push(Deed::one(at, Happening::CrashController));
        }
        if self.chance(500) {
            self.losses(active, &mut deeds);
        }
        if self.chance(250) {
            let nodes = self.between(1, 3);
            let span = Some(Duration::from_secs(u64::from(self.between(20, 600))));
            let at = self.within(active);
            deeds.push(Deed::one(at, Happening::Silence { nodes, span }));
        }
        if self.chance(400) {
            let market = self.market(active);
            deeds.push(Deed::one(Duration::ZERO, Happening::Prices(market)));
        }
        deeds
    }

    fn within(&mut self, active: Duration) -> Duration {
        let most = u32::try_from(active.as_millis()).unwrap_or(u32::MAX);
        Duration::from_millis(u64::from(self.between(0, most)))
    }

    /// A workload comes, perhaps changes, and perhaps goes. Soon after it has come a claim may be
    /// deleted: while it is being bought.
    fn workload(
        &mut self,
        pools: &[PoolShape],
        active: Duration,
        number: u32,
        deeds: &mut Vec<Deed>,
    ) {
        let at = self.within(active / 2);
        let name = format!("work-{number}");
        let shape = self.pod(pools);
        let workload = self.one(&[
            Workload::Deployment,
            Workload::Deployment,
            Workload::StatefulSet,
            Workload::Job,
            Workload::CronJob,
            Workload::Pod,
        ]);
        let count = self.between(1, 10);
        let object = objects::workload(workload, &name, count, &shape);
        deeds.push(Deed::one(at, Happening::Apply(object)));
        if self.chance(300) {
            let late = self.one(&[150, 400, 2_500]);
            let after = Duration::from_millis(u64::from(self.between(40, late)));
            let kind = ObjectKind::NodeClaim;
            let place = self.below(4);
            let deletion = Happening::DeleteAny { kind, place };
            deeds.push(Deed::one(at + after, deletion));
        }
        match workload {
            Workload::Deployment => {
                self.replicas(ObjectKind::Deployment, &name, (at, active), deeds);
                self.rollouts(&name, (&shape, count), (at, active), deeds);
            }
            Workload::StatefulSet => {
                self.replicas(ObjectKind::StatefulSet, &name, (at, active), deeds);
            }
            Workload::CronJob => {
                deeds.push(Deed::one(active, delete(ObjectKind::CronJob, &name)));
            }
            Workload::Job | Workload::Pod => {}
        }
        if self.chance(300) {
            let budget = self.one(&[
                ("minAvailable", "1"),
                ("minAvailable", "50%"),
                ("maxUnavailable", "1"),
                ("maxUnavailable", "25%"),
                ("maxUnavailable", "0"),
            ]);
            let budget = objects::disruption_budget(&name, budget);
            // What nothing may be taken from would hold its nodes for ever.
            let end = delete(ObjectKind::PodDisruptionBudget, &name);
            deeds.push(Deed(vec![(at, Happening::Apply(budget)), (active, end)]));
        }
    }

    /// Users scale a workload up and down, and perhaps to nothing in the end.
    fn replicas(
        &mut self,
        kind: ObjectKind,
        name: &str,
        (at, active): (Duration, Duration),
        deeds: &mut Vec<Deed>,
    ) {
        for _ in 0..self.below(3) {
            let replicas = self.between(0, 12);
            let later = self.within(active).max(at);
            deeds.push(Deed::one(later, scale(kind, name, replicas)));
        }
        if self.chance(600) {
            deeds.push(Deed::one(active, scale(kind, name, 0)));
        }
    }

    /// A new template rolls through a Deployment: pods of other needs.
    fn rollouts(
        &mut self,
        name: &str,
        (shape, count): (&PodShape, u32),
        (at, active): (Duration, Duration),
        deeds: &mut Vec<Deed>,
    ) {
        if self.chance(300) {
            let shape = PodShape {
                cpu: self.one(&["100m", "500m", "1", "2"]),
                ..shape.clone()
            };
            let object = objects::workload(Workload::Deployment, name, count, &shape);
            let later = self.within(active).max(at);
            deeds.push(Deed::one(later, Happening::Apply(object)));
        }
    }

    fn pod(&mut self, pools: &[PoolShape]) -> PodShape {
        let place = self.below(pools.len());
        PodShape {
            cpu: self.one(&["100m", "250m", "500m", "1", "2", "3", "6", "500"]),
            memory: self.one(&["128Mi", "512Mi", "1Gi", "4Gi", "12Gi"]),
            pool: (pools[place].tainted || self.chance(300)).then(|| pools[place].name),
            protected: self.chance(250),
            run_seconds: self.between(20, 300),
            grace_seconds: self.one(&[0, 5, 30]),
        }
    }

    /// Machines are taken away, a zone is lost, and quotas bind until all faults end.
    fn losses(&mut self, active: Duration, deeds: &mut Vec<Deed>) {
        for _ in 0..self.between(1, 3) {
            let how = self.one(&[
                Taking::Spot,
                Taking::Spot,
                Taking::Terminated,
                Taking::Stopped,
            ]);
            let interrupt = Interrupt {
                how,
                share: self.one(&[Share::Machines(1), Share::Percent(33), Share::Percent(100)]),
                instance_type: None,
                zone: self
                    .one(&[None, None, Some("us-east-2a")])
                    .map(ToOwned::to_owned),
                within: Duration::from_secs(self.one(&[0, 10, 60])),
                rebalance_before: (how == Taking::Spot && self.chance(300))
                    .then(|| Duration::from_mins(1)),
            };
            let at = self.within(active);
            deeds.push(Deed::one(at, Happening::Interrupt(interrupt)));
        }
        if self.chance(300) {
            let at = self.within(active);
            let zone = self.one(&["us-east-2a", "us-east-2b"]).to_owned();
            let lasts = active.saturating_sub(at);
            deeds.push(Deed::one(at, Happening::ZoneOutage { zone, lasts }));
        }
        if self.chance(300) {
            let capacity_type = self.one(&[CapacityType::Spot, CapacityType::OnDemand]);
            let quota = |vcpus| Happening::Quota {
                capacity_type,
                vcpus,
            };
            let vcpus = self.one(&[0, 4, 16]);
            deeds.push(Deed(vec![
                (self.within(active), quota(Some(vcpus))),
                (active, quota(None)),
            ]));
        }
    }

    /// Spot prices move until all faults end.
    fn market(&mut self, active: Duration) -> SpotMarket {
        SpotMarket {
            every: Duration::from_secs(self.one(&[10, 60, 180])),
            moved_permille: self.one(&[50, 300, 1_000]),
            step_permille: self.one(&[20, 100, 500]),
            asked_every: Duration::from_secs(self.one(&[15, 90, 600])),
            lasts: Some(active),
        }
    }

    /// Some offerings are short for a while, and there again when all faults end.
    fn shortage(&mut self, active: Duration) -> Deed {
        let capacity_type =
            self.one(&[Some(CapacityType::Spot), Some(CapacityType::OnDemand), None]);
        let zone = self.one(&[None, Some("us-east-2a"), Some("us-east-2b")]);
        let machines = self.one(&[0, 0, 1, 3]);
        let short = |machines| Happening::Capacity {
            capacity_type,
            instance_type: None,
            zone: zone.map(ToOwned::to_owned),
            machines,
        };
        Deed(vec![
            (self.within(active), short(Some(machines))),
            (active, short(None)),
        ])
    }
}

fn delete(kind: ObjectKind, name: &str) -> Happening {
    Happening::Delete {
        kind,
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

fn scale(kind: ObjectKind, name: &str, replicas: u32) -> Happening {
    Happening::Scale {
        kind,
        namespace: "default".to_owned(),
        name: name.to_owned(),
        replicas,
    }
}

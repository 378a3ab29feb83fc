//! The cloud of the world: EC2 as far as a buyer of machines sees it.
//!
//! - Machines are sold by fleet calls ([`Cloud::create_fleet`]) and cost money from the purchase
//!   until they are told to stop, by the second, 60 s at least (EC2 documentation, "Billing for On-Demand
//!   Instances").
//! - A list of machines may lag behind ("Eventual consistency in the Amazon EC2 API").
//! - A machine told to stop is listed until it has stopped.

mod bill;
mod capacity;
mod fleet;
mod market;
mod quota;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidewright::cloud::region::Region;
use tidewright::engine::{CloudError, LaunchOutcome, LaunchRequest, MachineFact, MachineFilter};
use tidewright::model::catalog::CapacityType;
use tidewright::model::claim::Machine;
use tidewright::model::id::{LaunchGroup, LaunchToken, ProviderId};
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

pub use bill::billed;
pub use capacity::CapacityRule;
pub use fleet::{FleetFaults, INSUFFICIENT};
pub use market::SpotMarket;

/// A machine, from its purchase on; kept when it is gone, because the bill names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudMachine {
    /// What the cloud says of it.
    pub fact: MachineFact,
    /// What it costs, and from when on.
    pub prices: Vec<(Timestamp, Price)>,
    /// How far it has come.
    pub state: MachineState,
    /// When lists begin to show it.
    pub listed_from: Timestamp,
    /// Until when lists show it although it has stopped.
    pub listed_until: Timestamp,
}

/// How far a machine has come.
///
/// | State | Listed | Costs | Next |
/// |---|---|---|---|
/// | `Running` | yes | yes | told to stop, or halted |
/// | `Halted` | yes | no | told to stop |
/// | `Stopping` | yes | no | has stopped |
/// | `Gone` | no | no | |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineState {
    /// It boots or runs.
    Running,
    /// Somebody has halted it: it does nothing and exists.
    Halted {
        /// When.
        since: Timestamp,
    },
    /// It was told to stop.
    Stopping {
        /// When.
        since: Timestamp,
    },
    /// It has stopped. A list that lags behind may still show it.
    Gone {
        /// When it was told to.
        since: Timestamp,
        /// When it had.
        gone: Timestamp,
    },
}

impl CloudMachine {
    /// Whether it boots or runs.
    pub fn runs(&self) -> bool {
        self.state == MachineState::Running
    }

    /// What it cost when it was bought.
    pub fn first_price(&self) -> Price {
        let (_, price) = self.prices.first().expect("a machine is bought at a price");
        *price
    }

    /// When it was told to stop.
    pub fn stopped_at(&self) -> Option<Timestamp> {
        match self.state {
            MachineState::Running => None,
            MachineState::Halted { since }
            | MachineState::Stopping { since }
            | MachineState::Gone { since, .. } => Some(since),
        }
    }
}

/// The cloud.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// What is sold, at the prices of the moment.
    region: Arc<Region>,
    /// The same at the prices of the beginning.
    first_prices: Arc<Region>,
    seed: u64,
    machines: BTreeMap<ProviderId, CloudMachine>,
    capacity: capacity::Capacity,
    quotas: quota::Quotas,
    answers: BTreeMap<LaunchToken, (LaunchRequest, LaunchOutcome)>,
    /// Machines that run on although they were told to stop, by sabotage.
    immortal: BTreeSet<ProviderId>,
    bought: u64,
}

impl Cloud {
    /// A cloud in which nothing has been bought. Which of its pools are deep depends on the seed.
    pub fn new(region: Arc<Region>, seed: u64) -> Self {
        Self {
            first_prices: Arc::clone(&region),
            region,
            seed,
            machines: BTreeMap::new(),
            capacity: capacity::Capacity::default(),
            quotas: quota::Quotas::default(),
            answers: BTreeMap::new(),
            immortal: BTreeSet::new(),
            bought: 0,
        }
    }

    /// What is sold, at the prices of the moment.
    pub fn region(&self) -> &Arc<Region> {
        &self.region
    }

    /// Every machine that was ever bought, by id.
    pub fn machines(&self) -> impl Iterator<Item = &CloudMachine> {
        self.machines.values()
    }

    /// One machine.
    pub fn machine(&self, id: &ProviderId) -> Option<&CloudMachine> {
        self.machines.get(id)
    }

    /// A machine that was there before the world began. It costs money from now on, as far as this
    /// world's bill is concerned.
    pub fn adopt(
        &mut self,
        (machine, launch_group): (Machine, Option<LaunchGroup>),
        price: Price,
        now: Timestamp,
    ) {
        let fact = MachineFact {
            machine,
            launch_group,
            tags: BTreeMap::new(),
            launched_at: now,
        };
        self.begin(fact, price);
    }

    /// A machine exists from its launch on.
    fn begin(&mut self, fact: MachineFact, price: Price) {
        let machine = CloudMachine {
            prices: vec![(fact.launched_at, price)],
            state: MachineState::Running,
            listed_from: fact.launched_at,
            listed_until: fact.launched_at,
            fact,
        };
        let id = machine.fact.machine.provider_id.clone();
        self.machines.insert(id, machine);
    }

    /// From now on there are so many machines left of what the rule matches.
    pub fn limit(&mut self, rule: CapacityRule) {
        self.capacity.add(rule);
    }

    /// The machines, as a list shows them at `now`.
    pub fn list(&self, filter: &MachineFilter, now: Timestamp) -> Vec<MachineFact> {
        let listed = self.machines.values().filter(|machine| {
            let wanted = match filter {
                MachineFilter::All => true,
                MachineFilter::Group(group) => machine.fact.launch_group.as_ref() == Some(group),
            };
            let is_gone = matches!(machine.state, MachineState::Gone { .. });
            let shown = !is_gone || machine.listed_until > now;
            wanted && shown && machine.listed_from <= now
        });
        listed.map(|machine| machine.fact.clone()).collect()
    }

    /// Lists know nothing of what has happened since then, until `until`: they do not show machines
    /// bought since, and show those that have stopped since.
    pub fn lag(&mut self, since: Timestamp, until: Timestamp) {
        for machine in self.machines.values_mut() {
            if machine.fact.launched_at >= since {
                machine.listed_from = machine.listed_from.max(until);
            }
            if !matches!(machine.state, MachineState::Gone { gone, .. } if gone < since) {
                machine.listed_until = machine.listed_until.max(until);
            }
        }
    }

    /// Nothing is sold in a zone until an instant.
    pub fn close_zone(&mut self, zone: &str, until: Timestamp) {
        self.capacity.close_zone(zone, until);
    }

    /// From now on so many vCPUs at most run of a capacity type; none is no limit (EC2 documentation,
    /// "Amazon EC2 service quotas").
    pub fn quota(&mut self, capacity_type: CapacityType, vcpus: Option<u32>) {
        self.quotas.set(capacity_type, vcpus);
    }

    /// Somebody halts a machine: it stops to run, and exists. True if it ran until now.
    pub fn halt(&mut self, id: &ProviderId, now: Timestamp) -> bool {
        let machine = self.machines.get_mut(id).filter(|it| it.runs());
        machine.is_some_and(|machine| {
            machine.state = MachineState::Halted { since: now };
            true
        })
    }

    /// Tells a machine to stop. To say so again changes nothing; a machine that has stopped is
    /// not found. True if it begins to stop with that.
    pub fn terminate(&mut self, id: &ProviderId, now: Timestamp) -> Result<bool, CloudError> {
        let machine = self.machines.get_mut(id).ok_or(CloudError::NotFound)?;
        match machine.state {
            MachineState::Running => {
                machine.state = MachineState::Stopping { since: now };
                Ok(true)
            }
            MachineState::Halted { since } => {
                machine.state = MachineState::Stopping { since };
                Ok(true)
            }
            MachineState::Stopping { .. } => Ok(false),
            MachineState::Gone { .. } => Err(CloudError::NotFound),
        }
    }

    /// The machine pretends to stop, and to have stopped when it is asked again, and runs on: for
    /// the sabotage `terminate-lost`.
    pub fn pretend_to_terminate(&mut self, id: &ProviderId) -> Result<bool, CloudError> {
        let first = self.machines.contains_key(id) && self.immortal.insert(id.clone());
        first.then_some(false).ok_or(CloudError::NotFound)
    }

    /// The machine has stopped.
    pub fn stopped(&mut self, id: &ProviderId, now: Timestamp) {
        if let Some(machine) = self.machines.get_mut(id)
            && let MachineState::Stopping { since } = machine.state
        {
            machine.state = MachineState::Gone { since, gone: now };
        }
    }

    fn next_id(&mut self, zone: &str) -> ProviderId {
        self.bought += 1;
        let id = tidewright::model::id::stable_hash([
            self.seed.to_string().as_str(),
            self.bought.to_string().as_str(),
        ]);
        format!("aws:///{zone}/i-0{id:016x}").into()
    }
}

/// The tags under which a machine is found again.
fn tags(request: &LaunchRequest) -> BTreeMap<Arc<str>, Arc<str>> {
    request.tags.clone()
}

#[cfg(test)]
mod tests;

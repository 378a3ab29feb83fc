//! Fleet calls of type `instant` (EC2 documentation, "CreateFleet").

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use tidewright::engine::{
    CloudError, LaunchOutcome, LaunchRequest, MachineFact, OfferingFailure, RankedOffering,
};
use tidewright::model::catalog::{CapacityType, OfferingKey};
use tidewright::model::node_class::NodeClass;
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

use super::{Cloud, tags};
use crate::faults::{FaultKind, FaultSettings};
use crate::random::{Purpose, Random};

/// The code for an empty pool (EC2 documentation, "Error codes for the Amazon EC2 API").
pub const INSUFFICIENT: &str = "InsufficientInstanceCapacity";

/// The code for a token that was used for another request.
const TOKEN_MISMATCH: &str = "IdempotentParameterMismatch";

/// The code for a machine that could have been had and was not.
const MISHAP: &str = "InternalError";

/// The least and the longest time that a pool stays empty after a fault emptied it.
const OUTAGE_SECONDS: (u32, u32) = (120, 900);

/// What may go wrong with a call, and where chance comes from.
#[derive(Debug)]
pub struct FleetFaults<'a> {
    /// How often.
    pub settings: &'a FaultSettings,
    /// The world's chance.
    pub random: &'a mut Random,
    /// What has gone wrong.
    pub struck: &'a mut Vec<FaultKind>,
}

impl FleetFaults<'_> {
    fn strikes(&mut self, kind: FaultKind, permille: u32) -> bool {
        let strikes = self.random.happens(Purpose::Cloud, permille);
        if strikes {
            self.struck.push(kind);
        }
        strikes
    }
}

/// How many machines are sold, and what is said about those that are not: now and then nothing.
fn whole_or_part(
    request: &LaunchRequest,
    faults: &mut FleetFaults<'_>,
) -> (u32, Option<OfferingFailure>) {
    let asked = u32::try_from(request.claims.len()).unwrap_or(u32::MAX);
    if !faults.strikes(
        FaultKind::FleetPartial,
        faults.settings.fleet_partial_permille,
    ) {
        return (asked, None);
    }
    let told = faults.random.below(Purpose::Cloud, 2) == 0;
    let first = request.offerings.first().filter(|_| told);
    let mishap = first.map(|offering| OfferingFailure {
        offering: offering.key.clone(),
        code: MISHAP.into(),
    });
    (faults.random.below(Purpose::Cloud, asked), mishap)
}

impl Cloud {
    /// Buys machines, as many as the request has claims. A token seen before gets its first
    /// answer again if the request is the same, and is refused otherwise.
    pub fn create_fleet(
        &mut self,
        request: &LaunchRequest,
        class: &NodeClass,
        mut faults: FleetFaults<'_>,
        now: Timestamp,
    ) -> Result<LaunchOutcome, CloudError> {
        if faults.strikes(FaultKind::Throttled, faults.settings.throttled_permille) {
            return Err(CloudError::Throttled);
        }
        if let Some((first, answer)) = self.answers.get(&request.token) {
            let code = TOKEN_MISMATCH.into();
            let same = said(first) == said(request);
            return same
                .then(|| answer.clone())
                .ok_or(CloudError::Refused { code });
        }
        self.perhaps_empty_a_pool(request, &mut faults, now);
        let mut outcome = LaunchOutcome::default();
        let mut tried = BTreeMap::new();
        let (machines, mishap) = whole_or_part(request, &mut faults);
        for _ in 0..machines {
            self.buy(request, class, &mut tried, &mut outcome, now);
        }
        let failures = tried.into_iter();
        let failures = failures.map(|(offering, code)| OfferingFailure {
            offering,
            code: code.into(),
        });
        outcome.failures = failures.chain(mishap).collect();
        let answer = (request.clone(), outcome.clone());
        self.answers.insert(request.token.clone(), answer);
        Ok(outcome)
    }

    fn perhaps_empty_a_pool(
        &mut self,
        request: &LaunchRequest,
        faults: &mut FleetFaults<'_>,
        now: Timestamp,
    ) {
        let permille = faults.settings.insufficient_capacity_permille;
        if !faults.strikes(FaultKind::InsufficientCapacity, permille) {
            return;
        }
        // The pool that would have served goes first, and now and then its neighbours with it.
        let (least, most) = OUTAGE_SECONDS;
        let pools = 1 + faults.random.below(Purpose::Cloud, 4);
        for offering in self.by_strategy(request, now) {
            let seconds = least + faults.random.below(Purpose::Cloud, most - least);
            let until = now.saturating_add(Duration::from_secs(u64::from(seconds)));
            if self.capacity.has(&offering.key, now) {
                self.capacity.outage(offering.key, until);
            }
            if faults.random.below(Purpose::Cloud, 1 + pools) == 0 {
                break;
            }
        }
    }

    /// Buys one machine from the first pool that has one; the pools that could not serve join
    /// `failed`, with the code that says why.
    fn buy(
        &mut self,
        request: &LaunchRequest,
        class: &NodeClass,
        failed: &mut BTreeMap<OfferingKey, &'static str>,
        outcome: &mut LaunchOutcome,
        now: Timestamp,
    ) {
        for RankedOffering { key, .. } in self.by_strategy(request, now) {
            let id = self.next_id(key.zone.as_str());
            let sold = self.capacity.has(&key, now).then(|| {
                let machine = self.region.machine(&key, class, id.clone())?;
                Some((machine, self.region.price(&key)?))
            });
            let Some((machine, price)) = sold.flatten() else {
                failed.insert(key, INSUFFICIENT);
                continue;
            };
            if let Some(code) = self.over_quota(&machine) {
                failed.insert(key, code);
                continue;
            }
            self.capacity.take(&key);
            let fact = MachineFact {
                machine: machine.clone(),
                launch_group: Some(request.group.clone()),
                tags: tags(request),
                launched_at: now,
            };
            self.begin(fact, price);
            outcome.machines.push(machine);
            return;
        }
    }

    /// The offerings in the order in which the cloud tries them: spot by
    /// `price-capacity-optimized` (the deepest pools first, the cheaper first among these),
    /// everything else by `lowest-price`.
    fn by_strategy(&self, request: &LaunchRequest, now: Timestamp) -> Vec<RankedOffering> {
        let mut offerings = request.offerings.clone();
        offerings.sort_by_cached_key(|offering| {
            let depth = match request.capacity_type {
                CapacityType::Spot => self.capacity.depth(&offering.key, self.seed, now),
                CapacityType::OnDemand | CapacityType::Reserved => 0,
            };
            let price = self.region.price(&offering.key);
            (Reverse(depth), price, offering.key.clone())
        });
        offerings
    }
}

/// What a request says to the cloud: offerings have neither an order nor a price there.
fn said(request: &LaunchRequest) -> LaunchRequest {
    let mut said = request.clone();
    said.offerings.sort_by(|a, b| a.key.cmp(&b.key));
    for offering in &mut said.offerings {
        offering.price = Price::ZERO;
    }
    said
}

use std::time::Duration;

use tidewright::model::catalog::{CapacityType, OfferingKey};
use tidewright::model::claim::Machine;
use tidewright::model::id::{ClaimName, LaunchGroup, Uid};
use tidewright::model::node_class::NodeClass;

use super::*;
use crate::echo::node_class_ref;
use crate::faults::FaultSettings;
use crate::random::Random;
use tidewright::engine::RankedOffering;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn cloud() -> Cloud {
    Cloud::new(crate::scenario::region(), 1)
}

/// A request for machines from the cheapest offerings of the family m6a.
fn request(cloud: &Cloud, token: &str, paid: CapacityType, machines: u32) -> LaunchRequest {
    let claims = (0..machines).map(|number| {
        let name = format!("claim-{number}");
        (ClaimName::from(name.as_str()), Uid::from(name))
    });
    let offerings = cloud
        .region
        .offerings()
        .filter(|key| key.capacity_type == paid && key.instance_type.as_str().starts_with("m6a."));
    let offerings = offerings.map(|key| RankedOffering {
        price: cloud.region.price(&key).expect("it is sold"),
        key,
    });
    LaunchRequest {
        group: LaunchGroup::from("group"),
        token: token.into(),
        claims: claims.collect(),
        node_class: node_class_ref("default"),
        capacity_type: paid,
        offerings: offerings.collect(),
        tags: BTreeMap::new(),
    }
}

fn call(
    cloud: &mut Cloud,
    request: &LaunchRequest,
    settings: &FaultSettings,
) -> Result<LaunchOutcome, CloudError> {
    let class = NodeClass::with_defaults(request.node_class.clone());
    let (mut random, mut struck) = (Random::new(1), Vec::new());
    let faults = FleetFaults {
        settings,
        random: &mut random,
        struck: &mut struck,
    };
    cloud.create_fleet(request, &class, faults, NOW)
}

fn buy(cloud: &mut Cloud, request: &LaunchRequest) -> LaunchOutcome {
    call(cloud, request, &FaultSettings::default()).expect("nothing goes wrong")
}

fn offerings(outcome: &LaunchOutcome) -> Vec<OfferingKey> {
    outcome.machines.iter().map(Machine::offering).collect()
}

#[test]
fn on_demand_is_bought_where_it_is_cheapest() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::OnDemand, 2);
    let outcome = buy(&mut cloud, &request);
    let cheapest = request
        .offerings
        .iter()
        .map(|offering| offering.price)
        .min();
    for key in offerings(&outcome) {
        assert_eq!(cloud.region.price(&key), cheapest);
    }
    assert_eq!((outcome.machines.len(), outcome.failures.len()), (2, 0));
}

#[test]
fn spot_is_bought_from_the_cheapest_of_the_deepest_pools() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::Spot, 1);
    let outcome = buy(&mut cloud, &request);
    let bought = &offerings(&outcome)[0];
    let depth = |key: &OfferingKey| cloud.capacity.depth(key, cloud.seed, NOW);
    let deepest = request
        .offerings
        .iter()
        .map(|offering| depth(&offering.key))
        .max();
    assert_eq!(Some(depth(bought)), deepest);
    let cheaper = request.offerings.iter().filter(|offering| {
        Some(depth(&offering.key)) == deepest && Some(offering.price) < cloud.region.price(bought)
    });
    assert_eq!(cheaper.count(), 0);
}

#[test]
fn a_token_buys_once_and_is_refused_for_another_request() {
    let mut cloud = cloud();
    let first = request(&cloud, "t", CapacityType::Spot, 2);
    let outcome = buy(&mut cloud, &first);
    assert_eq!(buy(&mut cloud, &first), outcome);
    assert_eq!(cloud.machines().count(), 2);
    let other = request(&cloud, "t", CapacityType::Spot, 1);
    let refused = call(&mut cloud, &other, &FaultSettings::default());
    let code = "IdempotentParameterMismatch".into();
    assert_eq!(refused, Err(CloudError::Refused { code }));
    let fresh = request(&cloud, "u", CapacityType::Spot, 1);
    assert_eq!(buy(&mut cloud, &fresh).machines.len(), 1);
}

#[test]
fn empty_pools_are_named_and_the_rest_is_bought() {
    let mut cloud = cloud();
    cloud.limit(CapacityRule {
        capacity_type: Some(CapacityType::OnDemand),
        machines: Some(0),
        ..CapacityRule::default()
    });
    let all = request(&cloud, "t", CapacityType::OnDemand, 2);
    let outcome = buy(&mut cloud, &all);
    assert!(outcome.machines.is_empty());
    assert_eq!(outcome.failures.len(), all.offerings.len());
    assert_eq!(&*outcome.failures[0].code, fleet::INSUFFICIENT);

    let key = all.offerings[0].key.clone();
    cloud.limit(CapacityRule {
        instance_type: Some(key.instance_type.to_string()),
        zone: Some(key.zone.to_string()),
        machines: Some(1),
        ..CapacityRule::default()
    });
    let again = request(&cloud, "u", CapacityType::OnDemand, 2);
    let outcome = buy(&mut cloud, &again);
    assert_eq!(offerings(&outcome), [key]);
    assert_eq!(outcome.failures.len(), again.offerings.len());
}

#[test]
fn faults_throttle_calls_and_empty_pools() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::Spot, 1);
    let throttled = FaultSettings {
        throttled_permille: 1_000,
        ..FaultSettings::default()
    };
    assert_eq!(
        call(&mut cloud, &request, &throttled),
        Err(CloudError::Throttled)
    );
    let empty = FaultSettings {
        insufficient_capacity_permille: 1_000,
        ..FaultSettings::default()
    };
    call(&mut cloud, &request, &empty).expect("an answer");
    let out = request
        .offerings
        .iter()
        .filter(|it| !cloud.capacity.has(&it.key, NOW));
    assert!(out.count() > 0);
}

#[test]
fn a_machine_costs_from_purchase_to_stop_and_a_minute_at_least() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::OnDemand, 1);
    let id = buy(&mut cloud, &request).machines[0].provider_id.clone();
    let price = cloud.machine(&id).expect("bought").first_price();
    let after = |millis| NOW.saturating_add(Duration::from_millis(millis));
    let whole = |seconds| tidewright::model::price::bill(price, Duration::from_secs(seconds));
    assert_eq!(cloud.bill(after(1)), whole(60));
    assert_eq!(cloud.bill(after(90_001)), whole(91));
    assert_eq!(cloud.terminate(&id, after(100_000)), Ok(true));
    assert_eq!(cloud.terminate(&id, after(100_500)), Ok(false));
    assert_eq!(cloud.list(&MachineFilter::All, after(101_000)).len(), 1);
    cloud.stopped(&id, after(101_500));
    assert_eq!(cloud.list(&MachineFilter::All, after(102_000)).len(), 0);
    assert_eq!(
        cloud.terminate(&id, after(103_000)),
        Err(CloudError::NotFound)
    );
    assert_eq!(cloud.bill(after(500_000)), whole(100));
}

#[test]
fn lists_may_lag_behind() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::OnDemand, 1);
    let id = buy(&mut cloud, &request).machines[0].provider_id.clone();
    let after = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    let (soon, later) = (after(5), after(30));
    cloud.lag(NOW, later);
    let group = MachineFilter::Group("group".into());
    assert_eq!(cloud.list(&group, soon).len(), 0);
    assert_eq!(cloud.list(&group, later).len(), 1);
    assert_eq!(
        cloud
            .list(&MachineFilter::Group("other".into()), later)
            .len(),
        0
    );
    // What has stopped a short time ago is still shown, and what stopped before is not.
    assert_eq!(cloud.terminate(&id, after(40)), Ok(true));
    cloud.stopped(&id, after(60));
    assert_eq!(cloud.list(&group, after(61)).len(), 0);
    cloud.lag(after(61), after(80));
    assert_eq!(cloud.list(&group, after(62)).len(), 0);
    cloud.lag(after(60), after(80));
    assert_eq!(cloud.list(&group, after(79)).len(), 1);
    assert_eq!(cloud.list(&group, after(80)).len(), 0);
}

#[test]
fn quotas_count_the_vcpus_that_run() {
    let mut cloud = cloud();
    let smallest = |cloud: &Cloud, token| {
        let mut wanted = request(cloud, token, CapacityType::OnDemand, 3);
        let is_large = |it: &RankedOffering| it.key.instance_type.as_str() == "m6a.large";
        wanted.offerings.retain(is_large);
        wanted
    };
    cloud.quota(CapacityType::OnDemand, Some(4));
    let wanted = smallest(&cloud, "t");
    let outcome = buy(&mut cloud, &wanted);
    assert_eq!(outcome.machines.len(), 2);
    assert_eq!(outcome.failures.len(), wanted.offerings.len());
    assert!(
        outcome
            .failures
            .iter()
            .all(|it| &*it.code == "VcpuLimitExceeded")
    );
    // What has been told to stop no longer counts, and spot has a quota of its own.
    let id = &outcome.machines[0].provider_id;
    assert_eq!(cloud.terminate(id, NOW), Ok(true));
    let wanted = smallest(&cloud, "u");
    assert_eq!(buy(&mut cloud, &wanted).machines.len(), 1);
    cloud.quota(CapacityType::Spot, Some(0));
    let wanted = request(&cloud, "v", CapacityType::Spot, 1);
    let outcome = buy(&mut cloud, &wanted);
    assert_eq!(&*outcome.failures[0].code, "MaxSpotInstanceCountExceeded");
    cloud.quota(CapacityType::Spot, None);
    let wanted = request(&cloud, "w", CapacityType::Spot, 1);
    assert_eq!(buy(&mut cloud, &wanted).machines.len(), 1);
}

#[test]
fn a_closed_zone_sells_nothing_until_it_opens() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::Spot, 1);
    let until = NOW.saturating_add(Duration::from_mins(1));
    cloud.close_zone("us-east-2a", until);
    let sells = |at| {
        let keys = request.offerings.iter().map(|it| &it.key);
        let open = keys.filter(|key| cloud.capacity.has(key, at));
        let zones: BTreeSet<&str> = open.map(|key| key.zone.as_str()).collect();
        zones.contains("us-east-2a")
    };
    assert!(!sells(NOW));
    assert!(sells(until));
}

#[test]
fn a_halted_machine_costs_nothing_and_exists_until_it_is_terminated() {
    let mut cloud = cloud();
    let request = request(&cloud, "t", CapacityType::OnDemand, 1);
    let id = buy(&mut cloud, &request).machines[0].provider_id.clone();
    let after = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    assert!(cloud.halt(&id, after(100)));
    assert!(!cloud.halt(&id, after(101)));
    let bill = cloud.bill(after(100));
    assert_eq!(cloud.list(&MachineFilter::All, after(200)).len(), 1);
    assert_eq!(cloud.terminate(&id, after(300)), Ok(true));
    cloud.stopped(&id, after(101_500));
    assert_eq!(cloud.list(&MachineFilter::All, after(400)).len(), 0);
    assert_eq!(cloud.bill(after(500)), bill);
}

const MARKET: SpotMarket = SpotMarket {
    every: Duration::from_hours(1),
    moved_permille: 500,
    step_permille: 300,
    asked_every: Duration::from_hours(12),
    lasts: None,
};

#[test]
fn spot_prices_wander_between_half_and_twice_the_first_and_never_beyond_on_demand() {
    let (mut cloud, mut random) = (cloud(), Random::new(1));
    let first = Arc::clone(&cloud.region);
    let (mut cheaper, mut dearer) = (0, 0);
    for _ in 0..50 {
        let moved = cloud.move_prices(&MARKET, &mut random, NOW);
        let pools = first
            .offerings()
            .filter(|key| key.capacity_type == CapacityType::Spot);
        assert!(moved.len() > pools.count() / 3);
        for (key, price) in moved {
            assert_eq!(cloud.region.price(&key), Some(price));
            let start = first.price(&key).expect("it is sold").as_micros();
            let on_demand = OfferingKey {
                capacity_type: CapacityType::OnDemand,
                ..key.clone()
            };
            let most = first.price(&on_demand).map_or(u64::MAX, Price::as_micros);
            let micros = price.as_micros();
            assert!(
                micros >= start / 2 && micros <= start * 2,
                "{key}: {start}, {micros}"
            );
            assert!(micros <= most.max(start), "{key}: {most}, {micros}");
            cheaper += u32::from(micros < start);
            dearer += u32::from(micros > start);
        }
    }
    assert!(cheaper > 1_000 && dearer > 1_000, "{cheaper}, {dearer}");
    let on_demand = first
        .offerings()
        .filter(|key| key.capacity_type == CapacityType::OnDemand);
    for key in on_demand {
        assert_eq!(cloud.region.price(&key), first.price(&key));
    }
}

#[test]
fn a_price_that_moves_is_paid_from_the_next_hour_on() {
    let (mut cloud, mut random) = (cloud(), Random::new(1));
    let request = request(&cloud, "t", CapacityType::Spot, 1);
    let id = buy(&mut cloud, &request).machines[0].provider_id.clone();
    let every = SpotMarket {
        moved_permille: 1_000,
        ..MARKET
    };
    let after = |minutes| NOW.saturating_add(Duration::from_mins(minutes));
    let key = cloud.machine(&id).expect("bought").fact.machine.offering();
    let first = cloud.region.price(&key).expect("it is sold");
    cloud.move_prices(&every, &mut random, after(20));
    cloud.move_prices(&every, &mut random, after(30));
    let second = cloud.region.price(&key).expect("it is sold");
    assert_ne!(first, second);
    let paid = |price, minutes| tidewright::model::price::bill(price, Duration::from_mins(minutes));
    assert_eq!(cloud.bill(after(60)), paid(first, 60));
    assert_eq!(
        cloud.bill(after(90)),
        paid(first, 60).saturating_add(paid(second, 30))
    );
    assert_eq!(cloud.terminate(&id, after(100)), Ok(true));
    cloud.move_prices(&every, &mut random, after(110));
    assert_eq!(
        cloud.bill(after(300)),
        paid(first, 60).saturating_add(paid(second, 40))
    );
}

#[test]
fn the_cloud_sells_at_its_own_prices() {
    let mut cloud = cloud();
    let mut request = request(&cloud, "t", CapacityType::OnDemand, 1);
    // What the buyer thinks is out of date: the dearest looks cheapest to it.
    request
        .offerings
        .sort_by_key(|it| std::cmp::Reverse(it.price));
    for (offering, micros) in request.offerings.iter_mut().zip(1..) {
        offering.price = Price::from_micros(micros);
    }
    let bought = buy(&mut cloud, &request).machines[0].offering();
    let keys = request.offerings.iter().map(|it| &it.key);
    let cheapest = keys.filter_map(|key| cloud.region.price(key)).min();
    assert_eq!(cloud.region.price(&bought), cheapest);
}

#[test]
fn a_request_at_other_prices_and_in_another_order_is_the_same() {
    let mut cloud = cloud();
    let mut request = request(&cloud, "t", CapacityType::Spot, 1);
    let first = buy(&mut cloud, &request);
    request.offerings.reverse();
    request.offerings[0].price = Price::from_micros(1);
    assert_eq!(buy(&mut cloud, &request), first);
    request.offerings.pop();
    let other = call(&mut cloud, &request, &FaultSettings::default());
    assert!(matches!(other, Err(CloudError::Refused { .. })));
}

//! The offerings that a launch may use.

use tidewright::model::catalog::{CapacityType, SoldOut};
use tidewright::model::time::Timestamp;
use tidewright::planner::offering::{Ranked, launchable};
use tidewright::planner::plan;

use super::problem::Problem;

/// What a launch of the one claim planned for a problem may use, with these offerings sold out
/// since the plan was made.
fn launched(problem: &str, gone: &[CapacityType]) -> Vec<String> {
    let input = Problem::parse(problem).expect("a problem").plan_input();
    let answer = plan(&input);
    let [claim] = answer.claims.as_slice() else {
        panic!("{} claims", answer.claims.len());
    };
    let mut sold_out = SoldOut::new();
    let all = launchable(&claim.spec, &input.catalog, &sold_out, input.now);
    assert!(all.is_sorted_by_key(|it| it.rank));
    assert_eq!(
        all.first().map(|it| &it.offering),
        Some(&claim.cheapest.offering)
    );
    for it in all
        .iter()
        .filter(|it| gone.contains(&it.offering.capacity_type))
    {
        sold_out.insert(it.offering.clone(), Timestamp::from_seconds(180));
    }
    let left = launchable(&claim.spec, &input.catalog, &sold_out, input.now);
    let later = Timestamp::from_seconds(180);
    assert_eq!(
        launchable(&claim.spec, &input.catalog, &sold_out, later),
        all
    );
    let shown = |it: &Ranked| format!("{} {}", it.offering, it.price);
    left.iter().map(shown).collect()
}

const TYPES: &str = "
    type m.large cpu=2 memory=8Gi on-demand=0.10 spot=0.04 zones=a,b
    type m.xlarge cpu=4 memory=16Gi on-demand=0.20 spot=0.11
    type m.metal cpu=96 memory=384Gi on-demand=5 spot=0.05
    type g.large cpu=4 memory=16Gi nvidia.com/gpu=1 on-demand=0.5 spot=0.06
    pod web cpu=1 memory=1Gi
";

#[test]
fn spot_dearer_than_on_demand_and_exotic_machines_are_left_out() {
    let expected = [
        "spot m.large in a 0.040000",
        "spot m.large in b 0.040000",
        "on-demand m.large in a 0.100000",
        "on-demand m.large in b 0.100000",
        "on-demand m.xlarge in a 0.200000",
    ];
    assert_eq!(launched(&format!("{TYPES} pool general"), &[]), expected);
}

#[test]
fn what_is_sold_out_is_left_out_until_it_is_back() {
    let problem = format!("{TYPES} pool general");
    let left = launched(&problem, &[CapacityType::Spot]);
    assert_eq!(left[0], "on-demand m.large in a 0.100000");
    assert!(
        left.iter().all(|it| it.starts_with("on-demand")),
        "{left:?}"
    );
    let left = launched(&problem, &[CapacityType::Spot, CapacityType::OnDemand]);
    // Spot of a larger type is the last resort: nothing undercuts it any more.
    assert_eq!(left, ["spot m.xlarge in a 0.110000"]);
}

#[test]
fn min_values_keeps_exotic_and_dear_offerings() {
    let problem = format!("{TYPES} pool general min=type:4");
    let left = launched(&problem, &[]);
    assert!(
        left.contains(&"spot m.metal in a 0.050000".to_owned()),
        "{left:?}"
    );
    assert!(
        left.contains(&"spot m.xlarge in a 0.110000".to_owned()),
        "{left:?}"
    );
    // Without spot all four types are still there; without both there is nothing.
    assert_eq!(launched(&problem, &[CapacityType::Spot]).len(), 5);
    let none: [&str; 0] = [];
    assert_eq!(launched(&problem, &CapacityType::ALL), none);
}

#[test]
fn a_launch_names_the_sixty_cheapest_types() {
    let price = |number| format!("type t{number}.large cpu=2 memory=8Gi on-demand=0.{number}\n");
    let types: Vec<String> = (10..80).map(price).collect();
    let types = types.concat();
    let problem = format!("{types}\npool general\npod web cpu=1 memory=1Gi");
    let left = launched(&problem, &[]);
    assert_eq!(left.len(), 60);
    assert_eq!(left[59], "on-demand t69.large in a 0.690000");
}

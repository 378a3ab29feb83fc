//! Plans as text.

use std::fmt::Write;

use tidewright::cluster::NodeId;
use tidewright::model::id::{PodKey, TypeName};
use tidewright::model::labels::keys;
use tidewright::planner::Plan;
use tidewright::planner::disruption::DisruptionPlan;

fn names(pods: &[PodKey]) -> String {
    let names: Vec<&str> = pods.iter().map(|pod| &*pod.name).collect();
    names.join(" ")
}

/// A plan: claims, placements, what is left, the money.
pub fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    for claim in &plan.claims {
        let (pool, price) = (&claim.pool, claim.cheapest.price);
        let types: Vec<&str> = claim.instance_types.iter().map(TypeName::as_str).collect();
        let mut asked = claim.spec.requirements.clone();
        for key in [
            keys::INSTANCE_TYPE,
            keys::NODE_POOL,
            "karpenter.k8s.aws/ec2nodeclass",
        ] {
            asked.remove(key);
        }
        let labels = claim.spec.labels.iter();
        let labels: Vec<String> = labels
            .filter(|(key, _)| !key.as_str().starts_with("karpenter."))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let pods = names(&claim.pods);
        writeln!(text, "claim of {pool} for {pods}").expect("a text can be written");
        writeln!(text, "  {} at {price}", claim.cheapest.offering).expect("a text can be written");
        writeln!(text, "  types {}", types.join(" ")).expect("a text can be written");
        writeln!(text, "  requests {}", claim.spec.requests).expect("a text can be written");
        writeln!(text, "  requires {asked}").expect("a text can be written");
        if !labels.is_empty() {
            writeln!(text, "  labels {}", labels.join(" ")).expect("a text can be written");
        }
    }
    for placement in &plan.existing {
        let pods = names(&placement.pods);
        writeln!(text, "existing {} for {pods}", placement.node).expect("a text can be written");
    }
    for left in &plan.unplaced {
        let (name, reason) = (&left.pod.name, &left.reason);
        writeln!(text, "unplaced {name}: {}\n  {reason}", reason.name())
            .expect("a text can be written");
    }
    let (cost, bound) = (plan.cost_per_hour, plan.bound_per_hour);
    let duals = plan.certificate.duals.iter();
    let duals: String = duals
        .map(|dual| [" by ", dual.resource.as_str()].concat())
        .collect();
    text + &format!("cost {cost}, at least {bound}{duals}\n")
}

fn id(node: &NodeId) -> String {
    match node {
        NodeId::Claim(name) => name.to_string(),
        NodeId::Node(name) => format!("node {name}"),
    }
}

/// A disruption plan: commands, what stays, when to look again.
pub fn disruption(plan: &DisruptionPlan) -> String {
    let mut text = String::new();
    for command in &plan.commands {
        let claims: Vec<&str> = command.remove.iter().map(|it| it.claim.as_str()).collect();
        let (reason, pool) = (command.reason, &command.pool);
        writeln!(text, "{reason} in {pool}: {} go", claims.join(" "))
            .expect("a text can be written");
    }
    for kept in &plan.kept {
        let because = &kept.because;
        writeln!(
            text,
            "{} stays: {}\n  {because}",
            id(&kept.node),
            because.name()
        )
        .expect("a text can be written");
    }
    text + &match plan.look_again {
        Some(at) => format!("look again at {at}\n"),
        None => "nothing changes by time alone\n".to_owned(),
    }
}

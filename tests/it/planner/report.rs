//! Plans as text.

use std::fmt::Write;

use tidewright::cluster::NodeId;
use tidewright::model::id::PodKey;
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
        let types: Vec<&str> = claim.instance_types.iter().map(|it| it.as_str()).collect();
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
        writeln!(text, "claim of {pool} for {pods}").unwrap();
        writeln!(text, "  {} at {price}", claim.cheapest.offering).unwrap();
        writeln!(text, "  types {}", types.join(" ")).unwrap();
        writeln!(text, "  requests {}", claim.spec.requests).unwrap();
        writeln!(text, "  requires {asked}").unwrap();
        if !labels.is_empty() {
            writeln!(text, "  labels {}", labels.join(" ")).unwrap();
        }
    }
    for placement in &plan.existing {
        let pods = names(&placement.pods);
        writeln!(text, "existing {} for {pods}", placement.node).unwrap();
    }
    for left in &plan.unplaced {
        let (name, reason) = (&left.pod.name, &left.reason);
        writeln!(text, "unplaced {name}: {}\n  {reason}", reason.name()).unwrap();
    }
    write!(text, "cost {}", plan.cost_per_hour).unwrap();
    write!(text, ", at least {}", plan.bound_per_hour).unwrap();
    for dual in &plan.certificate.duals {
        write!(text, " by {}", dual.resource).unwrap();
    }
    text.push('\n');
    text
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
        writeln!(text, "{reason} in {pool}: {} go", claims.join(" ")).unwrap();
    }
    for kept in &plan.kept {
        let because = &kept.because;
        writeln!(
            text,
            "{} stays: {}\n  {because}",
            id(&kept.node),
            because.name()
        )
        .unwrap();
    }
    match plan.look_again {
        Some(at) => writeln!(text, "look again at {at}").unwrap(),
        None => text.push_str("nothing changes by time alone\n"),
    }
    text
}

//! What the cluster looks like once a plan has been accepted.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidewright::cluster::{NodeId, NodeSource, NodeState};
use tidewright::model::claim::{ClaimPhase, NodeClaim};
use tidewright::model::id::{ClaimName, PodKey};
use tidewright::model::pod::Pod;
use tidewright::planner::{Plan, PlanInput, PlannedClaim};

/// The question that remains: the claims exist without machines, every placed pod is nominated,
/// and what found no place is pending still.
pub fn applied(input: &PlanInput, plan: &Plan) -> PlanInput {
    let pods = input
        .pending
        .iter()
        .map(|pod| (pod.key.clone(), pod.clone()));
    let pods: BTreeMap<PodKey, Arc<Pod>> = pods.collect();
    let named = |keys: &[PodKey]| -> BTreeMap<PodKey, Arc<Pod>> {
        keys.iter()
            .map(|key| (key.clone(), pods[key].clone()))
            .collect()
    };
    let mut after = input.clone();
    let nodes = Arc::make_mut(&mut after.snapshot.nodes);
    for placement in &plan.existing {
        let state = nodes.get_mut(&placement.node).expect("the lint passed");
        Arc::make_mut(state)
            .nominated
            .extend(named(&placement.pods));
    }
    for (number, planned) in plan.claims.iter().enumerate() {
        let name = ClaimName::from(format!("new-{number}"));
        let state = NodeState {
            source: NodeSource::InFlight(Arc::new(claim(&name, planned, input))),
            pods: BTreeMap::new(),
            nominated: named(&planned.pods),
            going: false,
            generation: 1,
        };
        nodes.insert(NodeId::Claim(name), Arc::new(state));
    }
    let unplaced: Vec<&PodKey> = plan.unplaced.iter().map(|it| &it.pod).collect();
    after.pending.retain(|pod| unplaced.contains(&&pod.key));
    after
}

fn claim(name: &ClaimName, planned: &PlannedClaim, input: &PlanInput) -> NodeClaim {
    NodeClaim {
        name: name.clone(),
        uid: name.as_str().into(),
        created: input.now,
        deleting: None,
        held: true,
        spec: planned.spec.clone(),
        launch_group: None,
        phase: ClaimPhase::Pending,
        last_pod_event: None,
    }
}

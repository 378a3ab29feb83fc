//! What must hold of every disruption plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidewright::cluster::NodeId;
use tidewright::planner::disruption::{DisruptionInput, DisruptionPlan, plan};

/// The plan. Every node occurs once; what goes is as it was; when the command is carried out,
/// planning again lets nothing more go; and nothing changes before the instant to look again.
pub fn solved(input: &DisruptionInput) -> DisruptionPlan {
    let answer = plan(input);
    let going = answer.commands.iter().flat_map(|command| &command.remove);
    let going: Vec<NodeId> = going.map(|it| NodeId::Claim(it.claim.clone())).collect();
    let all = answer.kept.iter().map(|it| &it.node).chain(&going);
    let all: Vec<&NodeId> = all.collect();
    let once: BTreeSet<&NodeId> = all.iter().copied().collect();
    assert_eq!(once.len(), all.len(), "a node occurs twice");
    assert!(
        once.into_iter().eq(input.snapshot.nodes.keys()),
        "a node is missing"
    );
    for removal in answer.commands.iter().flat_map(|command| &command.remove) {
        let state = &input.snapshot.nodes[&NodeId::Claim(removal.claim.clone())];
        assert_eq!(removal.generation, state.generation);
        assert_eq!(removal.uid, state.claim().expect("only claims go").uid);
    }
    let mut after = input.clone();
    let nodes = Arc::make_mut(&mut after.snapshot.nodes);
    for id in &going {
        Arc::make_mut(nodes.get_mut(id).expect("every node occurs")).going = true;
    }
    assert_eq!(plan(&after).commands, [], "planning again lets more go");
    if let Some(at) = answer.look_again {
        let mut before = input.clone();
        before.now = at.saturating_sub(std::time::Duration::from_millis(1));
        assert_eq!(
            plan(&before).commands,
            answer.commands,
            "something changed before {at}"
        );
    }
    answer
}

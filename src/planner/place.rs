//! Places that exist: nodes, and claims on their way.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PlanInput;
use super::class::{Class, Level, PodIndex};
use super::market::Market;
use super::overhead::{least, outstanding, rest};
use crate::cluster::{NodeId, NodeState};
use crate::model::catalog::InstanceType;
use crate::model::claim::NodeClaim;
use crate::model::id::PoolName;
use crate::model::labels::keys;
use crate::model::requirement::{Requirement, Requirements, ValueSet};
use crate::model::resources::Resources;
use crate::model::taint::Taint;

/// A node or a claim in flight.
pub(super) struct Place {
    pub(super) id: NodeId,
    pub(super) pods: Vec<PodIndex>,
    free: Resources,
    taints: Vec<Taint>,
    labels: Labels,
}

/// What is known of the labels.
enum Labels {
    /// All.
    Known(Requirements),
    /// What the claim says; the rest depends on which of the types it becomes.
    Claimed {
        claim: Arc<NodeClaim>,
        types: Vec<Arc<InstanceType>>,
    },
}

/// The places, in the order in which they are tried: usable nodes by name, then nodes being set
/// up, then claims without a machine. What is on its way out is no place.
pub(super) fn places(input: &PlanInput, markets: &BTreeMap<PoolName, Market<'_>>) -> Vec<Place> {
    let staying = input
        .snapshot
        .nodes
        .iter()
        .filter(|(_, state)| stays(state));
    let mut places: Vec<(Readiness, Place)> = staying
        .filter_map(|(id, state)| Place::new(input, markets, id, state))
        .collect();
    places.sort_by_key(|(readiness, _)| *readiness);
    places.into_iter().map(|(_, place)| place).collect()
}

/// How far a place has come, the furthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Readiness {
    Initialized,
    Bought,
    Claimed,
}

fn stays(state: &NodeState) -> bool {
    let claim_goes = state.claim().is_some_and(|claim| claim.deleting.is_some());
    let node_goes = state.node().is_some_and(|node| node.deleting.is_some());
    !state.going && !claim_goes && !node_goes
}

impl Place {
    fn new(
        input: &PlanInput,
        markets: &BTreeMap<PoolName, Market<'_>>,
        id: &NodeId,
        state: &NodeState,
    ) -> Option<(Readiness, Self)> {
        let (readiness, labels, usable) = match state.allocatable() {
            Some(allocatable) => {
                let labels = Requirements::from_labels(&state.labels());
                let usable = rest(&allocatable, &outstanding(&input.snapshot, state));
                let readiness = if state.is_initialized() {
                    Readiness::Initialized
                } else {
                    Readiness::Bought
                };
                (readiness, Labels::Known(labels), usable)
            }
            None => claimed(state.claim()?, markets)?,
        };
        let place = Self {
            id: id.clone(),
            pods: Vec::new(),
            free: rest(&usable, &state.requested()),
            taints: state.taints(),
            labels,
        };
        Some((readiness, place))
    }

    /// Whether one more pod of the class may come.
    pub(super) fn accepts(&self, class: &Class, level: &Level) -> bool {
        class.size().fits_in(&self.free)
            && class.tolerates(level, &self.taints).is_ok()
            && level
                .alternatives
                .iter()
                .any(|asked| self.labels.satisfy(asked))
    }

    pub(super) fn put(&mut self, pod: PodIndex, size: &Resources) {
        self.free = rest(&self.free, size);
        self.pods.push(pod);
    }
}

/// A claim without a machine may become any of its types, so what fits must fit on each.
fn claimed(
    claim: &Arc<NodeClaim>,
    markets: &BTreeMap<PoolName, Market<'_>>,
) -> Option<(Readiness, Labels, Resources)> {
    let market = markets.get(&claim.spec.pool)?;
    let asked = &claim.spec.requirements;
    let goods = market.types.iter().filter(|goods| {
        let it = &goods.instance_type;
        asked.allows(keys::INSTANCE_TYPE, it.name.as_str())
            && asked.intersects(&it.requirements).is_ok()
    });
    let (mut types, mut usable) = (Vec::new(), None::<Resources>);
    for goods in goods {
        types.push(goods.instance_type.clone());
        usable = Some(match usable {
            None => goods.usable.clone(),
            Some(known) => least(&known, &goods.usable),
        });
    }
    let claim = claim.clone();
    Some((
        Readiness::Claimed,
        Labels::Claimed { claim, types },
        usable?,
    ))
}

impl Labels {
    fn satisfy(&self, asked: &Requirements) -> bool {
        match self {
            Self::Known(labels) => labels.compatible(asked, |_| false).is_ok(),
            Self::Claimed { claim, types } => asked.iter().all(|it| is_sure(claim, types, it)),
        }
    }
}

/// Whether the label will be as asked whatever the claim becomes.
fn is_sure(claim: &NodeClaim, types: &[Arc<InstanceType>], asked: &Requirement) -> bool {
    let key = asked.key.as_str();
    if let Some(value) = claim.spec.labels.get(key) {
        return asked.values.has(value.as_str());
    }
    let claimed = claim.spec.requirements.get(key);
    let sure = |values: &ValueSet| match values {
        ValueSet::Only(values) if values.is_empty() => asked.values.accepts_absence(),
        ValueSet::Only(values) => values.iter().all(|value| asked.values.has(value.as_str())),
        ValueSet::AllBut { .. } => false,
    };
    if claimed.is_some_and(|known| sure(&known.values)) {
        return true;
    }
    types
        .iter()
        .all(|it| match (it.requirements.get(key), claimed) {
            (Some(known), Some(claimed)) => sure(&known.values.intersect(&claimed.values)),
            (Some(known), None) => sure(&known.values),
            (None, Some(_)) => false,
            (None, None) => asked.values.accepts_absence(),
        })
}

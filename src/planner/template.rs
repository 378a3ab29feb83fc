//! What the claims of a pool have in common, and the labels their nodes get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::labels::{LabelKey, LabelValue, keys};
use crate::model::pool::{NodePool, PoolUsable};
use crate::model::reason::Miss;
use crate::model::requirement::{Requirement, Requirements, ValueSet};

/// Stands for the name of a node that does not exist yet: no pod can ask for it by name.
const NEW_NODE: &str = "a-new-node";

/// The version of the recipe of the pool's hash, as Karpenter counts it.
const HASH_VERSION: &str = "v3";

/// A pool as a template of claims.
pub(super) struct Template<'a> {
    pub(super) pool: &'a NodePool,
    /// What the nodes' labels will be: requirements and labels of the pool, its name, its class.
    pub(super) requirements: Requirements,
}

impl<'a> Template<'a> {
    pub(super) fn new(pool: &'a NodePool) -> Self {
        let labels = Requirements::from_labels(&labels(pool));
        let hostname = Requirement::one_of(keys::HOSTNAME, [NEW_NODE]);
        let requirements = pool.template.requirements.intersect(&labels).with(hostname);
        Self { pool, requirements }
    }

    /// The labels of a claim with these requirements: those of the pool, and one value for each
    /// other label that the instance type does not settle, because a pod may rely on its being
    /// there.
    pub(super) fn labels_of(
        &self,
        requirements: &Requirements,
        settled_by_type: impl Fn(&str) -> bool,
    ) -> BTreeMap<LabelKey, LabelValue> {
        let mut all = labels(self.pool);
        for known in requirements
            .iter()
            .filter(|it| !settled_by_type(it.key.as_str()))
        {
            if let Some(value) = representative(&known.values) {
                all.entry(known.key.clone()).or_insert(value);
            }
        }
        all
    }

    /// The annotations of a claim.
    pub(super) fn annotations(&self) -> BTreeMap<Arc<str>, Arc<str>> {
        let mut all = self.pool.template.annotations.clone();
        all.insert(keys::NODE_POOL_HASH.into(), self.pool.hash.clone());
        all.insert(keys::NODE_POOL_HASH_VERSION.into(), HASH_VERSION.into());
        all
    }
}

/// Why nothing is bought for a pool at all.
pub(super) fn unusable(pool: &NodePool) -> Option<Miss> {
    match &pool.usable {
        PoolUsable::No { because } => Some(Miss::PoolUnusable {
            because: because.clone(),
        }),
        PoolUsable::Yes if pool.deleting.is_some() => Some(Miss::PoolUnusable {
            because: "it is being deleted".into(),
        }),
        PoolUsable::Yes => None,
    }
}

/// The labels of every node of the pool. The class is named under a key made of its group and
/// kind, as Karpenter does.
fn labels(pool: &NodePool) -> BTreeMap<LabelKey, LabelValue> {
    let class = &pool.template.node_class;
    let class_key = format!("{}/{}", class.group, class.kind.to_ascii_lowercase());
    let mut labels = pool.template.labels.clone();
    labels.insert(keys::NODE_POOL.into(), pool.name.as_str().into());
    labels.insert(class_key.into(), (&*class.name).into());
    labels
}

/// The first value of the set: the smallest as text, or the smallest natural number.
fn representative(values: &ValueSet) -> Option<LabelValue> {
    match values {
        ValueSet::Only(values) => values.first().cloned(),
        ValueSet::AllBut { .. } => values.smallest_natural(),
    }
}

/// How many different values the types looked at so far offer for each key with `minValues`.
pub(super) struct Variety<'a>(Vec<(&'a Requirement, u32, BTreeSet<LabelValue>)>);

impl<'a> Variety<'a> {
    pub(super) fn new(requirements: &'a Requirements) -> Self {
        let asked = requirements.iter();
        let asked = asked.filter_map(|it| Some((it, it.min_values?, BTreeSet::new())));
        Self(asked.collect())
    }

    /// Counts the values of one more type, as far as they are allowed.
    pub(super) fn count(&mut self, labels: &Requirements) {
        for (asked, _, seen) in &mut self.0 {
            let known = labels.get(asked.key.as_str());
            if let Some(ValueSet::Only(values)) = known.map(|known| &known.values) {
                let allowed = values
                    .iter()
                    .filter(|value| asked.values.has(value.as_str()));
                seen.extend(allowed.cloned());
            }
        }
    }

    pub(super) fn is_met(&self) -> bool {
        self.lacking().next().is_none()
    }

    /// The requirements whose `minValues` are not reached.
    pub(super) fn unmet(&self) -> Requirements {
        self.lacking().cloned().collect()
    }

    fn lacking(&self) -> impl Iterator<Item = &Requirement> {
        let short = |(_, least, seen): &&(&Requirement, u32, BTreeSet<LabelValue>)| {
            u32::try_from(seen.len()).is_ok_and(|count| count < *least)
        };
        self.0.iter().filter(short).map(|(asked, _, _)| *asked)
    }
}

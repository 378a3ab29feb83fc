//! Checks a plan against its question, knowing nothing of how it was found.
//!
//! What is checked here is computed anew from the values of the model; nothing is shared with
//! packing. A plan with a finding must not be carried out.

mod claims;
mod existing;
mod money;
mod node;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Plan, PlanInput};
use crate::cluster::NodeId;
use crate::model::id::{PodKey, PoolName, TypeName};
use crate::model::pod::Pod;
use crate::model::resources::{Resources, Shortfall};
use crate::model::taint::Taint;

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LintFinding {
    /// A pod does not occur once.
    NotOnce {
        /// The pod.
        pod: PodKey,
        /// How often it occurs.
        times: usize,
        /// Whether the plan was asked for it.
        asked: Asked,
    },
    /// A pod was placed although it asks for something that is not acted on.
    Unsupported {
        /// The pod.
        pod: PodKey,
    },
    /// A pod does not tolerate the taint of its place.
    Untolerated {
        /// The pod.
        pod: PodKey,
        /// The taint.
        taint: Taint,
    },
    /// The labels of a pod's place may be others than the pod asks for.
    Labels {
        /// The pod.
        pod: PodKey,
        /// The place: a node, or an instance type of a new claim.
        place: String,
    },
    /// Pods do not fit on their place.
    Overfull {
        /// The place: a node, or an instance type of a new claim.
        place: String,
        /// What is missing.
        shortfall: Shortfall,
    },
    /// A place does not exist, is on its way out, or nothing is known of its size.
    NoPlace {
        /// The place.
        node: NodeId,
    },
    /// A pool does not exist or may not be used.
    NoPool {
        /// The pool.
        pool: PoolName,
    },
    /// A claim names a type that its pool cannot buy as the claim is written.
    NotForSale {
        /// The pool.
        pool: PoolName,
        /// The type.
        instance_type: TypeName,
    },
    /// What a claim says about itself does not agree.
    Contradiction {
        /// The first pod of the claim.
        pod: PodKey,
        /// What.
        what: Contradiction,
    },
    /// The claims of a pool may break its limit.
    OverLimit {
        /// The pool.
        pool: PoolName,
        /// The limit.
        shortfall: Shortfall,
    },
    /// The sums of money are wrong, or the bound is not proved.
    Money {
        /// Which.
        what: MoneyFault,
    },
}

/// Whether the plan was asked for a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// What about a claim does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// It holds no pod.
    NoPods,
    /// Its requirements name other types than its list, or the list is not sorted by price.
    Types,
    /// Its types are too few for `minValues`.
    MinValues,
    /// It requests less than its pods, or more than one of its types holds.
    Requests,
    /// Its cheapest offering is not for sale, is not the cheapest, or has another price.
    Cheapest,
    /// Its taints are not those of its pool.
    Taints,
}

/// What about the money is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyFault {
    /// The cost is not the sum of the claims' prices.
    Cost,
    /// The bound is above the cost.
    BoundAboveCost,
    /// The bound does not follow from the certificate.
    BoundWithoutProof,
    /// A dual counts more demand than there is, or an offering undercuts it.
    Dual,
}

impl fmt::Display for LintFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnce { pod, times, asked } => {
                let asked = match asked {
                    Asked::Yes => "pending",
                    Asked::No => "not pending",
                };
                write!(f, "pod {pod} is {asked} and occurs {times} times")
            }
            Self::Unsupported { pod } => {
                write!(f, "pod {pod} is placed in spite of unsupported fields")
            }
            Self::Untolerated { pod, taint } => write!(f, "pod {pod} does not tolerate {taint}"),
            Self::Labels { pod, place } => {
                write!(f, "pod {pod} asks for other labels than those of {place}")
            }
            Self::Overfull { place, shortfall } => write!(f, "{place}: {shortfall}"),
            Self::NoPlace { node } => write!(f, "{node} takes no pods"),
            Self::NoPool { pool } => write!(f, "NodePool {pool} cannot be used"),
            Self::NotForSale {
                pool,
                instance_type,
            } => write!(f, "NodePool {pool} cannot buy {instance_type}"),
            Self::Contradiction { pod, what } => {
                write!(f, "the claim for pod {pod} contradicts itself: {what:?}")
            }
            Self::OverLimit { pool, shortfall } => {
                write!(f, "NodePool {pool} may break its limit: {shortfall}")
            }
            Self::Money { what } => write!(f, "the money does not add up: {what:?}"),
        }
    }
}

/// Everything that is wrong with a plan; nothing, as it should be.
pub fn lint(input: &PlanInput, plan: &Plan) -> Vec<LintFinding> {
    let pods = input.pending.iter();
    let pods: BTreeMap<&PodKey, &Arc<Pod>> = pods.map(|pod| (&pod.key, pod)).collect();
    let mut findings = occurrences(&pods, plan);
    if !findings.is_empty() {
        // Nothing else can be judged when it is unclear which pods are where.
        return findings;
    }
    let placed = plan.claims.iter().flat_map(|claim| &claim.pods);
    let placed = placed.chain(plan.existing.iter().flat_map(|it| &it.pods));
    let refused = placed.filter(|key| pods[key].scheduling.refusing_fields().next().is_some());
    findings.extend(refused.map(|pod| LintFinding::Unsupported { pod: pod.clone() }));
    findings.extend(existing::findings(input, plan, &pods));
    findings.extend(claims::findings(input, plan, &pods));
    findings.extend(money::findings(input, plan, &pods));
    findings
}

fn occurrences(pods: &BTreeMap<&PodKey, &Arc<Pod>>, plan: &Plan) -> Vec<LintFinding> {
    let mut times: BTreeMap<&PodKey, usize> = pods.keys().map(|key| (*key, 0)).collect();
    let claimed = plan.claims.iter().flat_map(|claim| &claim.pods);
    let placed = plan.existing.iter().flat_map(|it| &it.pods);
    let unplaced = plan.unplaced.iter().map(|it| &it.pod);
    for pod in claimed.chain(placed).chain(unplaced) {
        *times.entry(pod).or_default() += 1;
    }
    let wrong = times.into_iter().filter_map(|(pod, times)| {
        let asked = if pods.contains_key(pod) {
            Asked::Yes
        } else {
            Asked::No
        };
        (times != 1 || asked == Asked::No).then(|| LintFinding::NotOnce {
            pod: pod.clone(),
            times,
            asked,
        })
    });
    wrong.collect()
}

/// The sum; one beyond the range stays at its end, where nothing fits.
fn sum<'a>(amounts: impl IntoIterator<Item = &'a Resources>) -> Resources {
    let mut sum = Resources::ZERO;
    for (name, amount) in amounts.into_iter().flat_map(Resources::iter) {
        sum.set(&name, sum.get(&name).saturating_add(amount));
    }
    sum
}

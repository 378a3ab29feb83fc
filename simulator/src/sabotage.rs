//! Shells that are broken on purpose: what each of them does to what the engine sees.
//!
//! Those that change what is done, not what is seen, are found in `executor` by their name.

use std::time::Duration;

use tidewright::cluster::Change;
use tidewright::engine::{CloudError, EffectOutcome, OfferingFailure};
use tidewright::model::claim::{ClaimPhase, NodeClaim};
use tidewright::model::pod::{DoNotDisrupt, Requests, Scheduling};
use tidewright::model::pool::{Budget, BudgetNodes, Limits};
use tidewright::model::resources::Resources;

use crate::faults::Sabotage;

/// Longer than any world lasts.
const A_DAY: Duration = Duration::from_hours(24);

/// What the engine is told of a change.
pub fn change(sabotage: Option<Sabotage>, mut change: Change) -> Change {
    let is = |kind| sabotage == Some(kind);
    if let Change::Pool(pool) = &mut change {
        if is(Sabotage::BudgetUnread) {
            pool.disruption.budgets = vec![Budget {
                nodes: BudgetNodes::Percent(100),
                reasons: None,
                window: None,
            }];
        }
        if is(Sabotage::LimitsUnread) {
            pool.limits = Limits::default();
        }
    } else if let Change::Pod(pod) = &mut change {
        if is(Sabotage::ProtectionUnread) {
            pod.do_not_disrupt = DoNotDisrupt::No;
        }
        if is(Sabotage::RequestsHalved) {
            halve(&mut pod.scheduling);
        }
        if is(Sabotage::StuckAwaited) {
            pod.deleting = pod.deleting.map(|end| end.saturating_add(A_DAY));
        }
    } else if let Change::Claim(claim) = &mut change {
        if is(Sabotage::AgesUnread) {
            make_young(claim);
        }
    } else if let Change::DaemonSet(set) = &mut change
        && is(Sabotage::RequestsHalved)
    {
        halve(&mut set.scheduling);
    }
    change
}

/// What the engine is told of an answer.
pub fn outcome(sabotage: Option<Sabotage>, outcome: EffectOutcome) -> EffectOutcome {
    match (sabotage, outcome) {
        (Some(Sabotage::SoldOutUnreported), EffectOutcome::Launched(mut launched)) => {
            if launched.machines.is_empty() {
                return EffectOutcome::Cloud(CloudError::Unavailable);
            }
            let hidden = launched
                .failures
                .into_iter()
                .map(|failure| OfferingFailure {
                    code: "InternalError".into(),
                    ..failure
                });
            launched.failures = hidden.collect();
            EffectOutcome::Launched(launched)
        }
        (Some(Sabotage::SweepOff), EffectOutcome::Machines(_)) => {
            EffectOutcome::Machines(Vec::new())
        }
        (_, outcome) => outcome,
    }
}

fn make_young(claim: &mut NodeClaim) {
    claim.created = claim.created.saturating_add(A_DAY);
    match &mut claim.phase {
        ClaimPhase::Pending => {}
        ClaimPhase::Launched { at, .. }
        | ClaimPhase::Registered { at, .. }
        | ClaimPhase::Initialized { at, .. } => *at = at.saturating_add(A_DAY),
    }
}

fn halve(scheduling: &mut Scheduling) {
    let Requests(requests) = &scheduling.requests;
    let pods = requests.pods();
    let halved = requests
        .iter()
        .fold(Resources::ZERO, |sum, (name, amount)| {
            sum.with(&name, amount / 2)
        });
    let one = tidewright::model::resources::ResourceName::PODS;
    scheduling.requests = Requests(halved.with(&one, pods));
}

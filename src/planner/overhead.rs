//! What the pods of DaemonSets take of a node.

use crate::cluster::{NodeState, Snapshot};
use crate::model::labels::{is_well_known, keys};
use crate::model::pod::Scheduling;
use crate::model::requirement::{Requirement, Requirements};
use crate::model::resources::Resources;
use crate::model::taint::{Taint, tolerates_all};

/// The DaemonSets whose pods would run on the nodes of one pool, before the instance type is
/// known. The taints of the template decide, its startup taints do not: those go before pods come.
pub(super) struct DaemonSets<'a>(Vec<(&'a Scheduling, Vec<Requirements>)>);

impl<'a> DaemonSets<'a> {
    /// Those for nodes with these labels and taints.
    pub(super) fn on_new_nodes(
        snapshot: &'a Snapshot,
        labels: &Requirements,
        taints: &[Taint],
    ) -> Self {
        // Those that wait for these labels run as soon as the node has them.
        let ready = [keys::REGISTERED, keys::INITIALIZED];
        let ready = ready.map(|key| Requirement::one_of(key, ["true"]));
        let mut labels = labels.clone();
        labels.extend(ready);
        let schedulings = snapshot.daemon_sets.values().map(|set| &set.scheduling);
        let tolerant = schedulings.filter(|it| tolerates_all(&it.tolerations, taints).is_ok());
        let reachable = tolerant.map(|it| {
            let mut alternatives = it.alternatives();
            alternatives.retain(|asked| labels.compatible(asked, is_well_known).is_ok());
            (it, alternatives)
        });
        Self(reachable.collect())
    }

    /// What those take of a node of an instance type with these labels.
    pub(super) fn on_type(&self, labels: &Requirements) -> Resources {
        let running = self.0.iter().filter(|(_, alternatives)| {
            alternatives
                .iter()
                .any(|asked| labels.intersects(asked).is_ok())
        });
        total(running.map(|(scheduling, _)| scheduling.resources()))
    }
}

/// What DaemonSets will still take of a node: the requests of those that belong there less what
/// their pods there take already.
pub(super) fn outstanding(snapshot: &Snapshot, state: &NodeState) -> Resources {
    let (labels, taints) = (Requirements::from_labels(&state.labels()), state.taints());
    let belongs = |it: &&Scheduling| {
        let fits = |asked: &Requirements| labels.compatible(asked, |_| false).is_ok();
        tolerates_all(&it.tolerations, &taints).is_ok() && it.alternatives().iter().any(fits)
    };
    let sets = snapshot.daemon_sets.values().map(|set| &set.scheduling);
    let wanted = total(sets.filter(belongs).map(Scheduling::resources));
    let is_daemon = |owner: &crate::model::pod::Owner| owner.is_daemon_set();
    let there = state.pods.values();
    let there = there.filter(|pod| pod.owner.as_ref().is_some_and(is_daemon));
    wanted.saturating_sub(&total(there.map(|pod| pod.scheduling.resources())))
}

/// The sum. Requests beyond all machines fit nowhere, so a sum that leaves the range stays at its
/// end.
pub(super) fn total<'a>(amounts: impl IntoIterator<Item = &'a Resources>) -> Resources {
    amounts.into_iter().fold(Resources::ZERO, |sum, amount| {
        sum.checked_add(amount)
            .unwrap_or_else(|| saturated(sum, amount))
    })
}

fn saturated(sum: Resources, amount: &Resources) -> Resources {
    amount.iter().fold(sum, |sum, (name, more)| {
        let both = sum.get(&name).saturating_add(more);
        sum.with(&name, both)
    })
}

/// The smaller amount of each resource.
pub(super) fn least(one: &Resources, other: &Resources) -> Resources {
    let names = one.iter().chain(other.iter()).map(|(name, _)| name);
    names.fold(Resources::ZERO, |least, name| {
        let amount = one.get(&name).min(other.get(&name));
        least.with(&name, amount)
    })
}

/// What is left of `whole`; below zero where more is taken than there is.
pub(super) fn rest(whole: &Resources, taken: &Resources) -> Resources {
    let names = whole.iter().chain(taken.iter()).map(|(name, _)| name);
    names.fold(Resources::ZERO, |rest, name| {
        let amount = whole.get(&name).saturating_sub(taken.get(&name));
        rest.with(&name, amount)
    })
}

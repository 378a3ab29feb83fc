//! Machines that were taken away, and how long services were short of pods.

use std::collections::BTreeMap;

use tidewright::model::time::Timestamp;

use super::{Interruptions, Seconds};
use crate::trace::{MachineTrace, PodTrace, Trace};

/// What a log says of machines that were taken away.
pub(super) fn interruptions(trace: &Trace, end: Timestamp) -> Interruptions {
    let count = |keep: fn(&MachineTrace) -> bool| {
        let counted = trace.machines.values().filter(|it| keep(it)).count();
        u64::try_from(counted).expect("machines are counted in memory")
    };
    let mut services: BTreeMap<&str, Vec<&PodTrace>> = BTreeMap::new();
    for pod in trace.demand() {
        let owner = pod.owner.as_deref();
        if let Some(owner) = owner.filter(|it| it.starts_with("ReplicaSet ")) {
            services.entry(owner).or_default().push(pod);
        }
    }
    let gaps = services.values().filter_map(|pods| longest_gap(pods, end));
    Interruptions {
        notices: count(|machine| machine.announced.is_some()),
        machines_taken: count(|machine| machine.taken.is_some()),
        pod_gap_seconds: gaps.max(),
    }
}

/// What changes the number of a service's pods that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// One begins to.
    Answers,
    /// One that did comes to its end, as its owner wants.
    Ends,
    /// One that did is driven out.
    DrivenOut,
}

/// A gap opens when a pod that answers is driven out, and closes when as many answer as before.
fn longest_gap(pods: &[&PodTrace], end: Timestamp) -> Option<Seconds> {
    let mut changes: Vec<(Timestamp, Change)> = Vec::new();
    for pod in pods {
        let Some(ready) = pod.ready else { continue };
        changes.push((ready, Change::Answers));
        let left = pod.evicted.map(|at| (at, Change::DrivenOut));
        changes.extend(left.or_else(|| Some((pod.ended?, Change::Ends))));
    }
    changes.sort_unstable();
    let (mut answering, mut wanted): (u64, u64) = (0, 0);
    let mut since = None;
    let mut longest = None;
    for (at, change) in changes {
        match change {
            Change::Answers => answering += 1,
            Change::Ends => {
                answering = answering.saturating_sub(1);
                wanted = wanted.saturating_sub(1);
            }
            Change::DrivenOut => {
                if since.is_none() {
                    (since, wanted) = (Some(at), answering);
                }
                answering = answering.saturating_sub(1);
            }
        }
        if answering >= wanted
            && let Some(opened) = since.take()
        {
            longest = longest.max(Some(at.since(opened)));
        }
    }
    let open = since.map(|opened| end.since(opened));
    longest.max(open).map(Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;

    fn check(log: &str, notices: u64, taken: u64, gap: Option<&str>) {
        let log = script::log(log);
        let trace = Trace::of(&log);
        let end = trace.now.expect("the log has lines");
        let found = interruptions(&trace, end);
        assert_eq!((found.notices, found.machines_taken), (notices, taken));
        let found = found.pod_gap_seconds.map(|gap| gap.to_string());
        assert_eq!(found.as_deref(), gap);
    }

    const RUNNING: &str = "
        0 pod a ReplicaSet
        0 pod b ReplicaSet
        1 bought i-1 spot:m6a.large:us-east-2a 0.03 g
        2 ready a
        2 ready b
    ";

    #[test]
    fn a_gap_lasts_until_as_many_answer_as_before() {
        let owned = |text: &str| text.replace("ReplicaSet", "ReplicaSet_default/web");
        let log = format!(
            "{RUNNING}
            10 said i-1 SpotInterrupted
            11 evicted a node-1
            11 pod c ReplicaSet
            15 evicted b node-1
            40 ready c
            60 pod d ReplicaSet
            70 ready d
            130 taken i-1
            130 terminated i-1
            200 happened end"
        );
        check(&owned(&log), 1, 1, Some("59.000"));
        let open = format!("{RUNNING}\n11 evicted a node-1\n20 happened end");
        check(&owned(&open), 0, 0, Some("9.000"));
        let smaller = format!("{RUNNING}\n11 evicted a node-1\n15 ended b\n20 happened end");
        check(&owned(&smaller), 0, 0, Some("9.000"));
        check(&owned(RUNNING), 0, 0, None);
    }
}

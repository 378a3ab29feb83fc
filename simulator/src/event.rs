//! What happens in a world, as one ordered log: the report and the oracles read this and nothing
//! that the product says of itself, but for its notices.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tidewright::engine::{CloudEventKind, Notice};
use tidewright::model::catalog::OfferingKey;
use tidewright::model::id::{ClaimName, LaunchGroup, NodeName, PodKey, PoolName, ProviderId, Uid};
use tidewright::model::price::Price;
use tidewright::model::time::Timestamp;

use crate::faults::FaultKind;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The step in which it happened, counted from 1.
    pub step: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// What happened. Everything here is as it is in truth, not as a watch shows it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A pod was created.
    PodCreated {
        /// The pod.
        pod: PodKey,
        /// Its uid.
        uid: Uid,
        /// Whether it belongs to one node and goes with it, as pods of DaemonSets do.
        node_bound: bool,
        /// The kind and name of its owner, if it has one.
        owner: Option<Arc<str>>,
    },
    /// The scheduler found no place for a pod.
    PodUnschedulable {
        /// The pod.
        pod: PodKey,
    },
    /// The scheduler bound a pod.
    PodBound {
        /// The pod.
        pod: PodKey,
        /// To this node.
        node: NodeName,
    },
    /// A pod answers: its containers run and are ready.
    PodReady {
        /// The pod.
        pod: PodKey,
    },
    /// A pod came to its end by itself, or was deleted by its owner.
    PodEnded {
        /// The pod.
        pod: PodKey,
        /// Its uid.
        uid: Uid,
    },
    /// A pod was told to leave its node.
    PodEvicted {
        /// The pod.
        pod: PodKey,
        /// Its uid.
        uid: Uid,
        /// The node.
        node: NodeName,
        /// Whether it was protected by `karpenter.sh/do-not-disrupt` at that moment.
        protected: bool,
        /// Whether it was ready at that moment.
        ready: bool,
        /// Whether it was deleted because its node's time was up, not evicted.
        forced: bool,
    },
    /// A NodeClaim was created.
    ClaimCreated {
        /// The claim.
        claim: ClaimName,
        /// Its uid.
        uid: Uid,
        /// Its pool.
        pool: PoolName,
    },
    /// A NodeClaim says which machine is its own.
    ClaimMatched {
        /// The claim.
        claim: ClaimName,
        /// The machine.
        machine: ProviderId,
    },
    /// A NodeClaim was told to go.
    ClaimDeleting {
        /// The claim.
        claim: ClaimName,
        /// Who told it to.
        by: Actor,
    },
    /// A NodeClaim is gone.
    ClaimGone {
        /// The claim.
        claim: ClaimName,
    },
    /// A fleet call reached the cloud.
    FleetCalled {
        /// The group it buys for.
        group: LaunchGroup,
        /// The claims it buys for.
        claims: BTreeMap<ClaimName, Uid>,
        /// The offerings it names.
        offerings: Vec<OfferingKey>,
        /// How many machines it asks for.
        count: u32,
    },
    /// A machine was bought; from now on it costs money.
    MachineBought {
        /// The machine.
        machine: ProviderId,
        /// What it is.
        offering: OfferingKey,
        /// What it costs.
        price: Price,
        /// The group it was bought for.
        group: Option<LaunchGroup>,
    },
    /// The prices of some offerings have moved. Machines that run are charged them from their next hour on.
    PricesMoved {
        /// What they cost now.
        prices: BTreeMap<OfferingKey, Price>,
    },
    /// The machine begins to boot.
    MachineBooting {
        /// The machine.
        machine: ProviderId,
    },
    /// A machine was told to stop; from now on it costs nothing.
    MachineTerminated {
        /// The machine.
        machine: ProviderId,
    },
    /// What the cloud says of a machine reached the controller.
    CloudSaid {
        /// The machine.
        machine: ProviderId,
        /// What becomes of it.
        kind: CloudEventKind,
    },
    /// A machine was taken away by the cloud or by somebody, not by the controller.
    MachineTaken {
        /// The machine.
        machine: ProviderId,
    },
    /// The cloud had nothing to sell.
    SoldOut {
        /// Where.
        offering: OfferingKey,
    },
    /// A kubelet made its Node object.
    NodeJoined {
        /// The node.
        node: NodeName,
        /// Its machine.
        machine: ProviderId,
    },
    /// A kubelet is ready.
    NodeReady {
        /// The node.
        node: NodeName,
    },
    /// A Node was told to go.
    NodeDeleting {
        /// The node.
        node: NodeName,
    },
    /// A Node object is gone.
    NodeGone {
        /// The node.
        node: NodeName,
    },
    /// The engine said something.
    Notice(Notice),
    /// The engine promised a pod to a node or claim.
    Promised {
        /// The pod.
        pod: PodKey,
        /// The name of the claim, or of a node that has none.
        target: Arc<str>,
    },
    /// A fault struck.
    Fault(FaultKind),
    /// The controller started with an empty memory.
    ControllerStarted,
    /// Something of the scenario's timeline was done.
    Happened {
        /// What, in a few words.
        what: Arc<str>,
    },
}

/// Who does something to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The controller under test.
    Controller,
    /// A user, or the garbage collector after one.
    User,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, at, event } = self;
        write!(f, "{step:>6} {at} {event}")
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PodCreated { pod, .. } => write!(f, "pod {pod}: created"),
            Self::PodUnschedulable { pod } => write!(f, "pod {pod}: no place"),
            Self::PodBound { pod, node } => write!(f, "pod {pod}: bound to node {node}"),
            Self::PodReady { pod } => write!(f, "pod {pod}: ready"),
            Self::PodEnded { pod, .. } => write!(f, "pod {pod}: ended"),
            Self::PodEvicted { pod, node, .. } => write!(f, "pod {pod}: told to leave node {node}"),
            Self::ClaimCreated { claim, uid, .. } => write!(f, "claim {claim}: created as {uid}"),
            Self::ClaimMatched { claim, machine } => write!(f, "claim {claim}: has {machine}"),
            Self::ClaimDeleting { claim, by } => write!(f, "claim {claim}: told to go by {by:?}"),
            Self::ClaimGone { claim } => write!(f, "claim {claim}: gone"),
            Self::FleetCalled {
                group,
                claims,
                offerings,
                ..
            } => {
                let claims: Vec<&str> = claims.keys().map(ClaimName::as_str).collect();
                let (claims, offerings) = (claims.join(", "), offerings.len());
                write!(
                    f,
                    "group {group}: call for {claims} of {offerings} offerings"
                )
            }
            Self::MachineBought {
                machine, offering, ..
            } => write!(f, "machine {machine}: bought, {offering}"),
            Self::PricesMoved { prices } => write!(f, "prices: {} have moved", prices.len()),
            Self::MachineBooting { machine } => write!(f, "machine {machine}: boots"),
            Self::MachineTerminated { machine } => write!(f, "machine {machine}: stopped"),
            Self::CloudSaid { machine, kind } => {
                write!(f, "machine {machine}: the cloud says {}", kind.reason())
            }
            Self::MachineTaken { machine } => write!(f, "machine {machine}: taken away"),
            Self::SoldOut { offering } => write!(f, "offering {offering}: sold out"),
            Self::NodeJoined { node, machine } => write!(f, "node {node}: joined from {machine}"),
            Self::NodeReady { node } => write!(f, "node {node}: ready"),
            Self::NodeDeleting { node } => write!(f, "node {node}: told to go"),
            Self::NodeGone { node } => write!(f, "node {node}: gone"),
            Self::Notice(notice) => {
                let (object, reason) = (&notice.object, &notice.reason);
                write!(f, "  says of {object} {reason}: {}", notice.message)
            }
            Self::Promised { pod, target } => write!(f, "pod {pod}: promised to {target}"),
            Self::Fault(kind) => write!(f, "fault: {}", kind.name()),
            Self::ControllerStarted => f.write_str("the controller starts"),
            Self::Happened { what } => write!(f, "from outside: {what}"),
        }
    }
}

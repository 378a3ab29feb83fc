//! What the store makes of reports, in whatever order they come.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Change, ClaimFact, Cluster, Dirty, Kind, NodeId, NodeSource};
use crate::model::catalog::CapacityType;
use crate::model::claim::{ClaimPhase, ClaimSpec, Machine, NodeClaim};
use crate::model::id::PodKey;
use crate::model::node::{Node, NodeReady};
use crate::model::node_class::NodeClassRef;
use crate::model::pod::{DoNotDisrupt, Placement, Pod, PodPhase, Scheduling};
use crate::model::requirement::Requirements;
use crate::model::resources::Resources;
use crate::model::time::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn pod(name: &str, placement: Placement) -> Pod {
    Pod {
        key: PodKey::new("default", name),
        uid: format!("uid-{name}").into(),
        created: NOW,
        owner: None,
        labels: BTreeMap::new(),
        scheduling: Scheduling::default(),
        phase: PodPhase::Pending,
        placement,
        deleting: None,
        started: None,
        termination_grace: Duration::ZERO,
        do_not_disrupt: DoNotDisrupt::No,
        critical: false,
        deletion_cost: 0,
    }
}

fn bound(name: &str, node: &str) -> Pod {
    pod(name, Placement::Bound(node.into()))
}

fn node(name: &str, machine: &str) -> Node {
    Node {
        name: name.into(),
        uid: format!("uid-{name}").into(),
        provider_id: Some(machine.into()),
        created: NOW,
        deleting: None,
        held: false,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        capacity: Resources::ZERO,
        allocatable: Resources::ZERO,
        ready: NodeReady::Ready,
        do_not_disrupt: false,
    }
}

fn spec() -> ClaimSpec {
    ClaimSpec {
        pool: "general".into(),
        node_class: NodeClassRef {
            group: "karpenter.k8s.aws".into(),
            kind: "EC2NodeClass".into(),
            name: "default".into(),
        },
        requirements: Requirements::new(),
        requests: Resources::ZERO,
        taints: Vec::new(),
        startup_taints: Vec::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        expire_after: None,
        termination_grace: None,
    }
}

fn claim(name: &str, uid: &str) -> NodeClaim {
    NodeClaim {
        name: name.into(),
        uid: uid.into(),
        created: NOW,
        deleting: None,
        held: true,
        spec: spec(),
        launch_group: None,
        phase: ClaimPhase::Pending,
        last_pod_event: None,
    }
}

fn launched(machine: &str) -> ClaimFact {
    ClaimFact::Launched {
        machine: Box::new(Machine {
            provider_id: machine.into(),
            instance_type: "m.large".into(),
            zone: "a".into(),
            capacity_type: CapacityType::Spot,
            labels: BTreeMap::new(),
            capacity: Resources::ZERO,
            allocatable: Resources::ZERO,
        }),
        at: NOW,
    }
}

fn shown(cluster: &mut Cluster, change: impl Into<Change>) -> Dirty {
    cluster.apply(change.into())
}

impl From<Pod> for Change {
    fn from(pod: Pod) -> Self {
        Self::Pod(Box::new(pod))
    }
}

impl From<Node> for Change {
    fn from(node: Node) -> Self {
        Self::Node(Box::new(node))
    }
}

impl From<NodeClaim> for Change {
    fn from(claim: NodeClaim) -> Self {
        Self::Claim(Box::new(claim))
    }
}

fn by_claim(name: &str) -> NodeId {
    NodeId::Claim(name.into())
}

fn pods_on(cluster: &Cluster, id: &NodeId) -> Vec<String> {
    let state = cluster.node_state(id).expect("the node is known");
    state.pods.keys().map(ToString::to_string).collect()
}

#[test]
fn a_pod_bound_to_a_node_not_known_yet_is_kept_until_it_appears() {
    let mut cluster = Cluster::new();
    let dirty = shown(&mut cluster, bound("web", "n1"));
    assert!(cluster.snapshot().nodes.is_empty() && cluster.snapshot().unbound.is_empty());
    assert_eq!(dirty.pod_events, [NodeId::Node("n1".into())].into());
    shown(&mut cluster, node("n1", "m1"));
    assert_eq!(
        pods_on(&cluster, &NodeId::Node("n1".into())),
        ["default/web"]
    );
}

#[test]
fn node_and_claim_find_each_other_by_their_machine_in_any_order() {
    for node_first in [true, false] {
        let mut cluster = Cluster::new();
        shown(&mut cluster, bound("web", "n1"));
        shown(&mut cluster, claim("c1", "u1"));
        if node_first {
            shown(&mut cluster, node("n1", "m1"));
        }
        cluster.advance(&"c1".into(), launched("m1")).nodes.clear();
        if !node_first {
            shown(&mut cluster, node("n1", "m1"));
        }
        let states = &cluster.snapshot().nodes;
        assert_eq!(states.len(), 1, "node first: {node_first}");
        let state = &states[&by_claim("c1")];
        assert!(matches!(state.source, NodeSource::Managed(..)));
        assert_eq!(pods_on(&cluster, &by_claim("c1")), ["default/web"]);
    }
}

#[test]
fn an_older_state_of_a_claim_undoes_nothing() {
    let mut cluster = Cluster::new();
    let name = "c1".into();
    let older = claim("c1", "u1");
    shown(&mut cluster, older.clone());
    let facts = [
        ClaimFact::LaunchGroup("g".into()),
        launched("m1"),
        ClaimFact::PodEvent { at: NOW },
        ClaimFact::Deleting { at: NOW },
    ];
    for fact in facts {
        let dirty = cluster.advance(&name, fact);
        assert_eq!(dirty.nodes.len(), 1);
    }
    let known = cluster.claim(&name).unwrap().clone();
    let dirty = shown(&mut cluster, older);
    assert_eq!(dirty, Dirty::default());
    assert_eq!(cluster.claim(&name), Some(&known));
    let other = claim("c1", "u2");
    shown(&mut cluster, other.clone());
    assert_eq!(**cluster.claim(&name).unwrap(), other);
    assert!(cluster.claim_of_machine(&"m1".into()).is_none());
}

#[test]
fn steps_of_a_claim_are_written_in_order_until_they_are_confirmed() {
    let mut cluster = Cluster::new();
    let name = "c1".into();
    shown(&mut cluster, claim("c1", "u1"));
    let registered = ClaimFact::Registered {
        node: "n1".into(),
        at: NOW,
    };
    let facts = [
        ClaimFact::LaunchGroup("g".into()),
        launched("m1"),
        registered,
        ClaimFact::Initialized { at: NOW },
        ClaimFact::PodEvent { at: NOW },
    ];
    for fact in facts.clone() {
        assert!(!cluster.advance(&name, fact).nodes.is_empty());
    }
    for fact in facts {
        assert_eq!(cluster.unsaved(&name), Some(fact.clone()));
        assert_eq!(cluster.confirm(&name, fact), Dirty::default());
    }
    assert_eq!(cluster.unsaved(&name), None);
}

#[test]
fn what_a_list_does_not_show_is_gone_unless_it_may_be_younger() {
    let mut cluster = Cluster::new();
    for name in ["stays", "goes"] {
        shown(&mut cluster, pod(name, Placement::Unschedulable));
        shown(&mut cluster, claim(name, name));
    }
    assert!(!cluster.claim_created(claim("young", "u")).nodes.is_empty());
    for kind in [Kind::Pod, Kind::NodeClaim] {
        shown(&mut cluster, Change::ListBegins(kind));
    }
    shown(&mut cluster, pod("stays", Placement::Unschedulable));
    shown(&mut cluster, claim("stays", "stays"));
    for kind in [Kind::Pod, Kind::NodeClaim] {
        assert!(shown(&mut cluster, Change::ListEnds(kind)).rules);
    }
    let claims: Vec<&str> = cluster.claims().map(|it| it.name.as_str()).collect();
    assert_eq!(claims, ["stays", "young"]);
    assert_eq!(cluster.snapshot().unbound.len(), 1);
    assert!(!cluster.is_synced());
    for kind in Kind::ALL {
        shown(&mut cluster, Change::ListBegins(kind));
        shown(&mut cluster, Change::ListEnds(kind));
    }
    assert!(cluster.is_synced());
}

#[test]
fn a_promise_ends_when_the_pod_comes_when_time_is_up_or_when_the_node_goes() {
    let until = NOW.saturating_add(Duration::from_secs(20));
    let key = PodKey::new("default", "web");
    let promised = || {
        let mut cluster = Cluster::new();
        shown(&mut cluster, claim("c1", "u1"));
        shown(&mut cluster, pod("web", Placement::Unschedulable));
        let dirty = cluster.nominate(&key, &by_claim("c1"), Some(until));
        assert_eq!(dirty.nodes, [by_claim("c1")].into());
        assert_eq!(
            cluster.node_state(&by_claim("c1")).unwrap().nominated.len(),
            1
        );
        cluster
    };
    let mut bound_elsewhere = promised();
    shown(&mut bound_elsewhere, bound("web", "other"));
    let mut expired = promised();
    assert_eq!(expired.next_nomination_end(), Some(until));
    assert_eq!(expired.expire_nominations(until).pods, [key.clone()].into());
    let mut going = promised();
    assert_eq!(going.mark_going(&"c1".into()).pods, [key.clone()].into());
    let mut replaced = promised();
    let mut other = pod("web", Placement::Unschedulable);
    other.uid = "another".into();
    shown(&mut replaced, other);
    for cluster in [bound_elsewhere, expired, going, replaced] {
        assert!(!cluster.is_nominated(&key));
        let state = cluster.node_state(&by_claim("c1")).unwrap();
        assert!(state.nominated.is_empty());
    }
}

#[test]
fn repetitions_change_no_generation_and_snapshots_do_not_move() {
    let mut cluster = Cluster::new();
    shown(&mut cluster, node("n1", "m1"));
    let before = cluster.snapshot().clone();
    assert_eq!(shown(&mut cluster, node("n1", "m1")), Dirty::default());
    assert_eq!(*cluster.snapshot(), before);
    shown(&mut cluster, bound("web", "n1"));
    let id = NodeId::Node("n1".into());
    let after = cluster.node_state(&id).unwrap();
    assert!(after.generation > before.nodes[&id].generation);
    assert!(before.nodes[&id].pods.is_empty());
}

#[test]
fn what_we_released_does_not_come_back_with_a_late_echo() {
    let mut cluster = Cluster::new();
    shown(&mut cluster, claim("c1", "u1"));
    let dirty = cluster.claim_vanished(&"c1".into(), &"u1".into());
    assert_eq!(dirty.nodes, [by_claim("c1")].into());
    assert_eq!(shown(&mut cluster, claim("c1", "u1")), Dirty::default());
    assert!(cluster.claim(&"c1".into()).is_none());
    shown(&mut cluster, claim("c1", "u2"));
    assert!(cluster.claim(&"c1".into()).is_some());
}

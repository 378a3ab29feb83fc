//! Watches: what the store says reaches the controller later, and not always in order.
//!
//! Each kind is watched by itself. Without faults a watch delivers in order. A fault may delay an
//! event, let it change places with those of other objects, or lose it; a lost event is made good
//! by a list some time later. Of one object, an older state comes after a newer one only where a watch
//! has gone back to an older version, and then everything since comes again as well: that is what
//! Kubernetes promises of a watch ("Kubernetes API Concepts", "Efficient detection of changes").

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::api::convert;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::cluster::{Change, Kind};
use tidewright::model::id::PodKey;
use tidewright::model::node_class::NodeClassRef;
use tidewright::model::time::Timestamp;

use crate::faults::{FaultKind, FaultSettings};
use crate::random::{Purpose, Quantiles, Random};
use crate::setup::ObjectKind;
use crate::store::{ObjectKey, Store};

/// From the write to the watcher, in milliseconds.
const LATENCY_MILLIS: Quantiles = Quantiles::of([2, 4, 6, 10, 16, 28, 60]);

/// From a lost event to the list that makes it good, in milliseconds: connections that have died
/// are noticed by a timeout.
const LOST_MILLIS: (u32, u32) = (2_000, 45_000);

/// The node classes that the world knows.
const NODE_CLASS: (&str, &str) = ("karpenter.k8s.aws", "EC2NodeClass");

/// A change on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When it arrives.
    pub at: Timestamp,
    /// The watch that brings it.
    pub kind: Kind,
    /// The number of that watch: one that has been started over delivers nothing more.
    pub watch: u64,
    /// The change.
    pub change: Change,
}

/// What an event came to.
#[derive(Debug, Default)]
pub struct Echoed {
    /// The changes on their way: one, unless it was lost, is repeated, or nobody watches the kind.
    pub deliveries: Vec<Delivery>,
    /// A list that is due, because an event was lost or the watch broke.
    pub relist: Option<(Timestamp, Kind)>,
    /// What went wrong.
    pub fault: Option<FaultKind>,
}

/// The watches of one controller.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    watches: BTreeMap<Kind, Watch>,
}

#[derive(Clone, Debug, Default)]
struct Watch {
    number: u64,
    /// When the last event that keeps its place arrives.
    last: Option<Timestamp>,
    /// When the last event of each object arrives.
    last_of: BTreeMap<ObjectKey, Timestamp>,
    /// What was last shown of each object, where events may be repeated.
    shown: BTreeMap<ObjectKey, Change>,
}

/// What may go wrong now, and where chance comes from.
#[derive(Debug)]
pub struct WatchFaults<'a> {
    /// How often.
    pub settings: &'a FaultSettings,
    /// The world's chance.
    pub random: &'a mut Random,
}

/// How long after a change the controller knows of it at the latest.
pub fn lag_max(faults: &FaultSettings) -> Duration {
    let is_late = faults.watch_delayed_permille > 0 || faults.watch_reordered_permille > 0;
    let (_, found_lost) = LOST_MILLIS;
    let extra = [
        (is_late, faults.watch_delay_millis_max),
        (
            faults.watch_repeated_permille > 0,
            2 * faults.watch_delay_millis_max,
        ),
        (faults.watch_lost_permille > 0, found_lost),
    ];
    let extra = extra.into_iter().filter(|(strikes, _)| *strikes);
    let extra = extra.map(|(_, millis)| millis).max().unwrap_or(0);
    Duration::from_millis(u64::from(LATENCY_MILLIS.most() + extra))
}

impl Echo {
    /// Whether this is the number of the watch that delivers at present.
    pub fn is_current(&self, delivery: &Delivery) -> bool {
        let watch = self.watches.get(&delivery.kind);
        watch.is_some_and(|watch| watch.number == delivery.watch)
    }

    /// The watch of a kind starts over with a list of what is there now. It takes no time here;
    /// its changes are to be delivered at once and in this order.
    pub fn relist(&mut self, store: &Store, kind: Kind, now: Timestamp) -> Vec<Delivery> {
        let number = self.watches.get(&kind).map_or(0, |watch| watch.number + 1);
        let watch = Watch {
            number,
            last: Some(now),
            ..Watch::default()
        };
        self.watches.insert(kind, watch);
        let listed = keys(store, kind).into_iter();
        let listed = listed.filter_map(|key| change(store, kind, &key));
        let changes = std::iter::once(Change::ListBegins(kind))
            .chain(listed)
            .chain([Change::ListEnds(kind)]);
        let delivery = |change| Delivery {
            at: now,
            kind,
            watch: number,
            change,
        };
        changes.map(delivery).collect()
    }

    /// An object was touched.
    pub fn touched(
        &mut self,
        store: &Store,
        touched: (ObjectKind, &ObjectKey),
        faults: &mut WatchFaults<'_>,
        now: Timestamp,
    ) -> Echoed {
        let (object_kind, key) = touched;
        let Some((kind, watch)) =
            watched(object_kind).and_then(|kind| Some((kind, self.watches.get_mut(&kind)?)))
        else {
            return Echoed::default();
        };
        let WatchFaults { settings, random } = faults;
        if random.happens(Purpose::Watch, settings.watch_lost_permille) {
            let (least, most) = LOST_MILLIS;
            let wait = least + random.below(Purpose::Watch, most - least);
            return Echoed {
                relist: Some((later(now, wait), kind)),
                fault: Some(FaultKind::WatchLost),
                deliveries: Vec::new(),
            };
        }
        let fault = what_strikes(settings, random);
        let latency = random.quantile(Purpose::Watch, &LATENCY_MILLIS);
        let extra = match fault {
            Some(FaultKind::WatchDelayed | FaultKind::WatchReordered) => {
                random.below(Purpose::Watch, settings.watch_delay_millis_max.max(1))
            }
            Some(_) | None => 0,
        };
        let at = watch.arrival(key, later(now, latency + extra), fault);
        let change = change(store, kind, key).unwrap_or_else(|| gone(kind, key));
        let mut shown = vec![(at, change.clone())];
        if settings.watch_repeated_permille > 0 {
            let before = watch.shown.insert(key.clone(), change.clone());
            if fault == Some(FaultKind::WatchRepeated) {
                for change in before.into_iter().chain([change]) {
                    let wait = random.below(Purpose::Watch, settings.watch_delay_millis_max.max(1));
                    let (last, _) = shown[shown.len() - 1];
                    shown.push((watch.arrival(key, later(last, wait), fault), change));
                }
            }
        }
        let number = watch.number;
        let deliveries = shown.into_iter().map(|(at, change)| Delivery {
            at,
            kind,
            watch: number,
            change,
        });
        Echoed {
            deliveries: deliveries.collect(),
            relist: (fault == Some(FaultKind::Relist)).then_some((at, kind)),
            fault,
        }
    }
}

impl Watch {
    /// When an event arrives that would like to arrive at `wished`: after the last one of its
    /// object and, unless it changes places, after the last one of all.
    fn arrival(
        &mut self,
        key: &ObjectKey,
        wished: Timestamp,
        fault: Option<FaultKind>,
    ) -> Timestamp {
        let own = self.last_of.get(key).copied();
        let keeps_place = match fault {
            Some(FaultKind::WatchReordered | FaultKind::WatchRepeated) => false,
            Some(_) | None => true,
        };
        let others = self.last.filter(|_| keeps_place);
        let at = [own, others]
            .into_iter()
            .flatten()
            .fold(wished, Timestamp::max);
        self.last_of.insert(key.clone(), at);
        if keeps_place {
            self.last = self.last.max(Some(at));
        }
        at
    }
}

fn what_strikes(settings: &FaultSettings, random: &mut Random) -> Option<FaultKind> {
    let faults = [
        (FaultKind::WatchDelayed, settings.watch_delayed_permille),
        (FaultKind::WatchReordered, settings.watch_reordered_permille),
        (FaultKind::Relist, settings.relist_permille),
        (FaultKind::WatchRepeated, settings.watch_repeated_permille),
    ];
    let mut faults = faults.into_iter();
    let strikes = |(_, permille): &(FaultKind, u32)| random.happens(Purpose::Watch, *permille);
    faults.find(strikes).map(|(kind, _)| kind)
}

fn later(now: Timestamp, millis: u32) -> Timestamp {
    now.saturating_add(Duration::from_millis(u64::from(millis)))
}

/// The watch that sees objects of a kind.
fn watched(kind: ObjectKind) -> Option<Kind> {
    match kind {
        ObjectKind::Pod => Some(Kind::Pod),
        ObjectKind::Node => Some(Kind::Node),
        ObjectKind::NodeClaim => Some(Kind::NodeClaim),
        ObjectKind::NodePool => Some(Kind::NodePool),
        ObjectKind::NodeClass => Some(Kind::NodeClass),
        ObjectKind::DaemonSet => Some(Kind::DaemonSet),
        ObjectKind::Deployment
        | ObjectKind::ReplicaSet
        | ObjectKind::StatefulSet
        | ObjectKind::Job
        | ObjectKind::CronJob
        | ObjectKind::PodDisruptionBudget
        | ObjectKind::PriorityClass => None,
    }
}

fn keys(store: &Store, kind: Kind) -> Vec<ObjectKey> {
    match kind {
        Kind::Pod => store.all::<Pod>().keys().cloned().collect(),
        Kind::Node => store.all::<Node>().keys().cloned().collect(),
        Kind::NodeClaim => store.all::<NodeClaim>().keys().cloned().collect(),
        Kind::NodePool => store.all::<NodePool>().keys().cloned().collect(),
        Kind::NodeClass => store.all::<EC2NodeClass>().keys().cloned().collect(),
        Kind::DaemonSet => store.all::<DaemonSet>().keys().cloned().collect(),
    }
}

/// An object as the controller's own conversion reads it.
fn change(store: &Store, kind: Kind, key: &ObjectKey) -> Option<Change> {
    let change = match kind {
        Kind::Pod => Change::Pod(Box::new(convert::pod(store.get::<Pod>(key)?))),
        Kind::Node => Change::Node(Box::new(convert::node(store.get::<Node>(key)?).value)),
        Kind::NodeClaim => Change::Claim(Box::new(convert::node_claim(store.get(key)?).value)),
        Kind::NodePool => Change::Pool(Box::new(convert::node_pool(store.get(key)?).value)),
        Kind::NodeClass => {
            Change::NodeClass(Box::new(convert::ec2_node_class(store.get(key)?).value))
        }
        Kind::DaemonSet => {
            Change::DaemonSet(Box::new(convert::daemon_set(store.get::<DaemonSet>(key)?)))
        }
    };
    Some(change)
}

fn gone(kind: Kind, key: &ObjectKey) -> Change {
    let name = key.name.as_str();
    match kind {
        Kind::Pod => Change::PodGone(PodKey::new(&key.namespace, name)),
        Kind::Node => Change::NodeGone(name.into()),
        Kind::NodeClaim => Change::ClaimGone(name.into()),
        Kind::NodePool => Change::PoolGone(name.into()),
        Kind::NodeClass => Change::NodeClassGone(node_class_ref(name)),
        Kind::DaemonSet => Change::DaemonSetGone(PodKey::new(&key.namespace, name)),
    }
}

/// How NodePools refer to a node class of this name.
pub fn node_class_ref(name: &str) -> NodeClassRef {
    let (group, kind) = NODE_CLASS;
    NodeClassRef {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn node(name: &str) -> Node {
        Node {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            ..Node::default()
        }
    }

    /// Touches two objects in turn and gives the names with the times at which they arrive.
    fn arrivals(settings: &FaultSettings, seed: u64) -> Vec<(usize, Timestamp)> {
        let (mut store, mut echo) = (Store::default(), Echo::default());
        for name in ["a", "b"] {
            store.create(node(name), NOW).expect("new");
        }
        assert_eq!(echo.relist(&store, Kind::Node, NOW).len(), 4);
        let mut random = Random::new(seed);
        let mut faults = WatchFaults {
            settings,
            random: &mut random,
        };
        let keys = [ObjectKey::cluster("a"), ObjectKey::cluster("b")];
        let mut arrived = Vec::new();
        for turn in 0..40 {
            let touched = (ObjectKind::Node, &keys[turn % 2]);
            let echoed = echo.touched(&store, touched, &mut faults, NOW);
            let deliveries = echoed.deliveries.iter();
            arrived.extend(deliveries.map(|delivery| (turn, delivery.at)));
            assert_eq!(
                echoed.fault == Some(FaultKind::WatchLost),
                echoed.relist.is_some()
            );
        }
        arrived
    }

    #[test]
    fn a_watch_keeps_its_order_unless_a_fault_strikes() {
        let calm = arrivals(&FaultSettings::default(), 1);
        assert_eq!(calm.len(), 40);
        assert!(calm.is_sorted_by_key(|(_, at)| *at));
        let reordering = FaultSettings {
            watch_reordered_permille: 500,
            watch_delay_millis_max: 5_000,
            ..FaultSettings::default()
        };
        let stormy = arrivals(&reordering, 1);
        assert!(!stormy.is_sorted_by_key(|(_, at)| *at));
        for object in 0..2 {
            let own = stormy.iter().filter(|(turn, _)| turn % 2 == object);
            assert!(
                own.is_sorted_by_key(|(_, at)| *at),
                "an older state came later"
            );
        }
    }

    #[test]
    fn a_lost_event_is_made_good_by_a_list() {
        let losing = FaultSettings {
            watch_lost_permille: 300,
            ..FaultSettings::default()
        };
        assert!(arrivals(&losing, 1).len() < 40);
    }

    #[test]
    fn a_watch_that_started_over_delivers_nothing_of_before() {
        let (store, mut echo) = (Store::default(), Echo::default());
        let before = echo.relist(&store, Kind::Pod, NOW);
        assert!(before.iter().all(|delivery| echo.is_current(delivery)));
        let after = echo.relist(&store, Kind::Pod, NOW);
        assert!(!before.iter().any(|delivery| echo.is_current(delivery)));
        assert!(after.iter().all(|delivery| echo.is_current(delivery)));
    }
}

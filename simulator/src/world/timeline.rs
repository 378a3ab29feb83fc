//! What is done to the world from outside.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::engine::ApiError;

use super::World;
use crate::cloud::CapacityRule;
use crate::event::{Actor, Event};
use crate::setup::{Happening, Object, ObjectKind};
use crate::store::{Grace, ObjectKey};

impl World {
    /// The objects that are there from the beginning.
    pub(super) fn begin(&mut self) {
        for object in self.setup.objects.clone() {
            self.apply(object);
        }
        self.adopt_cluster();
    }

    pub(super) fn happening(&mut self, index: usize) {
        let Some((_, happening)) = self.setup.timeline.get(index).cloned() else {
            return;
        };
        let (done, what) = match happening {
            Happening::Apply(object) => {
                let what = self.apply(object);
                (true, what)
            }
            Happening::Delete {
                kind,
                namespace,
                name,
            } => {
                let key = key(kind, &namespace, &name);
                let done = self.delete(kind, &key);
                (done.is_ok(), format!("delete {kind} {key}"))
            }
            Happening::DeleteAny { kind, place } => self.delete_any(kind, place),
            Happening::Scale {
                kind,
                namespace,
                name,
                replicas,
            } => {
                let key = key(kind, &namespace, &name);
                let done = self.scale(kind, &key, replicas);
                (done, format!("scale {kind} {key} to {replicas}"))
            }
            Happening::Capacity {
                capacity_type,
                instance_type,
                zone,
                machines,
            } => {
                let rule = CapacityRule {
                    capacity_type,
                    instance_type,
                    zone,
                    machines,
                };
                let what = format!("capacity: {rule}");
                self.cloud.limit(rule);
                (true, what)
            }
            Happening::Interrupt(interrupt) => self.interrupt(&interrupt),
            Happening::ZoneOutage { zone, lasts } => self.lose_zone(&zone, lasts),
            Happening::Quota {
                capacity_type,
                vcpus,
            } => {
                self.cloud.quota(capacity_type, vcpus);
                let most = vcpus.map_or("any number of".to_owned(), |it| it.to_string());
                (true, format!("quota: {most} vCPUs of {capacity_type}"))
            }
            Happening::Prices(market) => (true, self.open_market(market)),
            Happening::Silence { nodes, span } => (true, self.silence_some(nodes, span)),
            Happening::CrashController => {
                self.crash();
                (true, "the controller dies".to_owned())
            }
        };
        let outcome = if done { "" } else { " (there was nothing)" };
        let what = format!("{what}{outcome}").into();
        self.record(Event::Happened { what });
    }

    /// Deletes the object at a place among those of its kind.
    fn delete_any(&mut self, kind: ObjectKind, place: usize) -> (bool, String) {
        let keys: Vec<ObjectKey> = match kind {
            ObjectKind::NodeClaim => self.store.all::<NodeClaim>().keys().cloned().collect(),
            ObjectKind::Node => self.store.all::<Node>().keys().cloned().collect(),
            ObjectKind::NodePool
            | ObjectKind::NodeClass
            | ObjectKind::Pod
            | ObjectKind::Deployment
            | ObjectKind::ReplicaSet
            | ObjectKind::DaemonSet
            | ObjectKind::StatefulSet
            | ObjectKind::Job
            | ObjectKind::CronJob
            | ObjectKind::PodDisruptionBudget
            | ObjectKind::PriorityClass => Vec::new(),
        };
        let Some(key) = place.checked_rem(keys.len()).map(|place| &keys[place]) else {
            return (false, format!("delete any {kind}"));
        };
        let done = self.delete(kind, key).is_ok();
        (done, format!("delete {kind} {key}"))
    }

    fn apply(&mut self, object: Object) -> String {
        let (store, now) = (&mut self.store, self.now);
        let (kind, key) = match object {
            Object::NodePool(object) => applied(store.apply::<NodePool>(*object, now)),
            Object::NodeClass(object) => applied(store.apply::<EC2NodeClass>(*object, now)),
            Object::NodeClaim(object) => applied(store.apply::<NodeClaim>(*object, now)),
            Object::Pod(object) => applied(store.apply_pod(*object, now)),
            Object::Node(object) => applied(store.apply::<Node>(*object, now)),
            Object::Deployment(object) => applied(store.apply::<Deployment>(*object, now)),
            Object::ReplicaSet(object) => applied(store.apply::<ReplicaSet>(*object, now)),
            Object::DaemonSet(object) => applied(store.apply::<DaemonSet>(*object, now)),
            Object::StatefulSet(object) => applied(store.apply::<StatefulSet>(*object, now)),
            Object::Job(object) => applied(store.apply::<Job>(*object, now)),
            Object::CronJob(object) => applied(store.apply::<CronJob>(*object, now)),
            Object::PodDisruptionBudget(object) => {
                applied(store.apply::<PodDisruptionBudget>(*object, now))
            }
            Object::PriorityClass(object) => applied(store.apply::<PriorityClass>(*object, now)),
        };
        format!("apply {kind} {key}")
    }

    fn delete(&mut self, kind: ObjectKind, key: &ObjectKey) -> Result<(), ApiError> {
        let (store, by, now) = (&mut self.store, Actor::User, self.now);
        match kind {
            ObjectKind::NodePool => store.delete::<NodePool>(key, by, now),
            ObjectKind::NodeClaim => store.delete::<NodeClaim>(key, by, now),
            ObjectKind::NodeClass => store.delete::<EC2NodeClass>(key, by, now),
            ObjectKind::Pod => store.delete_pod(key, Grace::OfPod, by, now),
            ObjectKind::Node => store.delete::<Node>(key, by, now),
            ObjectKind::Deployment => store.delete::<Deployment>(key, by, now),
            ObjectKind::ReplicaSet => store.delete::<ReplicaSet>(key, by, now),
            ObjectKind::DaemonSet => store.delete::<DaemonSet>(key, by, now),
            ObjectKind::StatefulSet => store.delete::<StatefulSet>(key, by, now),
            ObjectKind::Job => store.delete::<Job>(key, by, now),
            ObjectKind::CronJob => store.delete::<CronJob>(key, by, now),
            ObjectKind::PodDisruptionBudget => store.delete::<PodDisruptionBudget>(key, by, now),
            ObjectKind::PriorityClass => store.delete::<PriorityClass>(key, by, now),
        }
    }

    fn scale(&mut self, kind: ObjectKind, key: &ObjectKey, replicas: u32) -> bool {
        let replicas = Some(i32::try_from(replicas).unwrap_or(i32::MAX));
        match kind {
            ObjectKind::Deployment => {
                let change = |object: &mut Deployment| {
                    object.spec.get_or_insert_default().replicas = replicas;
                };
                self.store.update(key, change).is_ok()
            }
            ObjectKind::ReplicaSet => {
                let change = |object: &mut ReplicaSet| {
                    object.spec.get_or_insert_default().replicas = replicas;
                };
                self.store.update(key, change).is_ok()
            }
            ObjectKind::StatefulSet => {
                let change = |object: &mut StatefulSet| {
                    object.spec.get_or_insert_default().replicas = replicas;
                };
                self.store.update(key, change).is_ok()
            }
            ObjectKind::NodePool
            | ObjectKind::NodeClaim
            | ObjectKind::NodeClass
            | ObjectKind::Pod
            | ObjectKind::Node
            | ObjectKind::DaemonSet
            | ObjectKind::Job
            | ObjectKind::CronJob
            | ObjectKind::PodDisruptionBudget
            | ObjectKind::PriorityClass => false,
        }
    }
}

fn applied<T: crate::store::Stored>(done: Result<&T, ApiError>) -> (ObjectKind, ObjectKey) {
    let object = done.expect("apply creates what is not there");
    (T::KIND, ObjectKey::of(object))
}

fn key(kind: ObjectKind, namespace: &str, name: &str) -> ObjectKey {
    if !kind.has_namespace() {
        return ObjectKey::cluster(name);
    }
    let namespace = if namespace.is_empty() {
        "default"
    } else {
        namespace
    };
    ObjectKey::new(namespace, name)
}

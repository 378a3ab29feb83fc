//! The API server of the world: real API objects, with the parts of its behaviour that a
//! controller can run into.
//!
//! - A new object gets a uid, a creation time and a resource version; a change gets a new version,
//!   and a new generation when it changes what is wanted (Kubernetes documentation, "Kubernetes
//!   API Concepts").
//! - An object with finalizers is marked when it is deleted, and goes with its last finalizer
//!   ("Finalizers").
//! - A pod on a node is marked and given its grace; the kubelet lets it go ("Pod Lifecycle").
//! - When an owner is gone, what it owned is deleted ("Garbage Collection").

mod admission;
mod garbage;
mod index;
mod pods;
mod stored;

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::engine::ApiError;
use tidewright::model::id::Uid;
use tidewright::model::time::Timestamp;

use crate::event::Actor;
use crate::setup::ObjectKind;

use index::Index;

pub use pods::{Grace, grace_seconds, is_terminal, node_made_for, node_name};
pub use stored::Stored;

/// Where an object stands within its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The namespace; empty for kinds without one.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// A key of a kind with namespaces.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// A key of a kind without namespaces.
    pub fn cluster(name: &str) -> Self {
        Self::new("", name)
    }

    /// Where this object belongs. A kind with namespaces that names none is in `default`.
    pub fn of<T: Stored>(object: &T) -> Self {
        let meta = object.meta();
        let namespace = if T::KIND.has_namespace() {
            meta.namespace.as_deref().unwrap_or("default")
        } else {
            ""
        };
        Self::new(namespace, meta.name.as_deref().unwrap_or_default())
    }
}

/// `namespace/name`, or the name alone.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// The objects of one kind.
pub type Table<T> = BTreeMap<ObjectKey, T>;

/// Something that became of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Touched {
    /// Its kind.
    pub kind: ObjectKind,
    /// Where it stands, or stood.
    pub key: ObjectKey,
    /// Its uid.
    pub uid: Uid,
    /// Who owns it, or did.
    pub owners: Vec<OwnerReference>,
    /// The node that it is on or made for, if it is a pod that has one.
    pub node: Option<String>,
    /// What became of it.
    pub how: Touch,
}

impl Touched {
    fn of<T: Stored>(key: &ObjectKey, object: &T, how: Touch) -> Self {
        Self {
            kind: T::KIND,
            key: key.clone(),
            uid: uid(object),
            owners: object.meta().owner_references.clone().unwrap_or_default(),
            node: object.node().map(ToOwned::to_owned),
            how,
        }
    }
}

/// What can become of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// It is new.
    Created,
    /// It is different.
    Changed,
    /// It was told to go, and is still there.
    Deleting(Actor),
    /// It is gone.
    Gone,
}

/// The API server.
#[derive(Clone, Debug, Default)]
pub struct Store {
    pods: Table<Pod>,
    nodes: Table<Node>,
    node_claims: Table<NodeClaim>,
    node_pools: Table<NodePool>,
    node_classes: Table<EC2NodeClass>,
    deployments: Table<Deployment>,
    replica_sets: Table<ReplicaSet>,
    daemon_sets: Table<DaemonSet>,
    stateful_sets: Table<StatefulSet>,
    jobs: Table<Job>,
    cron_jobs: Table<CronJob>,
    disruption_budgets: Table<PodDisruptionBudget>,
    priority_classes: Table<PriorityClass>,
    index: Index,
    version: u64,
    touched: Vec<Touched>,
}

impl Store {
    /// All objects of a kind.
    pub fn all<T: Stored>(&self) -> &Table<T> {
        T::table(self)
    }

    /// One object.
    pub fn get<T: Stored>(&self, key: &ObjectKey) -> Option<&T> {
        self.all::<T>().get(key)
    }

    /// What was touched since this was last asked, in order.
    pub fn take_touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    /// Creates an object.
    pub fn create<T: Stored>(&mut self, mut object: T, now: Timestamp) -> Result<&T, ApiError> {
        let key = ObjectKey::of(&object);
        if self.get::<T>(&key).is_some() {
            return Err(ApiError::AlreadyExists);
        }
        self.version += 1;
        let uid = uid_of(self.version);
        let meta = object.meta_mut();
        if T::KIND.has_namespace() {
            meta.namespace = Some(key.namespace.clone());
        }
        meta.uid = Some(uid.as_str().to_owned());
        meta.resource_version = Some(self.version.to_string());
        meta.generation = Some(1);
        meta.creation_timestamp = Some(time(now));
        meta.deletion_timestamp = None;
        self.touch(&key, &object, Touch::Created);
        self.put(key.clone(), object);
        Ok(self.get(&key).expect("it was put there a moment ago"))
    }

    /// Takes in an object of another cluster as it is: with its uid, its age, its owners and its
    /// status. One of this name that is here already stays.
    pub fn import<T: Stored>(&mut self, mut object: T, now: Timestamp) {
        let key = ObjectKey::of(&object);
        if self.get::<T>(&key).is_some() {
            return;
        }
        self.version += 1;
        let version = self.version;
        let meta = object.meta_mut();
        if T::KIND.has_namespace() {
            meta.namespace = Some(key.namespace.clone());
        }
        meta.resource_version = Some(version.to_string());
        meta.uid.get_or_insert_with(|| uid_of(version).to_string());
        meta.generation.get_or_insert(1);
        meta.creation_timestamp.get_or_insert_with(|| time(now));
        self.touch(&key, &object, Touch::Created);
        self.put(key, object);
    }

    /// Changes an object. What the change leaves as it was is no change.
    pub fn update<T: Stored>(
        &mut self,
        key: &ObjectKey,
        change: impl FnOnce(&mut T),
    ) -> Result<&T, ApiError> {
        let old = self.get::<T>(key).ok_or(ApiError::NotFound)?;
        let mut new = old.clone();
        change(&mut new);
        if new != *old {
            let same_spec = new.wants_the_same(old);
            self.version += 1;
            let meta = new.meta_mut();
            meta.resource_version = Some(self.version.to_string());
            if !same_spec {
                meta.generation = meta.generation.map(|generation| generation + 1);
            }
            self.touch(key, &new, Touch::Changed);
            self.put(key.clone(), new);
        }
        self.get(key).ok_or(ApiError::NotFound)
    }

    /// Puts an object into the place of the one of its name: what a user does with `apply`.
    /// What others keep in the object (status, owners, finalizers) stays.
    pub fn apply<T: Stored>(&mut self, object: T, now: Timestamp) -> Result<&T, ApiError> {
        let key = ObjectKey::of(&object);
        if self.get::<T>(&key).is_none() {
            return self.create(object, now);
        }
        self.update::<T>(&key, |known| {
            let meta = known.meta().clone();
            known.adopt(object);
            let labels = known.meta().labels.clone();
            let annotations = known.meta().annotations.clone();
            *known.meta_mut() = meta;
            known.meta_mut().labels = labels;
            known.meta_mut().annotations = annotations;
        })
    }

    /// Tells an object to go. Pods have a way of their own, [`Store::delete_pod`].
    pub fn delete<T: Stored>(
        &mut self,
        key: &ObjectKey,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let object = self.get::<T>(key).ok_or(ApiError::NotFound)?;
        if !is_held(object) {
            self.remove::<T>(key, now);
        } else if object.meta().deletion_timestamp.is_none() {
            self.mark::<T>(key, time(now), by);
        }
        Ok(())
    }

    /// Takes a finalizer from an object; one that was only held by it is gone with it.
    pub fn release<T: Stored>(
        &mut self,
        key: &ObjectKey,
        finalizer: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.update::<T>(key, |object| {
            let finalizers = object.meta_mut().finalizers.as_mut();
            if let Some(finalizers) = finalizers {
                finalizers.retain(|known| known != finalizer);
            }
        })?;
        let object = self.get::<T>(key).ok_or(ApiError::NotFound)?;
        if object.meta().deletion_timestamp.is_some() && !is_held(object) {
            self.remove::<T>(key, now);
        }
        Ok(())
    }

    fn mark<T: Stored>(&mut self, key: &ObjectKey, at: Time, by: Actor) {
        self.version += 1;
        let version = self.version.to_string();
        let Some(object) = T::table_mut(self).get_mut(key) else {
            return;
        };
        let meta = object.meta_mut();
        meta.deletion_timestamp = Some(at);
        meta.resource_version = Some(version);
        let touched = Touched::of(key, object, Touch::Deleting(by));
        self.touched.push(touched);
    }

    fn remove<T: Stored>(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some(object) = T::table_mut(self).remove(key) else {
            return;
        };
        self.index.remove(key, &object);
        self.version += 1;
        self.touch(key, &object, Touch::Gone);
        self.collect_garbage_of(&uid(&object), now);
    }

    /// Puts an object into its table, in the place of the one that is there.
    fn put<T: Stored>(&mut self, key: ObjectKey, object: T) {
        let known = T::table(self).get(&key);
        if !known.is_some_and(|known| index::is_same(known, &object)) {
            if let Some(before) = T::table_mut(self).remove(&key) {
                self.index.remove(&key, &before);
            }
            self.index.add(&key, &object);
        }
        T::table_mut(self).insert(key, object);
    }

    fn touch<T: Stored>(&mut self, key: &ObjectKey, object: &T, how: Touch) {
        self.touched.push(Touched::of(key, object, how));
    }
}

/// The uid of an object in the store.
pub fn uid<T: Stored>(object: &T) -> Uid {
    Uid::from(object.meta().uid.as_deref().unwrap_or_default())
}

/// An instant as the API writes it.
pub fn time(at: Timestamp) -> Time {
    let instant = k8s_openapi::jiff::Timestamp::from_millisecond(at.as_millis());
    Time(instant.expect("worlds begin and end within the range of the calendar"))
}

/// An instant of the API.
pub fn timestamp(at: &Time) -> Timestamp {
    Timestamp::from_millis(at.0.as_millisecond())
}

fn is_held<T: Stored>(object: &T) -> bool {
    let finalizers = object.meta().finalizers.as_ref();
    finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

/// A uid that looks like one and tells when the object was made.
fn uid_of(version: u64) -> Uid {
    format!("00000000-0000-4000-8000-{version:012x}").into()
}

#[cfg(test)]
mod tests;

//! The garbage collector: what an owner leaves behind goes too.

use k8s_openapi::api::apps::v1::{DaemonSet, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Node, Pod};
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::model::id::Uid;
use tidewright::model::time::Timestamp;

use super::{Grace, ObjectKey, Store, Stored};
use crate::event::Actor;

impl Store {
    /// Deletes everything that the object with this uid owned. It happens in the background of a
    /// real cluster a moment later; nothing that is tested here depends on the moment.
    pub(super) fn collect_garbage_of(&mut self, owner: &Uid, now: Timestamp) {
        for key in self.owned_by::<Pod>(owner) {
            // The pod was listed just now, and deleting what is gone would do no harm.
            let _gone = self.delete_pod(&key, Grace::OfPod, Actor::User, now);
        }
        self.delete_owned::<ReplicaSet>(owner, now);
        self.delete_owned::<DaemonSet>(owner, now);
        self.delete_owned::<StatefulSet>(owner, now);
        self.delete_owned::<Job>(owner, now);
        self.delete_owned::<NodeClaim>(owner, now);
        self.delete_owned::<Node>(owner, now);
    }

    fn delete_owned<T: Stored>(&mut self, owner: &Uid, now: Timestamp) {
        for key in self.owned_by::<T>(owner) {
            let _gone = self.delete::<T>(&key, Actor::User, now);
        }
    }

    /// The keys of the objects of a kind that name this owner.
    pub fn owned_by<T: Stored>(&self, owner: &Uid) -> Vec<ObjectKey> {
        let objects = self.owned::<T>(owner);
        objects.map(|(key, _)| key.clone()).collect()
    }

    /// The objects of a kind that name this owner, by key.
    pub fn owned<'a, T: Stored + 'a>(
        &'a self,
        owner: &'a Uid,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a T)> {
        let keys = self.index.owned_by(owner.as_str(), T::KIND);
        keys.filter_map(|key| self.all::<T>().get_key_value(key))
    }
}

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use tidewright::engine::ApiError;
use tidewright::model::time::Timestamp;

use super::*;
use crate::kube::eviction;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn node(name: &str, finalizers: &[&str]) -> Node {
    let finalizers: Vec<String> = finalizers.iter().map(|&it| it.to_owned()).collect();
    Node {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            finalizers: Some(finalizers),
            ..ObjectMeta::default()
        },
        ..Node::default()
    }
}

fn pod(name: &str, node: Option<&str>) -> Pod {
    Pod {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec {
            node_name: node.map(ToOwned::to_owned),
            ..PodSpec::default()
        }),
        ..Pod::default()
    }
}

fn touches(store: &mut Store) -> Vec<(String, Touch)> {
    let touched = store.take_touched().into_iter();
    touched.map(|it| (it.key.to_string(), it.how)).collect()
}

#[test]
fn an_object_is_created_once_and_changes_its_version_with_every_change() {
    let mut store = Store::default();
    let key = ObjectKey::cluster("a");
    let created = store.create(node("a", &[]), NOW).expect("new").clone();
    assert_eq!(created.metadata.generation, Some(1));
    assert_eq!(
        store.create(node("a", &[]), NOW),
        Err(ApiError::AlreadyExists)
    );
    let same = store.update::<Node>(&key, |_| {}).expect("known").clone();
    assert_eq!(same, created);
    let closed = store.update::<Node>(&key, |node| {
        node.spec.get_or_insert_default().unschedulable = Some(true);
    });
    let closed = closed.expect("known").clone();
    assert_eq!(closed.metadata.generation, Some(2));
    assert_ne!(
        closed.metadata.resource_version,
        created.metadata.resource_version
    );
    assert_eq!(closed.metadata.uid, created.metadata.uid);
    let expected = [
        ("a".to_owned(), Touch::Created),
        ("a".to_owned(), Touch::Changed),
    ];
    assert_eq!(touches(&mut store), expected);
}

#[test]
fn a_finalizer_holds_what_was_told_to_go() {
    let mut store = Store::default();
    let key = ObjectKey::cluster("a");
    store.create(node("a", &["x/hold"]), NOW).expect("new");
    store.take_touched();
    store.delete::<Node>(&key, Actor::User, NOW).expect("known");
    store
        .delete::<Node>(&key, Actor::User, NOW)
        .expect("still known");
    assert_eq!(
        touches(&mut store),
        [("a".to_owned(), Touch::Deleting(Actor::User))]
    );
    store.release::<Node>(&key, "x/hold", NOW).expect("known");
    assert!(store.get::<Node>(&key).is_none());
    assert_eq!(
        store.release::<Node>(&key, "x/hold", NOW),
        Err(ApiError::NotFound)
    );
}

#[test]
fn a_pod_on_a_node_gets_its_grace_and_a_second_call_can_only_shorten_it() {
    let mut store = Store::default();
    let key = ObjectKey::new("default", "p");
    store.create(pod("p", Some("n")), NOW).expect("new");
    let mut delete = |grace, expected: Option<u64>| {
        store
            .delete_pod(&key, grace, Actor::User, NOW)
            .expect("known");
        let deadline = store.get::<Pod>(&key).map(|pod| {
            let end = pod
                .metadata
                .deletion_timestamp
                .as_ref()
                .expect("told to go");
            timestamp(end).since(NOW).as_secs()
        });
        assert_eq!(deadline, expected);
    };
    delete(Grace::OfPod, Some(30));
    delete(Grace::Of(Duration::from_mins(1)), Some(30));
    delete(Grace::Of(Duration::from_secs(5)), Some(5));
    delete(Grace::Of(Duration::ZERO), None);
}

#[test]
fn a_pod_without_a_node_goes_at_once() {
    let mut store = Store::default();
    let key = ObjectKey::new("default", "p");
    let created = uid(store.create(pod("p", None), NOW).expect("new"));
    let other = Uid::from("another");
    let mut evict = |whom: &Uid| eviction::evict(&mut store, &key, whom, NOW);
    assert_eq!(evict(&other), Err(ApiError::Conflict));
    assert_eq!(evict(&created), Ok(()));
    assert_eq!(evict(&created), Err(ApiError::NotFound));
}

#[test]
fn what_an_owner_leaves_behind_goes_too() {
    let mut store = Store::default();
    let owner = uid(store.create(node("owner", &[]), NOW).expect("new"));
    let mut property = node("owned", &[]);
    property.metadata.owner_references = Some(vec![OwnerReference {
        uid: owner.to_string(),
        ..OwnerReference::default()
    }]);
    store.create(property, NOW).expect("new");
    store.create(node("stranger", &[]), NOW).expect("new");
    let key = ObjectKey::cluster("owner");
    store.delete::<Node>(&key, Actor::User, NOW).expect("known");
    let left: Vec<String> = store
        .all::<Node>()
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(left, ["stranger"]);
}

#[test]
fn applying_again_keeps_what_others_wrote() {
    let mut store = Store::default();
    let key = ObjectKey::cluster("a");
    let first = uid(store.apply(node("a", &["x/hold"]), NOW).expect("applies"));
    store
        .update::<Node>(&key, |node| {
            node.status.get_or_insert_default().phase = Some("seen".to_owned());
        })
        .expect("known");
    let mut wanted = node("a", &[]);
    wanted.metadata.labels = Some([("k".to_owned(), "v".to_owned())].into());
    let second = store.apply(wanted, NOW).expect("applies").clone();
    assert_eq!(uid(&second), first);
    assert_eq!(second.metadata.finalizers, Some(vec!["x/hold".to_owned()]));
    assert_eq!(
        second.status.and_then(|it| it.phase).as_deref(),
        Some("seen")
    );
    assert!(second.metadata.labels.is_some());
}

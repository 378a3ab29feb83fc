//! What all objects have in common.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::model::id::Uid;
use crate::model::labels::{LabelKey, LabelValue, keys};
use crate::model::time::Timestamp;

/// An instant of the API; digits below a millisecond are dropped.
pub fn timestamp(time: &Time) -> Timestamp {
    Timestamp::from_millis(time.0.as_millisecond())
}

/// The uid; empty on an object that no API server has seen.
pub(super) fn uid(meta: &ObjectMeta) -> Uid {
    meta.uid.as_deref().unwrap_or_default().into()
}

pub(super) fn name(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

/// When the object was created; on an object that no API server has seen, the epoch.
pub(super) fn created(meta: &ObjectMeta) -> Timestamp {
    let created = meta.creation_timestamp.as_ref();
    created.map_or(Timestamp::EPOCH, timestamp)
}

/// When the object was told to go. The API server writes down when its grace ends (Kubernetes API
/// conventions, "Metadata"), and the length of the grace beside it.
pub(super) fn deleting(meta: &ObjectMeta) -> Option<Timestamp> {
    let ends = timestamp(meta.deletion_timestamp.as_ref()?);
    let grace = meta.deletion_grace_period_seconds.unwrap_or_default();
    Some(ends.saturating_sub(seconds(grace)))
}

/// Seconds as the API counts them; below zero means none.
pub(super) fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

pub(super) fn is_held(meta: &ObjectMeta) -> bool {
    let mut finalizers = meta.finalizers.iter().flatten();
    finalizers.any(|finalizer| finalizer == keys::TERMINATION)
}

pub(super) fn labels(meta: &ObjectMeta) -> BTreeMap<LabelKey, LabelValue> {
    label_map(meta.labels.iter().flatten())
}

pub(super) fn label_map<'a>(
    labels: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> BTreeMap<LabelKey, LabelValue> {
    let own = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    labels.into_iter().map(own).collect()
}

pub(super) fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    let annotations = meta.annotations.as_ref()?;
    annotations.get(key).map(String::as_str)
}

pub(super) fn annotation_map<'a>(
    annotations: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> BTreeMap<Arc<str>, Arc<str>> {
    let own = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    annotations.into_iter().map(own).collect()
}

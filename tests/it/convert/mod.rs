//! Kubernetes objects against the model, in both directions. Objects are written as the API writes
//! them, so that a test reads like a manifest.

mod claims;
mod node_classes;
mod nodes;
mod pods;
mod pools;
mod requests;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tidewright::api::convert::Problem;

/// The object that a document describes.
fn object<T: DeserializeOwned>(document: Value) -> T {
    serde_json::from_value(document).unwrap_or_else(|error| panic!("no such object: {error}"))
}

/// The document with the members of another laid over it; objects are merged, all else replaced.
fn merged(mut document: Value, over: &Value) -> Value {
    merge(&mut document, over);
    document
}

fn merge(document: &mut Value, over: &Value) {
    match (document, over) {
        (Value::Object(document), Value::Object(over)) => {
            for (key, value) in over {
                merge(document.entry(key).or_insert(Value::Null), value);
            }
        }
        (document, over) => document.clone_from(over),
    }
}

/// Problems as people read them.
fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

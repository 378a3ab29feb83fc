//! The Kubernetes objects: their schema, their defaults and their rules, by data.

mod examples;
mod rules;
mod schema;

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::api::rules::{Violation, check_ec2_node_class, check_node_claim, check_node_pool};
use tidewright::api::schema::Kind;

/// Set to any value, this writes the expected files anew instead of comparing with them.
const BLESS: &str = "TIDEWRIGHT_BLESS";

fn golden_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/api")
}

fn read(file: &str) -> String {
    let path = golden_folder().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares a text with the expected one, or writes it down as such.
#[track_caller]
fn assert_golden(file: &str, found: &str) {
    if std::env::var_os(BLESS).is_some() {
        let path = golden_folder().join(file);
        let folder = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).expect("the folder of expected files can be made");
        fs::write(&path, found).expect("an expected file can be written");
    } else {
        assert_eq!(
            found,
            read(file),
            "{file} is out of date; if the new text is right, set {BLESS}"
        );
    }
}

/// The least that each kind can be made of.
fn minimal(kind: Kind) -> Value {
    let reference = json!({"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "a"});
    let spec = match kind {
        Kind::NodePool => json!({
            "template": {"spec": {"requirements": [], "nodeClassRef": reference}}
        }),
        Kind::NodeClaim => json!({"requirements": [], "nodeClassRef": reference}),
        Kind::EC2NodeClass => json!({
            "role": "node",
            "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "subnetSelectorTerms": [{"id": "subnet-1"}],
            "securityGroupSelectorTerms": [{"id": "sg-1"}]
        }),
    };
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.as_str(),
        "metadata": {"name": "a"},
        "spec": spec
    })
}

/// Reads an object as its kind and checks it.
fn check(kind: Kind, object: &Value) -> Vec<Violation> {
    match kind {
        Kind::NodePool => check_node_pool(&typed::<NodePool>(object)),
        Kind::NodeClaim => check_node_claim(&typed::<NodeClaim>(object)),
        Kind::EC2NodeClass => check_ec2_node_class(&typed::<EC2NodeClass>(object)),
    }
}

/// Reads an object as its kind and writes it again.
fn rewrite(kind: Kind, object: &Value) -> Value {
    match kind {
        Kind::NodePool => untyped(&typed::<NodePool>(object)),
        Kind::NodeClaim => untyped(&typed::<NodeClaim>(object)),
        Kind::EC2NodeClass => untyped(&typed::<EC2NodeClass>(object)),
    }
}

fn typed<T: DeserializeOwned>(object: &Value) -> T {
    serde_json::from_value(object.clone())
        .unwrap_or_else(|error| panic!("{error}, when reading {object}"))
}

fn untyped<T: Serialize>(object: &T) -> Value {
    serde_json::to_value(object).expect("an object is JSON")
}

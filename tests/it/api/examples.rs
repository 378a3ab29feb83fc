//! Objects in which everything is written that can be.

use std::collections::BTreeSet;

use serde_json::Value;
use tidewright::api::schema::{Kind, schema_of};

use super::schema::walk;
use super::{check, read, rewrite};

/// Two for a kind where some members exclude each other.
const EXAMPLES: [(Kind, &[&str]); 3] = [
    (
        Kind::NodePool,
        &["NodePool-dynamic.json", "NodePool-static.json"],
    ),
    (Kind::NodeClaim, &["NodeClaim.json"]),
    (
        Kind::EC2NodeClass,
        &["EC2NodeClass-role.json", "EC2NodeClass-profile.json"],
    ),
];

fn example(file: &str) -> Value {
    serde_json::from_str(&read(&format!("examples/{file}")))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The paths of all values within a value, as `walk` names them for its schema.
fn paths(schema: &Value, value: &Value, path: &str, into: &mut BTreeSet<String>) {
    into.insert(path.to_owned());
    for (name, member) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(inner) => paths(inner, member, &format!("{path}.{name}"), into),
            None => paths(
                &schema["additionalProperties"],
                member,
                &format!("{path}{{}}"),
                into,
            ),
        }
    }
    for item in value.as_array().into_iter().flatten() {
        paths(&schema["items"], item, &format!("{path}[]"), into);
    }
}

#[test]
fn an_object_is_written_as_it_was_read() {
    for (kind, files) in EXAMPLES {
        for file in files {
            let object = example(file);
            assert_eq!(rewrite(kind, &object), object, "{file}");
        }
    }
}

#[test]
fn the_examples_leave_no_field_out() {
    for (kind, files) in EXAMPLES {
        let schema = schema_of(kind);
        let mut written = BTreeSet::new();
        for file in files {
            paths(&schema, &example(file), "", &mut written);
        }
        walk(&schema, "", &mut |path, _| {
            let is_ours = !path.starts_with(".metadata");
            assert!(!is_ours || written.contains(path), "no example with {path}");
        });
    }
}

#[test]
fn the_examples_keep_every_rule() {
    for (kind, files) in EXAMPLES {
        for file in files {
            assert_eq!(check(kind, &example(file)), [], "{file}");
        }
    }
}

//! The schema of each kind: every field with its type, its default and its values.

use kube::CustomResourceExt;
use serde_json::Value;
use tidewright::api::nodeclaim::NodeClaim;
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool;
use tidewright::api::schema::{Kind, schema_of};

use super::{assert_golden, minimal, rewrite};

/// Calls `visit` with each schema within a schema and the path of the values it speaks of.
pub fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        walk(inner, &format!("{path}.{name}"), visit);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{path}[]"), visit);
    }
    if schema["additionalProperties"].is_object() {
        walk(
            &schema["additionalProperties"],
            &format!("{path}{{}}"),
            visit,
        );
    }
}

fn listing(kind: Kind) -> String {
    let mut lines = Vec::new();
    for part in ["spec", "status"] {
        walk(
            &schema_of(kind)["properties"][part],
            part,
            &mut |path, schema| {
                lines.push(line(path, schema));
            },
        );
    }
    format!("{}\n", lines.join("\n"))
}

fn line(path: &str, schema: &Value) -> String {
    let is_either = schema["x-kubernetes-int-or-string"] == true;
    let name = schema["type"].as_str().filter(|_| !is_either);
    assert!(is_either || name.is_some(), "{path} has no type");
    let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    let words = ["format", "required", "enum", "default"].into_iter();
    let words = words.filter_map(|word| Some(format!("{word}={}", schema.get(word)?)));
    let mut parts = vec![
        path.to_owned(),
        name.unwrap_or("integer-or-string").to_owned(),
    ];
    parts.extend(words);
    parts.extend(is_open.then(|| "open".to_owned()));
    parts.join(" ")
}

/// The definition of the kind, but for its schema.
fn definition(kind: Kind) -> Value {
    let definition = match kind {
        Kind::NodePool => NodePool::crd(),
        Kind::NodeClaim => NodeClaim::crd(),
        Kind::EC2NodeClass => EC2NodeClass::crd(),
    };
    let mut definition = serde_json::to_value(definition).expect("a definition is JSON");
    let version = definition["spec"]["versions"][0].as_object_mut();
    version.expect("there is one version").remove("schema");
    definition
}

/// Does what the API server does with an object that is written: members with a default appear.
fn with_defaults(schema: &Value, object: &mut Value) {
    match object {
        Value::Object(members) => {
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = inner.get("default") {
                    members.entry(name).or_insert_with(|| default.clone());
                }
                if let Some(member) = members.get_mut(name) {
                    with_defaults(inner, member);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                with_defaults(&schema["items"], item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_field_is_listed() {
    for kind in Kind::ALL {
        assert_golden(&format!("schema/{}.txt", kind.as_str()), &listing(kind));
    }
}

/// Names, short names, printed columns and subresources.
#[test]
fn every_definition_is_written_down() {
    for kind in Kind::ALL {
        let text = format!("{:#}\n", definition(kind));
        assert_golden(&format!("definitions/{}.json", kind.as_str()), &text);
    }
}

#[test]
fn the_head_of_an_object_is_part_of_its_schema() {
    for kind in Kind::ALL {
        let schema = schema_of(kind);
        let properties = &schema["properties"];
        assert_eq!(properties["apiVersion"]["enum"][0], kind.api_version());
        assert_eq!(properties["kind"]["enum"][0], kind.as_str());
        assert_eq!(
            properties["metadata"]["properties"]["name"]["type"],
            "string"
        );
        for part in ["apiVersion", "kind", "metadata", "spec"] {
            assert!(
                schema["required"]
                    .as_array()
                    .unwrap()
                    .contains(&part.into())
            );
        }
    }
}

#[test]
fn a_schema_needs_no_references_and_no_alternatives() {
    for kind in Kind::ALL {
        walk(&schema_of(kind), "", &mut |path, schema| {
            for word in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "not"] {
                assert!(schema.get(word).is_none(), "{word} at {path}");
            }
        });
    }
}

/// Defaults are stated twice, for the API server and for us; they may not differ.
#[test]
fn the_defaults_of_the_schema_are_those_of_the_types() {
    for kind in Kind::ALL {
        let mut defaulted = minimal(kind);
        with_defaults(&schema_of(kind), &mut defaulted);
        assert_ne!(defaulted["spec"], minimal(kind)["spec"]);
        let read = rewrite(kind, &minimal(kind));
        assert_eq!(rewrite(kind, &defaulted), read);
        let text = format!("{read:#}\n");
        assert_golden(&format!("defaults/{}.json", kind.as_str()), &text);
    }
}

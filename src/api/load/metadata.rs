//! What all objects have in common: identity, and the fields that others write.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::diagnostic::Finding;
use super::tree::{Node, Tree};
use super::{schema, shape};
use crate::api::rules::FieldPath;

/// What `kubectl apply` leaves behind: a copy of the object as text.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Objects without a namespace are put here.
const DEFAULT_NAMESPACE: &str = "default";

/// The longest name of an object, as Kubernetes documents it under "Object Names and IDs".
const NAME_CHARACTERS_MAX: usize = 253;

/// Parts a node into what its author wrote and its status. Fields that only the API server and
/// `kubectl` write are left out: they are accepted whatever they hold.
pub(super) fn without_what_others_write(node: &Node) -> (Node, Option<Node>) {
    let mut body = node.clone();
    let mut status = None;
    if let Tree::Map(entries) = &mut body.tree {
        if let Some(index) = entries.iter().position(|entry| entry.key == "status") {
            status = Some(entries.remove(index).value);
        }
        for entry in entries.iter_mut().filter(|entry| entry.key == "metadata") {
            remove(&mut entry.value, "managedFields");
            if let Tree::Map(metadata) = &mut entry.value.tree {
                for entry in metadata.iter_mut().filter(|it| it.key == "annotations") {
                    remove(&mut entry.value, LAST_APPLIED);
                }
            }
        }
    }
    (body, status)
}

fn remove(node: &mut Node, field: &str) {
    if let Tree::Map(entries) = &mut node.tree {
        entries.retain(|entry| entry.key != field);
    }
}

/// Puts the status back into an object if it has the right shape; another version's is dropped.
pub(super) fn restore_status(value: &mut Value, status: Option<&Node>, root: &Value) {
    let schema =
        schema::properties(schema::resolve(root, root)).find(|(name, _)| *name == "status");
    let (Some(status), Some((_, schema)), Value::Object(fields)) = (status, schema, value) else {
        return;
    };
    let shaped = shape::check(status, &FieldPath::ROOT, root, schema);
    if shaped.findings.is_empty() && !shaped.value.is_null() {
        fields.insert("status".to_owned(), shaped.value);
    }
}

/// The namespace and name of an object, if it has a name.
pub(super) fn identity(node: &Node) -> Option<(String, String)> {
    let metadata = &node.field("metadata")?.value;
    let namespace = metadata.text("namespace").unwrap_or(DEFAULT_NAMESPACE);
    Some((namespace.to_owned(), metadata.text("name")?.to_owned()))
}

/// What a name may look like; that there is one is a matter of the schema.
pub(super) fn check(node: &Node, base: &FieldPath) -> Option<Finding> {
    let path = FieldPath::ROOT.field("metadata").field("name");
    let name = &node.field("metadata")?.value.field("name")?.value;
    if name.as_text().is_none_or(is_name) {
        return None;
    }
    Some(Finding {
        span: node.locate(&path),
        path: base.join(&path),
        value: Some(name.excerpt()),
        rule: "A name consists of lower-case letters, digits, `-` and `.`, begins and ends with a \
               letter or digit, and has at most 253 characters."
            .to_owned(),
        fix: "Write a name such as `general-spot`.".to_owned(),
    })
}

/// Whether the text is a DNS subdomain as RFC 1123 has it.
fn is_name(text: &str) -> bool {
    let letter_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= NAME_CHARACTERS_MAX
        && text.split('.').all(|part| {
            let bytes = part.as_bytes();
            bytes.first().copied().is_some_and(letter_or_digit)
                && bytes.last().copied().is_some_and(letter_or_digit)
                && bytes
                    .iter()
                    .all(|byte| letter_or_digit(*byte) || *byte == b'-')
        })
}

/// A kind's schema with the metadata of Kubernetes, of which a name is required. The schema of a
/// custom resource leaves metadata to the API server, which is not there to look at a file.
pub(super) fn completed(mut schema: Value) -> Value {
    let generator = SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let mut metadata = generator.into_root_schema_for::<ObjectMeta>().to_value();
    metadata["required"] = json!(["name"]);
    let text = json!({"type": "string"});
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        fields.insert("apiVersion".to_owned(), text.clone());
        fields.insert("kind".to_owned(), text);
        fields.insert("metadata".to_owned(), metadata);
    }
    let mut required: BTreeSet<_> = schema::required(&schema).collect();
    required.insert("metadata");
    schema["required"] = json!(required);
    schema
}

//! The JSON schema of each kind, for checking the shape of a document before it is read.
//!
//! It is the schema that the API server holds for the kind, so that a document which passes has a
//! shape the cluster accepts; `metadata`, which the API server knows by itself, is added.
//! Everything stands inline, without references, in the words `type`, `properties`, `required`,
//! `items`, `additionalProperties`, `enum`, `default`, `nullable`, `format`, `description`,
//! `x-kubernetes-int-or-string` and `x-kubernetes-preserve-unknown-fields`. Limits of values are
//! left to the [rules](super::rules), whose sentences say more.
//!
//! Like the API server, a reader of documents should take a member that is `null` for absent.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{CustomResourceExt, Resource};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::nodeclaim::NodeClaim;
use super::nodeclass::EC2NodeClass;
use super::nodepool::NodePool;

/// A kind of object that a policy is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `karpenter.sh/v1` NodePool.
    NodePool,
    /// `karpenter.sh/v1` NodeClaim.
    NodeClaim,
    /// `karpenter.k8s.aws/v1` EC2NodeClass.
    EC2NodeClass,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::NodePool, Self::NodeClaim, Self::EC2NodeClass];

    /// The kind a document says it is of.
    pub fn find(api_version: &str, kind: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|known| known.api_version() == api_version && known.as_str() == kind)
    }

    /// The value of `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NodePool => "NodePool",
            Self::NodeClaim => "NodeClaim",
            Self::EC2NodeClass => "EC2NodeClass",
        }
    }

    /// The value of `apiVersion`.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::NodePool | Self::NodeClaim => "karpenter.sh/v1",
            Self::EC2NodeClass => "karpenter.k8s.aws/v1",
        }
    }
}

/// The schema of a whole object of the kind.
pub fn schema_of(kind: Kind) -> Value {
    match kind {
        Kind::NodePool => with_head(kind, own_schema::<NodePool>()),
        Kind::NodeClaim => with_head(kind, own_schema::<NodeClaim>()),
        Kind::EC2NodeClass => with_head(kind, own_schema::<EC2NodeClass>()),
    }
}

/// The schema of the kind's definition, which has `spec` and `status` only.
fn own_schema<K: CustomResourceExt + Resource<DynamicType = ()>>() -> Value {
    let definition = K::crd();
    let versions = definition.spec.versions.into_iter();
    let schema = versions
        .filter(|version| version.name == K::version(&()))
        .find_map(|version| version.schema?.open_api_v3_schema)
        .expect("a derived definition has a schema of its version");
    serde_json::to_value(schema).expect("a schema is JSON")
}

fn with_head(kind: Kind, mut schema: Value) -> Value {
    let fixed = |value: &str| json!({"type": "string", "enum": [value]});
    let properties = schema["properties"]
        .as_object_mut()
        .expect("an object has properties");
    properties.insert("apiVersion".into(), fixed(kind.api_version()));
    properties.insert("kind".into(), fixed(kind.as_str()));
    properties.insert("metadata".into(), metadata_schema());
    schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
    schema
}

fn metadata_schema() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings
        .into_generator()
        .into_root_schema_for::<ObjectMeta>();
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_definitions() {
        for kind in Kind::ALL {
            assert_eq!(Kind::find(kind.api_version(), kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::find("karpenter.sh/v1", "EC2NodeClass"), None);
        let names = [
            (NodePool::kind(&()), NodePool::api_version(&())),
            (NodeClaim::kind(&()), NodeClaim::api_version(&())),
            (EC2NodeClass::kind(&()), EC2NodeClass::api_version(&())),
        ];
        for (kind, (name, api_version)) in Kind::ALL.into_iter().zip(names) {
            assert_eq!(kind.as_str(), name);
            assert_eq!(kind.api_version(), api_version);
        }
    }
}

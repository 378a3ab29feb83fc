//! Policies: which nodes there should be.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::diagnostic::{Diagnostic, Severity};
use super::objects::{self, Built, Kind, Others, Reading, Registry, Remark};
use super::source::Source;
use super::{Accepted, lint, metadata, settle};
use crate::api::features::{self, FieldNotice};
use crate::api::nodeclaim::{NodeClaim, NodeClassReference};
use crate::api::nodeclass::EC2NodeClass;
use crate::api::nodepool::NodePool;
use crate::api::rules::{
    FieldPath, Violation, check_ec2_node_class, check_node_claim, check_node_pool,
};
use crate::api::schema;

/// The objects that policies consist of, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicySet {
    /// Which nodes may be bought, and when they may go.
    pub node_pools: BTreeMap<String, NodePool>,
    /// Nodes that were asked for one by one.
    pub node_claims: BTreeMap<String, NodeClaim>,
    /// How machines are set up.
    pub node_classes: BTreeMap<String, EC2NodeClass>,
    /// How many objects of each other kind were among the sources; they were left alone.
    pub skipped: BTreeMap<String, usize>,
}

/// Reads policies. Objects of other kinds are skipped and counted, because a folder of policies is
/// often a part of something larger.
pub fn load(sources: &[Source]) -> Result<Accepted<PolicySet>, Vec<Diagnostic>> {
    let reading = objects::read(sources, &REGISTRY);
    let mut diagnostics = unresolved_classes(&reading);
    diagnostics.extend(reading.diagnostics);
    let mut set = PolicySet {
        skipped: reading.skipped,
        ..PolicySet::default()
    };
    for item in reading.items {
        match item.object {
            Policy::Pool(pool) => {
                set.node_pools.insert(pool.name_any(), *pool);
            }
            Policy::Claim(claim) => {
                set.node_claims.insert(claim.name_any(), *claim);
            }
            Policy::Class(class) => {
                set.node_classes.insert(class.name_any(), *class);
            }
        }
    }
    settle(set, diagnostics)
}

enum Policy {
    Pool(Box<NodePool>),
    Claim(Box<NodeClaim>),
    Class(Box<EC2NodeClass>),
}

static REGISTRY: Registry<Policy> = Registry {
    kinds: &KINDS,
    others: Others::Skip,
};

static KINDS: [Kind<Policy>; 3] = [
    Kind {
        api_version: schema::Kind::NodePool.api_version(),
        name: schema::Kind::NodePool.as_str(),
        schema: &NODE_POOL,
        build: |value| build(value, Policy::Pool, check_node_pool, about_node_pool),
    },
    Kind {
        api_version: schema::Kind::NodeClaim.api_version(),
        name: schema::Kind::NodeClaim.as_str(),
        schema: &NODE_CLAIM,
        build: |value| build(value, Policy::Claim, check_node_claim, |_| Vec::new()),
    },
    Kind {
        api_version: schema::Kind::EC2NodeClass.api_version(),
        name: schema::Kind::EC2NodeClass.as_str(),
        schema: &NODE_CLASS,
        build: |value| build(value, Policy::Class, check_ec2_node_class, about_node_class),
    },
];

static NODE_POOL: LazyLock<Value> = LazyLock::new(|| schema_of(schema::Kind::NodePool));
static NODE_CLAIM: LazyLock<Value> = LazyLock::new(|| schema_of(schema::Kind::NodeClaim));
static NODE_CLASS: LazyLock<Value> = LazyLock::new(|| schema_of(schema::Kind::EC2NodeClass));

fn schema_of(kind: schema::Kind) -> Value {
    metadata::completed(schema::schema_of(kind))
}

fn build<T: DeserializeOwned>(
    value: Value,
    wrap: fn(Box<T>) -> Policy,
    rules: fn(&T) -> Vec<Violation>,
    remarks: fn(&T) -> Vec<Remark>,
) -> Result<Built<Policy>, serde_json::Error> {
    let object: Box<T> = Box::new(serde_json::from_value(value)?);
    let violations = rules(&object);
    let remarks = if violations.is_empty() {
        remarks(&object)
    } else {
        Vec::new()
    };
    Ok(Built {
        object: wrap(object),
        violations,
        remarks,
    })
}

/// What there is to say about a pool that keeps the rules.
fn about_node_pool(pool: &NodePool) -> Vec<Remark> {
    let notices = features::node_pool_notices(pool).into_iter().map(idle);
    lint::budgets(pool).into_iter().chain(notices).collect()
}

/// What there is to say about a class that keeps the rules.
fn about_node_class(class: &EC2NodeClass) -> Vec<Remark> {
    let notices = features::ec2_node_class_notices(class).into_iter();
    notices.map(idle).collect()
}

/// What is to be known of a field that is read and has no effect yet.
fn idle(notice: FieldNotice) -> Remark {
    Remark {
        severity: Severity::Notice,
        path: notice.path,
        value: None,
        rule: notice.message,
        fix: String::new(),
    }
}

/// References to classes that are not among the objects. A folder need not hold everything that a
/// cluster has, so this is a warning.
fn unresolved_classes(reading: &Reading<'_, Policy>) -> Vec<Diagnostic> {
    let spec = FieldPath::ROOT.field("spec");
    let references = reading.items.iter().filter_map(|item| match &item.object {
        Policy::Pool(pool) => Some((
            item,
            spec.field("template").field("spec"),
            &pool.spec.template.spec.node_class_ref,
        )),
        Policy::Claim(claim) => Some((item, spec.clone(), &claim.spec.node_class_ref)),
        Policy::Class(_) => None,
    });
    references
        .filter(|(_, _, reference)| !is_resolved(reading, reference))
        .map(|(item, path, reference)| {
            let path = path.field("nodeClassRef").field("name");
            item.origin.diagnose(unresolved(path, reference))
        })
        .collect()
}

fn is_resolved(reading: &Reading<'_, Policy>, reference: &NodeClassReference) -> bool {
    let kind = schema::Kind::EC2NodeClass;
    let group = kind.api_version().split('/').next();
    Some(reference.group.as_str()) == group
        && reference.kind == kind.as_str()
        && reading
            .names
            .contains(&(kind.as_str(), reference.name.clone()))
}

fn unresolved(path: FieldPath, reference: &NodeClassReference) -> Remark {
    let NodeClassReference { group, kind, name } = reference;
    Remark {
        severity: Severity::Warning,
        path,
        value: Some(format!("{name:?}")),
        rule: format!("There is no {kind} of {group} with this name; defaults are used for it."),
        fix: "Add it to the files, or correct the reference.".to_owned(),
    }
}

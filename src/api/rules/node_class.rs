//! An EC2NodeClass as a whole.

use std::collections::BTreeMap;

use super::ami::check_images;
use super::devices::check_block_devices;
use super::kubelet::check_kubelet;
use super::network::{check_connection_tracking, check_network_interfaces};
use super::selectors::{
    check_placement_group, check_reservation_terms, check_security_group_terms, check_subnet_terms,
};
use super::{ABSENT, FieldPath, Violation, negative, out_of_range};
use crate::api::nodeclass::{EC2NodeClass, EC2NodeClassSpec};
use crate::model::labels::keys;

/// Tags by which the controller and EKS find their own.
const RESERVED_TAGS: [&str; 4] = [
    "eks:eks-cluster-name",
    keys::NODE_POOL,
    keys::NODE_CLAIM,
    keys::EC2_NODE_CLASS,
];

/// The beginning of the tag that says which cluster a machine belongs to.
const CLUSTER_TAG_PREFIX: &str = "kubernetes.io/cluster";

/// The greatest number of hops EC2 lets an answer travel.
const HOP_LIMIT_MAX: i64 = 64;

/// Every breach of a rule in an EC2NodeClass.
pub fn check_ec2_node_class(class: &EC2NodeClass) -> Vec<Violation> {
    let spec = &class.spec;
    let path = FieldPath::ROOT.field("spec");
    let mut found = check_places(&path, spec);
    found.extend(check_images(&path, spec));
    found.extend(check_identity(&path, spec));
    found.extend(check_own_tags(&path.field("tags"), &spec.tags));
    if let Some(kubelet) = &spec.kubelet {
        found.extend(check_kubelet(&path, kubelet, spec.family()));
    }
    found.extend(check_machine(&path, spec));
    found
}

/// Where machines stand and what they are connected to.
fn check_places(path: &FieldPath, spec: &EC2NodeClassSpec) -> Vec<Violation> {
    let subnets = path.field("subnetSelectorTerms");
    let groups = path.field("securityGroupSelectorTerms");
    let reservations = path.field("capacityReservationSelectorTerms");
    let mut found = check_subnet_terms(&subnets, &spec.subnet_selector_terms);
    found.extend(check_security_group_terms(
        &groups,
        &spec.security_group_selector_terms,
    ));
    found.extend(check_reservation_terms(
        &reservations,
        &spec.capacity_reservation_selector_terms,
    ));
    if let Some(selector) = &spec.placement_group_selector {
        found.extend(check_placement_group(
            &path.field("placementGroupSelector"),
            selector,
        ));
    }
    if let Some(count) = spec.ip_prefix_count {
        found.extend(negative(path.field("ipPrefixCount"), count.into()));
    }
    found
}

/// What a machine consists of.
fn check_machine(path: &FieldPath, spec: &EC2NodeClassSpec) -> Vec<Violation> {
    let options = path.field("metadataOptions");
    let mut found = check_block_devices(
        &path.field("blockDeviceMappings"),
        &spec.block_device_mappings,
    );
    found.extend(check_network_interfaces(
        &path.field("networkInterfaces"),
        &spec.network_interfaces,
    ));
    found.extend(out_of_range(
        options.field("httpPutResponseHopLimit"),
        spec.metadata_options.http_put_response_hop_limit,
        1,
        HOP_LIMIT_MAX,
    ));
    if let Some(tracking) = &spec.connection_tracking {
        found.extend(check_connection_tracking(
            &path.field("connectionTracking"),
            tracking,
        ));
    }
    found
}

/// Who a machine is to AWS: a role or an instance profile.
fn check_identity(path: &FieldPath, spec: &EC2NodeClassSpec) -> Vec<Violation> {
    let written = [
        ("role", &spec.role),
        ("instanceProfile", &spec.instance_profile),
    ];
    let mut found = Vec::new();
    for (name, value) in written {
        if value.as_deref() == Some("") {
            let rule = format!("The {name} must not be empty.");
            found.push(Violation::new(
                path.field(name),
                "",
                rule,
                "Write its name.",
            ));
        }
    }
    let rule = "Nodes must have either a role or an instance profile.";
    match (&spec.role, &spec.instance_profile) {
        (None, None) => {
            let fix = "Add role, or instanceProfile.";
            let violation = Violation::new(path.field("role"), ABSENT, rule, fix);
            found.push(violation.depends_on([path.field("instanceProfile")]));
        }
        (Some(_), Some(profile)) => {
            let fix = "Remove one of the two.";
            found.push(Violation::new(
                path.field("instanceProfile"),
                profile,
                rule,
                fix,
            ));
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    found
}

fn check_own_tags(path: &FieldPath, tags: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (key, value) in tags {
        if key.is_empty() {
            let rule = "A tag must have a key.";
            found.push(Violation::new(path.key(key), value, rule, "Write a key."));
        }
        if RESERVED_TAGS.contains(&key.as_str()) || key.starts_with(CLUSTER_TAG_PREFIX) {
            let rule = "Tags by which the controller and EKS find their own belong to them.";
            found.push(Violation::new(path.key(key), value, rule, "Remove it."));
        }
    }
    found
}

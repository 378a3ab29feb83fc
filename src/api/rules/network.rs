//! Network interfaces, and what the network does for a node.

use std::collections::BTreeMap;

use super::{ABSENT, FieldPath, Violation, entries, negative, out_of_range, too_many};
use crate::api::nodeclass::{ConnectionTracking, InterfaceType, NetworkInterface};

const INTERFACES_MAX: usize = 150;

/// The network interfaces of a class; none at all is the ordinary case.
pub(super) fn check_network_interfaces(
    path: &FieldPath,
    interfaces: &[NetworkInterface],
) -> Vec<Violation> {
    let mut found: Vec<_> = too_many(path, interfaces.len(), INTERFACES_MAX)
        .into_iter()
        .collect();
    found.extend(no_primary(path, interfaces));
    let mut places = BTreeMap::new();
    let mut fabrics = BTreeMap::new();
    for (index, interface) in interfaces.iter().enumerate() {
        let path = path.index(index);
        let (card, device) = (interface.network_card_index, interface.device_index);
        found.extend(negative(path.field("networkCardIndex"), card.into()));
        found.extend(negative(path.field("deviceIndex"), device.into()));
        if let Some(other) = places.insert((card, device), path.clone()) {
            found.push(same_place(&path, interface, &other));
        }
        if interface.interface_type == InterfaceType::EfaOnly
            && let Some(other) = fabrics.insert(card, path.clone())
        {
            found.push(second_fabric(&path, &other));
        }
    }
    found
}

fn same_place(path: &FieldPath, interface: &NetworkInterface, other: &FieldPath) -> Violation {
    let rule = "A place on a network card can be taken once.";
    let (card, device) = (interface.network_card_index, interface.device_index);
    let value = format!("card {card}, device {device}");
    let fix = "Give it another deviceIndex.";
    Violation::new(path.field("deviceIndex"), value, rule, fix)
        .depends_on(path.fields(["networkCardIndex"]))
        .depends_on(other.fields(["networkCardIndex", "deviceIndex"]))
}

fn second_fabric(path: &FieldPath, other: &FieldPath) -> Violation {
    let rule = "A network card may have at most one interface of type efa-only.";
    let fix = "Put it on another network card.";
    Violation::new(path.field("interfaceType"), "efa-only", rule, fix)
        .depends_on(path.fields(["networkCardIndex"]))
        .depends_on(other.fields(["networkCardIndex", "interfaceType"]))
}

fn no_primary(path: &FieldPath, interfaces: &[NetworkInterface]) -> Option<Violation> {
    let is_primary = |interface: &NetworkInterface| {
        interface.network_card_index == 0
            && interface.device_index == 0
            && interface.interface_type == InterfaceType::Interface
    };
    if interfaces.is_empty() || interfaces.iter().any(is_primary) {
        return None;
    }
    let rule = "Device 0 of card 0 must be an ordinary interface, since a node needs an address.";
    let fix = "Add networkCardIndex 0, deviceIndex 0, interfaceType interface.";
    let value = entries(interfaces.len());
    let violation = Violation::new(path.clone(), value, rule, fix);
    Some(violation.depends_on([path.clone()]))
}

/// How long idle connections are tracked (EC2 documentation, "Security group connection
/// tracking", section "Idle connection tracking timeout").
pub(super) fn check_connection_tracking(
    path: &FieldPath,
    tracking: &ConnectionTracking,
) -> Vec<Violation> {
    let timeouts = [
        (
            "tcpEstablishedTimeout",
            tracking.tcp_established_timeout,
            60,
            432_000,
        ),
        ("udpStreamTimeout", tracking.udp_stream_timeout, 60, 180),
        ("udpTimeout", tracking.udp_timeout, 30, 60),
    ];
    if timeouts.iter().all(|(_, seconds, _, _)| seconds.is_none()) {
        let names = timeouts.map(|(name, ..)| name);
        let rule = "At least one timeout must be written.";
        let fix = format!("Write one of {}, or remove the block.", names.join(", "));
        let violation = Violation::new(path.clone(), ABSENT, rule, fix);
        return vec![violation.depends_on(path.fields(names))];
    }
    let breaches = timeouts
        .into_iter()
        .filter_map(|(name, seconds, min, max)| {
            out_of_range(path.field(name), seconds?.into(), min, max)
        });
    breaches.collect()
}

//! Why nothing of a type can be bought.

use std::fmt;

use crate::model::node_class::{AmiFamily, NodeClass};

use super::facts::{Architecture, TypeFacts, Zone};

/// Why no machine of a type can be bought for a class, whatever is in stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unavailable {
    /// The region does not have the type.
    NotInRegion,
    /// The machine starts macOS only.
    MacOnly,
    /// The images of the class do not start on it.
    ImageDoesNotStart,
    /// None of its zones has a subnet of the class.
    NoSubnet,
    /// Nobody could say what it costs.
    NoPrice,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInRegion => "the region does not have this type",
            Self::MacOnly => "it starts macOS only",
            Self::ImageDoesNotStart => "the images of the node class do not start on it",
            Self::NoSubnet => "none of its zones has a subnet of the node class",
            Self::NoPrice => "no price is known",
        })
    }
}

/// The first reason against buying this type for this class, from the machine to the price.
pub(super) fn unavailable(
    zones: &[Zone],
    facts: &TypeFacts,
    class: &NodeClass,
) -> Option<Unavailable> {
    if facts.architecture == Architecture::Mac {
        return Some(Unavailable::MacOnly);
    }
    if !starts(facts, class.ami_family) {
        return Some(Unavailable::ImageDoesNotStart);
    }
    if offered(zones, facts, class).next().is_none() {
        return Some(Unavailable::NoSubnet);
    }
    facts
        .prices()
        .next()
        .is_none()
        .then_some(Unavailable::NoPrice)
}

/// The zones in which the class could have machines of this type.
pub(super) fn offered<'a>(
    zones: &'a [Zone],
    facts: &'a TypeFacts,
    class: &'a NodeClass,
) -> impl Iterator<Item = &'a Zone> {
    let sells = |zone: &&Zone| facts.offerings.iter().any(|it| it.zone == zone.id);
    let offering = zones.iter().filter(sells);
    offering.filter(|zone| class.zones.is_empty() || class.zones.contains(zone.name.as_str()))
}

/// Whether a machine of this type is a node once it runs the class's images. Amazon Linux 2023 does
/// not support the first Graviton machines (Amazon Linux documentation, "System requirements").
pub(super) fn starts(facts: &TypeFacts, family: AmiFamily) -> bool {
    let supported = match family {
        AmiFamily::Al2023 => !facts.name.starts_with("a1."),
        AmiFamily::Al2
        | AmiFamily::Bottlerocket
        | AmiFamily::Windows2019
        | AmiFamily::Windows2022
        | AmiFamily::Windows2025
        | AmiFamily::Custom => true,
    };
    supported && facts.architecture != Architecture::Mac
}

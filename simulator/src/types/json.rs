//! The listing for programs: instance types in the words of the planner's input document, with
//! what follows from them added.

use std::collections::BTreeMap;

use serde::Serialize;
use tidewright::cloud::region::Region;
use tidewright::cloud::region::facts::PriceOrigin;
use tidewright::model::catalog::{InstanceType, Offering, Overhead};
use tidewright::model::id::TypeName;
use tidewright::model::requirement::{Entry, Requirements};
use tidewright::model::resources::{Resources, format_amount};

use super::listing::{Listed, Listing};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    region: &'a str,
    /// Where the facts come from, and of which date they are.
    about: &'a BTreeMap<String, String>,
    types: Vec<Type<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Type<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<String>,
    requirements: Vec<Line<'a>>,
    capacity: Quantities,
    /// The three parts together.
    overhead: Quantities,
    kube_reserved: Quantities,
    system_reserved: Quantities,
    eviction_threshold: Quantities,
    allocatable: Quantities,
    offerings: Vec<Sold<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sold<'a> {
    zone: &'a str,
    capacity_type: &'static str,
    /// Dollars per hour as a decimal text, because a JSON number is a float to most readers.
    price: String,
    /// Where the price is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_origin: Option<&'static str>,
    available: bool,
    requirements: Vec<Line<'a>>,
}

/// One line of requirements.
#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    operator: &'static str,
    values: Vec<String>,
}

/// Amounts as Kubernetes writes them, by resource.
type Quantities = BTreeMap<String, String>;

/// One object.
pub fn to_json(region: &Region, listing: &Listing) -> String {
    let document = Document {
        region: region.name(),
        about: region.about(),
        types: listing.types.iter().map(|it| listed(region, it)).collect(),
    };
    let text = serde_json::to_string_pretty(&document).expect("a listing has text keys only");
    format!("{text}\n")
}

fn listed<'a>(region: &'a Region, listed: &'a Listed) -> Type<'a> {
    let InstanceType {
        name,
        requirements,
        capacity,
        overhead,
        offerings,
    } = &listed.instance_type;
    Type {
        name: name.as_str(),
        unavailable: listed.unavailable.map(|it| it.to_string()),
        requirements: lines(requirements),
        capacity: quantities(capacity),
        overhead: quantities(&sum(overhead)),
        kube_reserved: quantities(&overhead.kube_reserved),
        system_reserved: quantities(&overhead.system_reserved),
        eviction_threshold: quantities(&overhead.eviction_threshold),
        allocatable: quantities(&listed.instance_type.allocatable()),
        offerings: offerings.iter().map(|it| sold(region, name, it)).collect(),
    }
}

fn sold<'a>(region: &Region, name: &TypeName, offering: &'a Offering) -> Sold<'a> {
    let origin = region.price_origin(&offering.key(name));
    Sold {
        zone: offering.zone.as_str(),
        capacity_type: offering.capacity_type.as_str(),
        price: offering.price.to_string(),
        price_origin: origin.map(PriceOrigin::as_str),
        available: offering.available,
        requirements: lines(&offering.requirements),
    }
}

fn sum(overhead: &Overhead) -> Resources {
    let Overhead {
        kube_reserved,
        system_reserved,
        eviction_threshold,
    } = overhead;
    [system_reserved, eviction_threshold]
        .into_iter()
        .try_fold(kube_reserved.clone(), |sum, part| sum.checked_add(part))
        .expect("what a machine keeps is far from the ends of the range")
}

fn lines(requirements: &Requirements) -> Vec<Line<'_>> {
    let lines = requirements.iter().flat_map(|requirement| {
        let entries = requirement.entries().into_iter();
        entries.map(|Entry { operator, values }| Line {
            key: requirement.key.as_str(),
            operator: operator.as_str(),
            values: values.iter().map(|it| it.as_str().to_owned()).collect(),
        })
    });
    lines.collect()
}

fn quantities(resources: &Resources) -> Quantities {
    let amounts = resources.iter();
    amounts
        .map(|(name, amount)| {
            let quantity = format_amount(&name, amount);
            (name.to_string(), quantity)
        })
        .collect()
}

//! What a region's file must keep beyond its format.

use std::collections::BTreeSet;

use crate::model::labels::check_value;
use crate::model::price::PriceError;

use super::facts::{RegionFile, TypeFacts, Zone};
use super::labels::kebab;

/// Why a text is no region.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// It is no JSON, or a field is missing, unknown or of another kind.
    #[error("the region cannot be read")]
    Format(#[source] serde_json::Error),
    /// A value cannot be.
    #[error("{field}: \"{value}\" {problem}")]
    Value {
        /// The field, such as `types[3].name`.
        field: String,
        /// What it says.
        value: String,
        /// What is wrong with that.
        problem: &'static str,
    },
    /// A price is none.
    #[error("{field} is not a price")]
    Price {
        /// The field, such as `types[3].offerings[0].spot`.
        field: String,
        /// Why.
        #[source]
        source: PriceError,
    },
}

/// Finds the first field of a region that cannot be right.
pub(super) fn check(file: &RegionFile) -> Result<(), RegionError> {
    check_label("region".into(), &file.region)?;
    check_zones(&file.zones)?;
    let mut names = BTreeSet::new();
    for (index, facts) in file.types.iter().enumerate() {
        let at = format!("types[{index}]");
        if !names.insert(&facts.name) {
            return Err(wrong(format!("{at}.name"), &facts.name, TWICE));
        }
        check_type(&at, facts)?;
        check_offerings(&at, facts, &file.zones)?;
        check_usage(&at, facts)?;
    }
    Ok(())
}

const TWICE: &str = "is listed twice";

fn wrong(field: String, value: &str, problem: &'static str) -> RegionError {
    RegionError::Value {
        field,
        value: value.into(),
        problem,
    }
}

/// What becomes the value of a label has to be one, and not empty.
fn check_label(field: String, value: &str) -> Result<(), RegionError> {
    if value.is_empty() || check_value(value).is_err() {
        let problem = "must be 1 to 63 letters, digits, dots, dashes or underscores";
        return Err(wrong(field, value, problem));
    }
    Ok(())
}

fn check_zones(zones: &[Zone]) -> Result<(), RegionError> {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (index, zone) in zones.iter().enumerate() {
        let fields = [("name", &zone.name, &mut names), ("id", &zone.id, &mut ids)];
        for (field, value, seen) in fields {
            let field = format!("zones[{index}].{field}");
            check_label(field.clone(), value)?;
            if !seen.insert(value) {
                return Err(wrong(field, value, TWICE));
            }
        }
    }
    Ok(())
}

fn check_type(at: &str, facts: &TypeFacts) -> Result<(), RegionError> {
    for (field, name) in names(facts) {
        check_label(format!("{at}.{field}"), &kebab(name))?;
    }
    let (name, network) = (&facts.name, &facts.network);
    let is_name = |(family, size): (&str, &str)| !family.is_empty() && !size.is_empty();
    if !name.split_once('.').is_some_and(is_name) {
        let problem = "must be a family and a size with a dot between";
        return Err(wrong(format!("{at}.name"), name, problem));
    }
    let addresses = network.addresses_per_interface;
    let counts = [
        ("cpus", facts.cpus),
        ("memoryMib", facts.memory_mib),
        ("network.interfaces", network.interfaces),
        ("network.addressesPerInterface", addresses),
    ];
    let zero = counts.iter().find(|(_, count)| *count == 0);
    zero.map_or(Ok(()), |(field, _)| {
        Err(wrong(format!("{at}.{field}"), "0", "must be at least 1"))
    })
}

/// The names that become values of labels, with their fields.
fn names(facts: &TypeFacts) -> Vec<(&'static str, &str)> {
    let mut names = vec![
        ("name", facts.name.as_str()),
        ("cpuManufacturer", facts.cpu_manufacturer.as_str()),
    ];
    names.extend(facts.hypervisor.as_deref().map(|name| ("hypervisor", name)));
    for gpu in &facts.gpus {
        names.push(("gpus", &gpu.name));
        names.push(("gpus", &gpu.manufacturer));
    }
    let devices = facts.neuron_devices.iter();
    names.extend(devices.map(|device| ("neuronDevices", device.name.as_str())));
    for accelerator in &facts.inference_accelerators {
        names.push(("inferenceAccelerators", &accelerator.name));
        names.push(("inferenceAccelerators", &accelerator.manufacturer));
    }
    names
}

fn check_offerings(at: &str, facts: &TypeFacts, zones: &[Zone]) -> Result<(), RegionError> {
    let mut seen = BTreeSet::new();
    for (index, offered) in facts.offerings.iter().enumerate() {
        let at = format!("{at}.offerings[{index}]");
        let zone = &offered.zone;
        if !zones.iter().any(|known| known.id == *zone) {
            let problem = "is not the id of a zone of this region";
            return Err(wrong(format!("{at}.zone"), zone, problem));
        }
        if !seen.insert(zone) {
            return Err(wrong(format!("{at}.zone"), zone, TWICE));
        }
    }
    Ok(())
}

/// A price for a way to pay that EC2 does not list would be a price nobody can pay.
fn check_usage(at: &str, facts: &TypeFacts) -> Result<(), RegionError> {
    for price in facts.prices() {
        if !facts.usage_classes.contains(&price.usage_class) {
            let problem = "is a price for something that usageClasses does not list";
            let field = format!("{at}.{}", price.field());
            return Err(wrong(field, price.quote.text(), problem));
        }
    }
    Ok(())
}

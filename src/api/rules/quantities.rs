//! Amounts of resources.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as QuantityText;

use super::labels::sentence;
use super::{FieldPath, Violation};
use crate::model::quantity::{Quantity, QuantityError};
use crate::model::resources::ResourceName;

/// Amounts by resource, each of which can be counted.
pub(super) fn check_quantities(
    path: &FieldPath,
    amounts: &BTreeMap<String, QuantityText>,
) -> Vec<Violation> {
    let breaches = amounts.iter().filter_map(|(name, QuantityText(text))| {
        let error = amount(name, text).err()?;
        let fix = "Write a number with an optional suffix, such as 500m, 16 or 64Gi.";
        Some(Violation::new(path.key(name), text, sentence(&error), fix))
    });
    breaches.collect()
}

fn amount(name: &str, text: &str) -> Result<i64, QuantityError> {
    ResourceName::from(name).offered(Quantity::parse(text)?)
}

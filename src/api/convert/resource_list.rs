//! Maps from resources to quantities.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::Problems;
use crate::api::rules::FieldPath;
use crate::model::quantity::{Quantity, QuantityError};
use crate::model::resources::{ResourceName, Resources};

/// Who speaks: a request is rounded up, an offer down, so that what fits here fits there.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Requested,
    Offered,
}

/// The amounts; a quantity that is none counts zero and is a problem.
pub(super) fn resources<'a>(
    list: impl IntoIterator<Item = (&'a String, &'a Written)>,
    side: Side,
    path: &FieldPath,
    problems: &mut Problems,
) -> Resources {
    let amounts = amounts(list, side, path, problems).into_iter();
    amounts.fold(Resources::ZERO, |all, (name, amount)| {
        all.with(&name, amount)
    })
}

/// The amounts that are understood, zeros included.
pub(super) fn amounts<'a>(
    list: impl IntoIterator<Item = (&'a String, &'a Written)>,
    side: Side,
    path: &FieldPath,
    problems: &mut Problems,
) -> BTreeMap<ResourceName, i64> {
    let list = list.into_iter();
    let understood = list.filter_map(|(name, written)| {
        let path = path.key(name);
        let name = ResourceName::from(name.as_str());
        let amount = problems.ok(path, amount(&name, &written.0, side))?;
        Some((name, amount))
    });
    understood.collect()
}

pub(super) fn amount(name: &ResourceName, text: &str, side: Side) -> Result<i64, AmountError> {
    let quantity = Quantity::parse(text)?;
    let amount = match side {
        Side::Requested => name.requested(quantity),
        Side::Offered => name.offered(quantity),
    }?;
    if amount < 0 && matches!(side, Side::Requested) {
        return Err(AmountError::Negative { text: text.into() });
    }
    Ok(amount)
}

/// Why a text is no amount of a resource.
#[derive(Debug, thiserror::Error)]
pub(super) enum AmountError {
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error("\"{text}\" is below zero")]
    Negative { text: String },
}

//! Lists of requirements, as NodePools, pods and selectors write them.

use k8s_openapi::api::core::v1 as k8s;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

use super::Problems;
use crate::api::nodeclaim::{NodeSelectorRequirement, RequirementOperator};
use crate::api::rules::FieldPath;
use crate::model::requirement::{Operator, Requirement, RequirementError, Requirements, ValueSet};
use crate::model::topology::LabelSelector;

/// The requirements of a NodePool or NodeClaim. One that is not understood is a problem; what it
/// would have excluded is not, so the object may not be used for buying.
pub(super) fn of_claim(
    list: &[NodeSelectorRequirement],
    path: &FieldPath,
    problems: &mut Problems,
) -> Requirements {
    let list = list.iter().enumerate();
    let understood = list.filter_map(|(index, written)| {
        let path = path.index(index);
        let values = written.values.iter().map(String::as_str);
        let read = Requirement::new(&written.key, written.operator.into(), values);
        let mut requirement = problems.ok(path.clone(), read)?;
        requirement.min_values = written.min_values.and_then(|least| {
            let least = u32::try_from(least);
            problems.ok(path.field("minValues"), least)
        });
        Some(requirement)
    });
    understood.collect()
}

/// Why an expression of a pod means nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExpressionError {
    #[error("\"{operator}\" is no operator that a pod can use")]
    Operator { operator: String },
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    #[error("{key}: {operator} needs at least one value")]
    NoValues { key: String, operator: Operator },
}

/// An expression of node affinity. `Gte` and `Lte` are words of NodePools; pods cannot use them.
pub(super) fn of_node(
    written: &k8s::NodeSelectorRequirement,
) -> Result<Requirement, ExpressionError> {
    use Operator::{DoesNotExist, Exists, Gt, In, Lt, NotIn};
    let known = [In, NotIn, Exists, DoesNotExist, Gt, Lt];
    let operator = operator(&written.operator, &known)?;
    let values: Vec<&str> = written
        .values
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if operator == NotIn && values.is_empty() {
        let key = written.key.clone();
        return Err(ExpressionError::NoValues { key, operator });
    }
    Ok(Requirement::new(&written.key, operator, values)?)
}

fn operator(name: &str, known: &[Operator]) -> Result<Operator, ExpressionError> {
    let operator = Operator::parse(name).filter(|operator| known.contains(operator));
    operator.ok_or_else(|| ExpressionError::Operator {
        operator: name.into(),
    })
}

/// A selector of pods by their labels.
///
/// Keys stay as written: the retired names that [`Requirement::new`] replaces are names of node
/// labels, and a pod may carry one of them as a label of its own.
pub(super) fn selector(
    selector: Option<&meta::LabelSelector>,
) -> Result<LabelSelector, ExpressionError> {
    let Some(selector) = selector else {
        return Ok(LabelSelector::Nothing);
    };
    let labels = selector.match_labels.iter().flatten();
    let mut all: Requirements = labels
        .map(|(key, value)| Requirement::of(key.as_str(), ValueSet::only([value.as_str()])))
        .collect();
    for expression in selector.match_expressions.iter().flatten() {
        all.add(of_labels(expression)?);
    }
    Ok(LabelSelector::Matching(all))
}

fn of_labels(written: &meta::LabelSelectorRequirement) -> Result<Requirement, ExpressionError> {
    use Operator::{DoesNotExist, Exists, In, NotIn};
    let operator = operator(&written.operator, &[In, NotIn, Exists, DoesNotExist])?;
    let values: Vec<&str> = written
        .values
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let key = written.key.as_str();
    if values.is_empty() && matches!(operator, In | NotIn) {
        let key = key.into();
        return Err(ExpressionError::NoValues { key, operator });
    }
    // Only to refuse values where the operator takes none.
    let checked = Requirement::new(key, operator, values.iter().copied())?;
    Ok(Requirement::of(key, checked.values))
}

impl From<RequirementOperator> for Operator {
    fn from(operator: RequirementOperator) -> Self {
        match operator {
            RequirementOperator::In => Self::In,
            RequirementOperator::NotIn => Self::NotIn,
            RequirementOperator::Exists => Self::Exists,
            RequirementOperator::DoesNotExist => Self::DoesNotExist,
            RequirementOperator::Gt => Self::Gt,
            RequirementOperator::Lt => Self::Lt,
            RequirementOperator::Gte => Self::Gte,
            RequirementOperator::Lte => Self::Lte,
        }
    }
}

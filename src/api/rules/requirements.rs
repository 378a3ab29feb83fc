//! Requirements on the labels of a node.

use std::collections::BTreeSet;

use super::labels::{check_label_key, check_label_value, pool_label};
use super::{FieldPath, Violation, entries, out_of_range, too_many};
use crate::api::nodeclaim::{NodeSelectorRequirement, RequirementOperator};
use crate::model::labels::{CAPACITY_TYPES, keys, normalize_key};

const REQUIREMENTS_MAX: usize = 100;

/// A domain of 253 letters, the slash and a name of 62: Karpenter's definition has this bound.
const KEY_LENGTH_MAX: usize = 316;

const MIN_VALUES_MAX: i64 = 50;

/// The kinds of tenancy a launch may ask for.
const TENANCIES: [&str; 2] = ["default", "dedicated"];

/// Whose requirements they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holder {
    /// A pool's, which may not speak of the pool.
    Pool,
    /// A claim's, which says of which pool it is.
    Claim,
}

/// The requirements of a claim, or of the template of a pool.
pub(super) fn check_requirements(
    path: &FieldPath,
    requirements: &[NodeSelectorRequirement],
    holder: Holder,
) -> Vec<Violation> {
    let count = requirements.len();
    let mut found: Vec<_> = too_many(path, count, REQUIREMENTS_MAX)
        .into_iter()
        .collect();
    for (index, requirement) in requirements.iter().enumerate() {
        let path = path.index(index);
        let key = path.field("key");
        found.extend(check_requirement_key(&key, &requirement.key));
        found.extend(match holder {
            Holder::Pool => pool_label(&key, &requirement.key),
            Holder::Claim => None,
        });
        found.extend(check_values(&path, requirement));
        found.extend(check_min_values(&path, requirement));
    }
    found
}

fn check_requirement_key(path: &FieldPath, key: &str) -> Option<Violation> {
    if key.len() > KEY_LENGTH_MAX {
        let rule = format!("A key may have at most {KEY_LENGTH_MAX} letters.");
        return Some(Violation::new(
            path.clone(),
            key,
            rule,
            "Write a shorter key.",
        ));
    }
    check_label_key(path, normalize_key(key))
}

/// The values, as the operator takes them.
fn check_values(path: &FieldPath, requirement: &NodeSelectorRequirement) -> Vec<Violation> {
    let operator = path.field("operator");
    let path = path.field("values");
    let values = requirement.values.iter().enumerate();
    let label_values =
        values.filter_map(|(index, value)| check_label_value(path.index(index), value));
    match requirement.operator {
        RequirementOperator::In => {
            let listed = check_listed(&path, requirement);
            let listed = listed.map(|breach| breach.depends_on([operator]));
            label_values.chain(listed).collect()
        }
        RequirementOperator::NotIn
        | RequirementOperator::Exists
        | RequirementOperator::DoesNotExist => label_values.collect(),
        RequirementOperator::Gt
        | RequirementOperator::Lt
        | RequirementOperator::Gte
        | RequirementOperator::Lte => check_bound(&path, &requirement.values)
            .map(|breach| breach.depends_on([operator]))
            .into_iter()
            .collect(),
    }
}

/// What `In` must list: something, and of a label whose values are known, a known one.
fn check_listed(path: &FieldPath, requirement: &NodeSelectorRequirement) -> Option<Violation> {
    let values = &requirement.values;
    if values.is_empty() {
        let rule = "The operator In needs at least one value.";
        let fix = "Add the values that may occur, or use Exists.";
        return Some(Violation::new(path.clone(), "[]", rule, fix));
    }
    let known = known_values(&requirement.key)?;
    if values.iter().any(|value| known.contains(&value.as_str())) {
        return None;
    }
    let rule = "None of these values can occur, so no machine would ever be bought.";
    let fix = format!("Write one or more of {}.", known.join(", "));
    let violation = Violation::new(path.clone(), values.join(", "), rule, fix);
    Some(violation.depends_on([path.clone()]))
}

/// All values of a label, where there are so few that a wrong one is a mistake.
fn known_values(key: &str) -> Option<&'static [&'static str]> {
    match normalize_key(key) {
        keys::CAPACITY_TYPE => Some(&CAPACITY_TYPES),
        keys::INSTANCE_TENANCY => Some(&TENANCIES),
        _ => None,
    }
}

/// The one integer of an operator that compares.
fn check_bound(path: &FieldPath, values: &[String]) -> Option<Violation> {
    let rule = "An operator that compares needs exactly one value, an integer not below zero.";
    let fix = "Write one number, such as [\"4\"].";
    let [value] = values else {
        let count = entries(values.len());
        return Some(Violation::new(path.clone(), count, rule, fix));
    };
    let is_bound = value.parse::<i64>().is_ok_and(|bound| bound >= 0);
    (!is_bound).then(|| {
        let violation = Violation::new(path.clone(), format!("[{value}]"), rule, fix);
        violation.depends_on([path.index(0)])
    })
}

fn check_min_values(path: &FieldPath, requirement: &NodeSelectorRequirement) -> Option<Violation> {
    let min_values = i64::from(requirement.min_values?);
    let own = path.field("minValues");
    if let Some(violation) = out_of_range(own.clone(), min_values, 1, MIN_VALUES_MAX) {
        return Some(violation);
    }
    if requirement.operator != RequirementOperator::In {
        return None;
    }
    let known = known_values(&requirement.key);
    let counted: BTreeSet<_> = requirement
        .values
        .iter()
        .filter(|value| known.is_none_or(|known| known.contains(&value.as_str())))
        .collect();
    let count = i64::try_from(counted.len()).expect("a list in memory can be counted");
    (count < min_values).then(|| {
        let rule = "There must be as many different values as minValues asks for.";
        let fix = format!("Lower minValues to {count}, or add values.");
        let counted = path.fields(["operator", "values"]);
        Violation::new(own, min_values, rule, fix).depends_on(counted)
    })
}

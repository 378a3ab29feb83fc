//! Terms that select subnets, security groups, capacity reservations and placement groups.

use std::collections::BTreeMap;

use super::{ABSENT, FieldPath, Violation, too_many};
use crate::api::nodeclass::{
    CapacityReservationSelectorTerm, PlacementGroupSelector, SecurityGroupSelectorTerm,
    SubnetSelectorTerm,
};

const TERMS_MAX: usize = 30;
const TAGS_MAX: usize = 20;

/// A member of a term, and whether it is written.
pub(super) type Member = (&'static str, bool);

/// The subnets of a class.
pub(super) fn check_subnet_terms(path: &FieldPath, terms: &[SubnetSelectorTerm]) -> Vec<Violation> {
    let mut found = check_required_terms(path, terms.len());
    for (index, term) in terms.iter().enumerate() {
        let path = path.index(index);
        let members = [("tags", !term.tags.is_empty()), ("id", term.id.is_some())];
        found.extend(selects_nothing(&path, &members));
        found.extend(is_not_alone(&path, "id", &members));
        found.extend(check_tags(&path.field("tags"), &term.tags));
        found.extend(check_id(path.field("id"), term.id.as_deref(), "subnet-"));
    }
    found
}

/// The security groups of a class.
pub(super) fn check_security_group_terms(
    path: &FieldPath,
    terms: &[SecurityGroupSelectorTerm],
) -> Vec<Violation> {
    let mut found = check_required_terms(path, terms.len());
    for (index, term) in terms.iter().enumerate() {
        let path = path.index(index);
        let members = [
            ("tags", !term.tags.is_empty()),
            ("id", term.id.is_some()),
            ("name", term.name.is_some()),
        ];
        found.extend(selects_nothing(&path, &members));
        let breach = is_not_alone(&path, "id", &members);
        found.extend(breach.or_else(|| is_not_alone(&path, "name", &members)));
        found.extend(check_tags(&path.field("tags"), &term.tags));
        found.extend(check_id(path.field("id"), term.id.as_deref(), "sg-"));
    }
    found
}

/// The capacity reservations of a class; there need be none.
pub(super) fn check_reservation_terms(
    path: &FieldPath,
    terms: &[CapacityReservationSelectorTerm],
) -> Vec<Violation> {
    let mut found: Vec<_> = too_many(path, terms.len(), TERMS_MAX).into_iter().collect();
    for (index, term) in terms.iter().enumerate() {
        let path = path.index(index);
        let selecting = [
            ("tags", !term.tags.is_empty()),
            ("id", term.id.is_some()),
            (
                "instanceMatchCriteria",
                term.instance_match_criteria.is_some(),
            ),
        ];
        let owner = ("ownerID", term.owner_id.is_some());
        let [tags, id, criteria] = selecting;
        found.extend(selects_nothing(&path, &selecting));
        found.extend(is_not_alone(&path, "id", &[tags, id, owner, criteria]));
        found.extend(check_tags(&path.field("tags"), &term.tags));
        found.extend(check_id(path.field("id"), term.id.as_deref(), "cr-"));
        found.extend(check_account(
            path.field("ownerID"),
            term.owner_id.as_deref(),
        ));
    }
    found
}

/// The placement group of a class.
pub(super) fn check_placement_group(
    path: &FieldPath,
    selector: &PlacementGroupSelector,
) -> Vec<Violation> {
    let members = [
        ("name", selector.name.is_some()),
        ("id", selector.id.is_some()),
    ];
    let mut found: Vec<_> = selects_nothing(path, &members).into_iter().collect();
    found.extend(is_not_alone(path, "id", &members));
    if selector.name.as_deref() == Some("") {
        let rule = "The name of a placement group must not be empty.";
        let fix = "Write the name, or select by id.";
        found.push(Violation::new(path.field("name"), "", rule, fix));
    }
    found.extend(check_id(path.field("id"), selector.id.as_deref(), "pg-"));
    found
}

/// A list of terms that has some.
pub(super) fn check_required_terms(path: &FieldPath, count: usize) -> Vec<Violation> {
    let none = (count == 0).then(|| {
        let rule = "At least one term is needed.";
        Violation::new(path.clone(), "[]", rule, "Add a term, by id or by tags.")
    });
    none.into_iter()
        .chain(too_many(path, count, TERMS_MAX))
        .collect()
}

/// A term in which none of the members that select is written.
pub(super) fn selects_nothing(path: &FieldPath, members: &[Member]) -> Option<Violation> {
    if members.iter().any(|(_, is_written)| *is_written) {
        return None;
    }
    let names: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    let rule = "A term must say what it selects.";
    let fix = format!("Write one of {}.", names.join(", "));
    let violation = Violation::new(path.clone(), ABSENT, rule, fix);
    Some(violation.depends_on(path.fields(names)))
}

/// A member that names exactly one thing, so that the others could only contradict it.
pub(super) fn is_not_alone(
    path: &FieldPath,
    alone: &'static str,
    members: &[Member],
) -> Option<Violation> {
    let written = members.iter().filter(|(_, is_written)| *is_written);
    let names: Vec<_> = written.map(|(name, _)| *name).collect();
    if names.len() < 2 || !names.contains(&alone) {
        return None;
    }
    let rule = format!("A term with {alone} may have no other member.");
    let fix = format!("Remove {alone}, or all else; what several terms select is added up.");
    Some(Violation::new(
        path.field(alone),
        names.join(", "),
        rule,
        fix,
    ))
}

/// Tags a selected thing must have.
pub(super) fn check_tags(path: &FieldPath, tags: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found: Vec<_> = too_many(path, tags.len(), TAGS_MAX).into_iter().collect();
    for (key, value) in tags {
        if key.is_empty() || value.is_empty() {
            let rule = "A tag that selects must have a key and a value.";
            let fix = "Write both; the value * stands for any.";
            found.push(Violation::new(
                path.key(key),
                format!("{key}={value}"),
                rule,
                fix,
            ));
        }
    }
    found
}

/// The id of a thing in EC2: a prefix, then lower-case letters and digits.
pub(super) fn check_id(path: FieldPath, id: Option<&str>, prefix: &str) -> Option<Violation> {
    let id = id?;
    let is_letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let reads = id
        .strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_letter));
    (!reads).then(|| {
        let rule = format!("The id must be {prefix} and then lower-case letters and digits.");
        Violation::new(
            path,
            id,
            rule,
            format!("Write it as {prefix}0123456789abcdef0."),
        )
    })
}

fn check_account(path: FieldPath, id: Option<&str>) -> Option<Violation> {
    let id = id?;
    let reads = id.len() == 12 && id.bytes().all(|c| c.is_ascii_digit());
    let rule = "An AWS account must be twelve digits.";
    (!reads).then(|| Violation::new(path, id, rule, "Write it as \"123456789012\"."))
}

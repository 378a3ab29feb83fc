//! The images of a class and their family.

use super::selectors::{check_id, check_required_terms, check_tags, is_not_alone, selects_nothing};
use super::{ABSENT, FieldPath, Violation};
use crate::api::nodeclass::{AmiFamily, AmiSelectorTerm, EC2NodeClassSpec};

const ALIAS_LENGTH_MAX: usize = 30;

/// The image terms of a class, and then the family that goes with them.
pub(super) fn check_images(spec: &FieldPath, class: &EC2NodeClassSpec) -> Vec<Violation> {
    let path = spec.field("amiSelectorTerms");
    let terms = &class.ami_selector_terms;
    let mut found = check_required_terms(&path, terms.len());
    for (index, term) in terms.iter().enumerate() {
        found.extend(check_term(&path.index(index), term));
        if terms.len() > 1 && term.alias.is_some() {
            let rule = "An alias must be the only term of its list.";
            let fix = "Remove the other terms, or select by id, name or tags.";
            let path = path.index(index).field("alias");
            found.push(Violation::new(
                path,
                term.alias.as_deref().unwrap_or(""),
                rule,
                fix,
            ));
        }
    }
    found.extend(check_family(spec, class));
    found
}

fn check_term(path: &FieldPath, term: &AmiSelectorTerm) -> Vec<Violation> {
    let alias = ("alias", term.alias.is_some());
    let tags = ("tags", !term.tags.is_empty());
    let id = ("id", term.id.is_some());
    let name = ("name", term.name.is_some());
    let owner = ("owner", term.owner.is_some());
    let parameter = ("ssmParameter", term.ssm_parameter.is_some());
    let single = [alias, tags, id, name, owner];
    let mut found: Vec<_> = selects_nothing(path, &[alias, tags, id, name, parameter])
        .into_iter()
        .collect();
    let breach = is_not_alone(path, "alias", &single);
    found.extend(breach.or_else(|| is_not_alone(path, "id", &single)));
    if let Some(alias) = &term.alias {
        found.extend(check_alias(path.field("alias"), alias));
    }
    found.extend(check_tags(&path.field("tags"), &term.tags));
    found.extend(check_id(path.field("id"), term.id.as_deref(), "ami-"));
    found
}

fn check_alias(path: FieldPath, alias: &str) -> Option<Violation> {
    let families = AmiFamily::ALIASES.map(|(name, _)| name).join(", ");
    let fix = "Write it as al2023@latest or bottlerocket@v1.20.3.";
    if alias.len() > ALIAS_LENGTH_MAX {
        let rule = format!("An alias may have at most {ALIAS_LENGTH_MAX} letters.");
        return Some(Violation::new(path, alias, rule, fix));
    }
    let Some((_, version)) = alias
        .split_once('@')
        .filter(|(_, version)| !version.is_empty())
    else {
        let rule = "An alias must be a family, the sign @ and a version.";
        return Some(Violation::new(path, alias, rule, fix));
    };
    let Some(family) = AmiFamily::of_alias(alias) else {
        let rule = "The family of an alias must be one that Amazon builds for EKS.";
        return Some(Violation::new(
            path,
            alias,
            rule,
            format!("Write one of {families}."),
        ));
    };
    (family.is_windows() && version != "latest").then(|| {
        let rule = "A Windows image has no other version than latest.";
        let fix = "Write latest behind the @; to pin an image, select it by id.";
        Violation::new(path, alias, rule, fix)
    })
}

/// Without an alias the family must be said; with one, only `Custom` may differ from it.
fn check_family(spec: &FieldPath, class: &EC2NodeClassSpec) -> Option<Violation> {
    let path = spec.field("amiFamily");
    let mut aliases = class
        .ami_selector_terms
        .iter()
        .filter_map(|term| term.alias.as_deref());
    let Some(family) = class.ami_family else {
        let rule =
            "Without an alias the family must be written, since it decides how a node starts.";
        let fix = "Add amiFamily, for example AL2023, or select by alias.";
        let is_told = aliases.next().is_some();
        let missing = Violation::new(path, ABSENT, rule, fix);
        return (!is_told).then(|| missing.depends_on(aliases_of(spec, class)));
    };
    let implied = aliases
        .filter_map(AmiFamily::of_alias)
        .find(|implied| family != AmiFamily::Custom && family != *implied)?;
    let rule = "Next to an alias the family must be the alias' own, or Custom.";
    let fix = format!("Remove it, or write {}.", implied.as_str());
    Some(Violation::new(path, family.as_str(), rule, fix))
}

/// Where aliases stand or might stand.
fn aliases_of(spec: &FieldPath, class: &EC2NodeClassSpec) -> Vec<FieldPath> {
    let terms = spec.field("amiSelectorTerms");
    match class.ami_selector_terms.len() {
        0 => vec![terms],
        count => (0..count)
            .map(|index| terms.index(index).field("alias"))
            .collect(),
    }
}

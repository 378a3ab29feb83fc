//! Objects of kinds that are not read: left alone, or explained.

use super::{Origin, Others, Reader};
use crate::api::spelling;

/// What became of kinds and versions that Karpenter once had: group, kind, and what to do. See
/// "v1 Migration" and "Upgrade Guide" in the Karpenter documentation.
const MIGRATIONS: [(&str, &str, &str); 6] = [
    (
        "karpenter.sh",
        "NodePool",
        "Write apiVersion: karpenter.sh/v1; nodeClassRef takes a group beside kind and name; \
         expireAfter moves from spec.disruption to spec.template.spec; kubelet moves to the \
         EC2NodeClass; WhenUnderutilized is now WhenEmptyOrUnderutilized.",
    ),
    (
        "karpenter.sh",
        "NodeClaim",
        "Write apiVersion: karpenter.sh/v1; nodeClassRef takes a group beside kind and name; \
         kubelet moves to the EC2NodeClass.",
    ),
    (
        "karpenter.k8s.aws",
        "EC2NodeClass",
        "Write apiVersion: karpenter.k8s.aws/v1; amiSelectorTerms is required, for example with \
         an alias such as al2023@latest; kubelet moves here from the NodePool.",
    ),
    (
        "karpenter.sh",
        "Provisioner",
        "Write a NodePool of karpenter.sh/v1: requirements, taints and labels move to \
         spec.template, ttlSecondsAfterEmpty becomes spec.disruption.consolidateAfter.",
    ),
    (
        "karpenter.sh",
        "Machine",
        "Leave it out; a NodeClaim of karpenter.sh/v1 takes its place.",
    ),
    (
        "karpenter.k8s.aws",
        "AWSNodeTemplate",
        "Write an EC2NodeClass of karpenter.k8s.aws/v1: subnetSelector, securityGroupSelector and \
         amiSelector become lists of terms.",
    ),
];

impl<'a, O> Reader<'a, '_, O> {
    /// An object of a kind that is not known. What is old or misspelt is explained; the rest is
    /// left alone or refused, as the registry says.
    pub(super) fn other(&mut self, origin: &Origin<'a>, api_version: &str, kind: &str) {
        let kinds = self.registry.kinds;
        let group = group_of(api_version);
        if let Some((_, _, fix)) = MIGRATIONS.iter().find(|it| (it.0, it.1) == (group, kind))
            && kinds.iter().any(|it| group_of(it.api_version) == group)
        {
            let rule = format!("{kind} of {api_version} is not read.");
            return self.refuse(origin, &["apiVersion"], &rule, fix);
        }
        let of_group = kinds
            .iter()
            .filter(|it| group_of(it.api_version) == group)
            .map(|it| it.name);
        let slip = spelling::nearest(kind, of_group).filter(|meant| *meant != kind);
        if let Some(meant) = slip {
            let rule = format!("{api_version} has no kind {kind}.");
            return self.refuse(
                origin,
                &["kind"],
                &rule,
                &format!("Did you mean `{meant}`?"),
            );
        }
        let groups = || kinds.iter().map(|it| group_of(it.api_version));
        let of_kind = kinds.iter().find(|it| it.name == kind);
        if let Some(known) = of_kind
            && (groups().any(|it| it == group) || spelling::nearest(group, groups()).is_some())
        {
            let rule = format!("{kind} is not a kind of {api_version}.");
            let fix = format!("Write `apiVersion: {}`.", known.api_version);
            return self.refuse(origin, &["apiVersion"], &rule, &fix);
        }
        match self.registry.others {
            Others::Skip => *self.reading.skipped.entry(kind.to_owned()).or_default() += 1,
            Others::Refuse => {
                let rule = format!("{kind} of {api_version} is not supported here.");
                let names = kinds.iter().map(|it| it.name);
                let fix = format!("Leave it out, or write {}.", spelling::either(names));
                self.refuse(origin, &["kind"], &rule, &fix);
            }
        }
    }
}

/// The group of an API version; empty for the core group.
fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

//! The configuration of the kubelet.
//!
//! The API server takes any object here. Karpenter checks it afterwards against the kubelet's own
//! type and a few rules that the type cannot say; so do we. An amount may be an expression in
//! Karpenter where the gate NodeClassCEL is on. It is off unless asked for and we have no such
//! gate, so an expression is refused.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::kubelet_fields;
use super::labels::sentence;
use super::{FieldPath, Violation, entries, negative, out_of_range};
use crate::api::nodeclass::{AmiFamily, KubeletConfiguration};
use crate::model::quantity::Quantity;
use crate::model::time::parse_duration;

/// The signals an eviction may wait for.
const SIGNALS: [&str; 6] = [
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "pid.available",
];

/// The resources that may be set aside.
const RESERVABLE: [&str; 4] = ["cpu", "memory", "ephemeral-storage", "pid"];

/// The kubelet block of a class whose images are of that family, if it is known: the fields in
/// their order, and then those that the family cannot hand to the kubelet.
pub(super) fn check_kubelet(
    spec: &FieldPath,
    kubelet: &KubeletConfiguration,
    family: Option<AmiFamily>,
) -> Vec<Violation> {
    let path = spec.field("kubelet");
    let mut found: Vec<_> = check_max_pods(path.field("maxPods"), kubelet)
        .into_iter()
        .collect();
    if let Some(pods) = kubelet.pods_per_core {
        found.extend(negative(path.field("podsPerCore"), pods.into()));
    }
    found.extend(check_reserved(
        &path.field("systemReserved"),
        &kubelet.system_reserved,
    ));
    found.extend(check_reserved(
        &path.field("kubeReserved"),
        &kubelet.kube_reserved,
    ));
    found.extend(check_eviction(&path, kubelet));
    let unknown = perhaps_misspelt(&path, kubelet);
    found.retain(|breach| !breach.may_follow_from(&unknown));
    found.extend(check_image_collection(&path, kubelet));
    for (name, value) in &kubelet.other {
        found.extend(check_other(path.key(name), name, value));
    }
    let family = family.map(|family| check_support(&path, kubelet, family));
    let unsupported = family.into_iter().flatten();
    found.extend(unsupported.map(|breach| breach.depends_on([spec.field("amiFamily")])));
    found
}

fn check_max_pods(path: FieldPath, kubelet: &KubeletConfiguration) -> Option<Violation> {
    match kubelet.max_pods.as_ref()? {
        IntOrString::Int(pods) => negative(path, (*pods).into()),
        IntOrString::String(text) => {
            let rule = "The number of pods must be a number; expressions are not evaluated.";
            let fix = "Write a number without quotes, such as 110.";
            Some(Violation::new(path, text, rule, fix))
        }
    }
}

fn check_reserved(path: &FieldPath, amounts: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, text) in amounts {
        let path = path.key(name);
        if !RESERVABLE.contains(&name.as_str()) {
            let rule = "The kubelet cannot set this resource aside.";
            let fix = format!("Write one of {}.", RESERVABLE.join(", "));
            found.push(Violation::new(path.clone(), name, rule, fix));
        }
        found.extend(check_amount(path, text));
    }
    found
}

/// A quantity that is not negative.
fn check_amount(path: FieldPath, text: &str) -> Option<Violation> {
    let (rule, fix) = match Quantity::parse(text) {
        Ok(quantity) if quantity >= Quantity::ZERO => return None,
        Ok(_) => (
            "An amount must not be negative.".to_owned(),
            "Write 0 or more.",
        ),
        Err(error) => (
            sentence(&error),
            "Write a quantity, such as 100m or 256Mi; expressions are not evaluated.",
        ),
    };
    Some(Violation::new(path, text, rule, fix))
}

fn check_eviction(path: &FieldPath, kubelet: &KubeletConfiguration) -> Vec<Violation> {
    let soft = path.field("evictionSoft");
    let grace = path.field("evictionSoftGracePeriod");
    let reclaim = path.field("evictionMinimumReclaim");
    let periods = &kubelet.eviction_soft_grace_period;
    let mut found = check_thresholds(&path.field("evictionHard"), &kubelet.eviction_hard);
    found.extend(check_thresholds(&soft, &kubelet.eviction_soft));
    let fix = "Add the signal to evictionSoftGracePeriod.";
    let thresholds = &kubelet.eviction_soft;
    found.extend(unmatched((&soft, thresholds), (&grace, periods), fix));
    found.extend(check_periods(&grace, periods));
    let fix = "Add the signal to evictionSoft.";
    found.extend(unmatched((&grace, periods), (&soft, thresholds), fix));
    found.extend(check_thresholds(
        &reclaim,
        &kubelet.eviction_minimum_reclaim,
    ));
    if let Some(seconds) = kubelet.eviction_max_pod_grace_period {
        let path = path.field("evictionMaxPodGracePeriod");
        found.extend(negative(path, seconds.into()));
    }
    found
}

fn check_thresholds(path: &FieldPath, thresholds: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (signal, text) in thresholds {
        let path = path.key(signal);
        found.extend(check_signal(&path, signal));
        found.extend(match text.strip_suffix('%') {
            Some(percent) => check_percentage(path, text, percent),
            None => check_amount(path, text),
        });
    }
    found
}

fn check_periods(path: &FieldPath, periods: &BTreeMap<String, String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (signal, text) in periods {
        let path = path.key(signal);
        found.extend(check_signal(&path, signal));
        if let Err(error) = parse_duration(text) {
            let fix = "Write it as 30s or 2m.";
            found.push(Violation::new(path, text, sentence(&error), fix));
        }
    }
    found
}

fn check_signal(path: &FieldPath, signal: &str) -> Option<Violation> {
    let rule = "The kubelet does not know this signal and would ignore it.";
    let fix = format!("Write one of {}.", SIGNALS.join(", "));
    let is_known = SIGNALS.contains(&signal);
    (!is_known).then(|| Violation::new(path.clone(), signal, rule, fix))
}

/// A plain decimal number from 0 to 100, in front of the sign.
fn check_percentage(path: FieldPath, text: &str, percent: &str) -> Option<Violation> {
    let is_plain = percent.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    let number = Quantity::parse(percent).ok().filter(|_| is_plain);
    let reads = number.is_some_and(|number| number <= Quantity::from_units(100));
    let rule = "A percentage must lie between 0% and 100%.";
    (!reads).then(|| Violation::new(path, text, rule, "Write it as 5% or 7.5%."))
}

/// Texts by signal, and where they stand.
type Signals<'a> = (&'a FieldPath, &'a BTreeMap<String, String>);

/// A soft threshold and its grace period mean something only together.
fn unmatched(signals: Signals<'_>, others: Signals<'_>, fix: &str) -> Vec<Violation> {
    let rule = "A soft threshold and its grace period must be written together.";
    let lonely = signals.1.iter();
    let lonely = lonely.filter(|(signal, _)| !others.1.contains_key(*signal));
    lonely
        .map(|(signal, text)| {
            let violation = Violation::new(signals.0.key(signal), text, rule, fix);
            violation.depends_on([others.0.key(signal)])
        })
        .collect()
}

/// Which half of that pair is not written, or under a name that the kubelet does not know. The
/// schema takes any name here, so that it is left to the rules to see the slip.
fn perhaps_misspelt(path: &FieldPath, kubelet: &KubeletConfiguration) -> Vec<FieldPath> {
    let names = kubelet.other.keys().map(String::as_str);
    let slips = names.filter(|name| kubelet_fields::is_unknown(name));
    let meant: Vec<_> = slips.map(kubelet_fields::nearest).collect();
    let halves = [
        ("evictionSoft", &kubelet.eviction_soft),
        (
            "evictionSoftGracePeriod",
            &kubelet.eviction_soft_grace_period,
        ),
    ];
    let absent = halves.into_iter().filter(|(_, half)| half.is_empty());
    let is_meant = |name| meant.iter().any(|it| it.is_none_or(|meant| meant == name));
    absent
        .filter(|(name, _)| is_meant(*name))
        .map(|(name, _)| path.field(name))
        .collect()
}

fn check_image_collection(path: &FieldPath, kubelet: &KubeletConfiguration) -> Vec<Violation> {
    let high = path.field("imageGCHighThresholdPercent");
    let low = path.field("imageGCLowThresholdPercent");
    let (above, below) = (
        kubelet.image_gc_high_threshold_percent,
        kubelet.image_gc_low_threshold_percent,
    );
    let mut found = Vec::new();
    found.extend(above.and_then(|above| out_of_range(high.clone(), above.into(), 0, 100)));
    found.extend(below.and_then(|below| out_of_range(low, below.into(), 0, 100)));
    if let (Some(above), Some(below)) = (above, below)
        && above <= below
    {
        let rule = "The high threshold must lie above the low one.";
        let fix = format!("Write more than {below}, or lower imageGCLowThresholdPercent.");
        found.push(Violation::new(high, above, rule, fix));
    }
    found
}

fn check_other(path: FieldPath, name: &str, value: &Value) -> Option<Violation> {
    if name == kubelet_fields::OWNED {
        let rule = "The taints a node registers with come from its NodeClaim.";
        let fix = "Remove it, and write taints or startupTaints in the NodePool.";
        return Some(Violation::new(path, value, rule, fix));
    }
    let Some(shape) = kubelet_fields::shape_of(name) else {
        let rule = "The kubelet has no such field.";
        let fix = kubelet_fields::nearest(name).map_or_else(
            || "Remove it, or mend its name.".to_owned(),
            |meant| format!("Did you mean `{meant}`?"),
        );
        return Some(Violation::new(path, name, rule, fix));
    };
    let fix = format!("Write {}.", shape.noun());
    let rule = "The kubelet reads this field as another type.";
    (!shape.fits(value)).then(|| Violation::new(path, value, rule, fix))
}

/// What the bootstrap of the family can hand to the kubelet.
fn check_support(
    path: &FieldPath,
    kubelet: &KubeletConfiguration,
    family: AmiFamily,
) -> Vec<Violation> {
    match family {
        AmiFamily::AL2023 | AmiFamily::Custom => return Vec::new(),
        AmiFamily::AL2
        | AmiFamily::Bottlerocket
        | AmiFamily::Windows2019
        | AmiFamily::Windows2022
        | AmiFamily::Windows2025 => {}
    }
    let mut unsupported = Vec::new();
    if kubelet.cluster_dns.len() > 1 {
        let value = kubelet.cluster_dns.join(", ");
        unsupported.push((path.field("clusterDNS"), value, "Write a single address."));
    }
    if let Some(pods) = kubelet
        .pods_per_core
        .filter(|_| family == AmiFamily::Bottlerocket)
    {
        unsupported.push((path.field("podsPerCore"), pods.to_string(), "Use maxPods."));
    }
    if !kubelet.eviction_minimum_reclaim.is_empty() {
        let count = entries(kubelet.eviction_minimum_reclaim.len());
        unsupported.push((path.field("evictionMinimumReclaim"), count, REMOVE));
    }
    for (name, value) in &kubelet.other {
        if kubelet_fields::shape_of(name).is_some() {
            unsupported.push((path.key(name), value.to_string(), REMOVE));
        }
    }
    let rule = format!(
        "The family {} cannot tell the kubelet this.",
        family.as_str()
    );
    unsupported
        .into_iter()
        .map(|(path, value, fix)| Violation::new(path, value, rule.as_str(), fix))
        .collect()
}

const REMOVE: &str = "Remove it, or use the family AL2023.";

//! EC2NodeClasses, as far as the size of a node depends on them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::resource_list::{Side, amount};
use super::{Converted, Problems, meta, spec};
use crate::api::nodeclass::{
    AmiFamily as WrittenFamily, EC2NodeClass as Object, EC2NodeClassSpec, InstanceStorePolicy,
    InterfaceType, KubeletConfiguration, NetworkInterface,
};
use crate::api::rules::FieldPath;
use crate::model::id::ZoneName;
use crate::model::node_class::{
    AmiFamily, EvictionThreshold, FabricInterfaces, InstanceStore, Kubelet, NodeClass, NodeClassRef,
};
use crate::model::quantity::Quantity;
use crate::model::resources::{ResourceName, Resources};

/// The API group of EC2NodeClasses.
const GROUP: &str = "karpenter.k8s.aws";
/// Their kind.
const KIND: &str = "EC2NodeClass";

/// An EC2NodeClass. A size that is not understood counts as if it were not written.
pub fn ec2_node_class(object: &Object) -> Converted<NodeClass> {
    let mut problems = Problems::default();
    let own = &object.spec;
    let reference = NodeClassRef {
        group: GROUP.into(),
        kind: KIND.into(),
        name: meta::name(&object.metadata).into(),
    };
    let ami_family = ami_family(own, &mut problems);
    let kubelet = own.kubelet.as_ref();
    let kubelet = kubelet.map(|kubelet| read_kubelet(kubelet, &mut problems));
    let class = NodeClass {
        ami_family,
        kubelet: kubelet.unwrap_or_default(),
        instance_store: match own.instance_store_policy {
            Some(InstanceStorePolicy::RAID0) => InstanceStore::Raid0,
            None => InstanceStore::Unused,
        },
        root_volume_bytes: root_volume(own, ami_family, &mut problems),
        zones: zones(object),
        fabric_interfaces: fabric_interfaces(&own.network_interfaces),
        ..NodeClass::with_defaults(reference)
    };
    problems.with(class)
}

/// The zones of the subnets that were found; none as long as nobody has looked.
fn zones(object: &Object) -> BTreeSet<ZoneName> {
    let subnets = object.status.iter().flat_map(|status| &status.subnets);
    subnets.map(|subnet| subnet.zone.as_str().into()).collect()
}

/// The interfaces for fabric traffic alone. A class that lists no interface leaves them to the
/// instance type.
fn fabric_interfaces(interfaces: &[NetworkInterface]) -> Option<FabricInterfaces> {
    if interfaces.is_empty() {
        return None;
    }
    let fabric = interfaces.iter();
    let fabric = fabric.filter(|it| it.interface_type == InterfaceType::EfaOnly);
    let on_default_card = fabric.clone().filter(|it| it.network_card_index == 0);
    let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
    Some(FabricInterfaces {
        total: count(fabric.count()),
        on_default_card: count(on_default_card.count()),
    })
}

/// The family as written, or the one that an alias names.
fn ami_family(own: &EC2NodeClassSpec, problems: &mut Problems) -> AmiFamily {
    if let Some(family) = own.ami_family {
        return family.into();
    }
    let mut aliases = own.ami_selector_terms.iter();
    let alias = aliases.find_map(|term| term.alias.as_deref());
    let family = alias.and_then(|alias| family_of(alias.split('@').next()?));
    let what = "no family of images, and no alias that names one";
    let family = problems.ok(spec().field("amiFamily"), family.ok_or(what));
    family.unwrap_or(AmiFamily::Al2023)
}

fn family_of(alias: &str) -> Option<AmiFamily> {
    match alias {
        "al2" => Some(AmiFamily::Al2),
        "al2023" => Some(AmiFamily::Al2023),
        "bottlerocket" => Some(AmiFamily::Bottlerocket),
        "windows2019" => Some(AmiFamily::Windows2019),
        "windows2022" => Some(AmiFamily::Windows2022),
        "windows2025" => Some(AmiFamily::Windows2025),
        _ => None,
    }
}

impl From<WrittenFamily> for AmiFamily {
    fn from(family: WrittenFamily) -> Self {
        match family {
            WrittenFamily::AL2 => Self::Al2,
            WrittenFamily::AL2023 => Self::Al2023,
            WrittenFamily::Bottlerocket => Self::Bottlerocket,
            WrittenFamily::Custom => Self::Custom,
            WrittenFamily::Windows2019 => Self::Windows2019,
            WrittenFamily::Windows2022 => Self::Windows2022,
            WrittenFamily::Windows2025 => Self::Windows2025,
        }
    }
}

/// The device that holds the pods' files, by family of images; images of the user's own may have
/// it anywhere.
fn pods_device(family: AmiFamily) -> Option<&'static str> {
    match family {
        AmiFamily::Al2 | AmiFamily::Al2023 => Some("/dev/xvda"),
        AmiFamily::Bottlerocket => Some("/dev/xvdb"),
        AmiFamily::Windows2019 | AmiFamily::Windows2022 | AmiFamily::Windows2025 => {
            Some("/dev/sda1")
        }
        AmiFamily::Custom => None,
    }
}

/// The volume marked as root, or else the family's device; of the user's own images, which have no
/// known device, the last.
fn root_volume(own: &EC2NodeClassSpec, family: AmiFamily, problems: &mut Problems) -> Option<i64> {
    let mappings = &own.block_device_mappings;
    let marked = mappings.iter().position(|mapping| mapping.root_volume);
    let position = marked.or_else(|| match pods_device(family) {
        Some(device) => mappings
            .iter()
            .position(|it| it.device_name.as_deref() == Some(device)),
        None => mappings.len().checked_sub(1),
    })?;
    let size = mappings.get(position)?.ebs.as_ref()?.volume_size.as_ref()?;
    let path = spec().field("blockDeviceMappings").index(position);
    let path = path.field("ebs").field("volumeSize");
    let read = amount(&ResourceName::EPHEMERAL_STORAGE, &size.0, Side::Offered);
    problems.ok(path, read)
}

fn read_kubelet(written: &KubeletConfiguration, problems: &mut Problems) -> Kubelet {
    let path = spec().field("kubelet");
    let pods_max = written.max_pods.as_ref();
    let per_core = written.pods_per_core.filter(|count| *count != 0);
    let system = reserved(
        &written.system_reserved,
        &path.field("systemReserved"),
        problems,
    );
    let system = system.into_iter();
    Kubelet {
        pods_max: pods_max.and_then(|max| problems.ok(path.field("maxPods"), count(max))),
        pods_per_core: per_core
            .and_then(|count| problems.ok(path.field("podsPerCore"), u32::try_from(count))),
        kube_reserved: reserved(
            &written.kube_reserved,
            &path.field("kubeReserved"),
            problems,
        ),
        system_reserved: system.fold(Resources::ZERO, |all, (name, amount)| {
            all.with(&name, amount)
        }),
        eviction_memory: threshold(written, "memory.available", problems),
        eviction_disk: threshold(written, "nodefs.available", problems),
    }
}

/// A number of pods. Karpenter lets a text hold an expression over the instance type; those are
/// not acted on yet.
fn count(written: &IntOrString) -> Result<u32, String> {
    let (read, text) = match written {
        IntOrString::Int(count) => (u32::try_from(*count).ok(), count.to_string()),
        IntOrString::String(text) => (text.parse().ok(), text.clone()),
    };
    read.ok_or_else(|| format!("\"{text}\" is no number of pods; expressions are not acted on yet"))
}

/// Process ids are set aside too, but no pod requests them and no machine offers them.
fn reserved(
    list: &BTreeMap<String, String>,
    path: &FieldPath,
    problems: &mut Problems,
) -> BTreeMap<ResourceName, i64> {
    let list = list.iter().filter(|(name, _)| *name != "pid");
    let understood = list.filter_map(|(name, text)| {
        let path = path.key(name);
        let name = ResourceName::from(name.as_str());
        let amount = problems.ok(path, amount(&name, text, Side::Requested))?;
        Some((name, amount))
    });
    understood.collect()
}

fn threshold(
    written: &KubeletConfiguration,
    signal: &str,
    problems: &mut Problems,
) -> Option<EvictionThreshold> {
    let text = written.eviction_hard.get(signal)?;
    let path = spec().field("kubelet").field("evictionHard").key(signal);
    let Some(percent) = text.strip_suffix('%') else {
        let bytes = amount(&ResourceName::MEMORY, text, Side::Requested);
        return problems.ok(path, bytes).map(EvictionThreshold::Bytes);
    };
    let what = format!("\"{text}\" is no percentage of 0 to 100");
    let share = problems.ok(path, milli_percent(percent).ok_or(what))?;
    if share == HUNDRED_PERCENT {
        // The kubelet takes this for "no threshold" (its `ParseThresholdConfig`).
        return Some(EvictionThreshold::Bytes(0));
    }
    Some(EvictionThreshold::MilliPercent(share))
}

const HUNDRED_PERCENT: u32 = 100_000;

/// Thousandths of a percent; a digit further right makes the threshold a little greater.
fn milli_percent(text: &str) -> Option<u32> {
    let share = Quantity::parse(text).ok()?;
    let share = u32::try_from(share.to_millis().ok()?).ok()?;
    (share <= HUNDRED_PERCENT && !text.ends_with(|end: char| end.is_ascii_alphabetic()))
        .then_some(share)
}

//! EC2NodeClasses.

use serde_json::{Value, json};
use tidewright::api::convert::{Converted, ec2_node_class};
use tidewright::model::node_class::{
    AmiFamily, EvictionThreshold, FabricInterfaces, InstanceStore, NodeClass,
};
use tidewright::model::resources::ResourceName;

use super::{merged, object, told};

fn converted(over: &Value) -> Converted<NodeClass> {
    let plain = json!({
        "apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass",
        "metadata": {"name": "default"},
        "spec": {
            "role": "r",
            "subnetSelectorTerms": [{"id": "subnet-1"}],
            "securityGroupSelectorTerms": [{"id": "sg-1"}],
            "amiSelectorTerms": [{"alias": "al2023@latest"}],
        },
    });
    ec2_node_class(&object(merged(plain, over)))
}

fn read(spec: &Value) -> NodeClass {
    let read = converted(&json!({"spec": spec}));
    assert_eq!(told(&read.problems), [""; 0], "{spec}");
    read.value
}

#[test]
fn the_family_is_written_or_named_by_an_alias() {
    let cases = [
        (json!({}), AmiFamily::Al2023),
        (
            json!({"amiSelectorTerms": [{"alias": "bottlerocket@1.2.3"}]}),
            AmiFamily::Bottlerocket,
        ),
        (
            json!({"amiSelectorTerms": [{"alias": "windows2022@latest"}]}),
            AmiFamily::Windows2022,
        ),
        (json!({"amiFamily": "Custom"}), AmiFamily::Custom),
        (
            json!({"amiFamily": "AL2", "amiSelectorTerms": [{"id": "ami-1"}]}),
            AmiFamily::Al2,
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(read(&spec).ami_family, expected, "{spec}");
    }
    let unknown = converted(&json!({"spec": {"amiSelectorTerms": [{"id": "ami-1"}]}}));
    assert_eq!(unknown.value.ami_family, AmiFamily::Al2023);
    assert_eq!(
        told(&unknown.problems),
        ["spec.amiFamily: no family of images, and no alias that names one"]
    );
}

#[test]
fn the_pods_disk_is_marked_or_known_by_its_device() {
    let disk =
        |device: &str, size: &str| json!({"deviceName": device, "ebs": {"volumeSize": size}});
    let mut marked = disk("/dev/other", "7Gi");
    marked["rootVolume"] = json!(true);
    let cases = [
        (json!({}), None),
        (
            json!({"blockDeviceMappings": [disk("/dev/xvdb", "9Gi"), disk("/dev/xvda", "100Gi")]}),
            Some(100_i64 << 30),
        ),
        (
            json!({"blockDeviceMappings": [disk("/dev/xvdb", "9Gi")]}),
            None,
        ),
        (
            json!({"blockDeviceMappings": [disk("/dev/xvda", "100Gi"), marked]}),
            Some(7 << 30),
        ),
        (
            json!({"amiFamily": "Bottlerocket", "blockDeviceMappings": [disk("/dev/xvda", "4Gi"), disk("/dev/xvdb", "50G")]}),
            Some(50_000_000_000),
        ),
        (
            json!({"amiFamily": "Custom", "blockDeviceMappings": [disk("/dev/xvda", "4Gi"), disk("/dev/z", "5Gi")]}),
            Some(5 << 30),
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(read(&spec).root_volume_bytes, expected, "{spec}");
    }
}

#[test]
fn the_kubelets_settings_are_amounts() {
    let class = read(&json!({
        "instanceStorePolicy": "RAID0",
        "networkInterfaces": [
            {"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface"},
            {"networkCardIndex": 0, "deviceIndex": 1, "interfaceType": "efa-only"},
            {"networkCardIndex": 1, "deviceIndex": 1, "interfaceType": "efa-only"},
        ],
        "kubelet": {
            "maxPods": "110", "podsPerCore": 0,
            "kubeReserved": {"cpu": "70m", "memory": "0", "pid": "1000"},
            "systemReserved": {"memory": "100Mi", "pid": "1000"},
            "evictionHard": {"memory.available": "7.5%", "nodefs.available": "1Gi", "imagefs.available": "5%"},
        },
    }));
    assert_eq!(class.instance_store, InstanceStore::Raid0);
    let expected = FabricInterfaces {
        total: 2,
        on_default_card: 1,
    };
    assert_eq!(class.fabric_interfaces, Some(expected));
    let kubelet = class.kubelet;
    assert_eq!((kubelet.pods_max, kubelet.pods_per_core), (Some(110), None));
    // A zero is an answer: it replaces the default.
    assert_eq!(
        kubelet.kube_reserved,
        [(ResourceName::CPU, 70), (ResourceName::MEMORY, 0)].into()
    );
    assert_eq!(kubelet.system_reserved.to_string(), "memory 100Mi");
    assert_eq!(
        kubelet.eviction_memory,
        Some(EvictionThreshold::MilliPercent(7_500))
    );
    assert_eq!(
        kubelet.eviction_disk,
        Some(EvictionThreshold::Bytes(1 << 30))
    );
    let off = read(
        &json!({"kubelet": {"maxPods": 17, "podsPerCore": 2, "evictionHard": {"memory.available": "100%"}}}),
    );
    assert_eq!(
        (off.kubelet.pods_max, off.kubelet.pods_per_core),
        (Some(17), Some(2))
    );
    assert_eq!(
        off.kubelet.eviction_memory,
        Some(EvictionThreshold::Bytes(0))
    );
    assert_eq!(off.fabric_interfaces, None);
}

#[test]
fn what_is_not_understood_counts_as_not_written() {
    let read = converted(&json!({"spec": {"kubelet": {
        "maxPods": "max_pods - 2", "podsPerCore": -1,
        "kubeReserved": {"cpu": "vcpus * 10"},
        "evictionHard": {"memory.available": "101%", "nodefs.available": "5k%"},
    }}}));
    let kubelet = read.value.kubelet;
    assert_eq!((kubelet.pods_max, kubelet.pods_per_core), (None, None));
    assert!(kubelet.kube_reserved.is_empty());
    assert_eq!(
        (kubelet.eviction_memory, kubelet.eviction_disk),
        (None, None)
    );
    let paths: Vec<_> = read.problems.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "spec.kubelet.maxPods",
            "spec.kubelet.podsPerCore",
            "spec.kubelet.kubeReserved[\"cpu\"]",
            "spec.kubelet.evictionHard[\"memory.available\"]",
            "spec.kubelet.evictionHard[\"nodefs.available\"]",
        ]
    );
}

#[test]
fn zones_are_known_once_the_subnets_are() {
    assert!(read(&json!({})).zones.is_empty());
    let found = converted(&json!({"status": {"subnets": [
        {"id": "subnet-1", "zone": "us-east-2b"}, {"id": "subnet-2", "zone": "us-east-2a"}, {"id": "subnet-3", "zone": "us-east-2b"},
    ]}}));
    let zones = found.value.zones.iter();
    let zones: Vec<_> = zones.map(ToString::to_string).collect();
    assert_eq!(zones, ["us-east-2a", "us-east-2b"]);
}

//! The fields of the kubelet's configuration that have no member of their own in an EC2NodeClass.
//!
//! Names and types are those of `KubeletConfiguration` in `kubelet.config.k8s.io/v1beta1` of
//! Kubernetes 1.36. What lies inside a nested object is left to the kubelet.

use serde_json::Value;

use crate::api::spelling;
use crate::model::time::parse_duration;

/// The field that the controller writes itself.
pub(super) const OWNED: &str = "registerWithTaints";

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Boolean,
    Integer,
    Number,
    Text,
    Duration,
    Texts,
    Integers,
    TextMap,
    TextsMap,
    BooleanMap,
    Object,
    Objects,
}

impl Shape {
    /// Whether a value can be read as this shape.
    pub(super) fn fits(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.as_i64().is_some(),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::Duration => value
                .as_str()
                .is_some_and(|text| parse_duration(text).is_ok()),
            Self::Texts => each_item(value, Self::Text),
            Self::Integers => each_item(value, Self::Integer),
            Self::TextMap => each_entry(value, Self::Text),
            Self::TextsMap => each_entry(value, Self::Texts),
            Self::BooleanMap => each_entry(value, Self::Boolean),
            Self::Object => value.is_object(),
            Self::Objects => each_item(value, Self::Object),
        }
    }

    /// What to write.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Duration => "a duration, such as 30s or 2m",
            Self::Texts => "a list of texts",
            Self::Integers => "a list of integers",
            Self::TextMap => "an object whose values are texts",
            Self::TextsMap => "an object whose values are lists of texts",
            Self::BooleanMap => "an object whose values are true or false",
            Self::Object => "an object",
            Self::Objects => "a list of objects",
        }
    }
}

fn each_item(value: &Value, shape: Shape) -> bool {
    let items = value.as_array();
    items.is_some_and(|items| items.iter().all(|item| shape.fits(item)))
}

fn each_entry(value: &Value, shape: Shape) -> bool {
    let entries = value.as_object();
    entries.is_some_and(|entries| entries.values().all(|entry| shape.fits(entry)))
}

/// What the field of that name holds, if there is one.
pub(super) fn shape_of(name: &str) -> Option<Shape> {
    let found = FIELDS
        .binary_search_by_key(&name, |(known, _)| *known)
        .ok()?;
    Some(FIELDS[found].1)
}

/// Whether there is no field of that name.
pub(super) fn is_unknown(name: &str) -> bool {
    name != OWNED && shape_of(name).is_none()
}

/// The field whose name is written most like this one, if there is such a field.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let others = FIELDS.iter().map(|(known, _)| *known);
    spelling::nearest(name, MEMBERS.into_iter().chain(others))
}

/// The fields that have a member of their own.
const MEMBERS: [&str; 13] = [
    "clusterDNS",
    "cpuCFSQuota",
    "evictionHard",
    "evictionMaxPodGracePeriod",
    "evictionMinimumReclaim",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "kubeReserved",
    "maxPods",
    "podsPerCore",
    "systemReserved",
];

/// The fields that have none, sorted by name.
const FIELDS: [(&str, Shape); 111] = [
    ("address", Shape::Text),
    ("allowedUnsafeSysctls", Shape::Texts),
    ("authentication", Shape::Object),
    ("authorization", Shape::Object),
    ("cgroupDriver", Shape::Text),
    ("cgroupRoot", Shape::Text),
    ("cgroupsPerQOS", Shape::Boolean),
    ("clusterDomain", Shape::Text),
    ("configMapAndSecretChangeDetectionStrategy", Shape::Text),
    ("containerLogMaxFiles", Shape::Integer),
    ("containerLogMaxSize", Shape::Text),
    ("containerLogMaxWorkers", Shape::Integer),
    ("containerLogMonitorInterval", Shape::Duration),
    ("containerRuntimeEndpoint", Shape::Text),
    ("contentType", Shape::Text),
    ("cpuCFSQuotaPeriod", Shape::Duration),
    ("cpuManagerPolicy", Shape::Text),
    ("cpuManagerPolicyOptions", Shape::TextMap),
    ("cpuManagerReconcilePeriod", Shape::Duration),
    ("crashLoopBackOff", Shape::Object),
    ("enableContentionProfiling", Shape::Boolean),
    ("enableControllerAttachDetach", Shape::Boolean),
    ("enableDebugFlagsHandler", Shape::Boolean),
    ("enableDebuggingHandlers", Shape::Boolean),
    ("enableProfilingHandler", Shape::Boolean),
    ("enableServer", Shape::Boolean),
    ("enableSystemLogHandler", Shape::Boolean),
    ("enableSystemLogQuery", Shape::Boolean),
    ("enforceNodeAllocatable", Shape::Texts),
    ("eventBurst", Shape::Integer),
    ("eventRecordQPS", Shape::Integer),
    ("evictionPressureTransitionPeriod", Shape::Duration),
    ("failCgroupV1", Shape::Boolean),
    ("failSwapOn", Shape::Boolean),
    ("featureGates", Shape::BooleanMap),
    ("fileCheckFrequency", Shape::Duration),
    ("hairpinMode", Shape::Text),
    ("healthzBindAddress", Shape::Text),
    ("healthzPort", Shape::Integer),
    ("httpCheckFrequency", Shape::Duration),
    ("imageMaximumGCAge", Shape::Duration),
    ("imageMinimumGCAge", Shape::Duration),
    ("imagePullCredentialsVerificationPolicy", Shape::Text),
    ("imageServiceEndpoint", Shape::Text),
    ("iptablesDropBit", Shape::Integer),
    ("iptablesMasqueradeBit", Shape::Integer),
    ("kernelMemcgNotification", Shape::Boolean),
    ("kubeAPIBurst", Shape::Integer),
    ("kubeAPIQPS", Shape::Integer),
    ("kubeReservedCgroup", Shape::Text),
    ("kubeletCgroups", Shape::Text),
    ("localStorageCapacityIsolation", Shape::Boolean),
    ("logging", Shape::Object),
    ("makeIPTablesUtilChains", Shape::Boolean),
    ("maxOpenFiles", Shape::Integer),
    ("maxParallelImagePulls", Shape::Integer),
    ("memoryManagerPolicy", Shape::Text),
    ("memoryReservationPolicy", Shape::Text),
    ("memorySwap", Shape::Object),
    ("memoryThrottlingFactor", Shape::Number),
    ("mergeDefaultEvictionSettings", Shape::Boolean),
    ("nodeLeaseDurationSeconds", Shape::Integer),
    ("nodeStatusMaxImages", Shape::Integer),
    ("nodeStatusReportFrequency", Shape::Duration),
    ("nodeStatusUpdateFrequency", Shape::Duration),
    ("oomScoreAdj", Shape::Integer),
    ("podCIDR", Shape::Text),
    ("podLogsDir", Shape::Text),
    ("podPidsLimit", Shape::Integer),
    ("port", Shape::Integer),
    ("preloadedImagesVerificationAllowlist", Shape::Texts),
    ("protectKernelDefaults", Shape::Boolean),
    ("providerID", Shape::Text),
    ("qosReserved", Shape::TextMap),
    ("readOnlyPort", Shape::Integer),
    ("registerNode", Shape::Boolean),
    ("registryBurst", Shape::Integer),
    ("registryPullQPS", Shape::Integer),
    ("reservedMemory", Shape::Objects),
    ("reservedSystemCPUs", Shape::Text),
    ("resolvConf", Shape::Text),
    ("rotateCertificates", Shape::Boolean),
    ("runOnce", Shape::Boolean),
    ("runtimeRequestTimeout", Shape::Duration),
    ("seccompDefault", Shape::Boolean),
    ("serializeImagePulls", Shape::Boolean),
    ("serverTLSBootstrap", Shape::Boolean),
    ("showHiddenMetricsForVersion", Shape::Text),
    ("shutdownGracePeriod", Shape::Duration),
    ("shutdownGracePeriodByPodPriority", Shape::Objects),
    ("shutdownGracePeriodCriticalPods", Shape::Duration),
    ("singleProcessOOMKill", Shape::Boolean),
    ("staticPodPath", Shape::Text),
    ("staticPodURL", Shape::Text),
    ("staticPodURLHeader", Shape::TextsMap),
    ("streamingConnectionIdleTimeout", Shape::Duration),
    ("syncFrequency", Shape::Duration),
    ("systemCgroups", Shape::Text),
    ("systemReservedCgroup", Shape::Text),
    ("tlsCertFile", Shape::Text),
    ("tlsCipherSuites", Shape::Texts),
    ("tlsCurvePreferences", Shape::Integers),
    ("tlsMinVersion", Shape::Text),
    ("tlsPrivateKeyFile", Shape::Text),
    ("topologyManagerPolicy", Shape::Text),
    ("topologyManagerPolicyOptions", Shape::TextMap),
    ("topologyManagerScope", Shape::Text),
    ("tracing", Shape::Object),
    ("userNamespaces", Shape::Object),
    ("volumePluginDir", Shape::Text),
    ("volumeStatsAggPeriod", Shape::Duration),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::nodeclass::KubeletConfiguration;

    #[test]
    fn the_fields_are_sorted_so_that_each_is_found() {
        assert!(FIELDS.is_sorted_by(|(one, _), (next, _)| one < next));
        for (name, shape) in FIELDS {
            assert_eq!(shape_of(name), Some(shape), "{name}");
        }
        assert_eq!(shape_of("cpuManagerpolicy"), None);
        assert_eq!(shape_of(OWNED), None);
    }

    #[test]
    fn each_member_has_the_name_it_is_written_with() {
        let schema = schemars::schema_for!(KubeletConfiguration).to_value();
        let members = schema["properties"].as_object().expect("it has fields");
        let names: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(names, MEMBERS);
        assert_eq!(nearest("evictionSofts"), Some("evictionSoft"));
        assert_eq!(nearest("cgroupdriver"), Some("cgroupDriver"));
        assert_eq!(nearest("somethingElse"), None);
    }

    #[test]
    fn a_value_fits_the_shapes_it_can_be_read_as() {
        let cases = [
            (json!(true), vec![Shape::Boolean]),
            (json!(3), vec![Shape::Integer, Shape::Number]),
            (json!(0.5), vec![Shape::Number]),
            (json!("a"), vec![Shape::Text]),
            (json!("5m"), vec![Shape::Text, Shape::Duration]),
            (json!(["a"]), vec![Shape::Texts]),
            (json!([1]), vec![Shape::Integers]),
            (json!({"a": "b"}), vec![Shape::TextMap, Shape::Object]),
            (json!({"a": ["b"]}), vec![Shape::TextsMap, Shape::Object]),
            (json!({"a": true}), vec![Shape::BooleanMap, Shape::Object]),
            (json!({"a": 1}), vec![Shape::Object]),
            (json!([{}]), vec![Shape::Objects]),
            (json!(null), vec![]),
        ];
        let shapes = [
            Shape::Boolean,
            Shape::Integer,
            Shape::Number,
            Shape::Text,
            Shape::Duration,
            Shape::Texts,
            Shape::Integers,
            Shape::TextMap,
            Shape::TextsMap,
            Shape::BooleanMap,
            Shape::Object,
            Shape::Objects,
        ];
        for (value, expected) in cases {
            let fitting: Vec<_> = shapes.into_iter().filter(|it| it.fits(&value)).collect();
            assert_eq!(fitting, expected, "{value}");
        }
    }
}

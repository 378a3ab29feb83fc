//! What the API server adds to a new pod: its priority ("Pod Priority and Preemption" in the
//! Kubernetes documentation), and for how long it endures a node that is not ready or cannot be
//! reached ("Taints and Tolerations", the admission plug-in `DefaultTolerationSeconds`).

use k8s_openapi::api::core::v1::{Pod, PodSpec, Toleration};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use tidewright::engine::ApiError;
use tidewright::model::time::Timestamp;

use super::{ObjectKey, Store};

/// The classes that every cluster has.
const SYSTEM_CLASSES: [(&str, i32); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];

/// For how long pods endure a broken node that do not say it themselves.
const BROKEN_NODE_SECONDS: i64 = 300;

const BROKEN_NODE_TAINTS: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];

impl Store {
    /// Creates a pod, with what the API server adds to it.
    pub fn create_pod(&mut self, mut pod: Pod, now: Timestamp) -> Result<&Pod, ApiError> {
        self.admit(&mut pod);
        self.create(pod, now)
    }

    /// Puts a pod into the place of the one of its name, or creates it.
    pub fn apply_pod(&mut self, mut pod: Pod, now: Timestamp) -> Result<&Pod, ApiError> {
        self.admit(&mut pod);
        self.apply(pod, now)
    }

    fn admit(&self, pod: &mut Pod) {
        let spec = pod.spec.get_or_insert_default();
        if spec.priority.is_none() {
            spec.priority = self.priority_of(spec.priority_class_name.as_deref());
        }
        endure_broken_nodes(spec);
    }

    /// The value of a class, or of the one that is meant for all. A class that does not exist counts
    /// as none: this API server refuses nothing.
    fn priority_of(&self, class: Option<&str>) -> Option<i32> {
        let classes = self.all::<PriorityClass>();
        let Some(name) = class else {
            let mut default = classes
                .values()
                .filter(|it| it.global_default == Some(true));
            return default.next().and_then(|it| it.value);
        };
        let mut system = SYSTEM_CLASSES.iter().filter(|(known, _)| *known == name);
        let own = classes.get(&ObjectKey::cluster(name));
        let system = system.next().map(|(_, value)| *value);
        system.or_else(|| own.and_then(|it| it.value))
    }
}

fn endure_broken_nodes(spec: &mut PodSpec) {
    let tolerations = spec.tolerations.get_or_insert_default();
    for taint in BROKEN_NODE_TAINTS {
        let named = |it: &Toleration| {
            let effect = it.effect.as_deref().unwrap_or_default();
            let key = it.key.as_deref().unwrap_or_default();
            (key == taint || key.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        };
        if !tolerations.iter().any(named) {
            tolerations.push(Toleration {
                key: Some(taint.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(BROKEN_NODE_SECONDS),
                ..Toleration::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn priority(store: &mut Store, name: &str, class: Option<&str>) -> Option<i32> {
        let pod: Value = json!({
            "metadata": {"name": name},
            "spec": {"priorityClassName": class, "containers": []},
        });
        let pod = serde_json::from_value(pod).expect("sound");
        let pod = store.create_pod(pod, NOW).expect("new");
        pod.spec.as_ref().and_then(|spec| spec.priority)
    }

    #[test]
    fn a_class_gives_its_priority() {
        let mut store = Store::default();
        assert_eq!(priority(&mut store, "none", None), None);
        for (name, value, default) in [("high", 1_000, false), ("usual", 5, true)] {
            let class = json!({
                "metadata": {"name": name}, "value": value, "globalDefault": default,
            });
            let class: PriorityClass = serde_json::from_value(class).expect("sound");
            store.create(class, NOW).expect("new");
        }
        assert_eq!(priority(&mut store, "default", None), Some(5));
        assert_eq!(priority(&mut store, "high", Some("high")), Some(1_000));
        let system = Some("system-node-critical");
        assert_eq!(priority(&mut store, "node", system), Some(2_000_001_000));
        assert_eq!(priority(&mut store, "unknown", Some("unheard-of")), None);
    }

    #[test]
    fn a_broken_node_is_endured_for_five_minutes_unless_the_pod_says_otherwise() {
        let seconds = |tolerations: Value| {
            let mut spec: PodSpec =
                serde_json::from_value(json!({"containers": [], "tolerations": tolerations}))
                    .expect("sound");
            endure_broken_nodes(&mut spec);
            let own = spec.tolerations.unwrap_or_default().into_iter();
            own.map(|it| it.toleration_seconds).collect::<Vec<_>>()
        };
        assert_eq!(seconds(json!([])), [Some(300), Some(300)]);
        assert_eq!(seconds(json!([{"operator": "Exists"}])), [None]);
        let own = json!([{
            "key": "node.kubernetes.io/unreachable", "operator": "Exists",
            "effect": "NoExecute", "tolerationSeconds": 10,
        }]);
        assert_eq!(seconds(own), [Some(10), Some(300)]);
    }
}

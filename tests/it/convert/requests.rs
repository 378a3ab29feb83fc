//! What a pod takes.

use serde_json::{Value, json};
use tidewright::api::convert::pod;

use super::object;

fn check(spec: &Value, status: &Value, expected: &str) {
    let document = json!({"spec": spec, "status": status});
    let taken = pod(&object(document)).scheduling;
    assert_eq!(taken.resources().to_string(), expected, "{spec}");
    assert_eq!(taken.unsupported, [], "{spec}");
}

fn container(requests: &Value) -> Value {
    json!({"name": "c", "resources": {"requests": requests}})
}

fn sidecar(requests: &Value) -> Value {
    json!({"name": "s", "restartPolicy": "Always", "resources": {"requests": requests}})
}

#[test]
fn containers_add_up_and_the_start_counts_if_it_takes_more() {
    let cpu = |cpu: &str| json!({"cpu": cpu});
    let none = Value::Null;
    check(&json!({"containers": []}), &none, "pods 1");
    check(
        &json!({"containers": [container(&json!({"cpu": "0.25", "memory": "64Mi"})), container(&json!({"cpu": "100m", "nvidia.com/gpu": 1}))]}),
        &none,
        "cpu 350m, memory 64Mi, pods 1, nvidia.com/gpu 1",
    );
    // An init container counts only where it takes more than all containers together.
    check(
        &json!({"containers": [container(&cpu("1")), container(&cpu("1"))], "initContainers": [container(&json!({"cpu": "1500m", "memory": "1Gi"}))]}),
        &none,
        "cpu 2, memory 1Gi, pods 1",
    );
    check(
        &json!({"containers": [container(&cpu("1"))], "initContainers": [container(&cpu("3")), container(&cpu("2"))]}),
        &none,
        "cpu 3, pods 1",
    );
    // A sidecar runs beside the containers, and beside the init containers after it.
    check(
        &json!({"containers": [container(&cpu("1"))], "initContainers": [sidecar(&cpu("500m"))]}),
        &none,
        "cpu 1500m, pods 1",
    );
    check(
        &json!({"containers": [container(&cpu("1"))], "initContainers": [sidecar(&cpu("1")), container(&cpu("2"))]}),
        &none,
        "cpu 3, pods 1",
    );
    check(
        &json!({"containers": [container(&cpu("1"))], "initContainers": [container(&cpu("2")), sidecar(&cpu("1"))]}),
        &none,
        "cpu 2, pods 1",
    );
    // The overhead comes on top, whatever counts.
    check(
        &json!({"containers": [container(&cpu("1"))], "overhead": {"cpu": "250m", "memory": "120Mi"}}),
        &none,
        "cpu 1250m, memory 120Mi, pods 1",
    );
}

#[test]
fn a_limit_stands_for_a_missing_request_and_the_pod_speaks_for_its_containers() {
    let none = Value::Null;
    let limited = json!({"name": "c", "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "2", "memory": "1Gi"}}});
    check(
        &json!({"containers": [limited]}),
        &none,
        "cpu 100m, memory 1Gi, pods 1",
    );
    let two = [
        container(&json!({"cpu": "1", "example.com/fpga": 1})),
        container(&json!({"cpu": "1"})),
    ];
    check(
        &json!({"containers": two, "resources": {"requests": {"cpu": "1500m", "memory": "2Gi"}}}),
        &none,
        "cpu 1500m, memory 2Gi, pods 1, example.com/fpga 1",
    );
    // A limit of the pod is a request only where no container makes one.
    check(
        &json!({"containers": two, "resources": {"limits": {"cpu": "8", "memory": "4Gi"}}}),
        &none,
        "cpu 2, memory 4Gi, pods 1, example.com/fpga 1",
    );
    // Only cpu, memory and huge pages can be given to the pod as a whole.
    check(
        &json!({"containers": two, "resources": {"requests": {"example.com/fpga": 4}}, "overhead": {"cpu": "1"}}),
        &none,
        "cpu 3, pods 1, example.com/fpga 1",
    );
}

#[test]
fn a_resize_counts_for_the_greatest_of_wanted_promised_and_actual() {
    let spec = json!({"containers": [container(&json!({"cpu": "2"}))]});
    let status = |allocated: &str, actual: &str| {
        json!({"containerStatuses": [{
            "name": "c", "image": "i", "imageID": "i", "ready": true, "restartCount": 0,
            "allocatedResources": {"cpu": allocated}, "resources": {"requests": {"cpu": actual}},
        }]})
    };
    check(&spec, &status("1", "1"), "cpu 2, pods 1");
    check(&spec, &status("3", "2"), "cpu 3, pods 1");
    check(&spec, &status("2", "4"), "cpu 4, pods 1");
    let mut refused = status("1", "1500m");
    refused["conditions"] =
        json!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]);
    check(&spec, &refused, "cpu 1500m, pods 1");
}

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::store::Stored;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn create<T: Stored + DeserializeOwned>(store: &mut Store, manifest: Value) -> T {
    let object: T = serde_json::from_value(manifest).expect("sound");
    store.create(object, NOW).expect("new").clone()
}

/// A StatefulSet of so many replicas, with pods of which the first `ready` are ready.
fn application(replicas: usize, pods: usize, ready: usize) -> Store {
    let mut store = Store::default();
    let labels = json!({"app": "web"});
    let set: k8s_openapi::api::apps::v1::StatefulSet = create(
        &mut store,
        json!({
            "metadata": {"name": "web"},
            "spec": {
                "replicas": replicas, "serviceName": "web", "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}},
            },
        }),
    );
    for number in 0..pods {
        let is_ready = if number < ready { "True" } else { "False" };
        let _pod: Pod = create(
            &mut store,
            json!({
                "metadata": {
                    "name": format!("web-{number}"), "labels": labels,
                    "ownerReferences": [{
                        "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web",
                        "uid": uid(&set).as_str(), "controller": true,
                    }],
                },
                "spec": {"nodeName": "n", "containers": []},
                "status": {"phase": "Running", "conditions": [
                    {"type": "Ready", "status": is_ready},
                ]},
            }),
        );
    }
    store
}

fn guard(store: &mut Store, name: &str, spec: &Value) {
    let mut spec = spec.clone();
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    let _budget: PodDisruptionBudget =
        create(store, json!({"metadata": {"name": name}, "spec": spec}));
}

/// Evicts the pods one after the other; the answers in their order.
fn answers(mut store: Store) -> Vec<Result<(), ApiError>> {
    let pods: Vec<(ObjectKey, Uid)> = store
        .all::<Pod>()
        .iter()
        .map(|(key, pod)| (key.clone(), uid(pod)))
        .collect();
    let answers = pods.iter();
    answers
        .map(|(key, whom)| evict(&mut store, key, whom, NOW))
        .collect()
}

fn check(mut store: Store, budget: &Value, expected: &[Result<(), ApiError>]) {
    guard(&mut store, "web", budget);
    assert_eq!(answers(store), expected, "{budget}");
}

const LATER: Result<(), ApiError> = Err(ApiError::TooManyRequests);

#[test]
fn a_budget_lets_go_what_it_can_spare() {
    check(
        application(3, 3, 3),
        &json!({"minAvailable": 2}),
        &[Ok(()), LATER, LATER],
    );
    check(
        application(3, 3, 3),
        &json!({"maxUnavailable": 2}),
        &[Ok(()), Ok(()), LATER],
    );
    check(
        application(3, 3, 3),
        &json!({"maxUnavailable": 0}),
        &[LATER; 3],
    );
    // Half of three is rounded up to two, in both directions.
    check(
        application(3, 3, 3),
        &json!({"minAvailable": "50%"}),
        &[Ok(()), LATER, LATER],
    );
    check(
        application(3, 3, 3),
        &json!({"maxUnavailable": "50%"}),
        &[Ok(()), Ok(()), LATER],
    );
    // Two of four replicas are there: nothing to spare until the others come.
    check(
        application(4, 2, 2),
        &json!({"maxUnavailable": 1}),
        &[LATER; 2],
    );
}

#[test]
fn a_pod_that_is_not_ready_goes_if_that_does_no_harm() {
    let always = json!({"minAvailable": 2, "unhealthyPodEvictionPolicy": "AlwaysAllow"});
    check(application(2, 2, 1), &always, &[LATER, Ok(())]);
    check(
        application(2, 2, 1),
        &json!({"minAvailable": 2}),
        &[LATER, LATER],
    );
    check(
        application(3, 3, 2),
        &json!({"minAvailable": 2}),
        &[LATER, LATER, Ok(())],
    );
}

#[test]
fn two_budgets_for_one_pod_are_a_fault_of_the_configuration() {
    let mut store = application(1, 1, 1);
    guard(&mut store, "one", &json!({"minAvailable": 0}));
    guard(&mut store, "two", &json!({"minAvailable": 0}));
    assert_eq!(answers(store), [Err(ApiError::Unavailable)]);
}

#[test]
fn a_budget_says_where_it_stands() {
    let mut store = application(3, 3, 2);
    guard(&mut store, "web", &json!({"minAvailable": 1}));
    budgets::write_status(&mut store);
    let budget = store.get::<PodDisruptionBudget>(&ObjectKey::new("default", "web"));
    let status = budget.and_then(|it| it.status.clone()).expect("written");
    let numbers = [
        status.expected_pods,
        status.current_healthy,
        status.desired_healthy,
        status.disruptions_allowed,
    ];
    assert_eq!(numbers, [Some(3), Some(2), Some(1), Some(1)]);
}

//! Label selectors (Kubernetes documentation, "Labels and Selectors").

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Whether a selector takes an object with these labels. An empty selector takes every object; an
/// operator that does not exist takes none.
pub fn takes(selector: &LabelSelector, labels: Option<&BTreeMap<String, String>>) -> bool {
    let found = |key: &str| labels.and_then(|labels| labels.get(key));
    let mut equal = selector.match_labels.iter().flatten();
    let mut expressions = selector.match_expressions.iter().flatten();
    equal.all(|(key, value)| found(key) == Some(value))
        && expressions.all(|it| {
            let value = found(&it.key);
            let listed = || {
                let values = it.values.as_ref();
                value.is_some_and(|value| values.is_some_and(|values| values.contains(value)))
            };
            match it.operator.as_str() {
                "In" => listed(),
                "NotIn" => !listed(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_take_what_all_their_parts_take() {
        let labels = BTreeMap::from([("app".to_owned(), "a".to_owned())]);
        let check = |selector: serde_json::Value, expected: bool| {
            let read: LabelSelector = serde_json::from_value(selector.clone()).expect("sound");
            assert_eq!(takes(&read, Some(&labels)), expected, "{selector}");
        };
        let expression = |key: &str, operator: &str, values: &[&str]| {
            let expression = json!({"key": key, "operator": operator, "values": values});
            json!({"matchExpressions": [expression]})
        };
        check(json!({}), true);
        check(json!({"matchLabels": {"app": "a"}}), true);
        check(json!({"matchLabels": {"app": "a", "tier": "x"}}), false);
        check(expression("app", "In", &["a", "b"]), true);
        check(expression("app", "NotIn", &["a"]), false);
        check(expression("tier", "NotIn", &["x"]), true);
        check(expression("tier", "Exists", &[]), false);
        check(expression("tier", "DoesNotExist", &[]), true);
        check(expression("app", "Like", &["a"]), false);
    }
}

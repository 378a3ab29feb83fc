//! YAML that comes with the simulator, as the JSON value that it stands for.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Why a text is not usable YAML.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// It is no YAML.
    #[error("it is not YAML")]
    Syntax(#[source] saphyr::ScanError),
    /// It holds none or several documents.
    #[error("it must hold one document")]
    Documents,
    /// It uses something that JSON has no counterpart for.
    #[error("it may hold texts, integers, truth values, lists and maps with texts as keys only")]
    Unsupported,
}

/// Reads one document.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    let documents = Yaml::load_from_str(text).map_err(YamlError::Syntax)?;
    let [document] = documents.as_slice() else {
        return Err(YamlError::Documents);
    };
    value(document).ok_or(YamlError::Unsupported)
}

fn value(node: &Yaml<'_>) -> Option<Value> {
    match node {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Some(Value::Null),
            Scalar::Boolean(truth) => Some(Value::Bool(*truth)),
            Scalar::Integer(integer) => Some(Value::from(*integer)),
            Scalar::String(text) => Some(Value::from(text.as_ref())),
            Scalar::FloatingPoint(_) => None,
        },
        Yaml::Sequence(nodes) => nodes.iter().map(value).collect(),
        Yaml::Mapping(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, node)| Some((key.as_str()?.to_owned(), value(node)?)));
            pairs.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Yaml::Representation(..) | Yaml::Tagged(..) | Yaml::Alias(_) | Yaml::BadValue => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_json() {
        let read = parse("a: [1, x, true, ~]\nb: {c: '2'}").expect("sound");
        assert_eq!(
            read,
            serde_json::json!({"a": [1, "x", true, null], "b": {"c": "2"}})
        );
        for text in ["a: 1.5", "1: a", "a: 1\n---\nb: 2", "a: ["] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

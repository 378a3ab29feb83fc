//! The parts of a JSON schema that the types of `k8s-openapi`, `kube` and `schemars` use.

use serde_json::{Map, Value};

/// How many references may stand one behind the other; more is a circle.
const REFERENCES_MAX: usize = 16;

/// Follows references, and an `allOf` that wraps a single schema, to the schema itself. One that
/// cannot be followed says nothing and so accepts everything.
pub fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..REFERENCES_MAX {
        let next = match (schema.get("$ref"), schema.get("allOf")) {
            (Some(Value::String(reference)), _) => reference
                .strip_prefix('#')
                .and_then(|pointer| root.pointer(pointer)),
            (_, Some(Value::Array(all))) if all.len() == 1 => all.first(),
            _ => return schema,
        };
        match next {
            Some(next) => schema = next,
            None => break,
        }
    }
    &Value::Bool(true)
}

/// The fields that a schema names.
pub fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields = schema.get("properties").and_then(Value::as_object);
    fields.into_iter().flatten()
}

/// The names of the types it accepts; empty when it does not say.
pub fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The alternatives of an `anyOf` or `oneOf`.
pub fn alternatives(schema: &Value) -> &[Value] {
    let found = schema.get("anyOf").or_else(|| schema.get("oneOf"));
    found.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The values it is limited to, if it is limited to some: those of `enum` and `const`, also when
/// they come as alternatives, each with a description of its own.
pub fn choices<'a>(root: &'a Value, schema: &'a Value) -> Option<Vec<&'a Value>> {
    if let Some(only) = schema.get("const") {
        return Some(vec![only]);
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return Some(values.iter().collect());
    }
    let alternatives = alternatives(schema);
    if alternatives.is_empty() {
        return None;
    }
    let each = alternatives
        .iter()
        .map(|alternative| choices(root, resolve(root, alternative)));
    each.collect::<Option<Vec<_>>>()
        .map(|choices| choices.concat())
}

/// Whether null is among what it accepts.
pub fn accepts_null(root: &Value, schema: &Value) -> bool {
    is_true(schema, "nullable")
        || types(schema).contains(&"null")
        || alternatives(schema)
            .iter()
            .any(|alternative| accepts_null(root, resolve(root, alternative)))
}

/// Whether it accepts null and nothing else.
pub fn is_null(schema: &Value) -> bool {
    types(schema) == ["null"]
}

/// Whether a keyword of it is `true`.
pub fn is_true(schema: &Value, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

/// The value of a keyword that counts something.
pub fn count(schema: &Value, keyword: &str) -> Option<usize> {
    usize::try_from(schema.get(keyword)?.as_u64()?).ok()
}

/// The names of the fields that have to be there.
pub fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// The least value that it accepts, or null where it does not say what that is.
pub fn least(root: &Value, schema: &Value) -> Value {
    let schema = resolve(root, schema);
    if let Some(choices) = choices(root, schema) {
        return choices.first().map_or(Value::Null, |it| Value::clone(it));
    }
    if is_true(schema, "x-kubernetes-int-or-string") {
        return Value::from(0);
    }
    let mut alternatives = alternatives(schema).iter();
    if let Some(alternative) = alternatives.find(|it| !is_null(resolve(root, it))) {
        return least(root, alternative);
    }
    match types(schema).first() {
        Some(&"object") => {
            let fields = required(schema).filter_map(|name| {
                let inner = schema.get("properties")?.get(name)?;
                Some((name.to_owned(), least(root, inner)))
            });
            Value::Object(fields.collect())
        }
        Some(&"array") => Value::Array(Vec::new()),
        Some(&"string") => Value::from(""),
        Some(&("integer" | "number")) => {
            let bound = schema.get("minimum").filter(|it| it.is_u64());
            bound.map_or_else(|| Value::from(0), Value::clone)
        }
        Some(&"boolean") => Value::Bool(false),
        Some(_) | None => Value::Null,
    }
}

/// If every alternative is an object with one field of its own, which is how an enum with contents
/// is written: the field and the schema of each.
pub fn tagged<'a>(root: &'a Value, schema: &'a Value) -> Option<Map<String, Value>> {
    let alternatives = alternatives(schema);
    let mut variants = Map::new();
    for alternative in alternatives {
        let alternative = resolve(root, alternative);
        let mut fields = properties(alternative);
        let (Some((name, inner)), None) = (fields.next(), fields.next()) else {
            return None;
        };
        if !required(alternative).eq([name.as_str()]) {
            return None;
        }
        variants.insert(name.clone(), inner.clone());
    }
    (variants.len() > 1).then_some(variants)
}

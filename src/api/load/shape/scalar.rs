//! Single values against a schema.

use serde_json::{Number, Value};

use super::{Place, Walk};
use crate::api::load::scalar::{Scalar, resolve};
use crate::api::load::schema;
use crate::api::load::tree::Tree;
use crate::api::spelling;
use crate::model::time::Timestamp;

impl Walk<'_> {
    pub(super) fn scalar(&mut self, place: Place<'_>, scalar: &Scalar, schema: &Value) -> Value {
        let types = schema::types(schema);
        let before = self.findings.len();
        let value = match scalar {
            Scalar::Text(text) if types.contains(&"string") => {
                self.text(place, text, schema);
                Value::String(text.clone())
            }
            Scalar::Bool(value, _) if types.contains(&"boolean") => Value::Bool(*value),
            Scalar::Number(number, _) if types.contains(&"integer") => {
                match whole(number) {
                    Some(value) => self.integer(place, value, schema),
                    None => return self.wrong_type(place, &types),
                }
                whole(number)
                    .and_then(Number::from_i128)
                    .map_or(Value::Null, Value::Number)
            }
            Scalar::Number(number, _) if types.contains(&"number") => Value::Number(number.clone()),
            Scalar::Null | Scalar::Text(_) | Scalar::Bool(..) | Scalar::Number(..) => {
                self.wrong_type(place, &types)
            }
        };
        if self.findings.len() > before {
            return Value::Null;
        }
        value
    }

    /// Kubernetes' IntOrString and Quantity: integers stay, other numbers become text as they were
    /// written, so that 0.1 does not pass through a float.
    pub(super) fn number_or_text(&mut self, place: Place<'_>) -> Value {
        match &place.node.tree {
            Tree::Scalar(Scalar::Text(text)) => Value::String(text.clone()),
            Tree::Scalar(Scalar::Number(number, written)) => match whole(number) {
                Some(_) if !number.is_f64() => Value::Number(number.clone()),
                Some(_) | None => Value::String(written.clone()),
            },
            Tree::Scalar(Scalar::Null | Scalar::Bool(..)) | Tree::List(_) | Tree::Map(_) => {
                self.wrong_type(place, &["string", "integer"])
            }
        }
    }

    pub(super) fn choice(&mut self, place: Place<'_>, choices: &[&Value]) -> Value {
        let value = place.node.to_value();
        if choices.contains(&&value) {
            return value;
        }
        let names: Vec<_> = choices.iter().copied().map(shown).collect();
        let names = || names.iter().map(String::as_str);
        let nearest = place
            .node
            .as_text()
            .and_then(|text| spelling::nearest(text, names()));
        let fix = match nearest {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => format!("Write {}.", spelling::either(names())),
        };
        let rule = format!("The value must be {}.", spelling::either(names()));
        self.find(place.span(), Some(place.node.excerpt()), rule, fix);
        Value::Null
    }

    pub(super) fn wrong_type(&mut self, place: Place<'_>, types: &[&str]) -> Value {
        let types: Vec<_> = types.iter().filter(|it| **it != "null").collect();
        let nouns: Vec<_> = types.iter().map(|it| noun(it)).collect();
        let found = match &place.node.tree {
            Tree::Scalar(Scalar::Null) => "nothing",
            Tree::Scalar(Scalar::Bool(..)) => noun("boolean"),
            Tree::Scalar(Scalar::Number(number, _)) if whole(number).is_none() => "a fraction",
            Tree::Scalar(Scalar::Number(..)) => noun("number"),
            Tree::Scalar(Scalar::Text(_)) => noun("string"),
            Tree::List(_) => noun("array"),
            Tree::Map(_) => noun("object"),
        };
        let rule = format!("This must be {}, and is {found}.", nouns.join(" or "));
        let fix = types.first().map_or_else(
            || "Remove it.".to_owned(),
            |expected| conversion(place, expected),
        );
        self.find(place.span(), Some(place.node.excerpt()), rule, fix);
        Value::Null
    }

    fn text(&mut self, place: Place<'_>, text: &str, schema: &Value) {
        let characters = text.chars().count();
        let shown = Some(place.node.excerpt());
        if schema::count(schema, "minLength").is_some_and(|min| characters < min) {
            let rule = if characters == 0 {
                "The text may not be empty.".to_owned()
            } else {
                format!("The text is too short with {characters} characters.")
            };
            self.find(
                place.span(),
                shown.clone(),
                rule,
                "Write a longer one.".to_owned(),
            );
        }
        if let Some(max) = schema::count(schema, "maxLength").filter(|max| characters > *max) {
            let rule = format!("The text may have at most {max} characters, and has {characters}.");
            self.find(place.span(), shown.clone(), rule, "Shorten it.".to_owned());
        }
        if format_of(schema) == Some("date-time") && Timestamp::parse(text).is_err() {
            let rule = "This must be an instant as RFC 3339 writes it.".to_owned();
            let fix = "Write it as 2026-01-31T09:30:00Z.".to_owned();
            self.find(place.span(), shown, rule, fix);
        }
    }

    fn integer(&mut self, place: Place<'_>, value: i128, schema: &Value) {
        let bound = |keyword: &str| {
            schema
                .get(keyword)
                .and_then(Value::as_number)
                .and_then(whole)
        };
        let (format_min, format_max) = range(format_of(schema));
        let min = bound("minimum").unwrap_or(format_min).max(format_min);
        let max = bound("maximum").unwrap_or(format_max).min(format_max);
        if value < min || value > max {
            let rule = format!("The number must lie between {min} and {max}.");
            let nearest = value.clamp(min, max);
            let fix = format!("Write {nearest}, or another number in that range.");
            self.find(place.span(), Some(place.node.excerpt()), rule, fix);
        }
    }
}

fn format_of(schema: &Value) -> Option<&str> {
    schema.get("format").and_then(Value::as_str)
}

/// What an integer of a format can hold.
fn range(format: Option<&str>) -> (i128, i128) {
    match format {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

/// The integer that a number is. `5.0` and `5e0` are 5, as they are when `kubectl` writes them into
/// JSON.
fn whole(number: &Number) -> Option<i128> {
    number
        .as_i128()
        .or_else(|| number.to_string().strip_suffix(".0")?.parse().ok())
}

/// A type in the words of somebody who writes YAML.
pub(super) fn noun(type_name: &str) -> &'static str {
    match type_name {
        "object" => "an object",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "something else",
    }
}

/// How to turn what is there into what is expected.
fn conversion(place: Place<'_>, expected: &str) -> String {
    let written = place.node.excerpt();
    match (&place.node.tree, expected) {
        (Tree::Scalar(Scalar::Bool(..) | Scalar::Number(..)), "string") => {
            format!("Put quotes around it: `\"{written}\"`.")
        }
        (Tree::Scalar(Scalar::Text(text)), "integer" | "number" | "boolean") => {
            match (resolve(text), expected) {
                (Ok(Scalar::Bool(..)), "boolean")
                | (Ok(Scalar::Number(..)), "integer" | "number") => {
                    format!("Remove the quotes: `{text}`.")
                }
                _ => format!("Write {}.", noun(expected)),
            }
        }
        (Tree::Scalar(Scalar::Null), "string") => "Write `\"\"` for an empty text.".to_owned(),
        (Tree::Map(_), "array") => "Begin each item with `- `.".to_owned(),
        (Tree::Scalar(_), "array") => format!("Write it as a list: `[{written}]`."),
        (Tree::List(_), "object") => "Write `name: value` lines without `- `.".to_owned(),
        (_, "object") => "Write `name: value` lines, indented below the name.".to_owned(),
        _ => format!("Write {}.", noun(expected)),
    }
}

/// A value of an enum, as it would be written.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

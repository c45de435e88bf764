//! The JSON Schema of a config, for editors.

use serde_json::{Map, Value, json};

use crate::Config;
use crate::keys::{Key, Keys, Presence, SectionShape, Shape, number_json};

/// The JSON Schema (draft 2020-12) of a config, as it stands in `configs/apisink.schema.json`.
///
/// It knows keys, types, ranges and words; what depends on several keys at once only [`crate::parse`] knows.
#[must_use]
pub fn json_schema() -> String {
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "apisink config".into());
    schema.extend(of_section(&Config::shape()));
    format!("{:#}\n", Value::Object(schema))
}

fn of_section(section: &SectionShape) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("description".into(), section.about.clone().into());
    if section.variants.is_empty() {
        schema.extend(of_keys(&section.keys, None));
        return schema;
    }
    let variants = section.variants.iter().map(|variant| {
        let mut schema = Map::new();
        schema.insert("description".into(), variant.about.clone().into());
        schema.extend(of_keys(&variant.keys, Some(variant.name)));
        Value::Object(schema)
    });
    let empty = section.may_be_empty.then(|| json!({"type": "object", "maxProperties": 0}));
    schema.insert("oneOf".into(), variants.chain(empty).collect());
    schema
}

/// The keys of a section, with the `type` that has them.
fn of_keys(keys: &[Key], tag: Option<&str>) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if let Some(tag) = tag {
        properties.insert("type".into(), json!({"const": tag}));
        required.push("type");
    }
    for key in keys {
        properties.insert(key.name.into(), of_key(key));
        if matches!(key.presence, Presence::Required) {
            required.push(key.name);
        }
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema.insert("properties".into(), properties.into());
    schema
}

fn of_key(key: &Key) -> Value {
    let value = of_shape(&key.shape);
    let mut about = key.about.clone();
    let unit = match &key.shape {
        Shape::Whole { unit, .. } | Shape::Number { unit, .. } => *unit,
        _ => "",
    };
    if !unit.is_empty() {
        about += &format!(" In {unit}.");
    }
    if let Presence::Optional(absent) = key.presence {
        about += &format!(" Without it: {absent}.");
    }
    let mut schema = Map::new();
    schema.insert("description".into(), about.into());
    if let Presence::Default(default) = &key.presence {
        schema.insert("default".into(), default.clone());
    }
    if matches!(key.presence, Presence::Required) {
        schema.extend(value);
    } else {
        // A key without a value counts as absent.
        schema.insert("anyOf".into(), json!([value, {"type": "null"}]));
    }
    Value::Object(schema)
}

fn of_shape(shape: &Shape) -> Map<String, Value> {
    let schema = match shape {
        Shape::Whole { min, max, .. } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Number { min, max, .. } => {
            json!({"type": "number", "minimum": number_json(*min), "maximum": number_json(*max)})
        }
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Word => json!({"type": "string", "minLength": 1}),
        Shape::Text | Shape::Credential => json!({"type": "string"}),
        Shape::Choice(choices) => {
            let choices = choices.iter().map(|(name, about)| json!({"const": name, "description": about}));
            json!({"oneOf": choices.collect::<Vec<_>>()})
        }
        Shape::WordOrFalse => json!({"anyOf": [{"type": "string", "minLength": 1}, {"type": "boolean"}]}),
        Shape::Literal => json!({"type": ["string", "number", "boolean"]}),
        Shape::List(of) => json!({"type": "array", "items": of_shape(of)}),
        Shape::Texts => {
            json!({"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}})
        }
        Shape::Anything => json!({"type": "object"}),
        Shape::Section(section) => of_section(section).into(),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

//! Values of rows and answers as a script's own.

use apisink_plan::jinja::Digits;
use minijinja::Value;
use minijinja::value::ValueKind;
use rhai::{Array, Dynamic, Map};

/// A value of a row, as templates see it, as a script's: null is `()`, a decimal its digits as text.
pub(crate) fn of_template(value: &Value) -> Dynamic {
    if let Some(digits) = value.downcast_object_ref::<Digits>() {
        return digits.digits().to_owned().into();
    }
    match value.kind() {
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number => match i64::try_from(value.clone()) {
            Ok(whole) if value.is_integer() => whole.into(),
            _ if value.is_integer() => value.to_string().into(),
            _ => f64::try_from(value.clone()).map_or(Dynamic::UNIT, Dynamic::from),
        },
        ValueKind::String => value.as_str().unwrap_or_default().to_owned().into(),
        ValueKind::Seq => {
            let items = value.try_iter().into_iter().flatten();
            items.map(|item| of_template(&item)).collect::<Array>().into()
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            let entry = |key: Value| {
                let item = value.get_item(&key).unwrap_or_default();
                (key.to_string().into(), of_template(&item))
            };
            keys.map(entry).collect::<Map>().into()
        }
        _ => Dynamic::UNIT,
    }
}

/// JSON as a script's own: null is `()`, a number that is no 64-bit integer a float.
pub(super) fn of_json(value: serde_json::Value) -> Dynamic {
    match value {
        serde_json::Value::Null => Dynamic::UNIT,
        serde_json::Value::Bool(value) => value.into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().map_or(Dynamic::UNIT, Dynamic::from),
        },
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => items.into_iter().map(of_json).collect::<Array>().into(),
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name.into(), of_json(value))).collect::<Map>().into()
        }
    }
}

//! The JSON form of a template's value.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::Digits;

/// Deepest nesting of a value.
const MOST_LEVELS: usize = 64;

/// Appends the JSON form of a value.
///
/// # Errors
///
/// NaN, the infinities and what is undefined have none.
pub fn write_json(value: &Value, out: &mut String) -> Result<(), Error> {
    write(value, out, MOST_LEVELS)
}

fn write(value: &Value, out: &mut String, levels: usize) -> Result<(), Error> {
    let Some(below) = levels.checked_sub(1) else { return Err(no_json("it is nested too deep")) };
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => {
            let number = f64::try_from(value.clone())?;
            if !number.is_finite() {
                return Err(no_json("it is not finite"));
            }
            out.push_str(&serde_json::Value::from(number).to_string());
        }
        ValueKind::String => string(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (index, item) in value.try_iter()?.enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(&item, out, below)?;
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (index, key) in value.try_iter()?.enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(&key.to_string(), out);
                out.push(':');
                write(&value.get_item(&key)?, out, below)?;
            }
            out.push('}');
        }
        ValueKind::Plain => match value.downcast_object_ref::<Digits>() {
            Some(Digits(digits)) => out.push_str(digits),
            None => string(&value.to_string(), out),
        },
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        _ => return Err(no_json(value.kind().to_string())),
    }
    Ok(())
}

fn no_json(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadSerialization, format!("the value has no JSON form: {}", why.into()))
}

fn string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

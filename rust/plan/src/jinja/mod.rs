//! Templates and expressions in the language of Jinja, as driver and executors understand them alike.
//!
//! [`environment`] says what the language can do. The driver compiles a source once to find its faults and names
//! ([`names`]); an executor compiles it again, since compiled templates do not travel, and renders it for every row.

mod condition;
mod json;
mod names;
mod words;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};

pub use condition::Condition;
pub(crate) use condition::faults;
pub use json::write_json;
pub(crate) use names::{Fault, Name, names};

/// What `{{ value }}` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// The value's JSON form, strings in quotes.
    Json,
    /// The value's text form with what XML gives a meaning escaped.
    Xml,
    /// The value's text form.
    None,
}

/// A number that Rust's own types cannot hold without a loss: prints as its digits.
#[derive(Debug)]
pub struct Digits(String);

impl Digits {
    /// The digits.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// A number of these digits, as JSON writes them.
    pub fn value(digits: String) -> Value {
        Value::from_object(Self(digits))
    }
}

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An environment whose templates may do so many steps of work. `for_people` keeps the places of faults, which costs time.
pub fn environment(escape: Escape, steps: u64, for_people: bool) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_debug(for_people);
    environment.set_fuel(Some(steps));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| match escape {
        Escape::Json => AutoEscape::Custom("json".into()),
        Escape::Xml => AutoEscape::Html,
        Escape::None => AutoEscape::None,
    });
    environment.set_formatter(format);
    environment.remove_global("debug");
    environment.add_filter("tojson", to_json);
    environment.add_filter("float", float);
    environment
}

/// Why rendering failed, in words. `out_of_fuel` is said when it took more steps than it may.
pub fn failure(error: &Error, out_of_fuel: &str) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => out_of_fuel.to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}

/// Writes `{{ value }}`. A null is `null` in JSON and nothing elsewhere.
fn format(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Custom(_)) {
        let mut text = String::new();
        write_json(value, &mut text)?;
        return out.write_str(&text).map_err(Error::from);
    }
    if value.is_none() {
        return Ok(());
    }
    minijinja::escape_formatter(out, state, value)
}

fn to_json(value: &Value) -> Result<Value, Error> {
    let mut text = String::new();
    write_json(value, &mut text)?;
    Ok(Value::from_safe_string(text))
}

/// The builtin filter knows nothing of [`Digits`].
fn float(value: &Value, default: Option<Value>) -> Result<Value, Error> {
    let number = match value.downcast_object_ref::<Digits>() {
        Some(Digits(digits)) => digits.parse().ok(),
        None => match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => f64::try_from(value.clone()).ok(),
        },
    };
    number
        .map(|number: f64| Value::from(number))
        .or(default)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "`float` was given what is no number"))
}

#[cfg(test)]
mod tests {
    use minijinja::{ErrorKind, Value};

    use super::{Digits, Escape, environment};

    fn rendered(source: &str, escape: Escape) -> Result<String, ErrorKind> {
        let list = vec![Value::from(1), Digits::value("0.10".into()), Value::from("x")];
        let context = Value::from_pairs([
            ("text", Value::from("a\"<b>\n")),
            ("price", Digits::value("12.30".into())),
            ("none", Value::from(())),
            ("list", Value::from(list)),
            ("object", Value::from_pairs([("city", Value::from("Köln")), ("flag", Value::from(true))])),
        ]);
        environment(escape, 10_000, false).render_str(source, context).map_err(|error| error.kind())
    }

    #[test]
    fn a_value_is_written_in_the_form_of_its_content_type() {
        let source = "{{ text }}|{{ price }}|{{ none }}|{{ text | tojson }}";
        let json = r#""a\"<b>\n""#;
        assert_eq!(rendered(source, Escape::Json).unwrap(), format!("{json}|12.30|null|{json}"));
        assert_eq!(rendered(source, Escape::Xml).unwrap(), format!("a&quot;&lt;b&gt;\n|12.30||{json}"));
        assert_eq!(rendered(source, Escape::None).unwrap(), format!("a\"<b>\n|12.30||{json}"));
        assert_eq!(
            rendered("{{ list }}{{ object }}{{ object.city ~ '!' }}", Escape::Json).unwrap(),
            r#"[1,0.10,"x"]{"city":"Köln","flag":true}"Köln!""#
        );
    }

    #[test]
    fn a_decimal_can_be_calculated_with_as_a_float() {
        assert_eq!(rendered("{{ (price | float) * 2 }}", Escape::Json).unwrap(), "24.6");
        assert_eq!(rendered("{{ text | float }}", Escape::Json), Err(ErrorKind::InvalidOperation));
    }

    #[test]
    fn what_is_not_there_is_an_error_and_so_is_endless_work() {
        assert_eq!(rendered("{{ object.town }}", Escape::Json), Err(ErrorKind::UndefinedError));
        assert_eq!(rendered("{{ 'inf' | float }}", Escape::Json), Err(ErrorKind::BadSerialization));
        for source in [
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
            "{% set ns = namespace(s='x') %}{% for a in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        ] {
            assert_eq!(rendered(source, Escape::None), Err(ErrorKind::OutOfFuel), "{source}");
        }
    }
}

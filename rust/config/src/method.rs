//! HTTP methods: any that HTTP allows, and a guard against slips.

use crate::keys::{Kind, Shape, word};
use crate::nearest::nearest;
use crate::problem::{Code, Located};
use crate::reader::Section;

/// The usual methods. A word near one of them is taken for a slip.
const USUAL: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];

/// A method in upper case.
pub type Method = Located<String>;

/// Any method that HTTP allows (RFC 9110, section 9.1).
pub(crate) const fn method() -> MethodKind {
    MethodKind
}

/// See [`method`].
pub(crate) struct MethodKind;

impl Kind for MethodKind {
    type Value = Method;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Method> {
        let word = word("POST").read(section, key)?;
        let upper = word.value.to_ascii_uppercase();
        if USUAL.contains(&upper.as_str()) {
            return Some(Located::new(upper, word.at));
        }
        let name = section.name(key);
        let is_token =
            upper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !is_token {
            section.unknown_choice(key, &word, USUAL.into_iter());
            return None;
        }
        if matches!(upper.as_str(), "CONNECT" | "TRACE") {
            let what =
                format!("{name} is `{upper}`, which asks a proxy or server about the connection itself");
            section.note(word.at, Code::InvalidValue, what, "write the method that the API documents");
            return None;
        }
        if nearest(&upper, USUAL).is_some() {
            section.unknown_choice(key, &word, USUAL.into_iter());
            return None;
        }
        Some(Located::new(upper, word.at))
    }

    fn shape(&self) -> Shape {
        Shape::Word
    }

    fn example(&self) -> String {
        "POST".to_owned()
    }

    fn default_json(&self, value: &Method) -> serde_json::Value {
        value.value.clone().into()
    }
}

//! The declaration of keys: name, type, default, unit, range and sentence of every key, in one place.
//!
//! A section is a struct that is declared with [`keys!`]; a section whose keys depend on its `type` is an enum that
//! is declared with [`tagged!`]. From the one declaration come the reading ([`Keys::read`]), the list of references
//! ([`HasTexts`]), `configs/apisink.schema.json` and `docs/reference/config.md` (`crate::generated`).
//!
//! To add a key, add one field:
//!
//! ```text
//! keys! {
//!     /// How connections are made and kept.
//!     pub struct Transport {
//!         /// Longest time of one attempt.
//!         base_timeout: f64 = seconds(0.001..=DAY).or(30.0),
//!         …
//!     }
//! }
//! ```
//!
//! What follows the `=` is a *kind*: what may be written ([`number`], [`text`], [`list`], [`nested`]), then what its
//! absence means: [`or`](KindExt::or) a default, [`required`](KindExt::required) or
//! [`optional`](KindExt::optional). The struct's field has the kind's type, and the compiler checks that it does.

mod anything;
mod list;
mod macros;
mod nested;
mod number;
mod presence;
mod shape;
mod text;
mod texts;

pub(crate) use anything::anything;
pub(crate) use list::{texts, wholes, words};
pub(crate) use macros::{key_name, keys, tagged, variant};
pub(crate) use nested::{document, section, sections};
pub(crate) use number::{flag, number, number_json, seconds, whole};
pub(crate) use presence::{Field, KindExt, located};
pub(crate) use shape::{Key, Presence, SectionShape, Shape, Variant};
pub use text::Literal;
pub(crate) use text::{
    Choice, binary_file, choice, credential, file, literal, template, text, word, word_or_false,
};
pub(crate) use texts::HasTexts;

use crate::problem::Located;
use crate::reader::Section;

/// What may be written as the value of a key.
pub(crate) trait Kind {
    /// What it is read as.
    type Value;

    /// Reads the key; none when it is absent, null or wrong. What is wrong is noted.
    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Self::Value>;

    /// What may be written, for the schema and the reference.
    fn shape(&self) -> Shape;

    /// A value to write, as it would stand in YAML.
    fn example(&self) -> String;

    /// Takes the default as the example, where one fits as the other.
    fn exemplified_by(self, default: &Self::Value) -> Self
    where
        Self: Sized,
    {
        let _ = default;
        self
    }

    /// A value as JSON, for defaults.
    fn default_json(&self, value: &Self::Value) -> serde_json::Value;
}

/// A part of the config that is made of keys.
pub(crate) trait Keys: Sized {
    /// Its keys, for the schema and the reference.
    fn shape() -> SectionShape;

    /// Reads the keys; none when one that has no default is missing or wrong. Leaves unknown keys alone.
    fn read_keys(section: &mut Section<'_>) -> Option<Self>;

    /// Reads a whole section and refuses its unknown keys.
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let read = Self::read_keys(section);
        section.finish();
        read
    }
}

/// Ties a declaration to the type of its field.
pub(crate) const fn typed<T, F: Field<Value = T>>(field: F) -> F {
    field
}

/// The lines of a doc comment as one text.
pub(crate) fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The `type` of a tagged section; `empty` is that of a section without keys.
pub(crate) fn type_of(
    section: &mut Section<'_>,
    example: &'static str,
    empty: Option<&str>,
) -> Option<Located<String>> {
    if let (true, Some(empty)) = (section.is_empty(), empty) {
        return Some(Located::new(empty.to_owned(), section.at()));
    }
    let kind = Field::read(&word(example).required(), section, "type");
    if kind.is_none() {
        section.abandon();
    }
    kind
}

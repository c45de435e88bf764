//! What a declaration says, as data: the schema and the reference are written from it.

/// A section: its sentence and its keys.
pub(crate) struct SectionShape {
    /// What it is for.
    pub(crate) about: String,
    /// Its keys; of a tagged section, those that every type has.
    pub(crate) keys: Vec<Key>,
    /// The types of a tagged section; none of a plain one.
    pub(crate) variants: Vec<Variant>,
    /// Whether a tagged section may be empty.
    pub(crate) may_be_empty: bool,
}

/// A type of a tagged section.
pub(crate) struct Variant {
    /// The value of `type`.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) about: String,
    /// Its keys, `type` left out.
    pub(crate) keys: Vec<Key>,
}

/// A key.
pub(crate) struct Key {
    /// The key as it is written.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) about: String,
    /// What may be written.
    pub(crate) shape: Shape,
    /// What its absence means.
    pub(crate) presence: Presence,
    /// A value to write, as it would stand in YAML.
    pub(crate) example: String,
}

/// What the absence of a key means.
pub(crate) enum Presence {
    /// It is refused.
    Required,
    /// It stands for this value.
    Default(serde_json::Value),
    /// What this says.
    Optional(&'static str),
}

/// What may be written as a value.
pub(crate) enum Shape {
    /// A whole number of a unit.
    Whole { min: u64, max: u64, unit: &'static str },
    /// A number of a unit, whole or not.
    Number { min: f64, max: f64, unit: &'static str },
    /// `true` or `false`.
    Flag,
    /// Text without references.
    Word,
    /// Text that may hold references.
    Text,
    /// Text that may hold references and is never shown.
    Credential,
    /// One of some words, and what each means.
    Choice(Vec<(&'static str, &'static str)>),
    /// Text without references, or `false`.
    WordOrFalse,
    /// Any plain value: text, number, `true` or `false`.
    Literal,
    /// A list.
    List(Box<Shape>),
    /// A mapping of any names to texts that may hold references.
    Texts,
    /// A mapping of any names to any values.
    Anything,
    /// A section.
    Section(SectionShape),
}

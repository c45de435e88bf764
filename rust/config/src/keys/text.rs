//! Strings: with references, without, and one of several.

use super::{Kind, Shape};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::{ReferenceKind, SecretText, Text};
use crate::tree::{Item, Node};

/// A string without references, not empty. `example` is what messages propose.
pub(crate) const fn word(example: &'static str) -> Word {
    Word { example, read: word_of }
}

/// Text in which `{{…}}` is no reference but a template's own, not empty.
pub(crate) const fn template(example: &'static str) -> Word {
    Word { example, read: filled }
}

/// Reads an item of a key.
type ReadWord = fn(&Section<'_>, &str, &Item, &str) -> Option<Located<String>>;

/// See [`word`] and [`template`].
pub(crate) struct Word {
    example: &'static str,
    read: ReadWord,
}

impl Kind for Word {
    type Value = Located<String>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Located<String>> {
        let item = section.take(key)?;
        (self.read)(section, key, item, self.example)
    }

    fn shape(&self) -> Shape {
        Shape::Word
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, value: &Located<String>) -> serde_json::Value {
        value.value.clone().into()
    }
}

/// An item as a string without references.
pub(super) fn word_of(
    section: &Section<'_>,
    key: &str,
    item: &Item,
    example: &str,
) -> Option<Located<String>> {
    let word = filled(section, key, item, example)?;
    if word.contains("{{") {
        let what = format!("{} may hold no `{{{{…}}}}` reference", section.name(key));
        section.note(item.at, Code::Reference, what, format!("write for example `{key}: {example}`"));
        return None;
    }
    Some(word)
}

/// An item as a string that is not empty, whatever it holds.
fn filled(section: &Section<'_>, key: &str, item: &Item, example: &str) -> Option<Located<String>> {
    let example = format!("`{key}: {example}`");
    let Node::Text(value) = &item.node else {
        section.wrong_type(key, item, "text", &example);
        return None;
    };
    if value.is_empty() {
        let what = format!("{} is empty", section.name(key));
        section.note(item.at, Code::InvalidValue, what, format!("write for example {example}"));
        return None;
    }
    Some(Located::new(value.clone(), item.at))
}

/// One of some words: each with its value and what it means. The first is what messages propose.
pub(crate) const fn choice<T: Copy + 'static>(choices: &'static [Choice<T>]) -> Choices<T> {
    Choices { choices }
}

/// A word, what it is read as, and what it means.
pub(crate) type Choice<T> = (&'static str, T, &'static str);

/// See [`choice`].
pub(crate) struct Choices<T: 'static> {
    choices: &'static [Choice<T>],
}

impl<T: Copy + PartialEq> Kind for Choices<T> {
    type Value = T;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<T> {
        let word = word(self.choices.first()?.0).read(section, key)?;
        if let Some((_, value, _)) = self.choices.iter().find(|(name, ..)| *name == word.value) {
            return Some(*value);
        }
        section.unknown_choice(key, &word, self.choices.iter().map(|(name, ..)| *name));
        None
    }

    fn shape(&self) -> Shape {
        Shape::Choice(self.choices.iter().map(|(name, _, about)| (*name, *about)).collect())
    }

    fn example(&self) -> String {
        self.choices.first().map_or("", |(name, ..)| name).to_owned()
    }

    fn default_json(&self, value: &T) -> serde_json::Value {
        self.choices.iter().find(|(_, known, _)| known == value).map(|(name, ..)| *name).into()
    }
}

/// A string that may hold references. `example` is what messages propose, as it would stand in YAML.
pub(crate) const fn text(example: &'static str) -> TextKind {
    TextKind { example, may_be_empty: false }
}

/// See [`text`].
pub(crate) struct TextKind {
    example: &'static str,
    may_be_empty: bool,
}

impl TextKind {
    /// Allows the empty string.
    pub(crate) const fn or_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }
}

impl Kind for TextKind {
    type Value = Text;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Text> {
        let item = section.take(key)?;
        let text = text_of(section, key, item, self.example)?;
        if text.is_empty() && !self.may_be_empty {
            let what = format!("{} is empty", section.name(key));
            let hint = format!("write for example `{key}: {}`", self.example);
            section.note(text.at(), Code::InvalidValue, what, hint);
            return None;
        }
        Some(text)
    }

    fn shape(&self) -> Shape {
        Shape::Text
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, value: &Text) -> serde_json::Value {
        value.literal().into()
    }
}

/// An item as a string that may hold references.
pub(super) fn text_of(section: &Section<'_>, key: &str, item: &Item, example: &str) -> Option<Text> {
    let Node::Text(value) = &item.node else {
        section.wrong_type(key, item, "text", &format!("`{key}: {example}`"));
        return None;
    };
    Text::new(value, item.at)
        .map_err(|what| {
            let what = format!("in {}, {what}", section.name(key));
            let hint = "write `{{env.NAME}}` or `{{secret.SCOPE:KEY}}`; a column's value is `{name}` in one pair \
                        of braces";
            section.note(item.at, Code::Reference, what, hint);
        })
        .ok()
}

/// A string that is a credential, whether it is a reference or written out; not empty.
pub(crate) const fn credential() -> Credential {
    Credential
}

/// See [`credential`].
pub(crate) struct Credential;

impl Kind for Credential {
    type Value = SecretText;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<SecretText> {
        text("\"{{env.NAME}}\"").read(section, key).map(SecretText::new)
    }

    fn shape(&self) -> Shape {
        Shape::Credential
    }

    fn example(&self) -> String {
        "\"{{env.NAME}}\"".to_owned()
    }

    /// No credential has a default.
    fn default_json(&self, _: &SecretText) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// The path of a file of the driver's machine, which is read there; its content is the value.
pub(crate) const fn file(example: &'static str) -> FileKind {
    FileKind { example, kind: ReferenceKind::File }
}

/// The same of a file that is no text; it stands for its content in Base64.
pub(crate) const fn binary_file(example: &'static str) -> FileKind {
    FileKind { example, kind: ReferenceKind::BinaryFile }
}

/// See [`file`] and [`binary_file`].
pub(crate) struct FileKind {
    example: &'static str,
    kind: ReferenceKind,
}

impl Kind for FileKind {
    type Value = Text;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Text> {
        word(self.example).read(section, key).map(|path| Text::of_file(self.kind, &path.value, path.at))
    }

    fn shape(&self) -> Shape {
        Shape::Word
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    /// No file has a default.
    fn default_json(&self, _: &Text) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// A string without references, or `false`, which is read as none. `true` stands for the default.
pub(crate) const fn word_or_false(example: &'static str) -> WordOrFalse {
    WordOrFalse { example }
}

/// See [`word_or_false`].
pub(crate) struct WordOrFalse {
    example: &'static str,
}

impl Kind for WordOrFalse {
    type Value = Option<Located<String>>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Self::Value> {
        let item = section.take(key)?;
        match item.node {
            Node::Bool(false) => Some(None),
            Node::Bool(true) => None,
            _ => word_of(section, key, item, self.example).map(Some),
        }
    }

    fn shape(&self) -> Shape {
        Shape::WordOrFalse
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, value: &Self::Value) -> serde_json::Value {
        value.as_ref().map_or(false.into(), |word| word.value.clone().into())
    }
}

/// A plain value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// Another number; finite.
    Fraction(f64),
    /// Text, without references.
    Text(String),
}

/// Any plain value.
pub(crate) const fn literal(example: &'static str) -> LiteralKind {
    LiteralKind { example }
}

/// See [`literal`].
pub(crate) struct LiteralKind {
    example: &'static str,
}

impl Kind for LiteralKind {
    type Value = Located<Literal>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Located<Literal>> {
        let item = section.take(key)?;
        let literal = match &item.node {
            Node::Bool(value) => Literal::Bool(*value),
            Node::Whole(value) => Literal::Whole(*value),
            Node::Fraction(value) if value.is_finite() => Literal::Fraction(*value),
            Node::Text(value) if value.contains("{{") => {
                let what = format!("{} may hold no `{{{{…}}}}` reference", section.name(key));
                section.note(
                    item.at,
                    Code::Reference,
                    what,
                    format!("write for example `{key}: {}`", self.example),
                );
                return None;
            }
            Node::Text(value) => Literal::Text(value.clone()),
            _ => {
                section.wrong_type(
                    key,
                    item,
                    "text, a number, true or false",
                    &format!("`{key}: {}`", self.example),
                );
                return None;
            }
        };
        Some(Located::new(literal, item.at))
    }

    fn shape(&self) -> Shape {
        Shape::Literal
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    /// It has no default.
    fn default_json(&self, _: &Located<Literal>) -> serde_json::Value {
        serde_json::Value::Null
    }
}

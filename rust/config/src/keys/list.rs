//! Lists and mappings of plain values.

use std::ops::RangeInclusive;

use super::{Kind, Shape, text};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::Text;
use crate::tree::Node;

/// A list of strings without references. Absent, it is empty.
pub(crate) const fn words(example: &'static str) -> Words {
    Words { example }
}

/// See [`words`].
pub(crate) struct Words {
    example: &'static str,
}

impl Kind for Words {
    type Value = Vec<Located<String>>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Self::Value> {
        let items = section.list(key, self.example)?;
        Some(items.iter().filter_map(|item| text::word_of(section, key, item, self.example)).collect())
    }

    fn shape(&self) -> Shape {
        Shape::List(Box::new(Shape::Word))
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, value: &Self::Value) -> serde_json::Value {
        value.iter().map(|word| word.value.clone()).collect()
    }
}

/// A list of whole numbers, each within the range; what is repeated counts once.
pub(crate) const fn wholes(range: RangeInclusive<u16>) -> Wholes {
    Wholes { range, example: Vec::new() }
}

/// See [`wholes`].
pub(crate) struct Wholes {
    range: RangeInclusive<u16>,
    example: Vec<u16>,
}

impl Kind for Wholes {
    type Value = Vec<u16>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Vec<u16>> {
        let example = self.example();
        let mut values = Vec::new();
        for item in section.list(key, &example)? {
            let Node::Whole(value) = item.node else {
                section.wrong_type(key, item, "a list of whole numbers", &format!("`{key}: {example}`"));
                continue;
            };
            match u16::try_from(value) {
                Ok(value) if self.range.contains(&value) => {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                _ => {
                    let what = format!(
                        "{} holds {value}, but its numbers must be from {} to {}",
                        section.name(key),
                        self.range.start(),
                        self.range.end()
                    );
                    let hint = format!("write for example `{key}: {example}`");
                    section.note(item.at, Code::InvalidValue, what, hint);
                }
            }
        }
        Some(values)
    }

    fn shape(&self) -> Shape {
        let (min, max) = (*self.range.start(), *self.range.end());
        Shape::List(Box::new(Shape::Whole { min: min.into(), max: max.into(), unit: "" }))
    }

    fn example(&self) -> String {
        format!("{:?}", self.example)
    }

    fn exemplified_by(self, default: &Vec<u16>) -> Self {
        Self { example: default.clone(), ..self }
    }

    fn default_json(&self, value: &Vec<u16>) -> serde_json::Value {
        value.clone().into()
    }
}

/// A mapping of any names to strings that may hold references; whole numbers and booleans count as their text.
pub(crate) const fn texts(example: &'static str) -> Texts {
    Texts { example }
}

/// See [`texts`].
pub(crate) struct Texts {
    example: &'static str,
}

impl Kind for Texts {
    type Value = Vec<(Located<String>, Text)>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Self::Value> {
        let item = section.take(key)?;
        let within = section.section_of(key, item, &format!("`{key}: {}`", self.example))?;
        let mut texts = Vec::new();
        for (name, at, item) in &within.entries {
            let text = match &item.node {
                Node::Whole(value) => Text::new(&value.to_string(), item.at).ok(),
                Node::Bool(value) => Text::new(&value.to_string(), item.at).ok(),
                _ => text::text_of(&within, name, item, "\"some text\""),
            };
            texts.extend(text.map(|text| (Located::new((*name).to_owned(), *at), text)));
        }
        Some(texts)
    }

    fn shape(&self) -> Shape {
        Shape::Texts
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, value: &Self::Value) -> serde_json::Value {
        value.iter().map(|(name, text)| (name.value.clone(), serde_json::json!(text.literal()))).collect()
    }
}

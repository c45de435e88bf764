//! Sections within sections.

use std::marker::PhantomData;

use super::{Field, HasTexts, Key, Keys, Kind, Presence, SectionShape, Shape};
use crate::document::Document;
use crate::problem::Located;
use crate::reader::Section;

/// A section. By itself it may be left out, and its keys' own defaults apply.
pub(crate) const fn section<T: Keys>() -> SubSection<T> {
    SubSection(PhantomData)
}

/// See [`section`].
pub(crate) struct SubSection<T>(PhantomData<T>);

impl<T: Keys> Field for SubSection<T> {
    type Value = T;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<T> {
        T::read(&mut section.section(key))
    }

    fn key(&self, name: &'static str, about: String) -> Option<Key> {
        let presence = Presence::Optional("the defaults of its keys");
        Some(Key { name, about, shape: self.shape(), presence, example: String::new() })
    }
}

impl<T: Keys> Kind for SubSection<T> {
    type Value = T;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<T> {
        section.know(key);
        section.has(key).then(|| section.section(key)).and_then(|mut within| T::read(&mut within))
    }

    fn shape(&self) -> Shape {
        Shape::Section(T::shape())
    }

    fn example(&self) -> String {
        String::new()
    }

    /// Its keys have defaults of their own.
    fn default_json(&self, _: &T) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// A list of sections; absent, it is empty.
pub(crate) const fn sections<T: Keys>(example: &'static str) -> SubSections<T> {
    SubSections { example, of: PhantomData }
}

/// See [`sections`].
pub(crate) struct SubSections<T> {
    example: &'static str,
    of: PhantomData<T>,
}

impl<T: Keys> Kind for SubSections<T> {
    type Value = Vec<T>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Vec<T>> {
        let mut read = Vec::new();
        for (index, item) in section.list(key, self.example)?.iter().enumerate() {
            let within =
                section.section_of(&format!("{key}[{index}]"), item, &format!("`{key}: {}`", self.example));
            read.extend(within.and_then(|mut within| T::read(&mut within)));
        }
        Some(read)
    }

    fn shape(&self) -> Shape {
        Shape::List(Box::new(Shape::Section(T::shape())))
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, _: &Vec<T>) -> serde_json::Value {
        serde_json::json!([])
    }
}

/// A section and its place.
impl<T: Keys> Keys for Located<T> {
    fn shape() -> SectionShape {
        T::shape()
    }

    fn read_keys(section: &mut Section<'_>) -> Option<Self> {
        let at = section.at();
        T::read_keys(section).map(|value| Self::new(value, at))
    }
}

impl<T: HasTexts> HasTexts for Located<T> {
    fn add_texts<'a>(&'a self, texts: &mut Vec<&'a crate::text::Text>) {
        self.value.add_texts(texts);
    }
}

/// The text that is read: a field that nobody writes.
pub(crate) const fn document() -> TheDocument {
    TheDocument
}

/// See [`document`].
pub(crate) struct TheDocument;

impl Field for TheDocument {
    type Value = Document;

    fn read(&self, section: &mut Section<'_>, _: &'static str) -> Option<Document> {
        Some(section.document().clone())
    }

    fn key(&self, _: &'static str, _: String) -> Option<Key> {
        None
    }
}

//! Values of any shape, for what only others understand.

use serde_json::{Map, Value};

use super::{Kind, Shape};
use crate::problem::Code;
use crate::reader::Section;
use crate::tree::{Item, Node};

/// A mapping of any names to any values without references.
pub(crate) const fn anything(example: &'static str) -> Anything {
    Anything { example }
}

/// See [`anything`].
pub(crate) struct Anything {
    example: &'static str,
}

impl Kind for Anything {
    type Value = Value;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Value> {
        let item = section.take(key)?;
        if !matches!(item.node, Node::Map(_)) {
            section.wrong_type(key, item, "a mapping", &format!("`{key}: {}`", self.example));
            return None;
        }
        self.value(section, key, item)
    }

    fn shape(&self) -> Shape {
        Shape::Anything
    }

    fn example(&self) -> String {
        self.example.to_owned()
    }

    fn default_json(&self, value: &Value) -> Value {
        value.clone()
    }
}

impl Anything {
    /// An item as JSON; none when it cannot be, which is noted.
    fn value(&self, section: &Section<'_>, key: &'static str, item: &Item) -> Option<Value> {
        Some(match &item.node {
            Node::Null => Value::Null,
            Node::Bool(value) => (*value).into(),
            Node::Whole(value) => match i64::try_from(*value) {
                Ok(value) => value.into(),
                Err(_) => u64::try_from(*value).map_or_else(|_| value.to_string().into(), Value::from),
            },
            Node::Fraction(value) => (*value).into(),
            Node::Text(text) if text.contains("{{") => {
                let what = format!("{} may hold no `{{{{…}}}}` reference", section.name(key));
                section.note(item.at, Code::Reference, what, "write the reference under `secrets`");
                return None;
            }
            Node::Text(text) => text.clone().into(),
            Node::List(items) => {
                items.iter().map(|item| self.value(section, key, item)).collect::<Option<Vec<_>>>()?.into()
            }
            Node::Map(entries) => {
                let mut object = Map::new();
                for (name, item) in entries {
                    let name = match &name.node {
                        Node::Text(name) => name.clone(),
                        Node::Whole(number) => number.to_string(),
                        _ => {
                            let what = format!("{} has a name that is no text", section.name(key));
                            section.note(name.at, Code::InvalidValue, what, "put the name in quotes");
                            return None;
                        }
                    };
                    object.insert(name, self.value(section, key, item)?);
                }
                object.into()
            }
        })
    }
}

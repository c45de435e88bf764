//! What the absence of a key means.

use super::{Key, Kind, Presence, Shape};
use crate::problem::Located;
use crate::reader::Section;

/// A declared key: a kind, and what its absence means.
pub(crate) trait Field {
    /// The type of the struct's field.
    type Value;

    /// Reads the key; none when it is missing or wrong and has no default.
    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Self::Value>;

    /// The key, for the schema and the reference; none for a field that is not written.
    fn key(&self, name: &'static str, about: String) -> Option<Key>;
}

/// The last word of a declaration.
pub(crate) trait KindExt: Kind + Sized {
    /// Absent, it stands for this value.
    fn or(self, default: Self::Value) -> Or<Self>
    where
        Self::Value: Clone,
    {
        Or { kind: self.exemplified_by(&default), default }
    }

    /// It must be there.
    fn required(self) -> Required<Self> {
        Required { kind: self, hint: None }
    }

    /// It must be there; `hint` says what to write, after "write".
    fn required_as(self, hint: &'static str) -> Required<Self> {
        Required { kind: self, hint: Some(hint) }
    }

    /// It may be left out; `absent` says what that means.
    fn optional(self, absent: &'static str) -> Optional<Self> {
        Optional { kind: self, absent }
    }
}

impl<K: Kind> KindExt for K {}

/// See [`KindExt::or`].
pub(crate) struct Or<K: Kind> {
    kind: K,
    default: K::Value,
}

impl<K: Kind> Field for Or<K>
where
    K::Value: Clone,
{
    type Value = K::Value;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<K::Value> {
        // After a problem the default does: the config is refused anyway.
        Some(self.kind.read(section, key).unwrap_or_else(|| self.default.clone()))
    }

    fn key(&self, name: &'static str, about: String) -> Option<Key> {
        Some(key(&self.kind, name, about, Presence::Default(self.kind.default_json(&self.default))))
    }
}

/// See [`KindExt::required`].
pub(crate) struct Required<K> {
    kind: K,
    hint: Option<&'static str>,
}

impl<K: Kind> Field for Required<K> {
    type Value = K::Value;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<K::Value> {
        if !section.has(key) {
            section.know(key);
            match self.hint {
                Some(hint) => section.missing(key, hint),
                None => section.missing(key, &format!("for example `{key}: {}`", self.kind.example())),
            }
            return None;
        }
        self.kind.read(section, key)
    }

    fn key(&self, name: &'static str, about: String) -> Option<Key> {
        Some(key(&self.kind, name, about, Presence::Required))
    }
}

/// See [`KindExt::optional`].
pub(crate) struct Optional<K> {
    kind: K,
    absent: &'static str,
}

impl<K: Kind> Field for Optional<K> {
    type Value = Option<K::Value>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Option<K::Value>> {
        Some(self.kind.read(section, key))
    }

    fn key(&self, name: &'static str, about: String) -> Option<Key> {
        Some(key(&self.kind, name, about, Presence::Optional(self.absent)))
    }
}

fn key<K: Kind>(kind: &K, name: &'static str, about: String, presence: Presence) -> Key {
    Key { name, about, shape: kind.shape(), presence, example: kind.example() }
}

/// A kind whose value is wanted with its place, for problems found later.
pub(crate) const fn located<K: Kind>(kind: K) -> WithPlace<K> {
    WithPlace { kind }
}

/// See [`located`].
pub(crate) struct WithPlace<K> {
    kind: K,
}

impl<K: Kind> Kind for WithPlace<K> {
    type Value = Located<K::Value>;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<Self::Value> {
        let at = section.place(key);
        self.kind.read(section, key).map(|value| Located::new(value, at))
    }

    fn shape(&self) -> Shape {
        self.kind.shape()
    }

    fn example(&self) -> String {
        self.kind.example()
    }

    fn exemplified_by(self, default: &Self::Value) -> Self {
        Self { kind: self.kind.exemplified_by(&default.value) }
    }

    fn default_json(&self, value: &Self::Value) -> serde_json::Value {
        self.kind.default_json(&value.value)
    }
}

//! Reads a tree section by section; notes every problem and goes on with a default.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::document::Document;
use crate::nearest::nearest;
use crate::problem::{Code, Located, Position, Problem};
use crate::tree::{Item, Node};

/// What all sections of one text share.
pub(crate) struct Context<'a> {
    document: &'a Document,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(document: &'a Document) -> Self {
        Self { document, problems: RefCell::default() }
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    fn note(&self, at: Position, code: Code, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.borrow_mut().push(self.document.problem(at, code, what, hint));
    }

    /// The whole text as a section without a name.
    pub(crate) fn root(&'a self, tree: &'a Item) -> Option<Section<'a>> {
        match &tree.node {
            Node::Map(entries) => Some(Section::new(self, String::new(), tree.at, entries)),
            other => {
                self.note(
                    tree.at,
                    Code::WrongType,
                    format!("a config is a mapping of sections, but this is {}", other.describe()),
                    "write at least the sections `endpoint:` and `tables:`",
                );
                None
            }
        }
    }
}

/// One mapping of the tree. Every key that is asked for is a known key; [`Section::finish`] refuses the others.
pub(crate) struct Section<'a> {
    context: &'a Context<'a>,
    path: String,
    at: Position,
    pub(crate) entries: Vec<(&'a str, Position, &'a Item)>,
    known: Vec<&'static str>,
    /// Its values are credentials and are never cited.
    secret: bool,
    /// Its unknown keys are not refused.
    abandoned: bool,
}

impl<'a> Section<'a> {
    fn new(context: &'a Context<'a>, path: String, at: Position, entries: &'a [(Item, Item)]) -> Self {
        let mut section = Self {
            context,
            secret: path == "auth",
            path,
            at,
            entries: Vec::with_capacity(entries.len()),
            known: Vec::new(),
            abandoned: false,
        };
        let mut places: HashMap<&str, Position> = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            let Node::Text(name) = &key.node else {
                section.note(
                    key.at,
                    Code::WrongType,
                    format!("a key must be text, but this is {}", key.node.describe()),
                    "put it in quotes; a value such as \"{{env.NAME}}\" needs quotes too",
                );
                continue;
            };
            match places.entry(name) {
                Entry::Occupied(first) => {
                    let what = format!(
                        "{} stands here again; first in line {}",
                        section.name(name),
                        first.get().line
                    );
                    section.note(key.at, Code::DuplicateKey, what, "remove one of them");
                }
                Entry::Vacant(place) => {
                    place.insert(key.at);
                    section.entries.push((name, key.at, value));
                }
            }
        }
        section
    }

    /// The text that is read.
    pub(crate) const fn document(&self) -> &'a Document {
        self.context.document
    }

    /// Where the section's key stands.
    pub(crate) const fn at(&self) -> Position {
        self.at
    }

    /// The section as messages name it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A key of this section as messages name it.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { format!("`{key}`") } else { format!("`{}.{key}`", self.path) }
    }

    /// Whether the section is absent or has no keys.
    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes a problem.
    pub(crate) fn note(&self, at: Position, code: Code, what: impl Into<String>, hint: impl Into<String>) {
        self.context.note(at, code, what, hint);
    }

    /// The value of a key, which is a known key from now on; none when it is absent or null.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'a Item> {
        self.known.push(key);
        let (_, _, item) = self.entries.iter().find(|(name, ..)| *name == key)?;
        (!matches!(item.node, Node::Null)).then_some(item)
    }

    /// Makes a key a known key.
    pub(crate) fn know(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Whether a key was written with a value. Does not make it a known key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _, item)| *name == key && !matches!(item.node, Node::Null))
    }

    /// Where the value of a key stands; where the section stands when it is absent.
    pub(crate) fn place(&self, key: &str) -> Position {
        self.entries.iter().find(|(name, ..)| *name == key).map_or(self.at, |(_, _, item)| item.at)
    }

    /// Notes a value of another type; `example` is what to write.
    pub(crate) fn wrong_type(&self, key: &str, item: &Item, expected: &str, example: &str) {
        let what = format!("{} must be {expected}, but this is {}", self.name(key), item.node.describe());
        let unquoted = matches!(&item.node, Node::Map(entries)
            if entries.iter().any(|(key, _)| matches!(key.node, Node::Map(_) | Node::Null)));
        let hint = if unquoted {
            format!("put the value in quotes: {key}: \"{{{{env.NAME}}}}\"")
        } else {
            format!("write for example {example}")
        };
        self.note(item.at, Code::WrongType, what, hint);
    }

    /// Notes a required key that is missing.
    pub(crate) fn missing(&self, key: &str, hint: &str) {
        let what = format!("{} is missing", self.name(key));
        self.note(self.at, Code::MissingKey, what, format!("write {hint}"));
    }

    /// Notes a word that is not among the known ones.
    pub(crate) fn unknown_choice(
        &self,
        key: &str,
        word: &Located<String>,
        known: impl Iterator<Item = &'static str> + Clone,
    ) {
        let what = if self.secret && !is_plain(word) {
            format!("{} is not known", self.name(key))
        } else {
            format!("{} is `{}`, which is not known", self.name(key), word.value)
        };
        self.note(word.at, Code::InvalidValue, what, suggestion(word, known));
    }

    /// The items of a list; none when it is absent or no list.
    pub(crate) fn list(&mut self, key: &'static str, example: &str) -> Option<&'a [Item]> {
        let item = self.take(key)?;
        if let Node::List(items) = &item.node {
            return Some(items);
        }
        self.wrong_type(key, item, "a list", &format!("`{key}: {example}`"));
        None
    }

    /// The mapping below a key; an empty one when it is absent, so that its defaults apply.
    pub(crate) fn section(&mut self, key: &'static str) -> Section<'a> {
        let at = self.entries.iter().find(|(name, ..)| *name == key).map_or(self.at, |(_, at, _)| *at);
        let found = self.take(key).and_then(|item| self.section_of(key, item, "a mapping below it"));
        let mut section = found.unwrap_or_else(|| Section::new(self.context, self.join(key), at, &[]));
        section.at = at;
        section
    }

    /// An item as a section.
    pub(crate) fn section_of(&self, key: &str, item: &'a Item, example: &str) -> Option<Section<'a>> {
        let Node::Map(entries) = &item.node else {
            self.wrong_type(key, item, "a mapping", example);
            return None;
        };
        Some(Section::new(self.context, self.join(key), item.at, entries))
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Gives up on the section: what else it holds can't be judged.
    pub(crate) const fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Refuses the keys that were not asked for.
    pub(crate) fn finish(&self) {
        if self.abandoned {
            return;
        }
        for (key, at, item) in self.entries.iter().filter(|(key, ..)| !self.known.contains(key)) {
            let shown: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
            // A value that was put where a key belongs has no value of its own.
            let hidden = self.secret && (!is_plain(key) || matches!(item.node, Node::Null));
            let what = if hidden {
                format!("`{}` has a key that is not known", self.path)
            } else if self.path.is_empty() {
                format!("a config has no key `{shown}`")
            } else {
                format!("`{}` has no key `{shown}`", self.path)
            };
            self.note(*at, Code::UnknownKey, what, suggestion(key, self.known.iter().copied()));
        }
    }
}

fn is_plain(word: &str) -> bool {
    word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

fn suggestion(name: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let all: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`? known are {}", all.join(", ")),
        None => format!("known are {}", all.join(", ")),
    }
}

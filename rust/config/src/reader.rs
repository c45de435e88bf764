//! Reads a tree section by section; notes every problem and goes on with a default.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use crate::document::Document;
use crate::nearest::nearest;
use crate::problem::{Code, Located, Position, Problem};
use crate::text::Text;
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
    entries: Vec<(&'a str, Position, &'a Item)>,
    known: Vec<&'static str>,
    /// Its values are credentials and are never cited.
    secret: bool,
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
        };
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
            match section.entries.iter().find(|(known, ..)| known == name) {
                Some((_, first, _)) => {
                    let what =
                        format!("{} stands here again; first in line {}", section.name(name), first.line);
                    section.note(key.at, Code::DuplicateKey, what, "remove one of them");
                }
                None => section.entries.push((name, key.at, value)),
            }
        }
        section
    }

    /// Where the section's key stands.
    pub(crate) const fn at(&self) -> Position {
        self.at
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

    /// The value of a key; none when it is absent or null.
    fn take(&mut self, key: &'static str) -> Option<&'a Item> {
        self.known.push(key);
        let (_, _, item) = self.entries.iter().find(|(name, ..)| *name == key)?;
        (!matches!(item.node, Node::Null)).then_some(item)
    }

    /// Whether a key was written with a value. Does not make it a known key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _, item)| *name == key && !matches!(item.node, Node::Null))
    }

    fn wrong_type(&self, key: &str, item: &Item, expected: &str, example: &str) {
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

    pub(crate) fn missing(&self, key: &str, hint: &str) {
        let what = format!("{} is missing", self.name(key));
        self.note(self.at, Code::MissingKey, what, format!("write {hint}"));
    }

    /// A whole number of `unit`s.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        unit: &str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        self.optional_whole(key, unit, range, default).unwrap_or(default)
    }

    /// As [`Section::whole`], but none when absent; `example` stands in the hint.
    pub(crate) fn optional_whole(
        &mut self,
        key: &'static str,
        unit: &str,
        range: RangeInclusive<u64>,
        example: u64,
    ) -> Option<u64> {
        let item = self.take(key)?;
        let Node::Whole(value) = item.node else {
            self.wrong_type(key, item, "a whole number", &format!("`{key}: {example}`"));
            return None;
        };
        if let Ok(value) = u64::try_from(value)
            && range.contains(&value)
        {
            return Some(value);
        }
        let what = format!(
            "{} is {value}, but must be from {} to {} {unit}",
            self.name(key),
            range.start(),
            range.end()
        );
        self.note(item.at, Code::InvalidValue, what, format!("write for example `{key}: {example}`"));
        None
    }

    /// A number of `unit`s, whole or not.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        unit: &str,
        range: RangeInclusive<f64>,
        example: f64,
    ) -> Option<f64> {
        let item = self.take(key)?;
        #[allow(clippy::cast_precision_loss)]
        let value = match item.node {
            Node::Whole(value) => value as f64,
            Node::Fraction(value) => value,
            _ => {
                self.wrong_type(key, item, "a number", &format!("`{key}: {example}`"));
                return None;
            }
        };
        // NaN is in no range.
        if range.contains(&value) {
            return Some(value);
        }
        let what = format!(
            "{} is {value}, but must be from {} to {} {unit}",
            self.name(key),
            range.start(),
            range.end()
        );
        self.note(item.at, Code::InvalidValue, what, format!("write for example `{key}: {example}`"));
        None
    }

    /// A time in seconds.
    pub(crate) fn seconds(&mut self, key: &'static str, range: RangeInclusive<f64>, default: f64) -> f64 {
        self.number(key, "seconds", range, default).unwrap_or(default)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(item) = self.take(key) else { return default };
        if let Node::Bool(value) = item.node {
            return value;
        }
        self.wrong_type(key, item, "true or false", &format!("`{key}: {default}`"));
        default
    }

    /// A string without references.
    pub(crate) fn word(&mut self, key: &'static str, example: &str) -> Option<Located<String>> {
        let item = self.take(key)?;
        self.word_of(key, item, example)
    }

    /// A string without references; noted when missing.
    pub(crate) fn required_word(&mut self, key: &'static str, example: &str) -> Option<Located<String>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, &format!("for example `{key}: {example}`"));
            return None;
        }
        self.word(key, example)
    }

    fn word_of(&self, key: &str, item: &Item, example: &str) -> Option<Located<String>> {
        let Node::Text(value) = &item.node else {
            self.wrong_type(key, item, "text", &format!("`{key}: {example}`"));
            return None;
        };
        let name = self.name(key);
        if value.is_empty() {
            let hint = format!("write for example `{key}: {example}`");
            self.note(item.at, Code::InvalidValue, format!("{name} is empty"), hint);
            return None;
        }
        if value.contains("{{") {
            let what = format!("{name} may hold no `{{{{…}}}}` reference");
            self.note(item.at, Code::Reference, what, format!("write for example `{key}: {example}`"));
            return None;
        }
        Some(Located::new(value.clone(), item.at))
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<Located<T>> {
        let example = choices.first().map_or("", |(name, _)| *name);
        let word = self.word(key, example)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word.value) {
            return Some(Located::new(*value, word.at));
        }
        self.unknown_choice(key, &word, choices.iter().map(|(name, _)| *name));
        None
    }

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

    /// A string that may hold references.
    pub(crate) fn text(&mut self, key: &'static str, example: &str) -> Option<Text> {
        let item = self.take(key)?;
        self.text_of(key, item, example)
    }

    /// A string that may hold references; noted when missing.
    pub(crate) fn required_text(&mut self, key: &'static str, example: &str) -> Option<Text> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, &format!("for example `{key}: {example}`"));
            return None;
        }
        self.text(key, example)
    }

    fn text_of(&self, key: &str, item: &Item, example: &str) -> Option<Text> {
        let Node::Text(value) = &item.node else {
            self.wrong_type(key, item, "text", &format!("`{key}: {example}`"));
            return None;
        };
        Text::new(value, item.at)
            .map_err(|what| {
                let what = format!("in {}, {what}", self.name(key));
                let hint = "write `{{env.NAME}}` or `{{secret.SCOPE:KEY}}`; a column's value is `{name}` in one pair \
                            of braces";
                self.note(item.at, Code::Reference, what, hint);
            })
            .ok()
    }

    /// A mapping of any names to strings; whole numbers and booleans count as their text.
    pub(crate) fn texts(&mut self, key: &'static str, example: &str) -> Vec<(Located<String>, Text)> {
        let Some(section) = self.take(key).and_then(|item| self.section_of(key, item, example)) else {
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (name, at, item) in &section.entries {
            let text = match &item.node {
                Node::Whole(value) => Text::new(&value.to_string(), item.at).ok(),
                Node::Bool(value) => Text::new(&value.to_string(), item.at).ok(),
                _ => section.text_of(name, item, "\"some text\""),
            };
            texts.extend(text.map(|text| (Located::new((*name).to_owned(), *at), text)));
        }
        texts
    }

    /// A list of strings without references.
    pub(crate) fn words(&mut self, key: &'static str, example: &str) -> Vec<Located<String>> {
        let items = self.list(key, example);
        items.iter().filter_map(|item| self.word_of(key, item, example)).collect()
    }

    /// A list of whole numbers.
    pub(crate) fn wholes(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u16>,
        default: &[u16],
    ) -> Vec<u16> {
        if !self.has(key) {
            self.known.push(key);
            return default.to_vec();
        }
        let example = format!("{default:?}");
        let mut values = Vec::new();
        for item in self.list(key, &example) {
            match item.node {
                Node::Whole(value) => match u16::try_from(value) {
                    Ok(value) if range.contains(&value) => {
                        if !values.contains(&value) {
                            values.push(value);
                        }
                    }
                    _ => {
                        let what = format!(
                            "{} holds {value}, but its numbers must be from {} to {}",
                            self.name(key),
                            range.start(),
                            range.end()
                        );
                        self.note(
                            item.at,
                            Code::InvalidValue,
                            what,
                            format!("write for example `{key}: {example}`"),
                        );
                    }
                },
                _ => {
                    self.wrong_type(key, item, "a list of whole numbers", &format!("`{key}: {example}`"));
                }
            }
        }
        values
    }

    fn list(&mut self, key: &'static str, example: &str) -> &'a [Item] {
        match self.take(key) {
            Some(Item { node: Node::List(items), .. }) => items,
            Some(item) => {
                self.wrong_type(key, item, "a list", &format!("`{key}: {example}`"));
                &[]
            }
            None => &[],
        }
    }

    /// A list of mappings.
    pub(crate) fn sections(&mut self, key: &'static str, example: &str) -> Vec<Section<'a>> {
        let mut sections = Vec::new();
        for (index, item) in self.list(key, example).iter().enumerate() {
            sections.extend(self.section_of(&format!("{key}[{index}]"), item, example));
        }
        sections
    }

    /// A mapping; an empty one when it is absent, so that its defaults apply.
    pub(crate) fn section(&mut self, key: &'static str) -> Section<'a> {
        let at = self.entries.iter().find(|(name, ..)| *name == key).map_or(self.at, |(_, at, _)| *at);
        let found = self.take(key).and_then(|item| self.section_of(key, item, "a mapping below it"));
        let mut section = found.unwrap_or_else(|| Section::new(self.context, self.join(key), at, &[]));
        section.at = at;
        section
    }

    /// A mapping; noted when missing.
    pub(crate) fn required_section(&mut self, key: &'static str, hint: &str) -> Option<Section<'a>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, hint);
            return None;
        }
        Some(self.section(key))
    }

    fn section_of(&self, key: &str, item: &'a Item, example: &str) -> Option<Section<'a>> {
        let Node::Map(entries) = &item.node else {
            self.wrong_type(key, item, "a mapping", example);
            return None;
        };
        Some(Section::new(self.context, self.join(key), item.at, entries))
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// For a key that is text or `false`: `Some(None)` for false.
    pub(crate) fn word_or_false(
        &mut self,
        key: &'static str,
        example: &str,
    ) -> Option<Option<Located<String>>> {
        let item = self.take(key)?;
        match item.node {
            Node::Bool(false) => Some(None),
            Node::Bool(true) => None,
            _ => self.word_of(key, item, example).map(Some),
        }
    }

    /// Refuses the keys that were not asked for.
    pub(crate) fn finish(&self) {
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

//! YAML or JSON as a tree whose nodes know their place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter, Spanned};

use crate::MAX_TEXT_BYTES;
use crate::document::Document;
use crate::problem::{Code, Position, Problem, Problems};

/// A node and its place. No `Debug`: it may hold credentials.
pub(crate) struct Item {
    pub(crate) at: Position,
    pub(crate) node: Node,
}

pub(crate) enum Node {
    Null,
    Bool(bool),
    Whole(i128),
    Fraction(f64),
    Text(String),
    List(Vec<Item>),
    /// Keys in the order of the text, duplicates kept: the reader names each of them.
    Map(Vec<(Item, Item)>),
}

impl Node {
    pub(crate) const fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Whole(_) => "a whole number",
            Self::Fraction(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        let number = |number: u64| u32::try_from(number).unwrap_or(0);
        let place = spanned.referenced;
        Ok(Self {
            at: Position { line: number(place.line()), column: number(place.column()) },
            node: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Whole(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Whole(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Fraction(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

/// A value as it would stand in YAML after a key; none when it is no YAML.
pub(crate) fn scalar(text: &str) -> Option<Item> {
    if text.trim().is_empty() {
        return Some(Item { at: Position::default(), node: Node::Text(String::new()) });
    }
    serde_saphyr::from_str_with_options(text, options()).ok()
}

/// Deepest nesting of a config.
const MOST_LEVELS: usize = 32;

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_LEVELS,
            // More than `max_depth`, which is told better.
            flow_nesting_limit: 64,
            max_nodes: 100_000,
            max_documents: 2,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// Reads the text into a tree, and masks the lines of its `auth` section.
pub(crate) fn read(text: &[u8], name: &str) -> Result<(Document, Item), Problems> {
    let one = |problem: Problem| Problems::new(vec![problem]);
    if text.len() > MAX_TEXT_BYTES {
        return Err(one(Document::new(name, "").problem(
            Position::default(),
            Code::Syntax,
            format!("the config is {} bytes long, but may have at most {MAX_TEXT_BYTES}", text.len()),
            "check that this is the config and not a data file",
        )));
    }
    if let Some(encoding) = wide_encoding(text) {
        return Err(one(Document::new(name, "").problem(
            Position::default(),
            Code::Syntax,
            format!("the config is {encoding}, but must be UTF-8"),
            "save the file as UTF-8",
        )));
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&text[..error.valid_up_to()]);
            let line = valid.matches('\n').count() + 1;
            let column = valid.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let at = Position {
                line: u32::try_from(line).unwrap_or(0),
                column: u32::try_from(column).unwrap_or(0),
            };
            return Err(one(Document::new(name, &valid).problem(
                at,
                Code::Syntax,
                "the config is not UTF-8 from here on",
                "save the file as UTF-8",
            )));
        }
    };
    let mut document = Document::new(name, text);
    let tree: Item = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| one(syntax_problem(&document, &error)))?;
    if let Node::Map(entries) = &tree.node {
        for (key, value) in entries {
            if matches!(&key.node, Node::Text(key) if key.eq_ignore_ascii_case("auth")) {
                mask_item(&mut document, value, key.at.line);
            }
            if let (Node::Text(key), Node::List(links)) = (&key.node, &value.node)
                && key == "middleware"
            {
                links.iter().for_each(|link| mask_link(&mut document, link));
            }
        }
    }
    Ok((document, tree))
}

/// The encoding of a text that begins with another byte order mark than that of UTF-8, or with NUL bytes.
fn wide_encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..] => {
            Some("UTF-32")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// Masks the value of a `header_auth`: its key alone does not tell that it is a credential.
fn mask_link(document: &mut Document, link: &Item) {
    let Node::Map(entries) = &link.node else { return };
    let is =
        |item: &Item, text: &str| matches!(&item.node, Node::Text(name) if name.eq_ignore_ascii_case(text));
    if entries.iter().any(|(key, value)| is(key, "type") && is(value, "header_auth")) {
        for (_, value) in entries.iter().filter(|(key, _)| is(key, "value")) {
            document.mask_line(value.at.line);
        }
    }
}

fn mask_item(document: &mut Document, item: &Item, key_line: u32) {
    match &item.node {
        Node::Map(entries) => {
            for (key, value) in entries {
                mask_item(document, key, key_line);
                mask_item(document, value, key_line);
            }
        }
        Node::List(items) => {
            for item in items {
                mask_item(document, item, key_line);
            }
        }
        _ if item.at.line != key_line => document.mask_line(item.at.line),
        _ => {}
    }
}

/// What is said of a text that goes beyond what a config may be made of.
fn limit(error: &serde_saphyr::Error) -> Option<(String, &'static str)> {
    use serde_saphyr::Error::{
        AliasReplayLimitExceeded, AliasReplayStackDepthExceeded, Budget, RecursiveReferencesRequireWeakTypes,
    };
    Some(match error {
        Budget { breach: BudgetBreach::Depth { .. }, .. } => (
            format!("the config is nested deeper than {MOST_LEVELS} levels"),
            "check indentation and brackets up to this place",
        ),
        Budget { .. } => (
            "the config is made of more parts than any config needs".to_owned(),
            "check that this is the config and not a data file",
        ),
        AliasReplayLimitExceeded { .. } | AliasReplayStackDepthExceeded { .. } => (
            "the aliases of the config stand for more than any config needs".to_owned(),
            "write the values out",
        ),
        serde_saphyr::Error::AliasError { error, .. } => return limit(error),
        RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias stands within what it stands for".to_owned(), "write the value out")
        }
        _ => return None,
    })
}

fn syntax_problem(document: &Document, error: &serde_saphyr::Error) -> Problem {
    let number = |number: u64| u32::try_from(number).unwrap_or(0);
    let at = error
        .location()
        .map(|place| Position { line: number(place.line()), column: number(place.column()) })
        .unwrap_or_default();
    if matches!(error.without_snippet(), serde_saphyr::Error::MultipleDocuments { .. }) {
        return document.problem(
            at,
            Code::Syntax,
            "a second document begins here, but a config is one document",
            "remove the `---` and what follows it, or keep it in a file of its own",
        );
    }
    if matches!(error.without_snippet(), serde_saphyr::Error::Eof { .. }) {
        return document.problem(
            at,
            Code::Syntax,
            "the config is empty or ends too early",
            "write at least the sections `endpoint:` and `tables:`",
        );
    }
    if let Some((what, hint)) = limit(error.without_snippet()) {
        return document.problem(at, Code::Syntax, what, hint);
    }
    // A parser's message may cite what it stumbled over; a masked line keeps its secret.
    if document.is_masked(at.line) {
        return document.problem(
            at,
            Code::Syntax,
            "the text is neither YAML nor JSON from here on",
            "put a value that holds special characters in quotes",
        );
    }
    let message =
        DefaultMessageFormatter.format_message(error.without_snippet()).replace(char::is_control, " ");
    document.problem(
        at,
        Code::Syntax,
        format!("the text is neither YAML nor JSON: {message}"),
        "check indentation, quotes and brackets up to this place",
    )
}

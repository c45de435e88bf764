//! `tables.sink`: where responses go.

use super::TableName;
use crate::keys::{Choice, choice, flag, keys, text, words};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::Text;

keys! {
    /// Where responses go: `name` with `namespace`, or `path`.
    pub struct Sink {
        /// The table of a catalog.
        name: Option<Text> = text("api_response").optional("`path` says where"),
        /// Catalog and schema of the table, joined by dots.
        namespace: Option<Text> = text("catalog.schema").optional("required beside `name`"),
        /// A Delta table by its path.
        path: Option<Text> = text("\"/data/api_response\"").optional("`name` and `namespace` say where"),
        /// How responses get there.
        mode: SinkMode = choice(MODES).or(SinkMode::Append),
        /// Response headers to keep.
        response_headers: Vec<Located<String>> = words("[x-request-id]").or(Vec::new()),
        /// Whether request headers are kept, credentials masked.
        request_headers: bool = flag().or(false),
        /// Whether request bodies are kept.
        request_body: bool = flag().or(false),
    }
    check |section| check_target(section);
}

const MODES: &[Choice<SinkMode>] = &[("append", SinkMode::Append, "rows are added to those that are there")];

/// How responses get to the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkMode {
    /// Added to what is there.
    Append,
}

impl SinkMode {
    /// The mode as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
        }
    }
}

/// Where responses go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SinkTarget<'a> {
    /// A table of a catalog.
    Table(TableName<'a>),
    /// A Delta table by its path.
    Path(&'a Text),
}

impl Sink {
    /// Where responses go; a sink that was read always says.
    #[must_use]
    pub fn target(&self) -> Option<SinkTarget<'_>> {
        match (&self.name, &self.path) {
            (Some(name), _) => {
                Some(SinkTarget::Table(TableName { namespace: self.namespace.as_ref(), name }))
            }
            (None, path) => path.as_ref().map(SinkTarget::Path),
        }
    }
}

fn check_target(section: &Section<'_>) {
    let named = section.has("name") || section.has("namespace");
    match (named, section.has("path")) {
        (true, true) => section.note(
            section.at(),
            Code::Conflict,
            "`tables.sink` has both a table name and a path",
            "keep either `name` and `namespace`, or `path`",
        ),
        (false, false) => section.note(
            section.at(),
            Code::MissingKey,
            "`tables.sink` names no table",
            "write either `name` and `namespace`, or `path`",
        ),
        (false, true) => {}
        (true, false) => {
            for key in ["name", "namespace"] {
                if !section.has(key) {
                    section.missing(key, "both `name` and `namespace`, for example `namespace: default`");
                }
            }
        }
    }
}

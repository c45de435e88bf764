//! `tables.sink`: where responses go.

use super::TableName;
use crate::keys::{Choice, choice, flag, keys, located, section, text, word, words};
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
        /// A table by its path.
        path: Option<Text> = text("\"/data/api_response\"").optional("`name` and `namespace` say where"),
        /// Format of the table, by Spark's name for it. Exactly one row per source row is promised for `delta` only.
        format: Option<Located<String>> = word("delta").optional("`delta`"),
        /// How responses get there.
        mode: Located<SinkMode> = located(choice(MODES)).or(Located::new(SinkMode::Append, NOWHERE)),
        /// A second table with one current row per tracking_id.
        merge: Option<Merge> = section().optional("no such table"),
        /// Source columns to keep beside the response.
        source_columns: Vec<Located<String>> = words("[patient_id, region]").or(Vec::new()),
        /// Response headers to keep.
        response_headers: Vec<Located<String>> = words("[x-request-id]").or(Vec::new()),
        /// Whether request headers are kept, credentials masked.
        request_headers: bool = flag().or(false),
        /// Whether request bodies are kept.
        request_body: bool = flag().or(false),
    }
    check |section| {
        check_target(section);
        check_mode(section, mode.as_ref(), merge.as_ref().and_then(Option::as_ref));
    };
}

keys! {
    /// A table with one current row per tracking_id, kept by Spark's MERGE INTO: `name` with `namespace`, or `path`.
    pub struct Merge {
        /// The table of a catalog.
        name: Option<Text> = text("api_current").optional("`path` says where"),
        /// Catalog and schema of the table, joined by dots.
        namespace: Option<Text> = text("catalog.schema").optional("required beside `name`"),
        /// A Delta table by its path.
        path: Option<Text> = text("\"/data/api_current\"").optional("`name` and `namespace` say where"),
        /// Whether the run's rows also go to the sink itself.
        append_rows: bool = flag().or(true),
    }
    check |section| check_target(section);
}

const NOWHERE: crate::problem::Position = crate::problem::Position { line: 0, column: 0 };

const MODES: &[Choice<SinkMode>] = &[
    ("append", SinkMode::Append, "rows are added to those that are there"),
    ("overwrite", SinkMode::Overwrite, "the run's rows replace those that are there"),
];

/// How responses get to the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkMode {
    /// Added to what is there.
    Append,
    /// In place of what is there.
    Overwrite,
}

impl SinkMode {
    /// The mode as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Overwrite => "overwrite",
        }
    }
}

/// A table to write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// A table of a catalog.
    Table(TableName<'a>),
    /// A table by its path.
    Path(&'a Text),
}

impl<'a> Target<'a> {
    /// None only of a section that was refused.
    fn of(name: Option<&'a Text>, namespace: Option<&'a Text>, path: Option<&'a Text>) -> Option<Self> {
        name.map(|name| Self::Table(TableName { namespace, name })).or(path.map(Self::Path))
    }
}

impl Sink {
    /// Where responses go; a sink that was read always says.
    #[must_use]
    pub fn target(&self) -> Option<Target<'_>> {
        Target::of(self.name.as_ref(), self.namespace.as_ref(), self.path.as_ref())
    }

    /// Spark's name of the table's format.
    #[must_use]
    pub fn format(&self) -> &str {
        self.format.as_ref().map_or("delta", |format| &format.value)
    }
}

impl Merge {
    /// The table; a section that was read always says.
    #[must_use]
    pub fn target(&self) -> Option<Target<'_>> {
        Target::of(self.name.as_ref(), self.namespace.as_ref(), self.path.as_ref())
    }
}

fn check_target(section: &Section<'_>) {
    let path = section.path();
    let named = section.has("name") || section.has("namespace");
    match (named, section.has("path")) {
        (true, true) => section.note(
            section.at(),
            Code::Conflict,
            format!("`{path}` has both a table name and a path"),
            "keep either `name` and `namespace`, or `path`",
        ),
        (false, false) => section.note(
            section.at(),
            Code::MissingKey,
            format!("`{path}` names no table"),
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

fn check_mode(section: &Section<'_>, mode: Option<&Located<SinkMode>>, merge: Option<&Merge>) {
    let (Some(mode), Some(merge)) = (mode, merge) else { return };
    if mode.value == SinkMode::Overwrite && !merge.append_rows {
        section.note(
            mode.at,
            Code::Unused,
            format!(
                "{} has no effect: with `merge.append_rows: false` no row goes there",
                section.name("mode")
            ),
            "remove one of them",
        );
    }
}

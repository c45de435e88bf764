//! `tables.source`: where rows come from.

use super::TableName;
use crate::keys::{keys, text, word, words};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::Text;

keys! {
    /// Where rows come from: `name` (with `namespace`), `identifier` or `path`, or a DataFrame that is handed over.
    pub struct Source {
        /// The table to read.
        name: Option<Text> = text("api_staging").optional("something else says where"),
        /// Catalog and schema of the table, joined by dots.
        namespace: Option<Text> = text("catalog.schema").optional("Spark's current catalog and schema"),
        /// The table to read, its whole name in one.
        identifier: Option<Text> = text("catalog.schema.api_staging").optional("something else says where"),
        /// Files to read.
        path: Option<Text> = text("\"/data/staging\"").optional("something else says where"),
        /// Format of what lies at `path`, by Spark's name for it.
        format: Option<Located<String>> = word("parquet").optional("`delta` beside `path`"),
        /// Rows to send, as a condition in Spark SQL. Not for a DataFrame that is handed over.
        filter: Option<Text> = text("\"active AND region = 'EU'\"").optional("all rows"),
        /// Columns to read, as expressions in Spark SQL; all other keys see these columns. Not for a DataFrame that is
        /// handed over.
        select: Vec<Located<String>> = words("[\"id AS tracking_id\", \"upper(name) AS name\"]").or(Vec::new()),
        /// Column that holds the tracking_id. Without one a row is known by its content, and its tracking_id is a digest
        /// of the columns that are sent or kept; equal rows are counted, and each is sent.
        id_column: Option<Located<String>> = word("tracking_id").optional("a row is known by its content"),
        /// Columns that must exist, whether requests use them or not.
        required_columns: Vec<Located<String>> = words("[tracking_id, patient_id]").or(Vec::new()),
    }
    check |section| check_rows(section);
}

/// What `tables.source` names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SourceRows<'a> {
    /// A table, by namespace and name or by its identifier.
    Table(TableName<'a>),
    /// Files, and their format.
    Files {
        /// Where they lie.
        path: &'a Text,
        /// Spark's name of their format.
        format: &'a str,
    },
}

impl Source {
    /// What the section names; none when it leaves that to a DataFrame.
    #[must_use]
    pub fn rows(&self) -> Option<SourceRows<'_>> {
        if let Some(name) = &self.name {
            return Some(SourceRows::Table(TableName { namespace: self.namespace.as_ref(), name }));
        }
        if let Some(name) = &self.identifier {
            return Some(SourceRows::Table(TableName { namespace: None, name }));
        }
        let format = self.format.as_ref().map_or("delta", |format| &format.value);
        self.path.as_ref().map(|path| SourceRows::Files { path, format })
    }
}

fn check_rows(section: &Section<'_>) {
    if section.has("namespace") && !section.has("name") {
        section.missing("name", "`name` beside `namespace`, or remove `namespace`");
    }
    let given: Vec<String> = ["name", "identifier", "path"]
        .into_iter()
        .filter(|key| section.has(key))
        .map(|key| format!("`{key}`"))
        .collect();
    if given.len() > 1 {
        section.note(
            section.at(),
            Code::Conflict,
            format!("`{}` says more than once where rows come from: {}", section.path(), given.join(" and ")),
            "keep one of them",
        );
    }
    if section.has("format") && !section.has("path") {
        section.note(
            section.place("format"),
            Code::Unused,
            format!("{} has no effect: a table knows its own format", section.name("format")),
            "remove it, or name the files as `path`",
        );
    }
}

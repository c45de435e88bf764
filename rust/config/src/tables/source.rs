//! `tables.source`: where rows come from.

use super::TableName;
use crate::keys::{keys, text, word, words};
use crate::problem::Located;
use crate::reader::Section;
use crate::text::Text;

keys! {
    /// Where rows come from.
    pub struct Source {
        /// The table to read.
        name: Option<Text> = text("api_staging").optional("a DataFrame is handed over"),
        /// Catalog and schema of the table, joined by dots.
        namespace: Option<Text> = text("catalog.schema").optional("Spark's current catalog and schema"),
        /// Column that holds the tracking_id.
        id_column: Located<String> = word("tracking_id").required(),
        /// Columns that must exist, whether requests use them or not.
        required_columns: Vec<Located<String>> = words("[tracking_id, patient_id]").or(Vec::new()),
    }
    check |section| check_name(section);
}

impl Source {
    /// The table to read; none when the caller hands over a DataFrame.
    #[must_use]
    pub fn table(&self) -> Option<TableName<'_>> {
        self.name.as_ref().map(|name| TableName { namespace: self.namespace.as_ref(), name })
    }
}

fn check_name(section: &Section<'_>) {
    if section.has("namespace") && !section.has("name") {
        section.missing("name", "`name` beside `namespace`, or remove `namespace` to write a DataFrame");
    }
}

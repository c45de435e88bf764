//! `tables`: where rows come from, where responses go, and which columns enter the request.

mod mapping;
mod sink;
mod source;

pub use mapping::{ColumnMapping, Place};
pub use sink::{Merge, Sink, SinkMode, Target};
pub use source::{Source, SourceRows};

use crate::keys::{keys, section, sections};
use crate::problem::Located;
use crate::text::Text;

keys! {
    /// Where rows come from, where responses go, and which columns enter the request.
    pub struct Tables {
        /// Where rows come from.
        source: Located<Source> = section(),
        /// Where responses go.
        sink: Sink = section().required_as("a `sink:` section with `name` and `namespace`, or with `path`"),
        /// Which columns enter the request, and where.
        column_mapping: Vec<Located<ColumnMapping>> =
            sections("[{source_column: patient_id, endpoint_param: patient}]").or(Vec::new()),
    }
}

/// A table by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableName<'a> {
    /// Catalog and schema, joined by dots; none for a source in Spark's current one.
    pub namespace: Option<&'a Text>,
    /// The table's own name.
    pub name: &'a Text,
}

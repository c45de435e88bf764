//! `tables`: where rows come from, where responses go, and which columns enter the request.

use crate::problem::{Code, Located, Position};
use crate::reader::Section;
use crate::text::Text;

/// The section `tables`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// The source. Required.
    pub source: Source,
    /// The sink. Required.
    pub sink: Sink,
    /// Which columns enter the request, and where. May be empty.
    pub column_mapping: Vec<ColumnMapping>,
}

/// A table by name.
#[derive(Clone, Debug, PartialEq)]
pub struct TableName {
    /// Catalog and schema, joined by dots; none for a source in Spark's current one.
    pub namespace: Option<Text>,
    /// The table's own name.
    pub name: Text,
}

impl TableName {
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.namespace.iter().chain([&self.name])
    }
}

/// The section `tables.source`.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The table to read; none when the caller hands over a DataFrame.
    pub table: Option<TableName>,
    /// Column that holds the tracking_id. Required.
    pub id_column: Located<String>,
    /// Columns that must exist, whether requests use them or not.
    pub required_columns: Vec<Located<String>>,
}

/// The section `tables.sink`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// Where responses go.
    pub target: SinkTarget,
    /// How responses get there: `append`, the default and only mode.
    pub mode: &'static str,
    /// Response headers to keep; default none.
    pub response_headers: Vec<Located<String>>,
    /// Whether request headers are kept, credentials masked. Default false.
    pub request_headers: bool,
    /// Whether request bodies are kept. Default false.
    pub request_body: bool,
}

/// Where responses go: `name` with `namespace`, or `path`.
#[derive(Clone, Debug, PartialEq)]
pub enum SinkTarget {
    /// A table of a catalog.
    Table(TableName),
    /// A Delta table by its path.
    Path(Text),
}

/// One entry of `tables.column_mapping`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMapping {
    /// Source column; dots lead into structs.
    pub source_column: Located<String>,
    /// Name of the parameter, header, body field (dots make nested objects) or placeholder.
    pub endpoint_param: Located<String>,
    /// Where the value goes; none means: to the placeholder of that name, else to the body, else to the query.
    pub place: Option<Located<Place>>,
    /// Whether a null makes the row an invalid row. Default false.
    pub required: bool,
    /// Where the entry stands.
    pub at: Position,
}

/// The key `in` of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A query parameter.
    Query,
    /// A placeholder of the URL's path.
    Path,
    /// A header.
    Header,
    /// A field of the JSON body.
    Body,
}

impl Place {
    /// The place as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Path => "path",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

impl Tables {
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let source = section
            .required_section("source", "a `source:` section with `id_column`")
            .and_then(|mut source| Source::read(&mut source));
        let sink = section
            .required_section("sink", "a `sink:` section with `name` and `namespace`, or with `path`")
            .and_then(|mut sink| Sink::read(&mut sink));
        let mut column_mapping = Vec::new();
        let example = "`column_mapping: [{source_column: patient_id, endpoint_param: patient}]`";
        for mut entry in section.sections("column_mapping", example) {
            column_mapping.extend(ColumnMapping::read(&mut entry));
        }
        section.finish();
        Some(Self { source: source?, sink: sink?, column_mapping })
    }
}

impl Source {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let name = non_empty(section, "name", "api_staging");
        let namespace = non_empty(section, "namespace", "catalog.schema");
        if namespace.is_some() && !section.has("name") {
            section.missing("name", "`name` beside `namespace`, or remove `namespace` to write a DataFrame");
        }
        let id_column = section.required_word("id_column", "tracking_id");
        let required_columns = section.words("required_columns", "[tracking_id, patient_id]");
        section.finish();
        Some(Self {
            table: name.map(|name| TableName { namespace, name }),
            id_column: id_column?,
            required_columns,
        })
    }
}

impl Sink {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let name = non_empty(section, "name", "api_response");
        let namespace = non_empty(section, "namespace", "catalog.schema");
        let path = non_empty(section, "path", "\"/data/api_response\"");
        let named = section.has("name") || section.has("namespace");
        let target = match (named, section.has("path")) {
            (true, true) => {
                section.note(
                    section.at(),
                    Code::Conflict,
                    "`tables.sink` has both a table name and a path",
                    "keep either `name` and `namespace`, or `path`",
                );
                None
            }
            (false, false) => {
                let hint = "either `name` and `namespace`, or `path`";
                section.note(
                    section.at(),
                    Code::MissingKey,
                    "`tables.sink` names no table",
                    format!("write {hint}"),
                );
                None
            }
            (false, true) => path.map(SinkTarget::Path),
            (true, false) => {
                for key in ["name", "namespace"] {
                    if !section.has(key) {
                        section.missing(key, "both `name` and `namespace`, for example `namespace: default`");
                    }
                }
                name.zip(namespace).map(|(name, namespace)| {
                    SinkTarget::Table(TableName { namespace: Some(namespace), name })
                })
            }
        };
        let mode = section.choice("mode", &[("append", "append")]).map_or("append", |mode| mode.value);
        let response_headers = section.words("response_headers", "[x-request-id]");
        let request_headers = section.flag("request_headers", false);
        let request_body = section.flag("request_body", false);
        section.finish();
        Some(Self { target: target?, mode, response_headers, request_headers, request_body })
    }
}

fn non_empty(section: &mut Section<'_>, key: &'static str, example: &str) -> Option<Text> {
    let text = section.text(key, example)?;
    if text.is_empty() {
        let what = format!("{} is empty", section.name(key));
        section.note(text.at(), Code::InvalidValue, what, format!("write for example `{key}: {example}`"));
        return None;
    }
    Some(text)
}

impl ColumnMapping {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let source_column = section.required_word("source_column", "patient_id");
        let endpoint_param = section.required_word("endpoint_param", "patient");
        let place = section.choice(
            "in",
            &[
                ("body", Place::Body),
                ("query", Place::Query),
                ("path", Place::Path),
                ("header", Place::Header),
            ],
        );
        let required = section.flag("required", false);
        if let Some(column) = &source_column
            && column.split('.').any(str::is_empty)
        {
            section.note(
                column.at,
                Code::InvalidValue,
                format!("{} has an empty name between its dots", section.name("source_column")),
                "write the column and the fields that lead to the value, as `address.city`",
            );
        }
        section.finish();
        Some(Self {
            source_column: source_column?,
            endpoint_param: endpoint_param?,
            place,
            required,
            at: section.at(),
        })
    }
}

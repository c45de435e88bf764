//! `tables.column_mapping`: which columns enter the request, and where.

use crate::keys::{Choice, Literal, choice, flag, keys, literal, located, word};
use crate::problem::{Code, Located};
use crate::reader::Section;

keys! {
    /// A column that enters the request.
    pub struct ColumnMapping {
        /// Source column; dots lead into structs.
        source_column: Located<String> = word("patient_id").required(),
        /// Name of the parameter, header, body field (dots make nested objects) or placeholder.
        endpoint_param: Located<String> = word("patient").required(),
        /// Where the value goes.
        place as "in": Option<Located<Place>> = located(choice(PLACES))
            .optional("to the placeholder of that name, else to the body, else to the query, as the chain allows"),
        /// What a null is replaced by: as text, or in a JSON body as what it is.
        default: Option<Located<Literal>> = literal("\"unknown\"").optional("a null stays a null"),
        /// Whether a null makes the row an invalid row.
        required: bool = flag().or(false),
    }
    check |section| {
        check_column(section, source_column.as_ref());
        check_default(section, required, default.as_ref().and_then(Option::as_ref));
    };
}

const PLACES: &[Choice<Place>] = &[
    ("body", Place::Body, "a field of the body"),
    ("query", Place::Query, "a query parameter"),
    ("path", Place::Path, "a placeholder of the URL's path"),
    ("header", Place::Header, "a header"),
];

/// The key `in` of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A query parameter.
    Query,
    /// A placeholder of the URL's path.
    Path,
    /// A header.
    Header,
    /// A field of the body.
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

fn check_column(section: &Section<'_>, column: Option<&Located<String>>) {
    let Some(column) = column else { return };
    if column.split('.').any(str::is_empty) {
        section.note(
            column.at,
            Code::InvalidValue,
            format!("{} has an empty name between its dots", section.name("source_column")),
            "write the column and the fields that lead to the value, as `address.city`",
        );
    }
}

fn check_default(section: &Section<'_>, required: Option<bool>, default: Option<&Located<Literal>>) {
    if let (Some(true), Some(default)) = (required, default) {
        section.note(
            default.at,
            Code::Conflict,
            format!("{} and {} exclude each other", section.name("default"), section.name("required")),
            "a null is either replaced or refused: remove one of them",
        );
    }
}

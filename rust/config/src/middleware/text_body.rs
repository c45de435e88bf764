//! `text_body`: text as the request's body.

use crate::keys::{keys, text, word};
use crate::problem::Located;
use crate::reader::Section;
use crate::text::Text;

const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

keys! {
    /// Text as the request's body: a template, or the text form of one column.
    pub struct TextBody {
        /// The body; `{name}` stands for the text form of a column or a mapping, of which a null is empty.
        template: Option<Text> = text("\"{name};{city}\"").optional("`column` says what the body is"),
        /// The column or mapping whose text form is the body.
        column: Option<Located<String>> = word("payload").optional("`template` says what the body is"),
        /// The body's Content-Type, unless `endpoint.headers` names one.
        content_type: Located<String> =
            word("text/csv").or(Located::new(CONTENT_TYPE.to_owned(), Default::default())),
    }
    check |section| one_of(section, "template", "column");
}

/// Of two keys that say the same in two ways, one must be there.
pub(super) fn one_of(section: &Section<'_>, first: &str, second: &str) {
    match (section.has(first), section.has(second)) {
        (true, true) => section.note(
            section.at(),
            crate::problem::Code::Conflict,
            format!("{} and {} exclude each other", section.name(first), section.name(second)),
            "remove one of them",
        ),
        (false, false) => section.missing(first, &format!("`{first}` or `{second}`")),
        _ => {}
    }
}

//! `json_response`: what is made of an answer's JSON body.

use crate::keys::{Choice, choice, file, flag, keys, sections, template, word};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::Text;

keys! {
    /// Reads the answer's body as JSON: a successful answer whose body is none, or not as it should be, is an invalid
    /// response. The sink keeps the body all the same.
    pub struct JsonResponse {
        /// Whether a body that is JSON also stands in the sink's column `json`.
        json_column: bool = flag().or(true),
        /// File with the JSON Schema that the body must meet. It is of the driver's machine and is read there.
        schema_file: Option<Text> = file("schemas/order.schema.json").optional("the body may be any JSON"),
        /// Parts of the body that become columns of the sink, after its own and the source's.
        fields: Vec<Located<ResponseField>> =
            sections("[{name: order_no, pointer: /order/no, type: long}]").or(Vec::new()),
        /// Whether a successful answer is one, as an expression on `body` and `status`; what is not there is false.
        success_when: Option<Located<String>> =
            template("\"body.status == 'ok'\"").optional("an answer with a 2xx status is a success"),
        /// JSON Pointer to the text that says what went wrong, for the error of an answer that is no success.
        error_message: Option<Located<String>> =
            word("/error/message").optional("the error tells the expression"),
    }
    check |section| {
        check_pointer(section, "error_message", error_message.as_ref().and_then(Option::as_ref));
        check_error_message(section);
    };
}

keys! {
    /// A part of the body as a column of the sink. Missing or null, it is null.
    pub struct ResponseField {
        /// Name of the column.
        name: Located<String> = word("order_no").required(),
        /// Where it stands in the body (JSON Pointer, RFC 6901).
        pointer: Located<String> = word("/order/no").required(),
        /// Its type; a value of another type makes the answer an invalid response.
        kind as "type": FieldType = choice(TYPES).or(FieldType::Text),
        /// Whether an answer without it is an invalid response.
        required: bool = flag().or(false),
    }
    check |section| {
        check_name(section, name.as_ref());
        check_pointer(section, "pointer", pointer.as_ref());
    };
}

keys! {
    /// A column of the sink that a script fills. Where it does not, it is null.
    pub struct ScriptField {
        /// Name of the column.
        name: Located<String> = word("order_no").required(),
        /// Its type; a value of another type makes the answer an invalid response.
        kind as "type": FieldType = choice(TYPES).or(FieldType::Text),
    }
    check |section| check_name(section, name.as_ref());
}

const TYPES: &[Choice<FieldType>] = &[
    ("string", FieldType::Text, "text as it is, and anything else in its JSON form"),
    ("long", FieldType::Long, "a whole number of 64 bits"),
    ("double", FieldType::Double, "a number"),
    ("boolean", FieldType::Boolean, "true or false"),
];

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `string`.
    Text,
    /// `long`.
    Long,
    /// `double`.
    Double,
    /// `boolean`.
    Boolean,
}

/// What every catalog and format takes as a column's name.
fn check_name(section: &Section<'_>, name: Option<&Located<String>>) {
    let Some(name) = name else { return };
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        section.note(
            name.at,
            Code::InvalidValue,
            format!("`{}` is no name for a column", name.value),
            "write letters, digits and `_`, as in `order_no`",
        );
    }
}

fn check_pointer(section: &Section<'_>, key: &str, pointer: Option<&Located<String>>) {
    let Some(pointer) = pointer else { return };
    let escapes = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !pointer.starts_with('/') || !escapes {
        section.note(
            pointer.at,
            Code::InvalidValue,
            format!(
                "{} is no JSON Pointer: it begins with `/`, and a `~` in a name is `~0`",
                section.name(key)
            ),
            format!("write for example `{key}: /order/no`"),
        );
    }
}

fn check_error_message(section: &Section<'_>) {
    if section.has("error_message") && !section.has("success_when") {
        section.note(
            section.place("error_message"),
            Code::Unused,
            format!("{} has no effect without `success_when`", section.name("error_message")),
            "remove it, or say with `success_when` what a success is",
        );
    }
}

//! `idempotency_key`: the form of the request_id in its header.

use crate::keys::{Choice, choice, keys, word};
use crate::problem::{Code, Located};
use crate::reader::Section;

keys! {
    /// The request_id in a header and a form of the API's own, in place of `endpoint.idempotency_header`.
    pub struct IdempotencyKey {
        /// Header that carries it.
        header: Located<String> =
            word("X-Request-Id").or(Located::new("Idempotency-Key".to_owned(), Default::default())),
        /// How it is written.
        format: KeyFormat = choice(FORMATS).or(KeyFormat::Plain),
        /// What stands before it, within the quotes if there are any.
        prefix: Option<Located<String>> = word("orders-").optional("nothing"),
    }
    check |section| check_prefix(section, prefix.as_ref().and_then(Option::as_ref));
}

const FORMATS: &[Choice<KeyFormat>] = &[
    ("plain", KeyFormat::Plain, "as it is"),
    (
        "quoted",
        KeyFormat::Quoted,
        "in double quotes, as the IETF's draft on the header Idempotency-Key asks for",
    ),
];

/// How a request_id is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    /// As it is.
    Plain,
    /// In double quotes.
    Quoted,
}

fn check_prefix(section: &Section<'_>, prefix: Option<&Located<String>>) {
    let Some(prefix) = prefix else { return };
    if !prefix.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\') {
        section.note(
            prefix.at,
            Code::InvalidValue,
            format!(
                "{} holds what a key may not hold: quotes, spaces, or more than ASCII",
                section.name("prefix")
            ),
            "write letters, digits and hyphens, as in `orders-`",
        );
    }
}

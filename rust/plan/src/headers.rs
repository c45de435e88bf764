//! Headers: names, values, and which of them are not for the config to set.

use apisink_config::{Code, Located, Place, Position, Text};
use http::{HeaderName, HeaderValue};

use crate::auth;
use crate::links::{self, Claims};
use crate::mapping::Mappings;
use crate::plan::{ColumnRef, NamedPieces, Piece};
use crate::state::State;
use crate::template::{Part, parts};

/// Headers that belong to the connection or follow from the request, and why.
const REFUSED: [(&str, &str); 10] = [
    ("host", "it follows from the URL"),
    ("content-length", "it follows from the body"),
    ("transfer-encoding", "it follows from the body"),
    ("connection", "it belongs to the connection, which the transport keeps"),
    ("keep-alive", "it belongs to the connection, which the transport keeps"),
    ("proxy-connection", "it belongs to the connection, which the transport keeps"),
    ("te", "it belongs to the connection, which the transport keeps"),
    ("trailer", "it belongs to the connection, which the transport keeps"),
    ("upgrade", "it belongs to the connection, which the transport keeps"),
    ("expect", "the transport does not wait for a 100 Continue"),
];

/// Says why a credential can't be a header's value.
pub(crate) fn unfit_for_header(value: &str) -> Option<&'static str> {
    HeaderValue::from_str(value)
        .is_err()
        .then_some("holds a character that a header may not hold (line break, control or not ASCII)")
}

/// A header's name in lower case, for a request; notes why it can't be set.
pub(crate) fn request_header(state: &mut State<'_>, name: &str, at: Position) -> Option<String> {
    let lower = header_name(state, name, at)?;
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == lower) {
        state.note(at, Code::InvalidValue, format!("the header `{name}` can't be set: {why}"), "remove it");
        return None;
    }
    Some(lower)
}

/// A header's name in lower case; notes a name that HTTP does not allow.
pub(crate) fn header_name(state: &mut State<'_>, name: &str, at: Position) -> Option<String> {
    if let Ok(header) = HeaderName::from_bytes(name.as_bytes()) {
        return Some(header.as_str().to_owned());
    }
    state.note(
        at,
        Code::InvalidValue,
        format!("`{name}` is no header name"),
        "write letters, digits and hyphens, as in `X-Request-Source`",
    );
    None
}

/// The configured headers.
pub(crate) fn configured(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    headers: &[(Located<String>, Text)],
) -> Vec<NamedPieces> {
    let mut compiled: Vec<NamedPieces> = Vec::new();
    for (name, text) in headers {
        let lower = request_header(state, name, name.at);
        let value = value(state, mappings, name, text);
        let (Some(lower), Some(value)) = (lower, value) else { continue };
        add(state, &mut compiled, lower, name.at, value);
    }
    compiled
}

/// The headers that mappings add.
pub(crate) fn mapped(
    state: &mut State<'_>,
    compiled: &mut Vec<NamedPieces>,
    claims: &Claims,
    headers: Vec<(String, Position, ColumnRef)>,
) {
    for (name, at, column) in headers {
        let Some(lower) = request_header(state, &name, at) else { continue };
        if let Some((_, link)) = claims.iter().find(|(claimed, _)| *claimed == lower) {
            let what = format!("the header `{lower}` is set by the middleware `{link}` too");
            state.note(at, Code::Conflict, what, "keep one of them");
        } else {
            add(state, compiled, lower, at, vec![Piece::Column(column)]);
        }
    }
}

fn add(
    state: &mut State<'_>,
    compiled: &mut Vec<NamedPieces>,
    name: String,
    at: Position,
    value: Vec<Piece>,
) {
    let conflict = if compiled.iter().any(|known| known.name == name) {
        Some(("is set twice; case makes no difference", "keep one of them"))
    } else if auth::sets_header(&state.config.auth, &name) {
        Some(("is set by `auth` too", "remove it, or set `auth: {type: none}`"))
    } else if links::idempotency_header(state.config).is_some_and(|header| header.eq_ignore_ascii_case(&name))
    {
        Some((
            "carries the request_id",
            "remove it, or name another header (or false) as `endpoint.idempotency_header`",
        ))
    } else {
        None
    };
    match conflict {
        Some((why, hint)) => state.note(at, Code::Conflict, format!("the header `{name}` {why}"), hint),
        None => compiled.push(NamedPieces { name, value }),
    }
}

fn value(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    name: &Located<String>,
    text: &Text,
) -> Option<Vec<Piece>> {
    let label = format!("the value of the header `{}`", name.value);
    let parts = parts(state, text, &label)?;
    let mut pieces = Some(Vec::new());
    for part in parts {
        let piece = match part {
            Part::Literal(literal) => match unfit_for_header(&literal) {
                Some(why) => {
                    let hint = "write ASCII text in one line";
                    state.note(text.at(), Code::InvalidValue, format!("{label} {why}"), hint);
                    None
                }
                None => Some(
                    state
                        .literal_secret(name, &literal)
                        .map_or_else(|| Piece::Literal(literal), Piece::Secret),
                ),
            },
            Part::Placeholder(column) => {
                Some(Piece::Column(mappings.placeholder(state, &column, Place::Header, text.at())))
            }
            Part::Reference(reference) => match state.resolve(&reference, text.at()) {
                Some(value) => match unfit_for_header(value.expose()) {
                    Some(why) => {
                        let what = format!("the value of {reference} {why}");
                        let hint = format!(
                            "correct the value of {reference}; a trailing line break is a common cause"
                        );
                        state.note(text.at(), Code::InvalidValue, what, hint);
                        None
                    }
                    None => state.named_slot(name, &reference, text.at()).map(Piece::Secret),
                },
                None => None,
            },
        };
        pieces = pieces.zip(piece).map(|(mut pieces, piece)| {
            pieces.push(piece);
            pieces
        });
    }
    pieces
}

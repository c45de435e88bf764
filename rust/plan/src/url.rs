//! URLs: what is fixed, and where columns and secrets enter.

use apisink_config::{Code, Place, Position, Text};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::mapping::Mappings;
use crate::plan::{NamedPieces, Piece};
use crate::state::State;
use crate::template::{Part, parts};

/// What RFC 3986 does not allow in a path. A `%` is looked at on its own.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'[')
    .add(b']')
    .add(b'|');

/// A URL, compiled.
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) authority: String,
    pub(crate) path: Vec<Piece>,
    pub(crate) query: Vec<NamedPieces>,
    /// Path of `base_path`, encoded.
    pub(crate) base: String,
    /// Where the host is written.
    pub(crate) at: Position,
}

/// Compiles `base_path` and `url_path`.
pub(crate) fn compile(state: &mut State<'_>, mappings: &mut Mappings<'_>) -> Option<Url> {
    let endpoint = &state.config.endpoint;
    let url_path = &endpoint.url_path;
    let at = url_path.at();
    let mut rest = parts(state, url_path, "`endpoint.url_path`");
    let base = if endpoint.url_is_absolute() {
        let first = rest.as_mut().and_then(|parts| parts.first_mut())?;
        let Part::Literal(literal) = first else { return None };
        let whole = std::mem::take(literal);
        let start = whole.find("://").map_or(0, |index| index + 3);
        let end = whole[start..].find(['/', '?', '#']).map(|index| start + index);
        if end.is_none() && rest.as_ref().is_some_and(|parts| parts.len() > 1) {
            state.note(
                at,
                Code::Placeholder,
                "`endpoint.url_path` has a placeholder or reference in its host or port",
                "write the host out; only path and query may change from row to row",
            );
            return None;
        }
        let end = end.unwrap_or(whole.len());
        if let Some(Part::Literal(literal)) = rest.as_mut().and_then(|parts| parts.first_mut()) {
            *literal = whole[end..].to_owned();
        }
        split_base(state, &whole[..end], "`endpoint.url_path`", at)
    } else {
        let text = endpoint.base_path.as_ref()?;
        let base = base_path(state, text);
        if let (Some((.., path)), Some(rest)) = (&base, &mut rest) {
            join(path, rest);
        }
        base
    };
    let path_and_query = rest.and_then(|parts| path_and_query(state, mappings, parts, at));
    let (scheme, authority, base_path) = base?;
    let (path, query) = path_and_query?;
    let at = match &endpoint.base_path {
        Some(base) if !endpoint.url_is_absolute() => base.at(),
        _ => at,
    };
    let base = match base_path.as_str() {
        "" => "/".to_owned(),
        path => encode_path(path),
    };
    Some(Url { scheme, authority, path, query, base, at })
}

fn base_path(state: &mut State<'_>, text: &Text) -> Option<(String, String, String)> {
    let base = state.plain(text, "`endpoint.base_path`")?;
    let (at, name) = (text.at(), "`endpoint.base_path`");
    let (code, what, hint) = if base.contains(['{', '}']) {
        (Code::Placeholder, "has a placeholder", "write it in `endpoint.url_path`; host and port are fixed")
    } else if base.contains('?') {
        (Code::InvalidValue, "has a query", "write its parameters under `endpoint.query`")
    } else if base.contains('#') {
        (Code::InvalidValue, "has a fragment, which is never sent", "remove the `#` and what follows it")
    } else {
        return split_base(state, &base, name, at);
    };
    state.note(at, code, format!("{name} {what}"), hint);
    None
}

/// Scheme, authority and path. No message cites the text: it may hold a password.
pub(crate) fn split_base(
    state: &mut State<'_>,
    base: &str,
    name: &str,
    at: Position,
) -> Option<(String, String, String)> {
    let mut refuse = |what: &str, hint: &str| {
        state.note(at, Code::InvalidValue, format!("{name} {what}"), hint);
        None
    };
    let Some((scheme, rest)) = base.split_once("://") else {
        return refuse("does not begin with a scheme", "write a URL that begins with https:// or http://");
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return refuse(
            "has a scheme other than http and https",
            "write a URL that begins with https:// or http://",
        );
    }
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return refuse(
            "holds a user or password",
            "remove everything up to the `@`, and write `auth: {type: basic, username: …, password: …}`",
        );
    }
    let authority = authority.to_ascii_lowercase();
    let well_formed = authority.parse::<http::uri::Authority>().is_ok_and(|parsed| {
        let port = authority.strip_prefix(parsed.host());
        !parsed.host().is_empty() && (port == Some("") || parsed.port_u16().is_some_and(|port| port > 0))
    });
    if !well_formed {
        return refuse(
            "has a malformed host or port",
            "write host and port as in https://api.example.com:8443; a host that is not ASCII in its xn-- form",
        );
    }
    Some((scheme, authority, path.to_owned()))
}

/// Puts the base's path before the parts, with exactly one slash between them.
fn join(base: &str, parts: &mut Vec<Part>) {
    let relative = match parts.first_mut() {
        Some(Part::Literal(first)) => {
            let separate = !first.is_empty() && !first.starts_with(['?', '#']);
            *first = first.trim_start_matches('/').to_owned();
            separate
        }
        Some(_) => true,
        None => false,
    };
    let base = if relative { format!("{}/", base.trim_end_matches('/')) } else { base.to_owned() };
    parts.insert(0, Part::Literal(base));
}

type PathAndQuery = (Vec<Piece>, Vec<NamedPieces>);

fn path_and_query(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    parts: Vec<Part>,
    at: Position,
) -> Option<PathAndQuery> {
    if parts.iter().any(|part| matches!(part, Part::Literal(text) if text.contains('#'))) {
        state.note(
            at,
            Code::InvalidValue,
            "`endpoint.url_path` has a fragment, which is never sent",
            "remove the `#` and what follows it; a `#` that belongs to the path is %23",
        );
    }
    let mut path: Vec<Piece> = vec![];
    let mut query = None;
    for part in parts {
        let Some(query) = &mut query else {
            match part {
                Part::Literal(text) => {
                    let (in_path, in_query) = match text.split_once('?') {
                        Some((path, query)) => (path, Some(query)),
                        None => (text.as_str(), None),
                    };
                    push_literal(&mut path, &encode_path(in_path));
                    query = in_query.map(|text| vec![Part::Literal(text.to_owned())]);
                }
                Part::Placeholder(name) => {
                    path.push(Piece::Column(mappings.placeholder(state, &name, Place::Path, at)));
                }
                // A reference without a value is noted; what follows it is looked at all the same.
                Part::Reference(reference) => path.extend(state.slot(&reference, at).map(Piece::Secret)),
            }
            continue;
        };
        query.push(part);
    }
    // A URL without a path asks for `/`.
    match path.first_mut() {
        Some(Piece::Literal(first)) if !first.starts_with('/') => first.insert(0, '/'),
        Some(Piece::Literal(_)) => {}
        _ => path.insert(0, Piece::Literal("/".to_owned())),
    }
    let query = match query {
        Some(parts) => query_string(state, mappings, parts, at)?,
        None => Vec::new(),
    };
    Some((path, query))
}

fn push_literal(path: &mut Vec<Piece>, text: &str) {
    match path.last_mut() {
        Some(Piece::Literal(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => path.push(Piece::Literal(text.to_owned())),
    }
}

/// Encodes what a path may not hold; an existing `%XX` stays.
fn encode_path(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for (index, piece) in text.split('%').enumerate() {
        if index > 0 {
            let escape = piece.len() >= 2 && piece.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
            encoded.push_str(if escape { "%" } else { "%25" });
        }
        encoded.extend(utf8_percent_encode(piece, PATH));
    }
    encoded
}

/// The parameters of a query string.
fn query_string(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    parts: Vec<Part>,
    at: Position,
) -> Option<Vec<NamedPieces>> {
    // Each parameter: its name, and once an `=` was met, the parts of its value.
    let mut params: Vec<(String, Option<Vec<Part>>)> = vec![(String::new(), None)];
    for part in parts {
        match part {
            Part::Literal(text) => {
                for (index, chunk) in text.split('&').enumerate() {
                    if index > 0 {
                        params.push((String::new(), None));
                    }
                    let Some((name, value)) = params.last_mut() else { continue };
                    let in_value = match value {
                        Some(_) => chunk,
                        None => {
                            let (own, rest) =
                                chunk.split_once('=').map_or((chunk, None), |(n, v)| (n, Some(v)));
                            name.push_str(own);
                            let Some(rest) = rest else { continue };
                            rest
                        }
                    };
                    let value = value.get_or_insert_default();
                    if !in_value.is_empty() {
                        value.push(Part::Literal(in_value.to_owned()));
                    }
                }
            }
            other => match params.last_mut() {
                Some((_, Some(value))) => value.push(other),
                _ => {
                    state.note(
                        at,
                        Code::Placeholder,
                        "`endpoint.url_path` has a placeholder or reference in the name of a query parameter",
                        "write the name out, as in `?patient={patient}`",
                    );
                    return None;
                }
            },
        }
    }
    let mut query = Vec::new();
    for (name, value) in params {
        if name.is_empty() && value.is_none() {
            continue;
        }
        let decoded = decode(&name);
        let parts: Option<Vec<Part>> = value
            .unwrap_or_default()
            .into_iter()
            .map(|part| match part {
                Part::Literal(text) => decode(&text).map(Part::Literal),
                other => Some(other),
            })
            .collect();
        let (Some(name), Some(parts)) = (decoded, parts) else {
            state.note(
                at,
                Code::InvalidValue,
                "the query of `endpoint.url_path` holds %XX bytes that are not UTF-8",
                "write its parameters under `endpoint.query`, not encoded",
            );
            return None;
        };
        let value = pieces(state, mappings, &name, parts, at);
        query.push(NamedPieces { name, value });
    }
    Some(query)
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The configured query parameters.
pub(crate) fn configured_query(state: &mut State<'_>, mappings: &mut Mappings<'_>) -> Vec<NamedPieces> {
    let mut query = Vec::new();
    for (name, text) in &state.config.endpoint.query {
        if name.is_empty() {
            state.note(name.at, Code::InvalidValue, "a query parameter has no name", "write its name");
            continue;
        }
        let label = format!("the query parameter `{}`", name.value);
        let value = parts(state, text, &label).map(|parts| pieces(state, mappings, name, parts, text.at()));
        query.extend(value.map(|value| NamedPieces { name: name.value.clone(), value }));
    }
    query
}

fn pieces(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    name: &str,
    parts: Vec<Part>,
    at: Position,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in parts {
        pieces.extend(match part {
            Part::Literal(text) => {
                Some(state.literal_secret(name, &text).map_or_else(|| Piece::Literal(text), Piece::Secret))
            }
            Part::Placeholder(column) => {
                Some(Piece::Column(mappings.placeholder(state, &column, Place::Query, at)))
            }
            Part::Reference(reference) => state.named_slot(name, &reference, at).map(Piece::Secret),
        });
    }
    pieces
}

/// Whether what is sent to this host stays on this machine.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = authority.parse::<http::uri::Authority>().map_or_else(
        |_| authority.to_owned(),
        |parsed| parsed.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
    );
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Part, encode_path, is_loopback, join};

    #[test]
    fn a_path_is_encoded_once() {
        assert_eq!(encode_path("/a b/%C3%A9/é/100%/%4"), "/a%20b/%C3%A9/%C3%A9/100%25/%254");
        assert_eq!(encode_path("/a:b@c;d=e,f"), "/a:b@c;d=e,f");
    }

    #[test]
    fn base_and_path_are_joined_by_one_slash() {
        let joined = |base: &str, path: &str| {
            let mut parts = vec![Part::Literal(path.to_owned())];
            join(base, &mut parts);
            parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => text.as_str(),
                    _ => "",
                })
                .collect::<String>()
        };
        for (base, path) in [("/v1", "/a"), ("/v1/", "a"), ("/v1/", "/a"), ("/v1", "a"), ("/v1//", "//a")] {
            assert_eq!(joined(base, path), "/v1/a", "{base} and {path}");
        }
        assert_eq!(joined("/v1", ""), "/v1");
        assert_eq!(joined("/v1", "?a=b"), "/v1?a=b");
        assert_eq!(joined("", "/"), "/");
    }

    #[test]
    fn loopback_hosts_are_told_from_others() {
        for host in ["localhost", "localhost:80", "127.0.0.1:8080", "127.8.0.1", "[::1]:443", "a.localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["api.example.com", "10.0.0.1", "localhost.example.com", "[2001:db8::1]:80"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}

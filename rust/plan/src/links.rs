//! What links of the chain need to know before the request is complete: the headers they set, the columns they name.

use apisink_config::{
    BearerToken, Code, Compression, Config, HeaderAuth, IdempotencyKey, KeyFormat, Located, Middleware,
    Position,
};
use serde::Serialize;
use serde_json::Value;

use crate::headers::{self, unfit_for_header};
use crate::mapping::Mappings;
use crate::plan::{
    BearerTokenSpec, CodingName, CompressBodySpec, HeaderAuthSpec, HeaderCredential, HeadersSpec,
    IdempotencyKeySpec, NamedPieces,
};
use crate::state::State;
use crate::{auth, body, custom, response, script};

/// The specifications of the links that are compiled first, each in the place of its link.
pub(crate) struct Prepared {
    pub(crate) specs: Vec<Option<Value>>,
    /// The headers that links set, and the link's name.
    pub(crate) claims: Claims,
}

/// Header names in lower case, and who sets them.
pub(crate) type Claims = Vec<(String, &'static str)>;

/// The header that carries the request_id: that of the chain's `idempotency_key`, else that of `endpoint`.
pub(crate) fn idempotency_header(config: &Config) -> Option<&Located<String>> {
    idempotency_key(config).map(|(_, key)| &key.header).or(config.endpoint.idempotency_header.as_ref())
}

fn idempotency_key(config: &Config) -> Option<(Position, &IdempotencyKey)> {
    config.middleware.iter().find_map(|link| match &link.value {
        Middleware::IdempotencyKey(key) => Some((link.at, key)),
        _ => None,
    })
}

/// Compiles the links that name columns or set headers. `fixed` are the headers of `endpoint`.
pub(crate) fn prepare(state: &mut State<'_>, mappings: &mut Mappings<'_>, fixed: &[NamedPieces]) -> Prepared {
    let config = state.config;
    let mut claims = Claims::new();
    response::check_names(state);
    let mut first_field = response::picked(config).count();
    let specs = config
        .middleware
        .iter()
        .map(|link| match &link.value {
            Middleware::TextBody(body) => spec(body::text_body(state, mappings, body)),
            Middleware::TemplateBody(body) => spec(body::template_body(state, mappings, body)),
            Middleware::Headers(link) => {
                let compiled = headers::configured(state, mappings, &link.headers);
                for header in &compiled {
                    let written =
                        link.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(&header.name));
                    let at = written.map_or(Position::default(), |(name, _)| name.at);
                    claim(state, &mut claims, fixed, "headers", &header.name, at);
                }
                spec(Some(HeadersSpec { headers: compiled }))
            }
            Middleware::BearerToken(link) => spec(bearer_token(state, &mut claims, fixed, link)),
            Middleware::HeaderAuth(link) => spec(header_auth(state, &mut claims, fixed, link)),
            Middleware::CompressBody(compress) => {
                claim(state, &mut claims, fixed, "compress_body", "content-encoding", link.at);
                let encoding = match compress.encoding {
                    Compression::Gzip => CodingName::Gzip,
                    Compression::Zstd => CodingName::Zstd,
                };
                spec(Some(CompressBodySpec { encoding, min_bytes: compress.min_bytes }))
            }
            Middleware::JsonResponse(json) => spec(response::compile(state, json)),
            Middleware::Custom(custom) => spec(custom::compile(state, custom)),
            Middleware::Script(script) => {
                let fields = response::script_fields(script);
                let first = first_field;
                first_field += fields.len();
                spec(script::compile(state, script, fields, first))
            }
            Middleware::IdempotencyKey(key) => spec(key_spec(state, &mut claims, fixed, link.at, key)),
            _ => None,
        })
        .collect();
    Prepared { specs, claims }
}

/// The specification as JSON; these types can always be written as JSON.
fn spec(spec: Option<impl Serialize>) -> Option<Value> {
    spec.and_then(|spec| serde_json::to_value(spec).ok())
}

/// Notes that another part of the config sets a header as well; else the header is the link's.
fn claim(
    state: &mut State<'_>,
    claims: &mut Claims,
    fixed: &[NamedPieces],
    by: &'static str,
    name: &str,
    at: Position,
) {
    let config = state.config;
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    let of_auth = auth::sets_header(&config.auth, name);
    let id = (by != "idempotency_key").then(|| idempotency_header(config)).flatten();
    let other = if fixed.iter().any(|header| header.name == name) {
        "under `endpoint.headers`".to_owned()
    } else if let Some((_, other)) = claims.iter().find(|(claimed, _)| claimed == name) {
        format!("by the middleware `{other}`")
    } else if of_auth {
        "by `auth`".to_owned()
    } else if id.is_some_and(|id| is(id)) {
        "to the request_id".to_owned()
    } else {
        return claims.push((name.to_owned(), by));
    };
    let what = format!("the middleware `{by}` sets the header `{name}`, which is set {other} too");
    state.note(at, Code::Conflict, what, "keep one of them");
}

fn bearer_token(
    state: &mut State<'_>,
    claims: &mut Claims,
    fixed: &[NamedPieces],
    link: &BearerToken,
) -> Option<BearerTokenSpec> {
    let at = if link.header.at == Position::default() { link.token.at() } else { link.header.at };
    let header = headers::request_header(state, &link.header, at);
    if let Some(header) = &header {
        claim(state, claims, fixed, "bearer_token", header, at);
    }
    let token = state.credential(link.token.expose(), "`token` of `bearer_token`", unfit_for_header);
    Some(BearerTokenSpec { header: header?, token: token? })
}

fn header_auth(
    state: &mut State<'_>,
    claims: &mut Claims,
    fixed: &[NamedPieces],
    link: &HeaderAuth,
) -> Option<HeaderAuthSpec> {
    let header = headers::request_header(state, &link.header, link.header.at);
    if let Some(header) = &header {
        claim(state, claims, fixed, "header_auth", header, link.header.at);
    }
    let no_control =
        |value: &str| value.contains(|c: char| c.is_control()).then_some("holds a control character");
    let credential = match (&link.value, &link.username, &link.password) {
        (Some(value), ..) => {
            let prefix = match &link.prefix {
                Some(prefix) => {
                    let text = state.plain(prefix, "`prefix` of `header_auth`");
                    if let Some(why) = text.as_deref().and_then(unfit_for_header) {
                        let what = format!("the value of `prefix` {why}");
                        state.note(prefix.at(), Code::InvalidValue, what, "write for example \"Token \"");
                    }
                    text
                }
                None => Some(String::new()),
            };
            let value = state.credential(value.expose(), "`value` of `header_auth`", unfit_for_header);
            HeaderCredential::Value { prefix: prefix?, value: value? }
        }
        (None, Some(username), Some(password)) => {
            let name = username.expose();
            let username = state.credential(name, "`username` of `header_auth`", |value| {
                if value.contains(':') { Some("holds a colon") } else { no_control(value) }
            });
            let password = state.credential(password.expose(), "`password` of `header_auth`", no_control);
            state.identifies(name, username?);
            HeaderCredential::User { username: username?, password: password? }
        }
        _ => return None,
    };
    Some(HeaderAuthSpec { header: header?, credential })
}

fn key_spec(
    state: &mut State<'_>,
    claims: &mut Claims,
    fixed: &[NamedPieces],
    at: Position,
    key: &IdempotencyKey,
) -> Option<IdempotencyKeySpec> {
    // What is not written has no place.
    let written = match &state.config.endpoint.idempotency_header {
        None => true,
        Some(name) => name.at != Position::default(),
    };
    if written {
        let what = "the middleware `idempotency_key` takes the place of `endpoint.idempotency_header`";
        state.note(at, Code::Conflict, what, "keep one of them");
    }
    let at = if key.header.at == Position::default() { at } else { key.header.at };
    let header = headers::request_header(state, &key.header, at)?;
    claim(state, claims, fixed, "idempotency_key", &header, at);
    let quote = if key.format == KeyFormat::Quoted { "\"" } else { "" };
    let prefix = key.prefix.as_ref().map_or("", |prefix| &prefix.value);
    Some(IdempotencyKeySpec { header, before: format!("{quote}{prefix}"), after: quote.to_owned() })
}

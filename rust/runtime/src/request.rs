//! The request, and the template that renders it from a row.

use std::borrow::Cow;
use std::sync::Arc;

use apisink_plan::{NamedPieces, Piece, RequestPlan, SecretValues};
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
    SET_COOKIE, USER_AGENT,
};
use http::uri::Authority;
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{RowError, RuntimeError};
use crate::header_template::HeaderTemplates;
use crate::row::{Binder, ColumnIndex, Row};

/// Everything but RFC 3986's unreserved characters is encoded: a value can neither leave its path segment nor its
/// query parameter, nor change host or path.
pub(crate) const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The User-Agent, unless the config names one.
pub(crate) const PRODUCT: &str = concat!("apisink/", env!("CARGO_PKG_VERSION"));

/// What stands for a credential.
pub(crate) const MASK: &str = "***";

/// Where requests go: scheme, host and port. Two are equal when they are written alike.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Host and port as they stand in URL and Host header.
    pub authority: String,
    /// The same as the header's value.
    pub(crate) host_header: HeaderValue,
    /// The same as a part of a whole URL.
    pub(crate) uri_authority: Authority,
}

impl Origin {
    /// The origin of a scheme and an authority (host and optional port).
    pub fn new(scheme: &str, authority: &str) -> Result<Self, RuntimeError> {
        let wrong = |why: &str| RuntimeError::Plan(format!("{scheme}://{authority}: {why}"));
        let tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(wrong("the scheme must be http or https")),
        };
        let parsed: Authority = authority.parse().map_err(|_| wrong("not a host and port"))?;
        Ok(Self {
            tls,
            host: parsed.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: parsed.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.to_owned(),
            host_header: HeaderValue::from_str(authority).map_err(|_| wrong("not a host and port"))?,
            uri_authority: parsed,
        })
    }

    /// The scheme in a URL.
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        // All else follows from these, and every request is compared with its host in the pool.
        self.tls == other.tls && self.authority == other.authority
    }
}

impl Eq for Origin {}

/// A request, owned: nothing in it refers to the batch that its row came from.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Where it goes.
    pub origin: Arc<Origin>,
    /// Path and query, encoded.
    pub target: String,
    /// Path and query with secrets masked; none when they hold no secret.
    masked_target: Option<String>,
    /// Headers without Host and Content-Length, which the transport adds.
    pub headers: HeaderMap,
    /// Body, as it is sent.
    pub body: Bytes,
    /// The body before it was compressed; none when it was not.
    plain_body: Option<Bytes>,
    /// The exchange's request_id; nil before it has one.
    pub request_id: Uuid,
    /// Whether the headers carry the request_id as an idempotency key.
    pub has_idempotency_key: bool,
    /// What is known only when the request is written, if anything.
    pub late: Option<Arc<dyn LateHeaders>>,
}

/// Headers that are made at the moment of writing, for a request may wait long for its connection and its slot of the rate
/// limit: a token must be good then, and a signature fresh.
pub trait LateHeaders: Send + Sync {
    /// Puts them into the headers of the message, which has those of the request and of the transport. Runs once for every
    /// writing, directly before it, and must not wait. An error makes the row an `invalid_row` row.
    fn put(&self, request: &Request, headers: &mut HeaderMap) -> Result<(), RowError>;
}

impl std::fmt::Debug for dyn LateHeaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, origin: Arc<Origin>, target: String) -> Self {
        Self {
            method,
            origin,
            target,
            masked_target: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            plain_body: None,
            request_id: Uuid::nil(),
            has_idempotency_key: false,
            late: None,
        }
    }

    /// The URL for people and for the sink: secrets are masked.
    pub fn display_url(&self) -> String {
        format!("{}://{}{}", self.origin.scheme(), self.origin.authority, self.display_target())
    }

    /// Path and query for people and for the sink: secrets are masked.
    pub fn display_target(&self) -> &str {
        self.masked_target.as_ref().unwrap_or(&self.target)
    }

    /// Sets the body, and its Content-Type unless there is one.
    pub fn set_body(&mut self, body: Bytes, content_type: &HeaderValue) {
        self.body = body;
        self.headers.entry(CONTENT_TYPE).or_insert_with(|| content_type.clone());
    }

    /// Puts the compressed body in the place of the plain one, which is kept for people and for the sink.
    pub(crate) fn compress_to(&mut self, body: Bytes, coding: HeaderValue) {
        self.plain_body = Some(std::mem::replace(&mut self.body, body));
        self.headers.insert(CONTENT_ENCODING, coding);
    }

    /// The body for people and for the sink: not compressed.
    pub(crate) fn shown_body(&self) -> &Bytes {
        self.plain_body.as_ref().unwrap_or(&self.body)
    }

    /// Adds a query parameter, name and value encoded already.
    pub fn push_encoded_query(&mut self, pairs: &str) {
        for target in std::iter::once(&mut self.target).chain(self.masked_target.as_mut()) {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(pairs);
        }
    }

    /// Adds a query parameter, name and value encoded already, whose value is masked where the URL is shown.
    pub(crate) fn push_secret_query(&mut self, name: &str, value: &str) {
        let masked = self.masked_target.get_or_insert_with(|| self.target.clone());
        for (target, value) in [(masked, MASK), (&mut self.target, value)] {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(name);
            target.push('=');
            target.push_str(value);
        }
    }

    /// Length of the URL in bytes.
    pub(crate) fn url_bytes(&self) -> usize {
        self.origin.scheme().len() + "://".len() + self.origin.authority.len() + self.target.len()
    }

    /// Bytes that the request holds in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        const FIXED: usize = 256;
        const PER_HEADER: usize = 64;
        let plain = self.plain_body.as_ref().map_or(0, Bytes::len);
        FIXED + self.target.len() + self.body.len() + plain + PER_HEADER * self.headers.len()
    }
}

/// A header's value for people and for the sink: credentials, cookies and secrets are masked.
pub(crate) fn shown_value<'v>(name: &HeaderName, value: &'v HeaderValue) -> Cow<'v, str> {
    let hidden =
        value.is_sensitive() || [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name);
    if hidden { MASK.into() } else { lossy(value.as_bytes()) }
}

/// A copy of headers with room for so many more, for which a clone would have to grow.
pub(crate) fn with_room(headers: &HeaderMap, more: usize) -> HeaderMap {
    let mut copy = HeaderMap::with_capacity(headers.len() + more);
    copy.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    copy
}

/// Marks headers whose values hold one of these secrets, so that they are not shown.
pub(crate) fn mark_secrets(headers: &mut HeaderMap, secrets: &[String]) {
    for value in headers.values_mut() {
        let holds =
            |secret: &String| !secret.is_empty() && value.to_str().is_ok_and(|value| value.contains(secret));
        if secrets.iter().any(holds) {
            value.set_sensitive(true);
        }
    }
}

/// Appends a percent-encoded value.
pub(crate) fn encode_into(value: &[u8], out: &mut String) {
    out.extend(percent_encode(value, VALUE));
}

/// What all requests of a session have in common, bound to the source's columns.
#[derive(Debug)]
pub(crate) struct RequestTemplate {
    method: Method,
    origin: Arc<Origin>,
    path: Vec<BoundPiece>,
    query: Vec<(String, Vec<BoundPiece>)>,
    headers: HeaderTemplates,
    idempotency_header: Option<HeaderName>,
    max_url_bytes: usize,
    has_secret_target: bool,
}

/// A [`Piece`] bound to its column or secret.
#[derive(Debug)]
pub(crate) enum BoundPiece {
    Literal(String),
    Secret(String),
    Column { index: ColumnIndex, required: bool },
}

impl RequestTemplate {
    pub(crate) fn new(
        plan: &RequestPlan,
        secrets: &SecretValues,
        binder: &mut Binder<'_>,
    ) -> Result<Self, RuntimeError> {
        let path = bind(&plan.path, secrets, binder)?;
        let query = plan
            .query
            .iter()
            .map(|NamedPieces { name, value }| {
                let mut encoded = String::new();
                encode_into(name.as_bytes(), &mut encoded);
                Ok((encoded, bind(value, secrets, binder)?))
            })
            .collect::<Result<Vec<_>, RuntimeError>>()?;
        let mut headers = HeaderTemplates::new(&plan.headers, secrets, binder)?;
        if !headers.fixed.contains_key(USER_AGENT) {
            headers.fixed.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
        }
        let has_secret_target =
            path.iter().chain(query.iter().flat_map(|(_, pieces)| pieces)).any(BoundPiece::is_secret);
        Ok(Self {
            method: Method::from_bytes(plan.method.as_bytes())
                .map_err(|_| RuntimeError::Plan(format!("{} is no HTTP method", plan.method)))?,
            origin: Arc::new(Origin::new(&plan.scheme, &plan.authority)?),
            path,
            query,
            headers,
            idempotency_header: plan.idempotency_header.as_deref().map(header_name).transpose()?,
            max_url_bytes: plan.max_url_bytes,
            has_secret_target,
        })
    }

    /// The request without columns, for the record of a row that cannot be rendered.
    pub(crate) fn blank(&self) -> Request {
        Request::new(self.method.clone(), self.origin.clone(), String::new())
    }

    /// The longest URL allowed, in bytes.
    pub(crate) fn max_url_bytes(&self) -> usize {
        self.max_url_bytes
    }

    /// Renders a row's request; `digest` takes in what of the row reached it. The request has no request_id yet.
    pub(crate) fn render(&self, row: &Row<'_>, digest: &mut Sha256) -> Result<Request, RowError> {
        let target = self.target(row, false)?;
        let masked_target = if self.has_secret_target { Some(self.target(row, true)?) } else { None };
        digest.update(self.method.as_str());
        digest.update([0]);
        digest.update(masked_target.as_ref().unwrap_or(&target));
        let mut headers = self.headers.fixed_with_room();
        self.headers.render(row, &mut headers, |bytes| digest.update(bytes))?;
        Ok(Request {
            method: self.method.clone(),
            origin: self.origin.clone(),
            target,
            masked_target,
            headers,
            body: Bytes::new(),
            plain_body: None,
            request_id: Uuid::nil(),
            has_idempotency_key: self.idempotency_header.is_some(),
            late: None,
        })
    }

    /// Adds the request_id, and the idempotency header unless it is switched off.
    pub(crate) fn identify(&self, request: &mut Request, request_id: Uuid) {
        request.request_id = request_id;
        let Some(name) = &self.idempotency_header else { return };
        let mut buffer = Uuid::encode_buffer();
        let key: &str = request_id.hyphenated().encode_lower(&mut buffer);
        if let Ok(key) = HeaderValue::from_str(key) {
            request.headers.insert(name.clone(), key);
        }
    }

    fn target(&self, row: &Row<'_>, masked: bool) -> Result<String, RowError> {
        let mut target = String::with_capacity(64);
        let mut value = Vec::new();
        for piece in &self.path {
            match piece {
                BoundPiece::Literal(text) => target.push_str(text),
                BoundPiece::Secret(_) if masked => target.push_str(MASK),
                BoundPiece::Secret(secret) => encode_into(secret.as_bytes(), &mut target),
                BoundPiece::Column { index, .. } => {
                    value.clear();
                    row.write_text(*index, &mut value)?;
                    // An empty segment or a dot segment would make another path of it (RFC 3986, 5.2.4).
                    if value.is_empty() || value == b"." || value == b".." {
                        let what =
                            if row.is_null(*index) { "null".into() } else { format!("{:?}", lossy(&value)) };
                        return Err(RowError::new(
                            "path_value",
                            format!("column {}: {what} cannot stand in the URL's path", row.name(*index)),
                        ));
                    }
                    encode_into(&value, &mut target);
                }
            }
        }
        let mut separator = '?';
        for (name, pieces) in &self.query {
            value.clear();
            if !write_value(pieces, row, masked, &mut value)? {
                continue;
            }
            target.push(separator);
            separator = '&';
            target.push_str(name);
            target.push('=');
            encode_into(&value, &mut target);
        }
        Ok(target)
    }
}

impl BoundPiece {
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, BoundPiece::Secret(_))
    }

    pub(crate) fn fixed(&self) -> &str {
        match self {
            BoundPiece::Literal(text) | BoundPiece::Secret(text) => text,
            BoundPiece::Column { .. } => "",
        }
    }
}

/// Binds a template's pieces.
pub(crate) fn bind(
    pieces: &[Piece],
    secrets: &SecretValues,
    binder: &mut Binder<'_>,
) -> Result<Vec<BoundPiece>, RuntimeError> {
    pieces
        .iter()
        .map(|piece| {
            Ok(match piece {
                Piece::Literal(text) => BoundPiece::Literal(text.clone()),
                Piece::Secret(slot) => BoundPiece::Secret(secret(secrets, *slot)?.to_owned()),
                Piece::Column(column) => {
                    BoundPiece::Column { index: binder.column(column)?, required: column.required }
                }
            })
        })
        .collect()
}

/// Writes the value of a header or a query parameter; false when it consists of a null alone and is left out.
pub(crate) fn write_value(
    pieces: &[BoundPiece],
    row: &Row<'_>,
    masked: bool,
    out: &mut Vec<u8>,
) -> Result<bool, RowError> {
    for piece in pieces {
        match piece {
            BoundPiece::Literal(text) => out.extend_from_slice(text.as_bytes()),
            BoundPiece::Secret(_) if masked => out.extend_from_slice(MASK.as_bytes()),
            BoundPiece::Secret(secret) => out.extend_from_slice(secret.as_bytes()),
            BoundPiece::Column { index, required } => {
                if row.is_null(*index) {
                    require(row, *index, *required)?;
                    if pieces.len() == 1 {
                        return Ok(false);
                    }
                } else {
                    row.write_text(*index, out)?;
                }
            }
        }
    }
    Ok(true)
}

/// Refuses the null of a required column.
pub(crate) fn require(row: &Row<'_>, column: ColumnIndex, required: bool) -> Result<(), RowError> {
    if required && row.is_null(column) {
        return Err(RowError::new("null_value", format!("column {} is required and null", row.name(column))));
    }
    Ok(())
}

/// The value of a secret slot.
pub(crate) fn secret(secrets: &SecretValues, slot: apisink_plan::SecretSlot) -> Result<&str, RuntimeError> {
    secrets.get(slot).map(|secret| secret.expose()).ok_or_else(|| {
        RuntimeError::Plan("the secrets do not belong to this plan: a slot has no value".into())
    })
}

/// A plan's name of a header.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, RuntimeError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| RuntimeError::Plan(format!("{name} is no header name")))
}

pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Refuses a URL of so many bytes when the config allows fewer.
pub(crate) fn check_url_bytes(bytes: usize, most: usize) -> Result<(), RowError> {
    if bytes <= most {
        return Ok(());
    }
    let why = format!("the URL has {bytes} bytes and endpoint.max_url_length is {most}");
    Err(RowError::new("url_too_long", why))
}

/// Bytes in hexadecimal, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = vec![0; 2 * bytes.len()];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    String::from_utf8(text).expect("digits are ASCII")
}

/// The first 128 bits of a digest in hexadecimal.
pub(crate) fn digest_text(digest: Sha256) -> String {
    hex(&digest.finalize()[..16])
}

//! A request as the message that goes over the wire.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, HeaderValue};
use http::uri::Scheme;
use http::{Method, Uri};
use http_body_util::Full;

use super::failure::not_sent;
use crate::exchange::{Failure, FailureKind};
use crate::request::{Origin, Request, with_room};

/// The Accept-Encoding of requests that name none: what answers may be compressed with, in no order of preference.
pub const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate, br, zstd");

/// Headers that are added to those of most requests: host, codings, credentials.
const ADDED: usize = 3;

/// The message of a request, for a target in the form that its connection takes: its headers, and those that the transport
/// adds whatever is spoken. `compressed` says whether a compressed answer is asked for, unless the request itself says which ones it accepts.
pub(super) fn message(request: &Request, target: Uri, compressed: bool) -> http::Request<Full<Bytes>> {
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = target;
    // The names of a copy of a map that has room itself need not be hashed again.
    let roomy = request.headers.capacity() >= request.headers.len() + ADDED;
    let mut headers = if roomy { request.headers.clone() } else { with_room(&request.headers, ADDED) };
    if compressed {
        headers.entry(ACCEPT_ENCODING).or_insert(CODINGS);
    }
    *message.headers_mut() = headers;
    // Methods that define a body say that theirs is empty (RFC 9110, 8.6). The length of any other is hyper's to write.
    let defines_body = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
    if request.body.is_empty() && defines_body {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    message
}

/// Lets a message name its host, as HTTP/1.1 wants it (RFC 9112, 3.2) and signatures do.
pub(super) fn name_host(message: &mut http::Request<Full<Bytes>>, request: &Request) {
    message.headers_mut().insert(HOST, request.origin.host_header.clone());
}

/// Takes the host out of the headers again: HTTP/2 has it in the URL (RFC 9113, 8.3.1).
pub(super) fn forget_host(message: &mut http::Request<Full<Bytes>>) {
    message.headers_mut().remove(HOST);
}

/// The whole URL of a target, as HTTP/2 and a plain HTTP proxy want it (RFC 9113, 8.3.1; RFC 9112, 3.2.2).
pub(super) fn absolute(target: Uri, origin: &Origin) -> Result<Uri, Failure> {
    let mut parts = target.into_parts();
    parts.scheme = Some(if origin.tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(origin.uri_authority.clone());
    Uri::from_parts(parts).map_err(|e| cannot_be_sent(&e))
}

/// A target as it stands in a message.
pub(super) fn uri(target: &str) -> Result<Uri, Failure> {
    target.parse().map_err(|e| cannot_be_sent(&e))
}

fn cannot_be_sent(why: &dyn std::fmt::Display) -> Failure {
    not_sent(FailureKind::InvalidRow("url"), format!("the URL cannot be sent: {why}"))
}

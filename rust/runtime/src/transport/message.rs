//! A request as the message that goes over the wire.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, HeaderValue};
use http::{Method, Uri};
use http_body_util::Full;

use super::failure::not_sent;
use crate::exchange::{Failure, FailureKind};
use crate::request::{Request, with_room};

/// What answers may be compressed with, in no order of preference.
const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate, br, zstd");

/// Headers that are added to those of a request: four here and later, and those of credentials.
const ADDED: usize = 6;

/// The message of a request for its target: its headers, and those that the transport adds. `compressed` says whether a
/// compressed answer is asked for, unless the request itself says which ones it accepts.
pub(super) fn message(request: &Request, target: Uri, compressed: bool) -> http::Request<Full<Bytes>> {
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = target;
    let mut headers = with_room(&request.headers, ADDED);
    headers.insert(HOST, request.origin.host_header.clone());
    *message.headers_mut() = headers;
    if compressed && !request.headers.contains_key(ACCEPT_ENCODING) {
        message.headers_mut().insert(ACCEPT_ENCODING, CODINGS);
    }
    // Methods that define a body say that theirs is empty (RFC 9110, 8.6). The length of any other is hyper's to write.
    let defines_body = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
    if request.body.is_empty() && defines_body {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    message
}

/// Lets a message name its whole URL, as a plain HTTP proxy wants it (RFC 9112, 3.2.2).
pub(super) fn absolute(message: &mut http::Request<Full<Bytes>>, request: &Request) -> Result<(), Failure> {
    let scheme = if request.origin.tls { "https" } else { "http" };
    *message.uri_mut() = uri(&format!("{scheme}://{}{}", request.origin.authority, request.target))?;
    Ok(())
}

/// Makes a message one of HTTP/2, where scheme and host are not headers (RFC 9113, 8.3.1).
pub(super) fn for_http2(message: &mut http::Request<Full<Bytes>>, request: &Request) -> Result<(), Failure> {
    message.headers_mut().remove(HOST);
    absolute(message, request)
}

/// A target, or a whole URL, as it stands in a message.
pub(super) fn uri(text: &str) -> Result<Uri, Failure> {
    text.parse().map_err(|e| not_sent(FailureKind::InvalidRow("url"), format!("the URL cannot be sent: {e}")))
}

//! A request as the message that goes over the wire.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{Method, Uri};
use http_body_util::Full;

use super::failure::not_sent;
use crate::exchange::{Failure, FailureKind};
use crate::request::Request;

/// The message of a request: its headers, and those that the transport adds.
pub(super) fn message(request: &Request) -> Result<http::Request<Full<Bytes>>, Failure> {
    let uri: Uri = request
        .target
        .parse()
        .map_err(|e| not_sent(FailureKind::InvalidRow("url"), format!("the URL cannot be sent: {e}")))?;
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = uri;
    *message.headers_mut() = request.headers.clone();
    let host = HeaderValue::from_str(&request.origin.authority)
        .map_err(|e| not_sent(FailureKind::InvalidRow("url"), format!("the host cannot be sent: {e}")))?;
    message.headers_mut().insert(HOST, host);
    // Methods that define a body say that theirs is empty (RFC 9110, 8.6).
    let defines_body = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
    if !request.body.is_empty() {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    } else if defines_body {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(message)
}

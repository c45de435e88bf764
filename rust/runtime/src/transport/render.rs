//! The engine `render`: sends nothing, and answers with the request as it would have been sent.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::message::{message, name_host, uri};
use super::{Connections, EngineContext, Permit, Transport};
use crate::budget::Reservation;
use crate::error::RuntimeError;
use crate::exchange::{Failure, Response, TransportFacts};
use crate::middleware::BoxFuture;
use crate::request::{Request, shown_value};

/// Opens no connection and spends no slot of the rate limit. Every request is answered at once with status 200 and
/// the media type `message/http` (RFC 9112, 10.1); the body is the request as an HTTP/1.1 message in which
/// credentials, cookies and secrets are masked.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderTransport {
    /// Whether a compressed answer would be asked for.
    compressed: bool,
}

pub(super) fn make(context: &EngineContext<'_>) -> Result<Box<dyn Transport>, RuntimeError> {
    Ok(Box::new(RenderTransport { compressed: context.plan.decompress }))
}

impl Transport for RenderTransport {
    fn send<'a>(
        &'a self,
        request: &'a Request,
        mut permit: Permit<'a>,
        memory: &'a mut Reservation,
        _: &'a mut TransportFacts,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            permit.pass().await;
            let result = answer(request, self.compressed);
            if let Ok(response) = &result {
                memory.grow(response.body.len()).await;
            }
            result
        })
    }

    fn connections(&self) -> Connections {
        Connections::default()
    }
}

fn answer(request: &Request, compressed: bool) -> Result<Response, Failure> {
    let body = rendered(request, compressed)?;
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("message/http"));
    Ok(Response { status: StatusCode::OK, headers, body, truncated: false })
}

/// The request as text, with the form of its target that is meant for people.
fn rendered(request: &Request, compressed: bool) -> Result<Bytes, Failure> {
    let mut message = message(request, uri(&request.target)?, compressed);
    name_host(&mut message, request);
    if !request.body.is_empty() {
        message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    }
    let mut text = Vec::with_capacity(request.bytes());
    let mut push = |piece: &str| text.extend_from_slice(piece.as_bytes());
    push(request.method.as_str());
    push(" ");
    push(request.display_target());
    push(" HTTP/1.1\r\n");
    for (name, value) in message.headers() {
        push(name.as_str());
        push(": ");
        push(&shown_value(name, value));
        push("\r\n");
    }
    push("\r\n");
    text.extend_from_slice(&request.body);
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Method;
    use http::header::{AUTHORIZATION, COOKIE};

    use super::*;
    use crate::budget::ByteBudget;
    use crate::rate::RateLimiter;
    use crate::request::Origin;

    async fn send(request: &Request) -> Result<Response, Failure> {
        let mut memory = ByteBudget::new(1 << 20).take(0);
        let limiter = RateLimiter::new(Some(1e-6));
        let mut facts = TransportFacts::default();
        let result =
            RenderTransport::default().send(request, Permit::of(&limiter), &mut memory, &mut facts).await;
        assert_eq!((facts.protocol, facts.remote_addr, facts.reused), (None, None, None));
        result
    }

    #[tokio::test]
    async fn the_answer_is_the_request_as_a_message_with_its_credentials_masked() {
        let origin = Arc::new(Origin::new("https", "api.example.com").unwrap());
        let mut request = Request::new(Method::POST, origin, "/v1/patient?page=1".into());
        request.body = Bytes::from_static(b"{\"patient\":7}");
        request.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer hunter2"));
        request.headers.insert(COOKIE, HeaderValue::from_static("session=hunter2"));
        let mut key = HeaderValue::from_static("hunter2");
        key.set_sensitive(true);
        request.headers.insert("x-api-key", key);
        request.headers.insert("accept", HeaderValue::from_static("application/json"));
        for _ in 0..3 {
            let response = send(&request).await.unwrap();
            assert_eq!((response.status, response.truncated), (StatusCode::OK, false));
            assert_eq!(response.headers[CONTENT_TYPE], "message/http");
            let text = String::from_utf8(response.body.to_vec()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let mut lines: Vec<&str> = head.split("\r\n").collect();
            assert_eq!(lines.remove(0), "POST /v1/patient?page=1 HTTP/1.1");
            lines.sort_unstable();
            assert_eq!(
                lines,
                [
                    "accept: application/json",
                    "authorization: ***",
                    "content-length: 13",
                    "cookie: ***",
                    "host: api.example.com",
                    "x-api-key: ***",
                ]
            );
            assert_eq!(body, "{\"patient\":7}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_sent_cannot_be_rendered_either() {
        let origin = Arc::new(Origin::new("https", "api.example.com").unwrap());
        let request = Request::new(Method::GET, origin, "/a b".into());
        let failure = send(&request).await.unwrap_err();
        assert_eq!(failure.kind.word(), "url");
    }
}

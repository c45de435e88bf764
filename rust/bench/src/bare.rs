//! A bare hyper loop: what hyper alone does with a machine, a server and requests. It keeps a number of requests in flight,
//! over as many connections of HTTP/1.1 or few of HTTP/2, sends one small JSON POST after the other, reads every answer to
//! its end and keeps nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::{Failure, PATH, body, headers};

/// Requests at once over one connection of HTTP/2.
const STREAMS: u64 = 100;

/// The connections of a loop.
pub struct Bare {
    to: Target,
    senders: Vec<Sender>,
}

/// The headers and the URL that a request has by its server.
#[derive(Clone)]
struct Target {
    host: Option<HeaderValue>,
    uri: Uri,
}

/// The right to send one request at a time.
enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

impl Bare {
    /// Makes connections of HTTP/1.1 to a host and port, for so many requests at once.
    pub async fn connect(address: &str, in_flight: u64) -> Result<Self, Failure> {
        let mut senders = Vec::new();
        for _ in 0..in_flight {
            let (sender, connection) = http1::handshake(open(address).await?).await?;
            tokio::spawn(connection);
            senders.push(Sender::Http1(sender));
        }
        let host = Some(HeaderValue::from_str(address)?);
        Ok(Self { to: Target { host, uri: Uri::from_static(PATH) }, senders })
    }

    /// The same of HTTP/2, whose connections carry many requests at once.
    pub async fn connect_http2(address: &str, in_flight: u64) -> Result<Self, Failure> {
        let mut senders = Vec::new();
        while (senders.len() as u64) < in_flight {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), open(address).await?).await?;
            tokio::spawn(connection);
            let streams = STREAMS.min(in_flight - senders.len() as u64);
            senders.extend((0..streams).map(|_| Sender::Http2(sender.clone())));
        }
        Ok(Self { to: Target { host: None, uri: format!("http://{address}{PATH}").parse()? }, senders })
    }

    /// Sends so many requests, one at a time over each connection.
    pub async fn send(&mut self, requests: u64) -> Result<(), Failure> {
        let next = Arc::new(AtomicU64::new(0));
        let loops: Vec<_> = std::mem::take(&mut self.senders)
            .into_iter()
            .map(|sender| tokio::spawn(one(sender, self.to.clone(), next.clone(), requests)))
            .collect();
        for one in loops {
            self.senders.push(one.await??);
        }
        Ok(())
    }
}

async fn open(address: &str) -> Result<TokioIo<TcpStream>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

async fn one(mut sender: Sender, to: Target, next: Arc<AtomicU64>, requests: u64) -> Result<Sender, Failure> {
    loop {
        let row = next.fetch_add(1, Ordering::Relaxed);
        if row >= requests {
            return Ok(sender);
        }
        let mut request = Request::new(Full::new(body(row)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.uri.clone();
        if let Some(host) = &to.host {
            request.headers_mut().insert(HOST, host.clone());
        }
        request.headers_mut().extend(headers(row)?);
        let answer = sender.send(request).await?;
        if !answer.status().is_success() {
            return Err(format!("the server answered {}", answer.status()).into());
        }
        answer.into_body().collect().await?;
    }
}

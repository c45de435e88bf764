//! A bare hyper loop: what hyper alone does with a machine, a server and requests. It keeps a number of connections, sends
//! one small JSON POST after the other over each, reads every answer to its end and keeps nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{Failure, PATH, body, headers};

/// The connections of a loop.
pub struct Bare {
    host: HeaderValue,
    senders: Vec<SendRequest<Full<Bytes>>>,
}

impl Bare {
    /// Makes so many connections to a host and port.
    pub async fn connect(address: &str, connections: u64) -> Result<Self, Failure> {
        let mut senders = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            senders.push(sender);
        }
        Ok(Self { host: HeaderValue::from_str(address)?, senders })
    }

    /// Sends so many requests, one at a time over each connection.
    pub async fn send(&mut self, requests: u64) -> Result<(), Failure> {
        let next = Arc::new(AtomicU64::new(0));
        let loops: Vec<_> = std::mem::take(&mut self.senders)
            .into_iter()
            .map(|sender| tokio::spawn(one(sender, self.host.clone(), next.clone(), requests)))
            .collect();
        for one in loops {
            self.senders.push(one.await??);
        }
        Ok(())
    }
}

async fn one(
    mut sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    next: Arc<AtomicU64>,
    requests: u64,
) -> Result<SendRequest<Full<Bytes>>, Failure> {
    loop {
        let row = next.fetch_add(1, Ordering::Relaxed);
        if row >= requests {
            return Ok(sender);
        }
        let mut request = http::Request::new(Full::new(body(row)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static(PATH);
        request.headers_mut().insert(HOST, host.clone());
        request.headers_mut().extend(headers(row)?);
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        if !answer.status().is_success() {
            return Err(format!("the server answered {}", answer.status()).into());
        }
        answer.into_body().collect().await?;
    }
}

//! A bare hyper loop: what hyper alone does with a machine, a server and requests. It keeps a number of requests in flight,
//! over as many connections of HTTP/1.1 or few of HTTP/2, sends one small JSON POST after the other, reads every answer to
//! its end and keeps nothing. An answer that comes compressed stays so.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use apisink_runtime::transport::CODINGS;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::{Ask, Failure, PATH, body, headers};

/// Requests at once over one connection of HTTP/2.
const STREAMS: u64 = 100;

/// How a loop speaks with its server; plain HTTP/1.1 unless said otherwise.
#[derive(Clone, Default)]
pub struct Speech {
    /// HTTP/2: over TLS by ALPN, otherwise with prior knowledge.
    pub http2: bool,
    /// TLS that trusts the certificate in this PEM file and no other.
    pub certificate: Option<PathBuf>,
}

impl Speech {
    fn tls(&self) -> Result<Option<TlsConnector>, Failure> {
        let Some(path) = &self.certificate else { return Ok(None) };
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from_pem_file(path)?)?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        config.alpn_protocols = vec![if self.http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        Ok(Some(Arc::new(config).into()))
    }
}

/// The connections of a loop.
pub struct Bare {
    askers: Vec<Asker>,
}

/// Sends one request at a time, over a connection of HTTP/1.1 or a stream of HTTP/2.
pub struct Asker {
    sender: Sender,
    to: Target,
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
    /// Makes connections to a host and port for so many requests at once.
    pub async fn connect(address: &str, in_flight: u64, speech: &Speech) -> Result<Self, Failure> {
        let tls = speech.tls()?;
        let mut senders = Vec::new();
        while (senders.len() as u64) < in_flight {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let sender = match &tls {
                None => open(stream, speech.http2).await?,
                Some(tls) => {
                    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
                    let name = ServerName::try_from(host.to_owned())?;
                    open(tls.connect(name, stream).await?, speech.http2).await?
                }
            };
            if let Sender::Http2(sender) = &sender {
                let more = STREAMS.min(in_flight - senders.len() as u64) - 1;
                senders.extend((0..more).map(|_| Sender::Http2(sender.clone())));
            }
            senders.push(sender);
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (host, uri) = match speech.http2 {
            false => (Some(HeaderValue::from_str(address)?), Uri::from_static(PATH)),
            true => (None, format!("{scheme}://{address}{PATH}").parse()?),
        };
        let to = Target { host, uri };
        Ok(Self { askers: senders.into_iter().map(|sender| Asker { sender, to: to.clone() }).collect() })
    }

    /// Sends so many requests, one at a time over each connection.
    pub async fn send(&mut self, requests: u64) -> Result<(), Failure> {
        let next = Arc::new(AtomicU64::new(0));
        let loops: Vec<_> = std::mem::take(&mut self.askers)
            .into_iter()
            .map(|asker| tokio::spawn(asker.send(next.clone(), requests)))
            .collect();
        for one in loops {
            self.askers.push(one.await??);
        }
        Ok(())
    }

    /// What sends its requests, each one at a time.
    pub fn into_askers(self) -> Vec<Asker> {
        self.askers
    }
}

async fn open<S>(stream: S, http2: bool) -> hyper::Result<Sender>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    if http2 {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        Ok(Sender::Http2(sender))
    } else {
        let (sender, connection) = http1::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(Sender::Http1(sender))
    }
}

impl Asker {
    async fn send(mut self, next: Arc<AtomicU64>, requests: u64) -> Result<Self, Failure> {
        loop {
            let row = next.fetch_add(1, Ordering::Relaxed);
            if row >= requests {
                return Ok(self);
            }
            self.ask(row).await?;
        }
    }
}

impl Ask for Asker {
    async fn ask(&mut self, row: u64) -> Result<(), Failure> {
        let mut request = Request::new(Full::new(body(row)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.to.uri.clone();
        if let Some(host) = &self.to.host {
            request.headers_mut().insert(HOST, host.clone());
        }
        // As the transport does, so that both write the same.
        request.headers_mut().insert(ACCEPT_ENCODING, CODINGS);
        request.headers_mut().extend(headers(row)?);
        let answer = self.sender.send(request).await?;
        if !answer.status().is_success() {
            return Err(format!("the server answered {}", answer.status()).into());
        }
        answer.into_body().collect().await?;
        Ok(())
    }
}

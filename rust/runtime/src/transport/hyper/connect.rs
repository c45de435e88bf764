//! Making a connection: name, TCP, TLS, the beginning of HTTP, each timed.

use std::time::{Duration, Instant};

use apisink_plan::{ClientCertificatePlan, HttpVersionPlan, TcpPlan};
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::clock::{Clock, Phase, Phases};
use super::connection::Line;
use super::dial::Dialer;
use super::http2::{Beginning, Sharing};
use super::pool::{OpenCount, Ticket};
use super::tls::{self, ClientCertificate, Tls, Witness};
use super::wire::Wire;
use super::{http1, http2};
use crate::error::RuntimeError;
use crate::exchange::{Failure, FailureKind};
use crate::request::Origin;
use crate::transport::EngineContext;
use crate::transport::failure::not_sent;

/// Makes connections as a plan says.
#[derive(Debug)]
pub(super) struct Connector {
    phases: Phases,
    tcp: TcpPlan,
    version: HttpVersionPlan,
    sharing: Sharing,
    tls: Tls,
    pub(super) dialer: Dialer,
}

/// A connection that was made.
pub(super) struct Made {
    pub(super) speaks: Speaks,
    pub(super) line: Line,
    pub(super) ticket: Ticket,
}

/// What a connection speaks.
pub(super) enum Speaks {
    Http1(SendRequest<Full<Bytes>>),
    Http2(Beginning),
}

impl Connector {
    pub(super) fn new(context: &EngineContext<'_>) -> Result<Self, RuntimeError> {
        let plan = context.plan;
        let client = plan.tls.client.map(|client| client_certificate(context, client)).transpose()?;
        let tls = Tls::new(&plan.tls, client, plan.http_version.offered()).map_err(RuntimeError::Plan)?;
        Ok(Self {
            phases: Phases::new(plan),
            tcp: plan.tcp.clone(),
            version: plan.http_version,
            sharing: Sharing::new(&plan.http2),
            tls,
            dialer: Dialer::new(context)?,
        })
    }

    /// Makes a connection. No byte of a request has left when this fails.
    pub(super) async fn connect(
        &self,
        origin: &Origin,
        clock: &mut Clock<'_>,
        ticket: Ticket,
    ) -> Result<Made, Failure> {
        match self.open(origin, clock, ticket.opening()).await {
            Ok((speaks, line)) => Ok(Made { speaks, line, ticket }),
            Err(failure) => {
                ticket.failed(&failure);
                Err(failure)
            }
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        clock: &mut Clock<'_>,
        open: OpenCount,
    ) -> Result<(Speaks, Line), Failure> {
        let peer = origin.authority.as_str();
        let (stream, mut times) = clock.limit(&self.phases.connect, peer, self.dialer.dial(origin)).await??;
        let remote_addr = stream
            .peer_addr()
            .map_err(|e| not_sent(FailureKind::Connect, format!("{peer} left at once: {e}")))?;
        self.set_options(&stream);
        let wire = Wire::new(stream, open);
        let traffic = wire.traffic();
        let speaks = if origin.tls {
            let start = Instant::now();
            let stream = clock.limit(&self.phases.tls, peer, self.handshake_tls(origin, wire)).await??;
            times.tls = Some(start.elapsed());
            if self.chosen(&stream, peer)? {
                let (stream, heard) = Witness::new(stream);
                let begun = self.begin_http2(stream, peer, clock).await;
                // With TLS 1.3 this is when the server's verdict on a client certificate comes.
                begun.map_err(|failure| heard.get().map_or(failure, |error| no_tls(error, peer, peer)))?
            } else {
                begin_http1(stream, peer).await?
            }
        } else if self.version == HttpVersionPlan::Http2 && self.dialer.plain_proxy(origin).is_none() {
            self.begin_http2(wire, peer, clock).await?
        } else {
            begin_http1(wire, peer).await?
        };
        if matches!(speaks, Speaks::Http2(_)) {
            traffic.let_it_speak();
        }
        let opened = tokio::time::Instant::now();
        Ok((speaks, Line { remote_addr, times, traffic, opened }))
    }

    /// Whether the server has chosen HTTP/2.
    fn chosen(&self, stream: &TlsStream<Wire>, peer: &str) -> Result<bool, Failure> {
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if self.version == HttpVersionPlan::Http2 && !http2 {
            let message = format!(
                "{peer} does not offer HTTP/2 over TLS (ALPN); write transport.http_version: auto if HTTP/1.1 will do"
            );
            return Err(not_sent(FailureKind::Connect, message));
        }
        Ok(http2)
    }

    async fn begin_http2<S>(&self, stream: S, peer: &str, clock: &mut Clock<'_>) -> Result<Speaks, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let phase = Phase { what: "no SETTINGS of HTTP/2", ..self.phases.connect };
        match clock.limit(&phase, peer, http2::begin(stream, self.sharing)).await? {
            Ok(Some(beginning)) => Ok(Speaks::Http2(beginning)),
            Ok(None) => Err(no_http(peer, "HTTP/2", "it closed the connection")),
            Err(error) => Err(no_http(peer, "HTTP/2", &chain(&error))),
        }
    }

    /// What fails here costs speed, not correctness.
    fn set_options(&self, stream: &TcpStream) {
        // One request is one small write: Nagle's algorithm would only hold it back.
        let _ = stream.set_nodelay(true);
        if let Some(interval) = self.tcp.probe_interval_ms.map(Duration::from_millis) {
            let probes = TcpKeepalive::new().with_time(interval).with_interval(interval);
            let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
        }
    }

    async fn handshake_tls(&self, origin: &Origin, wire: Wire) -> Result<TlsStream<Wire>, Failure> {
        let peer = &origin.authority;
        let wrong = |why: String| not_sent(FailureKind::Tls, format!("TLS with {peer}: {why}"));
        let config = self.tls.config().map_err(wrong)?;
        let name = self.tls.name_of(&origin.host).map_err(wrong)?;
        TlsConnector::from(config).connect(name.clone(), wire).await.map_err(|error| {
            match tls::of_error(&error) {
                Some(problem) => no_tls(problem, peer, &name.to_str()),
                None if error.kind() == std::io::ErrorKind::UnexpectedEof => wrong(
                    "the server closed the connection amid the handshake; does it speak TLS there?".into(),
                ),
                None => wrong(error.to_string()),
            }
        })
    }
}

async fn begin_http1<S>(stream: S, peer: &str) -> Result<Speaks, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let begun = http1::handshake(stream).await;
    begun.map(Speaks::Http1).map_err(|error| no_http(peer, "HTTP/1.1", &chain(&error)))
}

fn no_http(peer: &str, version: &str, why: &str) -> Failure {
    not_sent(FailureKind::Connect, format!("{peer} does not begin to speak {version}: {why}"))
}

/// `name` is the name that the server's certificate was to hold.
fn no_tls(error: &rustls::Error, peer: &str, name: &str) -> Failure {
    let (kind, why) = tls::explain(error, name);
    not_sent(kind, format!("TLS with {peer}: {why}"))
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The values of a client certificate's slots.
fn client_certificate<'a>(
    context: &EngineContext<'a>,
    plan: ClientCertificatePlan,
) -> Result<ClientCertificate<'a>, RuntimeError> {
    Ok(match plan {
        ClientCertificatePlan::Pem { certificate, key } => {
            ClientCertificate::Pem { certificate: context.secret(certificate)?, key: context.secret(key)? }
        }
        ClientCertificatePlan::Pkcs12 { store, password } => ClientCertificate::Pkcs12 {
            store: context.secret(store)?,
            password: password.map(|slot| context.secret(slot)).transpose()?.unwrap_or_default(),
        },
    })
}

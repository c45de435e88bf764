//! Making a connection: name, TCP, TLS, HTTP handshake, each timed.

use std::future::Future;
use std::time::{Duration, Instant};

use apisink_plan::TcpPlan;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::clock::{Clock, Phases};
use super::connection::Connection;
use super::dial::Dialer;
use super::pool::{OpenCount, Ticket};
use super::tls::{self, Tls};
use super::wire::Wire;
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
    tls: Tls,
    pub(super) dialer: Dialer,
}

impl Connector {
    pub(super) fn new(context: &EngineContext<'_>) -> Result<Self, RuntimeError> {
        let plan = context.plan;
        let client = match plan.tls.client {
            Some(client) => Some((context.secret(client.certificate)?, context.secret(client.key)?)),
            None => None,
        };
        let tls = Tls::new(&plan.tls, client, &["http/1.1"]).map_err(RuntimeError::Plan)?;
        Ok(Self { phases: Phases::new(plan), tcp: plan.tcp.clone(), tls, dialer: Dialer::new(context)? })
    }

    /// Makes a connection. No byte of a request has left when this fails.
    pub(super) async fn connect(
        &self,
        origin: &Origin,
        clock: &Clock,
        ticket: Ticket,
    ) -> Result<Connection, Failure> {
        let peer = origin.authority.as_str();
        let open = ticket.opening();
        let (stream, mut times) = clock.limit(self.phases.connect, peer, self.dialer.dial(origin)).await??;
        let remote_addr = stream
            .peer_addr()
            .map_err(|e| not_sent(FailureKind::Connect, format!("{peer} left at once: {e}")))?;
        self.set_options(&stream);
        let wire = Wire::new(stream);
        let traffic = wire.traffic();
        let sender = if origin.tls {
            let start = Instant::now();
            let stream = clock.limit(self.phases.tls, peer, self.handshake_tls(origin, wire)).await??;
            times.tls = Some(start.elapsed());
            let (sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|e| no_http(peer, &e))?;
            drive(connection, open);
            sender
        } else {
            let (sender, connection) =
                http1::handshake(TokioIo::new(wire)).await.map_err(|e| no_http(peer, &e))?;
            drive(connection, open);
            sender
        };
        let opened = tokio::time::Instant::now();
        Ok(Connection { sender, remote_addr, times, traffic, opened, uses: 0, _ticket: ticket })
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
                Some(problem) => {
                    let (kind, why) = tls::explain(problem, &name.to_str());
                    not_sent(kind, format!("TLS with {peer}: {why}"))
                }
                None if error.kind() == std::io::ErrorKind::UnexpectedEof => wrong(
                    "the server closed the connection amid the handshake; does it speak TLS there?".into(),
                ),
                None => wrong(error.to_string()),
            }
        })
    }
}

/// Reads and writes the connection in a task of its own until it ends; then it no longer counts as open.
fn drive<C>(connection: C, open: OpenCount)
where
    C: Future<Output = hyper::Result<()>> + Send + 'static,
{
    tokio::spawn(async move {
        // Its errors reach the request that suffers them.
        let _ = connection.await;
        drop(open);
    });
}

fn no_http(peer: &str, error: &hyper::Error) -> Failure {
    not_sent(FailureKind::Connect, format!("{peer} does not begin to speak HTTP: {error}"))
}

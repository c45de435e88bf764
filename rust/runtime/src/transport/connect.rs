//! Making a connection: name, TCP, TLS, HTTP/1.1 handshake, each timed.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::failure::not_sent;
use super::pool::OpenCount;
use super::tls::LazyTls;
use crate::exchange::{Failure, FailureKind};
use crate::request::Origin;

/// A connection that is ready for a request.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    pub(super) remote_addr: SocketAddr,
    pub(super) used: bool,
    pub(super) times: ConnectTimes,
}

/// How long the phases took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectTimes {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Option<Duration>,
}

/// Makes a connection within `timeout`. No byte of a request has left when this fails.
pub(super) async fn connect(
    origin: &Origin,
    tls: &LazyTls,
    timeout: Duration,
    open: OpenCount,
) -> Result<Connection, Failure> {
    match tokio::time::timeout(timeout, connect_unbounded(origin, tls, open)).await {
        Ok(result) => result,
        Err(_) => Err(not_sent(
            FailureKind::ConnectTimeout,
            format!("no connection to {} within {} ms", origin.authority, timeout.as_millis()),
        )),
    }
}

async fn connect_unbounded(origin: &Origin, tls: &LazyTls, open: OpenCount) -> Result<Connection, Failure> {
    let start = Instant::now();
    let addresses: Vec<SocketAddr> = lookup_host((origin.host.as_str(), origin.port))
        .await
        .map_err(|e| not_sent(FailureKind::Dns, format!("{} cannot be resolved: {e}", origin.host)))?
        .collect();
    let dns = start.elapsed();
    let start = Instant::now();
    let stream = connect_any(origin, &addresses).await?;
    let connect = start.elapsed();
    let remote_addr = stream
        .peer_addr()
        .map_err(|e| not_sent(FailureKind::Connect, format!("{} left at once: {e}", origin.authority)))?;
    // One request is one small write: Nagle's algorithm would only hold it back.
    let _ = stream.set_nodelay(true);
    let mut times = ConnectTimes { dns, connect, tls: None };
    let sender = if origin.tls {
        let start = Instant::now();
        let stream = handshake_tls(origin, tls, stream).await?;
        times.tls = Some(start.elapsed());
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| no_http(origin, &e))?;
        drive(connection, open);
        sender
    } else {
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| no_http(origin, &e))?;
        drive(connection, open);
        sender
    };
    Ok(Connection { sender, remote_addr, used: false, times })
}

async fn connect_any(origin: &Origin, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut last = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some((address, error)),
        }
    }
    Err(match last {
        Some((address, error)) => not_sent(
            FailureKind::Connect,
            format!("no connection to {} ({address}): {error}", origin.authority),
        ),
        None => not_sent(FailureKind::Dns, format!("{} has no address", origin.host)),
    })
}

async fn handshake_tls(
    origin: &Origin,
    tls: &LazyTls,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    let wrong = |why: String| not_sent(FailureKind::Tls, format!("TLS with {}: {why}", origin.authority));
    let config = tls.config().map_err(wrong)?;
    let name = ServerName::try_from(origin.host.clone())
        .map_err(|_| wrong(format!("{} is no name that a certificate can hold", origin.host)))?;
    TlsConnector::from(Arc::clone(&config)).connect(name, stream).await.map_err(|e| wrong(e.to_string()))
}

/// Reads and writes the connection in a task of its own until it ends; then it no longer counts as open.
fn drive<C>(connection: C, open: OpenCount)
where
    C: Future<Output = hyper::Result<()>> + Send + 'static,
{
    let connection: Pin<Box<C>> = Box::pin(connection);
    tokio::spawn(async move {
        // Its errors reach the request that suffers them.
        let _ = connection.await;
        drop(open);
    });
}

fn no_http(origin: &Origin, error: &hyper::Error) -> Failure {
    not_sent(FailureKind::Connect, format!("{} does not begin to speak HTTP: {error}", origin.authority))
}

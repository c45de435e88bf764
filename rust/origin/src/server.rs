//! The origin itself: it listens, serves each connection in a task of its own, and ends them all with itself.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::connection;
use crate::exchange::Shared;
use crate::oauth::{FailTokens, TokenRequest};
use crate::recorded::{KeyReport, Recorded};
use crate::report::Report;
use crate::script::Script;

/// A running origin. Dropping it ends it too, though without waiting for the end.
pub struct Origin {
    addr: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Origin {
    /// Starts an origin on the current tokio runtime.
    ///
    /// # Panics
    /// Where [`Origin::try_start`] has an error, which in tests is a mistake of the test.
    pub async fn start(script: Script) -> Self {
        match Self::try_start(script).await {
            Ok(origin) => origin,
            Err(error) => panic!("the origin cannot start: {error}"),
        }
    }

    /// Starts an origin on the current tokio runtime.
    ///
    /// # Errors
    /// When the script is not consistent, or its address cannot be listened on.
    pub async fn try_start(script: Script) -> io::Result<Self> {
        Self::listen(script, None).await
    }

    /// Starts an origin that speaks TLS, with certificates as the caller configured them.
    ///
    /// # Panics
    /// As [`Origin::start`].
    pub async fn start_tls(script: Script, config: Arc<ServerConfig>) -> Self {
        match Self::try_start_tls(script, config).await {
            Ok(origin) => origin,
            Err(error) => panic!("the origin cannot start: {error}"),
        }
    }

    /// The same.
    ///
    /// # Errors
    /// As [`Origin::try_start`].
    pub async fn try_start_tls(script: Script, config: Arc<ServerConfig>) -> io::Result<Self> {
        Self::listen(script, Some(config.into())).await
    }

    async fn listen(script: Script, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        script.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind(script.listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::new(script));
        let (stop, stopped) = oneshot::channel();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let accepting = tokio::spawn(accept(listener, shared.clone(), tls, stopped));
        Ok(Self { addr, scheme, shared, stop, accepting })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    /// What it saw so far. An answer that a client has received whole is in it.
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// Waits until the report fulfils a condition, and returns that report.
    pub async fn until(&self, condition: impl Fn(&Report) -> bool) -> Report {
        self.shared.until(condition).await
    }

    /// Makes all tokens that `--oauth` has issued invalid, and with `refresh` the refresh tokens too.
    pub fn revoke_tokens(&self, refresh: bool) {
        if let Some(oauth) = &self.shared.auth.oauth {
            oauth.revoke(refresh);
        }
    }

    /// Refuses the token requests that come now, as `--token-fail` does from the start.
    pub fn fail_tokens(&self, rule: FailTokens) {
        if let Some(oauth) = &self.shared.auth.oauth {
            oauth.fail(rule);
        }
    }

    /// The first 1000 token requests as they came.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.shared.auth.oauth.as_ref().map(|oauth| oauth.requests()).unwrap_or_default()
    }

    /// The keys that it saw, in the order in which they first came.
    pub fn keys(&self) -> Vec<KeyReport> {
        self.shared.recorder.keys()
    }

    /// The recorded requests, at most the last 1000, the oldest first; none with `no_recording`.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.recorder.requests(usize::MAX)
    }

    /// Clears the counters and what is known of keys. Open connections stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Closes the listener and all connections, whatever they are doing, and waits until that is done.
    pub async fn shutdown(self) {
        // It fails only if accepting has ended, and that is what is wanted.
        let _ = self.stop.send(());
        let _ = self.accepting.await;
    }
}

/// Accepts until told to stop, or until the origin is dropped.
async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    connections.spawn(shared.recorder.clone().watch_stalls());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::run(shared.clone(), stream, tls.clone()));
                }
                // Out of file descriptors, most likely: they come back as connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

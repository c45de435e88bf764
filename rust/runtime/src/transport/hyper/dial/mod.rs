//! From a name to a connected socket: resolver, addresses, proxy.

mod proxy;
mod race;
mod resolver;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::connection::ConnectTimes;
pub(super) use proxy::Proxy;
pub use resolver::Lookup;
use resolver::Resolver;

use crate::error::RuntimeError;
use crate::exchange::{Failure, FailureKind};
use crate::request::Origin;
use crate::transport::EngineContext;
use crate::transport::failure::not_sent;

/// Makes sockets as a plan says.
#[derive(Debug)]
pub(super) struct Dialer {
    resolver: Resolver,
    proxy: Option<Proxy>,
}

impl Dialer {
    pub(super) fn new(context: &EngineContext<'_>) -> Result<Self, RuntimeError> {
        let proxy = context.plan.proxy.as_ref().map(|plan| Proxy::new(plan, context)).transpose()?;
        Ok(Self { resolver: Resolver::new(Duration::from_millis(context.plan.dns_cache_ms)), proxy })
    }

    pub(super) fn set_lookup(&mut self, lookup: Lookup) {
        self.resolver.set_lookup(lookup);
    }

    /// The proxy that requests to an origin are given to as they are; none where they go to the origin, or through a
    /// tunnel.
    pub(super) fn plain_proxy(&self, origin: &Origin) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| proxy.is_plain(origin))
    }

    /// A socket whose other end is the origin, or a proxy that speaks for it.
    pub(super) async fn dial(&self, origin: &Origin) -> Result<(TcpStream, ConnectTimes), Failure> {
        let proxy = self.proxy.as_ref().filter(|proxy| proxy.is_for(&origin.host));
        let next = proxy.map_or(origin, |proxy| &proxy.origin);
        let start = Instant::now();
        let found = self.resolver.addresses(&next.host).await;
        let addresses = found
            .map_err(|e| not_sent(FailureKind::Dns, format!("{} cannot be resolved: {e}", next.host)))?;
        let dns = start.elapsed();
        let start = Instant::now();
        let stream = match race::connect(addresses.into_iter().map(|ip| SocketAddr::new(ip, next.port))).await
        {
            Ok(stream) => stream,
            Err(failed) => {
                self.resolver.forget(&next.host).await;
                let whom = if proxy.is_some() { "the proxy " } else { "" };
                let why =
                    failed.map_or_else(String::new, |(address, error)| format!(" ({address}): {error}"));
                let message = format!("no connection to {whom}{}{why}", next.authority);
                return Err(not_sent(FailureKind::Connect, message));
            }
        };
        let stream = match proxy {
            None => stream,
            Some(proxy) => proxy.reach(origin, stream).await?,
        };
        Ok((stream, ConnectTimes { dns, connect: start.elapsed(), tls: None }))
    }
}

//! Names to addresses, kept for a while.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::middleware::BoxFuture;

/// Asks for the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Resolves names. Its memory is bounded by the hosts that a plan names.
pub(super) struct Resolver {
    lookup: Lookup,
    keep: Duration,
    known: Mutex<HashMap<String, Known>>,
    /// Connections begun: each prefers another address, so that all share the load.
    turn: AtomicUsize,
}

struct Known {
    until: Instant,
    addresses: Vec<IpAddr>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// The operating system's own resolver.
fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

impl Resolver {
    pub(super) fn new(keep: Duration) -> Self {
        Self { lookup: system(), keep, known: Mutex::default(), turn: AtomicUsize::new(0) }
    }

    pub(super) fn set_lookup(&mut self, lookup: Lookup) {
        self.lookup = lookup;
    }

    /// The addresses of a host in the order in which to try them; never none of them.
    pub(super) async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        // Held while asking: of those who want the same name one asks and the others wait for it.
        let mut known = self.known.lock().await;
        let now = Instant::now();
        if known.get(host).is_none_or(|known| known.until <= now) {
            let addresses = (self.lookup)(host.to_owned()).await?;
            if addresses.is_empty() {
                known.remove(host);
                return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
            }
            known.insert(host.to_owned(), Known { until: Instant::now() + self.keep, addresses });
        }
        let addresses = known.get(host).map(|known| known.addresses.as_slice()).unwrap_or_default();
        Ok(ordered(addresses, self.turn.fetch_add(1, Ordering::Relaxed)))
    }

    /// Forgets the addresses of a host, for none of them answers.
    pub(super) async fn forget(&self, host: &str) {
        self.known.lock().await.remove(host);
    }
}

/// The families in turn, beginning with that of the first address (RFC 8305, 4), each rotated by `turn`.
fn ordered(addresses: &[IpAddr], turn: usize) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (mut first, mut second): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.iter().partition(|address| address.is_ipv6() == first_is_v6);
    for family in [&mut first, &mut second] {
        if !family.is_empty() {
            let by = turn % family.len();
            family.rotate_left(by);
        }
    }
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::with_capacity(addresses.len());
    while all.len() < addresses.len() {
        all.extend(first.next());
        all.extend(second.next());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_every_address_its_turn() {
        let all = addresses(&["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]);
        assert_eq!(ordered(&all, 0), addresses(&["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]));
        assert_eq!(ordered(&all, 1)[..2], addresses(&["2001:db8::2", "192.0.2.2"]));
        assert_eq!(ordered(&all[2..], 3), addresses(&["192.0.2.2", "192.0.2.1"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_asked_for_once_in_its_time_and_anew_when_it_is_forgotten() {
        let asked = Arc::new(AtomicUsize::new(0));
        let mut resolver = Resolver::new(Duration::from_secs(30));
        let counter = asked.clone();
        resolver.set_lookup(Arc::new(move |_| {
            let asked = counter.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::ready(Ok(vec![IpAddr::from([192, 0, 2, asked as u8])])))
        }));
        let first = resolver.addresses("a").await.unwrap();
        tokio::time::advance(Duration::from_secs(29)).await;
        assert_eq!(resolver.addresses("a").await.unwrap(), first);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_ne!(resolver.addresses("a").await.unwrap(), first);
        resolver.forget("a").await;
        resolver.addresses("a").await.unwrap();
        resolver.addresses("192.0.2.9").await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}

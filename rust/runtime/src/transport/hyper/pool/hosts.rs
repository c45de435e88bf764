//! The hosts of a pool.

use std::sync::{Arc, OnceLock};

use super::host::Host;
use crate::request::Origin;

/// A list that only grows, by the origins that a config names: every request looks into it, and takes no lock for that.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    first: OnceLock<Box<Link>>,
}

#[derive(Debug)]
struct Link {
    host: Arc<Host>,
    rest: Hosts,
}

impl Hosts {
    /// The host of an origin, which `make` makes when it is asked for first.
    pub(super) fn of(&self, origin: &Arc<Origin>, make: impl Fn() -> Host) -> &Arc<Host> {
        let mut hosts = self;
        loop {
            let make = || Box::new(Link { host: Arc::new(make()), rest: Self::default() });
            let Link { host, rest } = &**hosts.first.get_or_init(make);
            if Arc::ptr_eq(&host.origin, origin) || host.origin == *origin {
                return host;
            }
            hosts = rest;
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Host>> {
        std::iter::successors(self.first.get(), |link| link.rest.first.get()).map(|link| &link.host)
    }
}

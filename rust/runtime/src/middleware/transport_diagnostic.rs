//! `transport_diagnostic` (listener): protocol, peer and reuse of the last attempt's connection.

use std::time::Duration;

use super::{BuildContext, Link, Listener};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Notes};

pub(super) fn make(_: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Listener(Box::new(TransportDiagnostic)))
}

struct TransportDiagnostic;

impl Listener for TransportDiagnostic {
    fn after(&self, _: &Exchange, _: Duration, notes: &mut Notes) {
        notes.connection = true;
    }
}

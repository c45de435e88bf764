//! `timing` (listener): how long the exchange took from this place on, and the phases of its last attempt.

use std::time::Duration;

use super::{BuildContext, Link, Listener};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Notes};

pub(super) fn make(_: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Listener(Box::new(Timing)))
}

struct Timing;

impl Listener for Timing {
    fn after(&self, _: &Exchange, elapsed: Duration, notes: &mut Notes) {
        notes.elapsed = Some(elapsed);
        notes.phases = true;
    }
}

//! `worker_identity` (listener): which executor, host, process, partition and task attempt sent the row.

use std::time::Duration;

use super::{BuildContext, Link, Listener};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Notes};

pub(super) fn make(_: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Listener(Box::new(WorkerIdentity)))
}

struct WorkerIdentity;

impl Listener for WorkerIdentity {
    fn after(&self, _: &Exchange, _: Duration, notes: &mut Notes) {
        notes.worker = true;
    }
}

//! One limit for a whole cluster: the driver owns the schedule and leases its slots, in small chunks, to executors.
//!
//! ```text
//! executor                                            driver
//!   attempts wait for a slot
//!   ask: limit, how many wait, a brake  ──────────►   the lessor reserves a chunk of the schedule
//!   slots for those that wait           ◄──────────   first slot, relative to now; interval; how many
//! ```
//!
//! Clocks are never compared. The driver says how far ahead of its answer the first slot is. The answer was made
//! between the moment of asking and that of receiving on the executor's clock: a slot is used from *received + ahead*
//! on, so never before its moment on the driver's schedule, and lapses at *asked + ahead +* its [`validity`], so never
//! later than that after it. In no second, then, more slots are used than the schedule has in a second and that
//! validity: of a slow schedule one more, of a fast one those of [`LEAST_VALIDITY`]. A slot that lapses, and those of an
//! executor that dies, are lost: handing them back would add burst.
//!
//! An executor asks for no more than wait, and only shortly before its last slot: when it has no rows left the schedule
//! is the others'. Neither side reads a clock; both are given the moment. Who carries the messages is not known here.

mod desk;
mod lessee;
mod lessor;
mod message;

use std::time::Duration;

pub use desk::{LeaseDesk, LessorDesk, Line};
pub use lessee::{Lease, Lessee};
pub use lessor::Lessor;
pub use message::{Ask, Grant};

/// So long after its moment a slot of a fast schedule may be used: a round trip to the driver, and a turn on a busy machine.
pub const LEAST_VALIDITY: Duration = Duration::from_millis(30);

/// So long after its moment a slot may be used, given the time between two slots of its schedule. Where they are far
/// apart one that lapses costs much and one that is late little: half of that time keeps the order of the slots.
pub fn validity(interval: Duration) -> Duration {
    LEAST_VALIDITY.max(interval / 2)
}

/// So long before its last slot an executor asks for more: the time of a slow answer and of a slot's wait in line.
pub(crate) const LEAD: Duration = Duration::from_millis(150);

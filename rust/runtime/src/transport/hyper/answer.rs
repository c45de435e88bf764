//! Reading an answer to its end, or to the cap.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::clock::{Clock, Phase};
use crate::budget::Reservation;
use crate::exchange::Failure;
use crate::transport::failure::classify;

/// A body as it came, and whether it was cut off at the cap.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) truncated: bool,
}

/// Reads a body. `phase` bounds the time between two pieces of it. Trailers are read and dropped.
pub(super) async fn read(
    mut incoming: Incoming,
    clock: &mut Clock,
    phase: Phase,
    peer: &str,
    cap: usize,
    memory: &mut Reservation,
) -> Result<Body, Failure> {
    let mut chunks = Chunks::default();
    loop {
        let frame = match clock.limit(phase, peer, incoming.frame()).await? {
            None => return Ok(Body { bytes: chunks.finish(), truncated: false }),
            Some(Err(error)) => return Err(classify(&error, peer, true)),
            Some(Ok(frame)) => frame,
        };
        let Ok(mut data) = frame.into_data() else { continue };
        let room = cap - chunks.len();
        let truncated = data.len() > room;
        data.truncate(room);
        // A wait for memory is not the server's fault.
        let waiting = Instant::now();
        memory.grow(data.len()).await;
        clock.leave_out(waiting.elapsed());
        chunks.push(data);
        if truncated {
            return Ok(Body { bytes: chunks.finish(), truncated });
        }
    }
}

/// The body's chunks: most answers are one, which is then kept as it came.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    rest: BytesMut,
}

impl Chunks {
    fn len(&self) -> usize {
        if self.rest.is_empty() { self.first.len() } else { self.rest.len() }
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
        } else {
            if self.rest.is_empty() {
                self.rest.extend_from_slice(&self.first);
            }
            self.rest.extend_from_slice(&data);
        }
    }

    fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

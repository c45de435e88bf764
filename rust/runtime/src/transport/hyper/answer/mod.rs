//! Reading an answer to its end, or to the cap.

mod charset;
mod coding;

use bytes::Bytes;
use compression_codecs::core::util::PartialBuffer;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use self::coding::Decoding;
use super::clock::{Clock, Phase, left_out};
use crate::budget::Reservation;
use crate::exchange::{Failure, FailureKind};
use crate::middleware::BoxFuture;
use crate::spare::Buffer;
use crate::transport::failure::{classify, reset_amid};

/// A body as it came, decompressed and as UTF-8 where the answer says how, and whether it was cut off at the cap.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) truncated: bool,
}

/// What bounds the reading of a body.
pub(super) struct Reading<'a, 'c> {
    pub(super) clock: &'a mut Clock<'c>,
    /// Bounds the time between two pieces.
    pub(super) phase: &'a Phase,
    pub(super) peer: &'a str,
    /// Whether it comes over a stream of HTTP/2.
    pub(super) streamed: bool,
    /// Most bytes, decompressed.
    pub(super) cap: usize,
    /// Whether compressed bodies are decompressed.
    pub(super) decompress: bool,
    pub(super) memory: &'a mut Reservation,
}

impl Reading<'_, '_> {
    /// Reads a body. Trailers are read and dropped. Headers that no longer describe the body are removed.
    pub(super) async fn read(
        &mut self,
        incoming: &mut Incoming,
        headers: &mut HeaderMap,
    ) -> Result<Body, Failure> {
        if incoming.is_end_stream() {
            return Ok(Body { bytes: Bytes::new(), truncated: false });
        }
        let body = match Decoding::of(headers).filter(|_| self.decompress) {
            None => self.plain(incoming).await?,
            Some(decoding) => {
                headers.remove(CONTENT_ENCODING);
                headers.remove(CONTENT_LENGTH);
                // A `dyn` box, so that no attempt has room on the stack for what decoders are made of.
                let decoded: BoxFuture<'_, _> = Box::pin(self.decoded(incoming, decoding));
                decoded.await?
            }
        };
        let Some(charset) = charset::of(headers) else { return Ok(body) };
        match charset::to_utf8(&body.bytes, charset, body.truncated) {
            None => Ok(body),
            Some(bytes) => {
                headers.remove(CONTENT_LENGTH);
                self.grow(bytes.len().saturating_sub(body.bytes.len())).await;
                Ok(Body { bytes, truncated: body.truncated })
            }
        }
    }

    async fn plain(&mut self, incoming: &mut Incoming) -> Result<Body, Failure> {
        let announced = incoming.size_hint().exact().unwrap_or(0);
        let announced = usize::try_from(announced).map_or(self.cap, |length| length.min(self.cap));
        let mut chunks = Chunks { announced, ..Chunks::default() };
        if announced > 0 {
            // All of it, so that few answers are read to their ends where memory is short, not all to their halves. And before a
            // piece is asked for: who waits for memory holds none.
            self.grow(announced).await;
            chunks.granted = announced;
        }
        loop {
            let Some(mut data) = self.next(incoming).await? else { break };
            let (taken, truncated) = self.take(data.len(), &mut chunks).await;
            data.truncate(taken);
            chunks.push(data, self.memory);
            if truncated {
                return Ok(Body { bytes: chunks.finish(), truncated: true });
            }
            if incoming.is_end_stream() {
                break;
            }
        }
        Ok(Body { bytes: chunks.finish(), truncated: false })
    }

    async fn decoded(&mut self, incoming: &mut Incoming, mut decoding: Decoding) -> Result<Body, Failure> {
        let name = decoding.name();
        let peer = self.peer;
        let invalid = |why: String| Failure {
            kind: FailureKind::InvalidResponse,
            message: format!("{peer}: the body is not what its Content-Encoding says, {name}: {why}"),
            may_have_left: true,
        };
        let mut chunks = Chunks::default();
        // A body can be long although it unfolds into nothing.
        let mut left = self.cap.saturating_add(self.cap / 8).saturating_add(1024);
        while let Some(data) = self.next(incoming).await? {
            let mut input = PartialBuffer::new(&data[..]);
            while let Some(piece) = decoding.next(&mut input).map_err(|e| invalid(e.to_string()))? {
                let (taken, truncated) = self.take(piece.len(), &mut chunks).await;
                chunks.copy(&piece[..taken], self.memory);
                if truncated {
                    return Ok(Body { bytes: chunks.finish(), truncated: true });
                }
            }
            let Some(rest) = left.checked_sub(data.len()) else {
                return Ok(Body { bytes: chunks.finish(), truncated: true });
            };
            left = rest;
        }
        if !decoding.is_whole() {
            return Err(invalid("it ends too early".into()));
        }
        Ok(Body { bytes: chunks.finish(), truncated: false })
    }

    /// The next piece of a body as it comes.
    async fn next(&mut self, incoming: &mut Incoming) -> Result<Option<Bytes>, Failure> {
        loop {
            match self.clock.limit(self.phase, self.peer, incoming.frame()).await? {
                // A stream that was reset without an error looks like an end to hyper (RFC 9113, 8.1).
                None if self.streamed && !incoming.is_end_stream() => return Err(reset_amid(self.peer)),
                None => return Ok(None),
                Some(Err(error)) => return Err(classify(&error, self.peer, true)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// How much of a piece is taken beside what there is, and whether that is less than all of it.
    async fn take(&mut self, piece: usize, chunks: &mut Chunks) -> (usize, bool) {
        let there = chunks.len();
        let taken = piece.min(self.cap - there);
        let needed = there + taken;
        if needed > chunks.granted {
            self.grow(needed - chunks.granted).await;
            chunks.granted = needed;
        }
        (taken, taken < piece)
    }

    async fn grow(&mut self, bytes: usize) {
        if !self.memory.try_grow(bytes) {
            self.wait_for(bytes).await;
        }
    }

    /// A wait for memory is not the server's fault. Boxed, for it is rare.
    fn wait_for(&mut self, bytes: usize) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            left_out(self.clock, self.memory.grow(bytes)).await;
        })
    }
}

/// The body's chunks: most answers are one, which is then kept as it came.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    rest: Buffer,
    /// So long a body was announced, as far as it is kept; 0 when nothing was.
    announced: usize,
    /// Bytes of the budget that it has got.
    granted: usize,
}

impl Chunks {
    fn len(&self) -> usize {
        if self.rest.is_empty() { self.first.len() } else { self.rest.len() }
    }

    /// Adds a piece, by its memory when it is all that was announced.
    fn push(&mut self, data: Bytes, memory: &Reservation) {
        if self.len() == 0 && data.len() >= self.announced {
            self.first = data;
        } else {
            self.copy(&data, memory);
        }
    }

    fn copy(&mut self, data: &[u8], memory: &Reservation) {
        if self.rest.is_empty() {
            // Memory that is grown into would be up to twice as much as the budget knows of.
            self.rest = memory.buffer(self.announced.max(self.first.len() + data.len()));
            self.rest.extend(&std::mem::take(&mut self.first));
        }
        self.rest.extend(data);
    }

    fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

//! Answers: their bodies, and when these end.

use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

use crate::exchange::GivenUp;
use crate::link::{Ending, Link};

const CHUNK: usize = 64 * 1024;
static TEXT: [u8; CHUNK] = [b'x'; CHUNK];
static EVERY_BYTE: [u8; CHUNK] = {
    let mut bytes = [0; CHUNK];
    let mut at = 0;
    while at < CHUNK {
        bytes[at] = (at % 256) as u8;
        at += 1;
    }
    bytes
};

/// Words in no order, so that they compress about as well as texts of people do.
static WORDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const VOCABULARY: [&str; 32] = [
        "account", "address", "amount", "approved", "balance", "branch", "city", "client", "country",
        "created", "credit", "customer", "date", "delivery", "discount", "email", "invoice", "item", "name",
        "number", "order", "paid", "pending", "phone", "price", "quantity", "region", "status", "street",
        "total", "updated", "vendor",
    ];
    let mut text = Vec::with_capacity(CHUNK + 16);
    // Xorshift (Marsaglia, 2003): the same words in every run.
    let mut drawn = 0x9e37_79b9_7f4a_7c15_u64;
    while text.len() < CHUNK {
        drawn ^= drawn << 13;
        drawn ^= drawn >> 7;
        drawn ^= drawn << 17;
        text.extend_from_slice(VOCABULARY[(drawn >> 59) as usize].as_bytes());
        text.extend_from_slice(format!(" {} ", drawn >> 32 & 0xfff).as_bytes());
    }
    text.truncate(CHUNK);
    text
});

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const TEXT_PLAIN: HeaderValue = HeaderValue::from_static("text/plain");
const BINARY: HeaderValue = HeaderValue::from_static("application/octet-stream");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// A body in three parts, the middle one a filler that takes no memory however long it is.
#[derive(Clone)]
pub(crate) struct Content {
    kind: Option<HeaderValue>,
    zipped: bool,
    head: Bytes,
    filler: &'static [u8],
    /// Where in the filler its next piece begins.
    at: usize,
    fill: u64,
    tail: Bytes,
}

impl Content {
    /// These bytes.
    pub(crate) fn whole(kind: Option<HeaderValue>, bytes: Bytes) -> Self {
        Self { kind, zipped: false, head: bytes, filler: &TEXT, at: 0, fill: 0, tail: Bytes::new() }
    }

    pub(crate) fn empty() -> Self {
        Self::whole(None, Bytes::new())
    }

    pub(crate) fn json(value: &impl serde::Serialize) -> Self {
        // What is serialised here are plain structs with string keys, for which serde_json has no error.
        Self::whole(Some(JSON), serde_json::to_vec(value).unwrap_or_default().into())
    }

    pub(crate) fn ndjson(lines: Vec<u8>) -> Self {
        Self::whole(Some(NDJSON), lines.into())
    }

    /// A body of exactly `count` bytes: `{"filler":"xxx…"}`, or plain text where that does not fit.
    pub(crate) fn filler(count: u64) -> Self {
        const HEAD: &str = "{\"filler\":\"";
        const TAIL: &str = "\"}";
        match count.checked_sub((HEAD.len() + TAIL.len()) as u64) {
            Some(fill) => Self {
                kind: Some(JSON),
                zipped: false,
                head: Bytes::from_static(HEAD.as_bytes()),
                filler: &TEXT,
                at: 0,
                fill,
                tail: Bytes::from_static(TAIL.as_bytes()),
            },
            None => Self { fill: count, ..Self::whole(Some(TEXT_PLAIN), Bytes::new()) },
        }
    }

    /// A body of exactly `count` bytes, of words; those of other numbers are other ones.
    pub(crate) fn words(count: u64, number: u64) -> Self {
        // A prime: bodies are the same again after as many as there are places to begin at.
        let at = (number % CHUNK as u64) as usize * 4_099 % CHUNK;
        Self { filler: &WORDS, at, ..Self::filler(count) }
    }

    /// A body of exactly `count` bytes: 0, 1, … 255, 0, 1 …
    pub(crate) fn binary(count: u64) -> Self {
        Self { fill: count, filler: &EVERY_BYTE, ..Self::whole(Some(BINARY), Bytes::new()) }
    }

    /// The same body compressed, if there is one and it is not compressed yet.
    pub(crate) fn gzip(mut self) -> Self {
        if self.zipped || self.len() == 0 {
            return self;
        }
        let mut zip = GzEncoder::new(Vec::new(), Compression::default());
        loop {
            let piece = self.next(u64::MAX);
            // Writing to memory has no error.
            if piece.is_empty() || zip.write_all(&piece).is_err() {
                break;
            }
        }
        let bytes = zip.finish().unwrap_or_default();
        Self { zipped: true, ..Self::whole(self.kind, bytes.into()) }
    }

    fn len(&self) -> u64 {
        self.head.len() as u64 + self.fill + self.tail.len() as u64
    }

    /// The next piece, of at most `limit` bytes; empty at the end.
    fn next(&mut self, limit: u64) -> Bytes {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if !self.head.is_empty() {
            return self.head.split_to(limit.min(self.head.len()));
        }
        if self.fill > 0 {
            let (from, left) = (self.at, usize::try_from(self.fill).unwrap_or(usize::MAX));
            let length = limit.min(CHUNK - from).min(left);
            self.fill -= length as u64;
            self.at = (from + length) % CHUNK;
            return Bytes::from_static(&self.filler[from..from + length]);
        }
        self.tail.split_to(limit.min(self.tail.len()))
    }
}

/// The body of an answer, which tells the link when it has ended, or when half of it has and a reset is due.
pub(crate) struct Answer {
    content: Content,
    /// How much is left before the reset.
    until_reset: Option<u64>,
    told: bool,
    link: Arc<Link>,
}

impl Answer {
    fn tell(&mut self) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        match self.until_reset {
            Some(_) => self.link.cut(Ending::Reset),
            None => self.link.answer_ended(),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        let piece = match self.until_reset {
            None => self.content.next(u64::MAX),
            Some(0) => {
                self.tell();
                if self.link.is_stream() {
                    return Poll::Ready(Some(Err(GivenUp)));
                }
                // No one wakes this up again: the wire cuts the connection once the first half is written.
                return Poll::Pending;
            }
            Some(left) => {
                let piece = self.content.next(left);
                self.until_reset = Some(left - piece.len() as u64);
                piece
            }
        };
        if self.content.len() == 0 {
            self.tell();
        }
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.len())
    }
}

impl Drop for Answer {
    /// hyper drops without a look what has no body to send: the answers to HEAD, 204, 304.
    fn drop(&mut self) {
        self.tell();
    }
}

/// Puts an answer together. `amid` cuts it off after half of its body.
pub(crate) fn respond(
    link: &Arc<Link>,
    status: StatusCode,
    content: Content,
    amid: bool,
) -> Response<Answer> {
    let (kind, zipped) = (content.kind.clone(), content.zipped);
    let until_reset = amid.then(|| content.len() / 2);
    let mut response = Response::new(Answer { content, until_reset, told: false, link: link.clone() });
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    if zipped {
        response.headers_mut().insert(CONTENT_ENCODING, GZIP);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut content: Content) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let piece = content.next(1000);
            if piece.is_empty() {
                return bytes;
            }
            bytes.extend_from_slice(&piece);
        }
    }

    #[test]
    fn a_filler_has_the_length_asked_for_and_is_json_where_that_fits() {
        for count in [0, 1, 12, 13, 14, 100_000] {
            let content = Content::filler(count);
            assert_eq!(content.len(), count);
            let bytes = all(content);
            assert_eq!(bytes.len() as u64, count);
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(), count >= 13, "{count}");
        }
    }

    #[test]
    fn words_have_the_length_asked_for_are_json_and_differ_from_the_first_on() {
        let bodies: Vec<_> = (0..1_000).map(|number| all(Content::words(100_000, number))).collect();
        for body in &bodies {
            assert_eq!(body.len(), 100_000);
            assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
        }
        let beginnings: std::collections::BTreeSet<_> = bodies.iter().map(|body| &body[..100]).collect();
        assert_eq!(beginnings.len(), 1_000);
    }

    #[test]
    fn a_binary_body_holds_every_byte() {
        let bytes = all(Content::binary(600));
        assert_eq!((bytes.len(), bytes[255], bytes[256], bytes[599]), (600, 255, 0, 87));
    }
}

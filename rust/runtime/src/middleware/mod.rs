//! The middleware chain: an ordered list of links, each wrapping the next.
//!
//! ```text
//! A ─► B ─► C ─► transport ─► C ─► B ─► A
//! ```
//!
//! There are three categories, and the traits hold their rules: an [`Interceptor`] steers (it may change request and
//! result, and call what follows as often as it likes), a [`Listener`] observes (it sees the exchange by shared
//! reference and writes notes only), a [`Common`] middleware shapes the request and never sees an answer.
//!
//! A middleware has two moments. `render` runs once per row, while the row's Arrow batch is still there: what the
//! middleware needs of the row is copied into a [`Part`]. The chain itself runs later, once per row for what stands
//! before `retry` and once per attempt for what stands after it, and finds that part again.

mod auth;
mod chain;
mod compress_body;
mod credentials;
mod custom;
mod form_body;
mod headers;
mod idempotency_key;
mod json_body;
mod json_response;
mod logging;
mod param_injector;
mod registry;
mod retry;
mod script;
mod template_body;
mod text_body;
mod timing;
mod transport_diagnostic;
mod worker_identity;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

pub use chain::{Chain, Next, Terminal};
pub use registry::{BuildContext, Factory, Registry};
pub use retry::{Verdict, classify};
pub use script::ScriptRow;

use crate::error::RowError;
use crate::exchange::{Exchange, Notes};
use crate::request::Request;
use crate::row::Row;

/// A boxed future that borrows for `'a`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a middleware took from a row when it was rendered.
#[derive(Clone, Debug, Default)]
pub enum Part {
    /// Nothing.
    #[default]
    None,
    /// Bytes, such as a body.
    Bytes(Bytes),
    /// Text, such as encoded query parameters.
    Text(String),
    /// Headers.
    Headers(Box<HeaderPart>),
    /// What a script takes of the row.
    Script(Box<ScriptRow>),
}

/// Headers that a middleware made of a row.
#[derive(Clone, Debug)]
pub struct HeaderPart {
    pub(crate) headers: HeaderMap,
    /// What of the row reached them, for the digest of the request; no secret.
    pub(crate) seen: Vec<u8>,
}

impl Part {
    /// Bytes held.
    pub fn len(&self) -> usize {
        match self {
            Part::None => 0,
            Part::Bytes(bytes) => bytes.len(),
            Part::Text(text) => text.len(),
            Part::Headers(part) => 64 * part.headers.len() + 2 * part.seen.len(),
            Part::Script(row) => 4 * row.seen.len(),
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of the part, for the digest of the request.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Part::None => &[],
            Part::Bytes(bytes) => bytes,
            Part::Text(text) => text.as_bytes(),
            Part::Headers(part) => &part.seen,
            Part::Script(row) => &row.seen,
        }
    }
}

/// Steers: may change request and result, and decides whether and how often the rest of the chain runs.
pub trait Interceptor: Send + Sync {
    /// Runs once per row, before the exchange is admitted. An error makes the row an `invalid_row` row.
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let _ = row;
        Ok(Part::None)
    }

    /// Runs in the middleware's place. Calls `next` to send; `next` may be cloned to send again. Whoever does not
    /// call it sets [`Exchange::result`].
    fn call<'a>(&'a self, exchange: &'a mut Exchange, part: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()>;
}

/// Observes: cannot change request, result or retries.
pub trait Listener: Send + Sync {
    /// Runs on the way back. `elapsed` is the time since the exchange passed this place on the way in.
    fn after(&self, exchange: &Exchange, elapsed: Duration, notes: &mut Notes);
}

/// Shapes requests: sees the row and the request, never an answer.
pub trait Common: Send + Sync {
    /// Runs once per row, before the exchange is admitted. An error makes the row an `invalid_row` row.
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let _ = row;
        Ok(Part::None)
    }

    /// Runs in the middleware's place, on the way in.
    fn apply(&self, part: &Part, request: &mut Request) -> Result<(), RowError>;

    /// Whether a request that it has shaped stays as it is when it is applied to it again: it sets body and headers, whatever they are,
    /// or leaves alone what is there. Then `retry` keeps no copy of the request for further attempts.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// A middleware of one of the three categories, in its place in a chain.
pub enum Link {
    /// See [`Interceptor`].
    Interceptor(Box<dyn Interceptor>),
    /// See [`Listener`].
    Listener(Box<dyn Listener>),
    /// See [`Common`].
    Common(Box<dyn Common>),
}

//! What benchmarks compare: a bare hyper loop, the transport alone with the same requests, and whole native sessions.
#![forbid(unsafe_code)]

mod bare;
mod engine;
mod server;
pub mod session;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use mimalloc::MiMalloc;

pub use self::bare::{Asker, Bare, Speech};
pub use self::engine::Engine;
pub use self::server::server;

/// All that is compared has the allocator that the library has where it runs, but for the longer stay of free pages that it sets there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Why a loop has ended early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends one request at a time.
pub trait Ask: Send + 'static {
    /// Sends the request of a row, and reads its answer to the end.
    fn ask(&mut self, row: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The path that rows are sent to.
pub const PATH: &str = "/v1/rows";

/// Requests at once, and connections of HTTP/1.1, where nothing else is said.
pub const IN_FLIGHT: u64 = 64;

/// The body of a row.
pub fn body(row: u64) -> Bytes {
    format!(r#"{{"tracking_id":"t-{row}","name":"name {row}","amount":{row}.50}}"#).into()
}

/// The headers of a row, without its host.
pub fn headers(row: u64) -> Result<[(HeaderName, HeaderValue); 3], Failure> {
    let key = HeaderValue::from_str(&format!("00000000-0000-5000-8000-{row:012}"))?;
    Ok([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("idempotency-key"), key),
    ])
}

/// The lower quartile, the median and the upper quartile.
pub fn quartiles(figures: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| figures[figures.len() * quarter / 4])
}

//! Everything that happens on an executor: a row becomes an exchange, the exchange passes the middleware chain, the
//! transport sends its attempts, and its record becomes a row of a response batch.
//!
//! ```text
//! session ─► row (Arrow ─► owned request) ─► admission window ─► middleware chain ─► rate limit ─► transport
//!    ▲                                                                                                │
//!    └──────────────── response batch (Arrow) ◄── exchange ◄───────────────────────────────────────────┘
//! ```
//!
//! Nothing here reads the environment, a file or a secret store, and nothing knows JNI or Spark.
#![forbid(unsafe_code)]

mod basic;
mod budget;
mod ending;
mod engine;
mod error;
mod exchange;
mod fail_when;
mod field_columns;
mod gate;
mod header_template;
mod latencies;
mod mask;
mod parsed;
mod process;
mod process_stats;
pub mod rate;
mod redirect;
mod request;
mod request_id;
mod source_columns;
mod spare;
mod token;
mod traffic;
mod warmup;
mod window;

pub mod middleware;
pub mod response_batch;
mod retry_budget;
pub mod row;
mod script;
pub mod session;
pub mod transport;

pub use budget::{ByteBudget, Reservation};
pub use engine::Engine;
pub use error::{RowError, RuntimeError};
pub use exchange::{Attempt, Exchange, Failure, FailureKind, Notes, Outcome, Response, TransportFacts};
pub use latencies::Latencies;
pub use parsed::{BodyVerdict, FieldValue, Parsed};
pub use process::Process;
pub use process_stats::ProcessStats;
pub use rate::{Keeper, Limit, Pacer, RateLimiter, RateStats, Slot};
pub use request::{LateHeaders, Origin, Request};
pub use request_id::RequestIds;
pub use session::{Session, SessionState, SessionStats, Task};
pub use traffic::{Repeats, Traffic};

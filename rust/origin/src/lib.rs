//! A real HTTP API that can be told to misbehave, and that reports what it saw.
//!
//! Tests, the demo and the benches talk to it instead of to a mock: the sockets, the resets and the half
//! answers are real. What it does is scripted by a [`Script`], which is also the command line of the program
//! `apisink-origin`. What it saw is read with [`Origin::report`], or over HTTP below `/_origin`.
//!
//! ```no_run
//! # async fn example() {
//! use apisink_origin::{Origin, Script};
//!
//! let script = Script::from_args(["--fail-first", "2:503:retry-after=1"]).expect("a valid script");
//! let origin = Origin::start(script).await;
//! // ... send requests to origin.url() ...
//! assert_eq!(origin.report().keys_answered_2xx_twice, 0);
//! origin.shutdown().await;
//! # }
//! ```
#![forbid(unsafe_code)]

mod admin;
mod answer;
mod auth;
mod book;
mod connection;
mod dice;
mod duration;
mod exchange;
mod faults;
mod latency;
mod link;
mod marker;
mod oauth;
mod recorded;
mod recorder;
mod report;
mod script;
mod server;
mod sigv4;
mod socket;
mod tls;
mod tokens;
mod wire;

pub use auth::ApiKey;
pub use faults::{FailEvery, FailFirst, FailShare, Refusal, RetryAfter};
pub use latency::Latency;
pub use oauth::{FailTokens, TokenRequest};
pub use recorded::{KeyReport, Recorded};
pub use report::{Report, Tokens, highest_overlap, most_within};
pub use script::{Script, ScriptError};
pub use server::Origin;
pub use sigv4::Sigv4;
pub use tls::SelfSigned;

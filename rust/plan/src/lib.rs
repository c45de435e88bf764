//! Config to plan: pure functions; the plan is immutable, serialisable and has no look-up left to do.
//!
//! [`compile`] takes a config and what its references stand for ([`Inputs`]) and gives the plan for the executors,
//! the secret values that travel beside it, and what the driver itself needs ([`DriverPlan`]).

#![forbid(unsafe_code)]

mod auth;
mod body;
mod chain;
mod compile;
mod custom;
mod digest;
mod driver;
mod exposure;
mod fail_when;
mod headers;
mod inputs;
pub mod jinja;
mod limits;
mod links;
mod mapping;
mod plan;
mod response;
pub mod script;
mod secrets;
mod source_text;
mod state;
mod tables;
mod template;
mod transport;
mod url;

pub use apisink_config::{HostPattern, PathPattern};
pub use auth::{AuthSpec, AwsSigv4Spec, ClientAuth, KeyPlace, Oauth2Grant, Oauth2Spec};
pub use compile::{Compiled, compile};
pub use driver::{DriverField, DriverMerge, DriverPlan, DriverSink, DriverSource, DriverWindow};
pub use fail_when::FailWhen;
pub use inputs::{Inputs, ResolvedReference};
pub use limits::LimitPlan;
pub use plan::*;
pub use response::{RESPONSE_COLUMNS, validator};
pub use secrets::{Secret, SecretValues};
pub use transport::{
    ClientCertificatePlan, Http2Plan, HttpVersionPlan, ProxyKind, ProxyPlan, RedirectPlan, TcpPlan, TlsPlan,
    TlsVersion, TransportPlan, WarmupPlan,
};

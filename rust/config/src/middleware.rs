//! `middleware`: the chain around the request.

use crate::problem::{Code, Located};
use crate::reader::Section;

const KNOWN: [&str; 8] = [
    "retry",
    "json_body",
    "param_injector",
    "auth",
    "logging",
    "timing",
    "worker_identity",
    "transport_diagnostic",
];

/// One entry of the list `middleware`.
#[derive(Clone, Debug, PartialEq)]
pub enum Middleware {
    /// `retry`: sends a failed request again.
    Retry(Retry),
    /// `json_body`: the row, or its mapped columns, as the request's JSON body.
    JsonBody,
    /// `param_injector`: mapped columns as query parameters.
    ParamInjector,
    /// `auth`: the place of the section `auth` in the chain; innermost when it is not named.
    Auth,
    /// `logging`: one line per exchange.
    Logging(Logging),
    /// `timing`: fills started_at and elapsed_ms.
    Timing,
    /// `worker_identity`: fills worker.
    WorkerIdentity,
    /// `transport_diagnostic`: fills transport.
    TransportDiagnostic,
}

impl Middleware {
    /// The type as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::JsonBody => "json_body",
            Self::ParamInjector => "param_injector",
            Self::Auth => "auth",
            Self::Logging(_) => "logging",
            Self::Timing => "timing",
            Self::WorkerIdentity => "worker_identity",
            Self::TransportDiagnostic => "transport_diagnostic",
        }
    }
}

/// Options of `retry`.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first included: 1 to 100, default 3.
    pub max_attempts: u32,
    /// Statuses that are tried again, each 200 to 599; default 429, 500, 502, 503, 504.
    pub retry_status_codes: Vec<u16>,
    /// Upper bound of the first pause in seconds, doubled with each attempt: 0 to 3600, default 0.2.
    pub base_delay: f64,
    /// Upper bound of every computed pause in seconds: `base_delay` to 3600, default 2 (`base_delay` if that is more).
    pub max_delay: f64,
    /// Whether transport errors and timeouts are tried again. Default true.
    pub retry_transport_errors: bool,
    /// Whether a Retry-After header replaces the computed pause. Default true.
    pub respect_retry_after: bool,
    /// Longest pause in seconds that a Retry-After header may ask for: 0 to 86400, default 60; more is cut to it.
    pub max_retry_after: f64,
    /// Whether a request that is not idempotent and has no idempotency header may be sent again although bytes of it
    /// may have left. Default false.
    pub retry_non_idempotent: bool,
}

/// Options of `logging`.
#[derive(Clone, Debug, PartialEq)]
pub struct Logging {
    /// Level of the line of a successful exchange: error, warn, info, debug (the default) or trace.
    pub level: Level,
    /// Whether the line is also kept in the sink's `log` column. Default false.
    pub to_sink: bool,
}

/// Levels of log lines, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something failed that ends the task.
    Error,
    /// An exchange failed.
    Warn,
    /// Ordinary news.
    Info,
    /// For finding faults.
    Debug,
    /// Everything.
    Trace,
}

pub(crate) fn read(root: &mut Section<'_>) -> Vec<Located<Middleware>> {
    let mut chain: Vec<Located<Middleware>> = Vec::new();
    for mut section in root.sections("middleware", "`middleware: [{type: retry}]`") {
        let Some(middleware) = read_one(&mut section) else { continue };
        let name = middleware.name();
        if let Some(first) = chain.iter().find(|known| known.name() == name) {
            section.note(
                section.at(),
                Code::Conflict,
                format!("the middleware `{name}` stands in the chain twice; first in line {}", first.at.line),
                "remove one of them",
            );
        } else {
            chain.push(Located::new(middleware, section.at()));
        }
    }
    chain
}

fn read_one(section: &mut Section<'_>) -> Option<Middleware> {
    let kind = section.required_word("type", "retry")?;
    let middleware = match kind.as_str() {
        "retry" => Middleware::Retry(read_retry(section)),
        "json_body" => Middleware::JsonBody,
        "param_injector" => Middleware::ParamInjector,
        "auth" => Middleware::Auth,
        "logging" => Middleware::Logging(read_logging(section)),
        "timing" => Middleware::Timing,
        "worker_identity" => Middleware::WorkerIdentity,
        "transport_diagnostic" => Middleware::TransportDiagnostic,
        _ => {
            // The options of a middleware that is not known can't be judged.
            section.unknown_choice("type", &kind, KNOWN.into_iter());
            return None;
        }
    };
    section.finish();
    Some(middleware)
}

fn read_retry(section: &mut Section<'_>) -> Retry {
    let base_delay = section.seconds("base_delay", 0.0..=3600.0, 0.2);
    Retry {
        max_attempts: section.whole("max_attempts", "attempts", 1..=100, 3) as u32,
        retry_status_codes: section.wholes("retry_status_codes", 200..=599, &[429, 500, 502, 503, 504]),
        base_delay,
        max_delay: section.seconds("max_delay", base_delay..=3600.0, base_delay.max(2.0)),
        retry_transport_errors: section.flag("retry_transport_errors", true),
        respect_retry_after: section.flag("respect_retry_after", true),
        max_retry_after: section.seconds("max_retry_after", 0.0..=86_400.0, 60.0),
        retry_non_idempotent: section.flag("retry_non_idempotent", false),
    }
}

fn read_logging(section: &mut Section<'_>) -> Logging {
    let levels = [
        ("debug", Level::Debug),
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("info", Level::Info),
        ("trace", Level::Trace),
    ];
    Logging {
        level: section.choice("level", &levels).map_or(Level::Debug, |level| level.value),
        to_sink: section.flag("to_sink", false),
    }
}

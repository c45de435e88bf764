//! The middleware chain: its order, and the specification of each link.

use apisink_config::{Arrays, Auth, Code, Level, Logging, Middleware, Retry};
use serde::Serialize;
use serde_json::{Value, json};

use crate::auth::AuthSpec;
use crate::compile::millis;
use crate::plan::{
    ArrayForm, BodyNode, ColumnRef, FormBodySpec, JsonBodySpec, LinkPlan, LogLevel, LoggingSpec,
    ParamInjectorSpec, RetryBudgetSpec, RetrySpec,
};
use crate::state::State;

/// What is compiled before the chain, for those links that take it.
pub(crate) struct Parts {
    pub(crate) json: Option<BodyNode>,
    pub(crate) form: Option<Vec<(String, ColumnRef)>>,
    pub(crate) params: Option<Vec<(String, ColumnRef)>>,
    /// The specifications of links that were compiled before, each in the place of its link.
    pub(crate) prepared: Vec<Option<Value>>,
    pub(crate) auth: Option<AuthSpec>,
}

/// The chain as configured; auth last unless it has a place.
pub(crate) fn compile(state: &mut State<'_>, parts: Parts) -> Vec<LinkPlan> {
    let config = state.config;
    let mut links = Vec::new();
    let mut placed = false;
    let Parts { mut json, mut form, mut params, prepared, auth } = parts;
    let mut prepared = prepared.into_iter();
    for link in &config.middleware {
        let prepared = prepared.next().flatten();
        let spec = match &link.value {
            Middleware::Retry(retry) => spec(&retry_spec(retry)),
            Middleware::JsonBody => json.take().map(|body| spec(&JsonBodySpec { body })).unwrap_or_default(),
            Middleware::FormBody => {
                let fields = form.take().unwrap_or_default();
                if fields.is_empty() && state.problems.is_empty() {
                    let hint = "map its fields under `tables.column_mapping`, or remove `form_body`";
                    let what = "`form_body` has no effect: no mapping goes to the body";
                    state.note(link.at, Code::Unused, what, hint);
                }
                spec(&FormBodySpec { fields })
            }
            Middleware::TextBody(_)
            | Middleware::TemplateBody(_)
            | Middleware::Headers(_)
            | Middleware::BearerToken(_)
            | Middleware::HeaderAuth(_)
            | Middleware::CompressBody(_)
            | Middleware::IdempotencyKey(_)
            | Middleware::JsonResponse(_)
            | Middleware::Script(_)
            | Middleware::Custom(_) => prepared.unwrap_or_default(),
            Middleware::ParamInjector(injector) => {
                let params = params.take().unwrap_or_default();
                if params.is_empty() && state.problems.is_empty() {
                    let hint = "map a column with `in: query` under `tables.column_mapping`, or remove `param_injector`";
                    let what = "`param_injector` has no effect: no mapping goes to the query";
                    state.note(link.at, Code::Unused, what, hint);
                }
                spec(&ParamInjectorSpec { params, arrays: array_form(injector.arrays) })
            }
            Middleware::Auth => {
                placed = true;
                if matches!(*config.auth, Auth::None) {
                    let what = "the middleware `auth` has no effect: there is no authentication to add";
                    let hint = "write an `auth:` section of type basic or bearer, or remove `- type: auth`";
                    state.note(link.at, Code::Unused, what, hint);
                }
                spec(&auth)
            }
            Middleware::Logging(Logging { level, to_sink, sample, bodies, max_body_bytes }) => {
                spec(&LoggingSpec {
                    level: log_level(*level),
                    to_sink: *to_sink,
                    sample: *sample,
                    body_bytes: bodies.then_some(*max_body_bytes),
                })
            }
            Middleware::Timing | Middleware::WorkerIdentity | Middleware::TransportDiagnostic => json!({}),
        };
        let name = match &link.value {
            Middleware::Custom(custom) => &custom.name.value,
            built_in => built_in.name(),
        };
        links.push(LinkPlan { middleware: name.to_owned(), spec });
    }
    if let (Some(auth), false) = (&auth, placed) {
        links.push(LinkPlan { middleware: "auth".to_owned(), spec: spec(auth) });
    }
    links
}

/// The specification as JSON; these types can always be written as JSON.
fn spec(spec: &impl Serialize) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}

fn retry_spec(retry: &Retry) -> RetrySpec {
    RetrySpec {
        max_attempts: retry.max_attempts,
        retry_status_codes: retry.retry_status_codes.clone(),
        retry_transport_errors: retry.retry_transport_errors,
        retry_rejected: retry.retry_rejected,
        base_delay_ms: millis(retry.base_delay),
        max_delay_ms: millis(retry.longest_delay()),
        respect_retry_after: retry.respect_retry_after,
        max_retry_after_ms: millis(retry.max_retry_after),
        retry_non_idempotent: retry.retry_non_idempotent,
        total_deadline_ms: retry.total_deadline.map(millis),
        budget: retry
            .budget
            .as_ref()
            .map(|budget| RetryBudgetSpec { share: budget.share, min_per_second: budget.min_per_second }),
    }
}

const fn array_form(arrays: Arrays) -> ArrayForm {
    match arrays {
        Arrays::Repeat => ArrayForm::Repeat,
        Arrays::Comma => ArrayForm::Comma,
        Arrays::Brackets => ArrayForm::Brackets,
        Arrays::Json => ArrayForm::Json,
    }
}

const fn log_level(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

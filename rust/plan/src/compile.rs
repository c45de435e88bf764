//! Config to plan.

use apisink_config::{
    Auth, Basic, Bearer, Code, Config, Level, Logging, Middleware, Problems, Retry, SinkTarget, TableName,
    names_a_credential,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::driver::{DriverPlan, DriverSink, DriverSource};
use crate::inputs::Inputs;
use crate::mapping::Mappings;
use crate::plan::{
    AuthSpec, BodyNode, ExecutionPlan, JsonBodySpec, LinkPlan, LogLevel, LoggingSpec, PLAN_FORMAT,
    ParamInjectorSpec, Plan, RequestPlan, RetrySpec, SinkPlan, SourcePlan, TcpPlan, TransportPlan,
};
use crate::secrets::SecretValues;
use crate::state::State;
use crate::{digest, headers, url};

/// A compiled config.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// What executors get.
    pub plan: Plan,
    /// The values of the plan's secret slots; they travel apart from it.
    pub secrets: SecretValues,
    /// What the driver itself needs, both digests among it.
    pub driver: DriverPlan,
}

/// Compiles a config.
///
/// The same config and inputs always give the same plan. The plan's digest does not depend on secret values.
///
/// # Errors
///
/// All problems that show only now: references without a value, columns that the source lacks, URLs and headers
/// that HTTP does not allow, mappings that nothing injects.
pub fn compile(config: &Config, inputs: &Inputs) -> Result<Compiled, Problems> {
    let mut state = State::new(config, inputs);
    let has = |name: &str| config.middleware.iter().any(|link| link.name() == name);
    let mut mappings = Mappings::new(&config.tables.column_mapping, has("json_body"), has("param_injector"));

    let id_column = &config.tables.source.id_column;
    state.expect_column(id_column, id_column.at);
    for column in &config.tables.source.required_columns {
        state.expect_column(column, column.at);
    }

    // The request comes before auth, so that its secret slots do not depend on the kind of auth.
    let url = url::compile(&mut state, &mut mappings);
    let query = url::configured_query(&mut state, &mut mappings);
    let mut header_list = headers::configured(&mut state, &mut mappings, &config.endpoint.headers);
    let injected = mappings.inject(&mut state);
    headers::mapped(&mut state, &mut header_list, injected.headers);
    let idempotency_header = config
        .endpoint
        .idempotency_header
        .as_ref()
        .and_then(|name| headers::request_header(&mut state, name, name.at));
    let auth = auth(&mut state);
    let whole_row = has("json_body") && injected.body.is_empty();
    let body = if whole_row { BodyNode::Row } else { BodyNode::Object(injected.body) };
    let chain = chain(&mut state, body, injected.params, auth);
    let sink = sink(&mut state);
    let (sink_table, sink_path) = match config.tables.sink.target() {
        Some(SinkTarget::Table(table)) => (table_name(&mut state, table, "tables.sink"), None),
        Some(SinkTarget::Path(path)) => (None, state.plain(path, "`tables.sink.path`")),
        None => (None, None),
    };
    let source_table = match config.tables.source.table() {
        Some(table) => table_name(&mut state, table, "tables.source"),
        None => None,
    };
    let journal_path = match &config.execution.journal_path {
        Some(path) => state.plain(path, "`execution.journal_path`"),
        None => None,
    };

    let problems = std::mem::take(&mut state.problems);
    let url = match url {
        Some(url) if problems.is_empty() => url,
        _ => return Err(Problems::new(problems)),
    };
    let warnings = warnings(config, &url, &header_list);
    let mut all_query = url.query;
    all_query.extend(query);
    let secrets = std::mem::take(&mut state.secrets);
    let columns = state.into_columns(id_column);
    let plan = Plan {
        format: PLAN_FORMAT,
        request: RequestPlan {
            method: config.endpoint.method.value.clone(),
            scheme: url.scheme,
            authority: url.authority,
            path: url.path,
            query: all_query,
            headers: header_list,
            idempotency_header: idempotency_header.clone(),
            max_url_bytes: config.endpoint.max_url_length,
        },
        chain,
        transport: transport(config),
        execution: ExecutionPlan {
            partitions: config.execution.partitions,
            max_requests_per_second: config.execution.max_requests_per_second,
            max_in_flight: config.execution.window(config.transport.tcp_connection.limit),
            memory_budget_bytes: config.execution.memory_budget_bytes,
        },
        source: SourcePlan {
            id_column: id_column.value.clone(),
            required_columns: config.tables.source.required_columns.iter().map(|c| c.value.clone()).collect(),
            columns: (!whole_row).then_some(columns),
        },
        sink,
    };
    let digests = digest::of_plan(&plan).and_then(|all| Ok((all, digest::of_requests(&plan)?)));
    let (plan_digest, request_digest) = digests.map_err(|error| internal(config, &error))?;
    let driver = DriverPlan {
        plan_digest,
        request_digest,
        partitions: plan.execution.partitions,
        id_column: plan.source.id_column.clone(),
        columns: plan.source.columns.clone(),
        required_columns: plan.source.required_columns.clone(),
        sink: DriverSink {
            table: sink_table,
            path: sink_path,
            mode: config.tables.sink.mode.as_str().to_owned(),
        },
        source: DriverSource { table: source_table },
        journal_path,
        batch_rows: config.execution.batch_rows,
        batch_bytes: config.execution.batch_bytes,
        flush_millis: millis(config.execution.flush_seconds),
        flush_rows: config.execution.flush_rows,
        flush_bytes: config.execution.flush_bytes,
        allow_speculation: config.execution.allow_speculation,
        memory_budget_bytes: config.execution.memory_budget_bytes,
        idempotency_header,
        warnings,
    };
    Ok(Compiled { plan, secrets, driver })
}

/// A plan is made of types that JSON can hold; this is for the compiler's sake.
fn internal(config: &Config, error: &serde_json::Error) -> Problems {
    let what = format!("the plan can't be written as JSON: {error}");
    Problems::new(vec![config.document.problem(Default::default(), Code::InvalidValue, what, "report this")])
}

/// Seconds as milliseconds, rounded. The config's ranges exclude NaN, infinity and negative values.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

fn auth(state: &mut State<'_>) -> Option<AuthSpec> {
    let no_control = |value: &str| {
        value.contains(|c: char| c.is_control()).then_some("holds a line break or another control character")
    };
    match &state.config.auth.value {
        Auth::None => None,
        Auth::Basic(Basic { username, password }) => {
            let name = username.expose();
            let username = state.credential(name, "`auth.username`", |value| {
                let colon = "holds a colon, which separates user and password in basic authentication";
                if value.contains(':') { Some(colon) } else { no_control(value) }
            });
            let password = state.credential(password.expose(), "`auth.password`", no_control);
            state.identifies(name, username?);
            Some(AuthSpec::Basic { username: username?, password: password? })
        }
        Auth::Bearer(Bearer { token }) => {
            let token = state.credential(token.expose(), "`auth.token`", headers::unfit_for_header)?;
            Some(AuthSpec::Bearer { token })
        }
    }
}

/// The chain as configured; auth last unless it has a place.
fn chain(
    state: &mut State<'_>,
    body: BodyNode,
    params: Vec<(String, crate::plan::ColumnRef)>,
    auth: Option<AuthSpec>,
) -> Vec<LinkPlan> {
    let config = state.config;
    let mut links = Vec::new();
    let mut placed = false;
    let mut body = Some(body);
    let mut params = Some(params);
    for link in &config.middleware {
        let spec = match &link.value {
            Middleware::Retry(retry) => spec(&retry_spec(retry)),
            Middleware::JsonBody => body.take().map(|body| spec(&JsonBodySpec { body })).unwrap_or_default(),
            Middleware::ParamInjector => {
                let params = params.take().unwrap_or_default();
                if params.is_empty() && state.problems.is_empty() {
                    let hint = "map a column with `in: query` under `tables.column_mapping`, or remove `param_injector`";
                    let what = "`param_injector` has no effect: no mapping goes to the query";
                    state.note(link.at, Code::Unused, what, hint);
                }
                spec(&ParamInjectorSpec { params })
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
            Middleware::Logging(Logging { level, to_sink }) => {
                spec(&LoggingSpec { level: log_level(*level), to_sink: *to_sink })
            }
            Middleware::Timing | Middleware::WorkerIdentity | Middleware::TransportDiagnostic => json!({}),
        };
        links.push(LinkPlan { middleware: link.name().to_owned(), spec });
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
        base_delay_ms: millis(retry.base_delay),
        max_delay_ms: millis(retry.longest_delay()),
        respect_retry_after: retry.respect_retry_after,
        max_retry_after_ms: millis(retry.max_retry_after),
        retry_non_idempotent: retry.retry_non_idempotent,
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

fn transport(config: &Config) -> TransportPlan {
    let transport = &config.transport;
    let tcp = &transport.tcp_connection;
    TransportPlan {
        engine: transport.engine.as_str().to_owned(),
        base_timeout_ms: millis(transport.base_timeout),
        connect_timeout_ms: millis(transport.connect_timeout),
        tls_timeout_ms: 10_000,
        first_byte_timeout_ms: None,
        between_bytes_timeout_ms: None,
        tcp: TcpPlan { limit: tcp.limit, idle_timeout_ms: millis(tcp.idle_timeout), ..TcpPlan::default() },
        max_response_bytes: transport.max_response_bytes,
    }
}

fn sink(state: &mut State<'_>) -> SinkPlan {
    let sink = &state.config.tables.sink;
    let mut response_headers: Vec<String> = Vec::new();
    for name in &sink.response_headers {
        if let Some(name) = headers::header_name(state, name, name.at)
            && !response_headers.contains(&name)
        {
            response_headers.push(name);
        }
    }
    SinkPlan {
        response_headers,
        request_headers: sink.request_headers,
        request_body: sink.request_body,
        source_columns: Vec::new(),
        masked: state.masked(),
    }
}

fn table_name(state: &mut State<'_>, table: TableName<'_>, section: &str) -> Option<String> {
    let name = state.plain(table.name, &format!("`{section}.name`"));
    let Some(namespace) = table.namespace else { return name };
    let namespace = state.plain(namespace, &format!("`{section}.namespace`"));
    namespace.zip(name).map(|(namespace, name)| format!("{namespace}.{name}"))
}

fn warnings(config: &Config, url: &url::Url, headers: &[crate::plan::NamedPieces]) -> Vec<String> {
    let mut warnings = Vec::new();
    if url.scheme == "http" && !url::is_loopback(&url.authority) {
        let kind = config.auth.name();
        if kind != "none" {
            warnings.push(format!(
                "auth `{kind}` sends its credentials to http://{} without encryption; use https",
                url.authority
            ));
        } else if let Some(header) = headers.iter().find(|header| names_a_credential(&header.name)) {
            warnings.push(format!(
                "the header `{}` is sent to http://{} without encryption; use https",
                header.name, url.authority
            ));
        }
    }
    warnings
}

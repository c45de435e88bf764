//! Config to plan.

use apisink_config::{Code, Config, EngineName, Middleware, Problems, RepeatedIds, SendingWindow};

use crate::driver::{DriverPlan, DriverWindow};
use crate::fail_when::FailWhen;
use crate::inputs::Inputs;
use crate::mapping::{BodyFields, Mappings};
use crate::plan::{BodyNode, ExecutionPlan, Identity, PLAN_FORMAT, Plan, RequestPlan, SourcePlan};
use crate::secrets::SecretValues;
use crate::state::State;
use crate::{auth, chain, digest, exposure, headers, limits, links, tables, transport, url};

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

fn window(window: &SendingWindow) -> DriverWindow {
    DriverWindow {
        from: window.from.value.clone(),
        until: window.until.value.clone(),
        time_zone: window.time_zone.value.clone(),
        days: window.days.iter().map(|day| day.value.clone()).collect(),
    }
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
    let body_fields = config.middleware.iter().find_map(|link| match &link.value {
        Middleware::JsonBody => Some(BodyFields::Nested),
        Middleware::FormBody => Some(BodyFields::Flat),
        Middleware::TextBody(_) | Middleware::TemplateBody(_) => Some(BodyFields::Template),
        _ => None,
    });
    let mut mappings = Mappings::new(&config.tables.column_mapping, body_fields, has("param_injector"));

    tables::check_source(&mut state);
    let identity = identity(&mut state);
    tables::check_delivered(&mut state);
    for column in &config.tables.source.required_columns {
        state.expect_column(column, column.at);
    }

    // The request comes before auth, so that its secret slots do not depend on the kind of auth.
    let url = url::compile(&mut state, &mut mappings);
    let query = url::configured_query(&mut state, &mut mappings);
    let mut header_list = headers::configured(&mut state, &mut mappings, &config.endpoint.headers);
    let links = links::prepare(&mut state, &mut mappings, &header_list);
    let injected = mappings.inject(&mut state);
    headers::mapped(&mut state, &mut header_list, &links.claims, injected.headers);
    let key = links::idempotency_header(config);
    let idempotency_header = key.and_then(|name| headers::request_header(&mut state, name, name.at));
    let key_by_link = has("idempotency_key");
    let fixed = url.iter().flat_map(|url| &url.query).chain(&query).map(|fixed| fixed.name.as_str());
    let params: Vec<&str> = fixed.chain(injected.params.iter().map(|(name, _)| name.as_str())).collect();
    let auth_spec = auth::compile(&mut state, &params);
    let whole_row = has("json_body") && injected.body.is_empty();
    let json = if whole_row { BodyNode::Row } else { BodyNode::Object(injected.body) };
    let claims = links.claims;
    let parts = chain::Parts {
        json: Some(json),
        form: Some(injected.form),
        params: Some(injected.params),
        prepared: links.specs,
        auth: auth_spec,
    };
    let chain = chain::compile(&mut state, parts);
    let mut transport = transport::compile(&mut state, url.as_ref());
    if inputs.dry_run {
        transport.engine = EngineName::Render.as_str().to_owned();
    }
    let sink = tables::sink(&mut state);
    let driver_sink = tables::driver_sink(&mut state);
    let driver_source = tables::driver_source(&mut state);
    let journal_path = match &config.execution.journal_path {
        Some(path) => state.plain(path, "`execution.journal_path`"),
        None => None,
    };

    let mut warnings = tables::warnings(&state);
    warnings.extend(auth::warnings(config));
    if body_fields.is_some() {
        warnings.extend(body_of_a_bodiless_method(&config.endpoint.method.value));
    }
    if let Some(url) = &url {
        warnings.extend(exposure::check(&mut state, url, &header_list, &claims));
        warnings.extend(limits::warnings(config, url));
    }

    let problems = std::mem::take(&mut state.problems);
    let url = match url {
        Some(url) if problems.is_empty() => url,
        _ => return Err(Problems::new(problems)),
    };
    let limits = limits::compile(config, &url);
    let mut all_query = url.query;
    all_query.extend(query);
    let secrets = std::mem::take(&mut state.secrets);
    let columns = state.into_columns(identity.column());
    let plan = Plan {
        format: PLAN_FORMAT,
        request: RequestPlan {
            method: config.endpoint.method.value.clone(),
            scheme: url.scheme,
            authority: url.authority,
            path: url.path,
            query: all_query,
            headers: header_list,
            idempotency_header: idempotency_header.clone().filter(|_| !key_by_link),
            max_url_bytes: config.endpoint.max_url_length,
        },
        chain,
        transport,
        execution: ExecutionPlan {
            partitions: config.execution.partitions,
            max_requests_per_second: config.execution.rate(),
            burst: config.execution.burst,
            limits,
            max_announced_pause_ms: config
                .execution
                .obey_announced_limits
                .then(|| millis(config.execution.max_announced_pause)),
            max_in_flight: config.execution.window(config.transport.tcp_connection.limit),
            memory_budget_bytes: config.execution.memory_budget_bytes,
            fail_when: FailWhen::of(&config.execution.fail_when),
        },
        source: SourcePlan {
            identity,
            required_columns: config.tables.source.required_columns.iter().map(|c| c.value.clone()).collect(),
            columns: columns.filter(|_| !whole_row),
        },
        sink,
    };
    let digests = digest::of_plan(&plan).and_then(|all| Ok((all, digest::of_requests(&plan)?)));
    let (plan_digest, request_digest) = digests.map_err(|error| internal(config, &error))?;
    let driver = DriverPlan {
        plan_digest,
        request_digest,
        partitions: plan.execution.partitions,
        id_column: plan.source.identity.column().map(str::to_owned),
        columns: plan.source.columns.clone(),
        required_columns: plan.source.required_columns.clone(),
        sink: driver_sink,
        source: driver_source,
        journal_path,
        batch_rows: config.execution.batch_rows,
        batch_bytes: config.execution.batch_bytes,
        flush_millis: millis(config.execution.flush_seconds),
        skip_delivered: config.execution.skip_delivered.map(|which| which.as_str().to_owned()),
        resend_on_resume: config.execution.resend_on_resume.iter().map(|word| word.value.clone()).collect(),
        flush_rows: config.execution.flush_rows,
        flush_bytes: config.execution.flush_bytes,
        allow_speculation: config.execution.allow_speculation,
        fail_when: plan.execution.fail_when,
        general_limit: plan.general_limit().map(|limit| limit.name),
        other_limits: plan.execution.limits.iter().map(|limit| limit.name.clone()).collect(),
        sending_window: config.execution.sending_window.as_ref().map(window),
        memory_budget_bytes: config.execution.memory_budget_bytes,
        idempotency_header,
        warnings,
    };
    Ok(Compiled { plan, secrets, driver })
}

/// RFC 9110, 9.3: a body is allowed with these methods, and means nothing that all servers agree on.
fn body_of_a_bodiless_method(method: &str) -> Option<String> {
    ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"].contains(&method).then(|| {
        format!(
            "a {method} request gets a body, which servers and proxies may ignore or refuse: use `param_injector` for \
             parameters, or another method, unless the API asks for it"
        )
    })
}

/// How rows are told apart. Refuses what needs an id column and has none.
fn identity(state: &mut State<'_>) -> Identity {
    let config = state.config;
    if let Some(column) = &config.tables.source.id_column {
        state.expect_column(column, column.at);
        return match config.execution.repeated_ids {
            RepeatedIds::InvalidRow => Identity::Column(column.value.clone()),
            RepeatedIds::Send => Identity::ColumnAndContent(column.value.clone()),
        };
    }
    if config.execution.skip_delivered.is_some() {
        state.note(
            config.tables.source.at,
            Code::Conflict,
            "`execution.skip_delivered` looks for the rows' tracking ids in the sink, and rows without \
             `tables.source.id_column` have none of their own",
            "name the column that holds the source rows' key as `id_column`, or remove `skip_delivered`",
        );
    }
    if config.tables.sink.merge.is_some() {
        state.note(
            config.tables.source.at,
            Code::Conflict,
            "`tables.sink.merge` keeps one current row per tracking_id, and rows without `tables.source.id_column` are \
             known by their content: a row that changes would get another one",
            "name the column that holds the source rows' key as `id_column`, or remove `merge`",
        );
    }
    Identity::Content
}

/// A plan is made of types that JSON can hold; this is for the compiler's sake.
fn internal(config: &Config, error: &serde_json::Error) -> Problems {
    let what = format!("the plan can't be written as JSON: {error}");
    Problems::new(vec![config.document.problem(Default::default(), Code::InvalidValue, what, "report this")])
}

/// Seconds as milliseconds, rounded. The config's ranges exclude NaN, infinity and negative values.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

//! What a run of the config promises.

use apisink_config::{Config, SourceRows};
use apisink_plan::{
    Compiled, DriverMerge, DriverPlan, DriverSource, ExecutionPlan, FailWhen, HttpVersionPlan, Identity,
    RetrySpec, TransportPlan,
};

use super::table::Table;

/// What a run does and promises.
pub(super) fn told(config: &Config, compiled: &Compiled) -> Table {
    let Compiled { plan, driver, .. } = compiled;
    let mut table = Table::default();
    table.row("source", source(config, &driver.source));
    table.row("tracking_id", tracking_id(&plan.source.identity, driver.partitions));
    if let Some(columns) = &driver.columns {
        table.row("columns in use", columns.join(", "));
    }
    table.row("sink", sink(driver));
    if let Some(merge) = &driver.sink.merge {
        table.row("merged table", merged(merge));
    }
    table.row("exactly one row", exactly_once(driver));
    table.row("journal", journal(driver));
    table.row("going on", going_on(driver));
    if let Some(which) = &driver.skip_delivered {
        let answers = if which == "any" { "an answer" } else { "a successful answer" };
        table
            .row("left out", format!("rows of whose tracking_id the sink has {answers} from an earlier run"));
    }
    table.row("stops early", stops_early(&driver.fail_when));
    table.row("a request twice", twice(compiled));
    table.row("rate", rate(&plan.execution));
    table.row(
        "at once",
        format!(
            "at most {} rows, {} connections and {} MiB of memory in an executor process",
            plan.execution.max_in_flight,
            plan.transport.tcp.limit,
            plan.execution.memory_budget_bytes >> 20
        ),
    );
    table.row("HTTP", http(&plan.transport, &plan.request.scheme));
    table.row(
        "speculation",
        if driver.allow_speculation { "allowed" } else { "refused: it sends rows twice" },
    );
    table
}

fn http(transport: &TransportPlan, scheme: &str) -> String {
    let shared = format!(
        "HTTP/2, with up to {} requests at once over a connection",
        transport.http2.streams_per_connection
    );
    match transport.http_version {
        HttpVersionPlan::Http2 => shared,
        HttpVersionPlan::Auto if scheme == "https" => {
            format!("{shared}, if the server prefers it; else HTTP/1.1")
        }
        HttpVersionPlan::Auto | HttpVersionPlan::Http1 => "HTTP/1.1".to_owned(),
    }
}

fn source(config: &Config, source: &DriverSource) -> String {
    let mut text = match (config.tables.source.rows(), &source.table, &source.path) {
        (Some(SourceRows::Files { format, .. }), _, Some(path)) => {
            format!("files of format {format} at {path}")
        }
        (_, Some(table), _) => format!("table {table}"),
        _ => "a DataFrame that is handed over".to_owned(),
    };
    if !source.select.is_empty() {
        text += &format!(", columns {}", source.select.join(", "));
    }
    if let Some(filter) = &source.filter {
        text += &format!(", rows where {filter}");
    }
    text
}

fn tracking_id(identity: &Identity, partitions: u32) -> String {
    match identity {
        Identity::Column(name) => format!(
            "column {name}; rows are spread over {partitions} Spark tasks by it; further rows of the same one become \
             invalid_row rows"
        ),
        Identity::ColumnAndContent(name) => format!(
            "column {name}; rows are spread over {partitions} Spark tasks by it; each row of the same one is sent, \
             told apart by its content"
        ),
        Identity::Content => format!(
            "made of the row's content; rows are spread over {partitions} Spark tasks by it; equal rows are counted and \
             each is sent"
        ),
    }
}

fn place(table: Option<&String>, path: Option<&String>) -> String {
    match (table, path) {
        (Some(table), _) => format!("table {table}"),
        (None, Some(path)) => format!("the table at {path}"),
        (None, None) => "no table".to_owned(),
    }
}

fn sink(driver: &DriverPlan) -> String {
    let sink = &driver.sink;
    let to = place(sink.table.as_ref(), sink.path.as_ref());
    if sink.merge.as_ref().is_some_and(|merge| !merge.append_rows) {
        return format!("{to} gets no rows: they go to the merged table alone");
    }
    let written = if sink.mode == "overwrite" { "what is there is replaced" } else { "rows are appended" };
    let mut text = format!("{to} (format {}), {written}", sink.format);
    if !sink.source_columns.is_empty() {
        text += &format!("; source columns kept: {}", sink.source_columns.join(", "));
    }
    text
}

fn merged(merge: &DriverMerge) -> String {
    let rows =
        if merge.append_rows { "beside the rows of the sink" } else { "in place of the rows of the sink" };
    format!("{}, one current row per tracking_id, {rows}", place(merge.table.as_ref(), merge.path.as_ref()))
}

fn exactly_once(driver: &DriverPlan) -> String {
    if driver.sink.format.eq_ignore_ascii_case("delta") {
        "for every source row, whatever died in between".to_owned()
    } else {
        format!(
            "not promised: format {} has no transactions that a repeated commit could be told by",
            driver.sink.format
        )
    }
}

#[allow(clippy::cast_precision_loss, reason = "a time for people")]
fn journal(driver: &DriverPlan) -> String {
    let directory = match (&driver.journal_path, &driver.sink.path) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => format!("{}/_apisink", path.trim_end_matches('/')),
        (None, None) => {
            "the directory that the Spark setting spark.apisink.journal names (none is named here)".to_owned()
        }
    };
    format!(
        "answers are kept in {directory} until they are in the sink; each gets there within {} s",
        driver.flush_millis as f64 / 1000.0
    )
}

fn going_on(driver: &DriverPlan) -> String {
    let mut text =
        "a run that stopped goes on under its run_id; what was answered is not asked for again".to_owned();
    if !driver.resend_on_resume.is_empty() {
        text += &format!(", but for {}", driver.resend_on_resume.join(" and "));
    }
    text
}

fn stops_early(limits: &FailWhen) -> String {
    let mut when = Vec::new();
    if limits.unauthorized_rows > 0 {
        when.push(format!(
            "an executor's first {} rows are all answered with 401 or 403",
            limits.unauthorized_rows
        ));
    }
    if let Some(rows) = limits.failed_rows {
        when.push(format!("{rows} rows have failed"));
    }
    if let Some(share) = limits.failed_share {
        when.push(format!("more than {share} of the rows have failed, once there are {}", limits.after_rows));
    }
    match when.as_slice() {
        [] => "never: however many rows fail, the others are sent".to_owned(),
        when => format!("when {}; what was answered is kept", when.join(", or ")),
    }
}

fn twice(compiled: &Compiled) -> String {
    let request = &compiled.plan.request;
    let idempotent =
        ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"].contains(&request.method.as_str());
    let retry = compiled.plan.chain.iter().find(|link| link.middleware == "retry");
    let retry = retry.and_then(|link| serde_json::from_value::<RetrySpec>(link.spec.clone()).ok());
    match (&compiled.driver.idempotency_header, idempotent, retry) {
        (Some(name), ..) => {
            format!("the API can tell by {name}: it is the same in every attempt and after every crash")
        }
        (None, true, _) => format!("does no harm: {} is idempotent", request.method),
        (None, false, Some(retry)) if retry.retry_non_idempotent => format!(
            "can happen, and nothing tells the API: {} is tried again even if bytes of it may have left",
            request.method
        ),
        (None, false, _) => format!(
            "nothing would tell the API, so that after a broken connection {} is tried again only if no byte of it can have left; after a crash \
             what was in flight is sent again all the same",
            request.method
        ),
    }
}

fn rate(execution: &ExecutionPlan) -> String {
    let mut text = match execution.max_requests_per_second {
        Some(rate) => format!("at most {rate} attempts per second, retries included"),
        None => "no limit by time".to_owned(),
    };
    for (place, limit) in execution.limits.iter().enumerate() {
        let rest = if place == 0 { "; beside it" } else { "," };
        let host = limit.host.as_deref().map(|host| format!(" at {host}")).unwrap_or_default();
        let path = limit.path.as_deref().unwrap_or("all paths");
        text += &format!("{rest} {} for {path}{host}", limit.per_second);
    }
    text
}

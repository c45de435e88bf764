//! `tables`: the source, the sink and the merged table, as the driver needs them.

use apisink_config::{Code, Merge, SinkMode, SourceRows, TableName, Target};

use crate::driver::{DriverField, DriverMerge, DriverSink, DriverSource};
use crate::plan::SinkPlan;
use crate::state::State;
use crate::{headers, response};

/// What the sink's rows keep.
pub(crate) fn sink(state: &mut State<'_>) -> SinkPlan {
    let sink = &state.config.tables.sink;
    let mut response_headers: Vec<String> = Vec::new();
    for name in &sink.response_headers {
        if let Some(name) = headers::header_name(state, name, name.at)
            && !response_headers.contains(&name)
        {
            response_headers.push(name);
        }
    }
    for column in &sink.source_columns {
        state.use_column(column, column.at);
    }
    SinkPlan {
        response_headers,
        request_headers: sink.request_headers,
        request_body: sink.request_body,
        source_columns: sink.source_columns.iter().map(|column| column.value.clone()).collect(),
        response_fields: response::columns(state.config),
        masked: state.masked(),
    }
}

fn table_name(state: &mut State<'_>, table: TableName<'_>, section: &str) -> Option<String> {
    let name = state.plain(table.name, &format!("`{section}.name`"));
    let Some(namespace) = table.namespace else { return name };
    let namespace = state.plain(namespace, &format!("`{section}.namespace`"));
    namespace.zip(name).map(|(namespace, name)| format!("{namespace}.{name}"))
}

/// Refuses a source that is named twice or not at all, and columns that it lacks.
pub(crate) fn check_source(state: &mut State<'_>) {
    let source = &state.config.tables.source;
    let at = state.config.tables.source.at;
    match (source.rows(), state.inputs.data_frame) {
        (Some(rows), Some(true)) => {
            let given = match rows {
                SourceRows::Files { .. } => "files",
                SourceRows::Table(_) => "a table",
            };
            state.note(
                at,
                Code::Conflict,
                format!("a DataFrame was handed over, and `tables.source` names {given} too"),
                "keep one of them: remove what `tables.source` names, or hand over no DataFrame",
            );
        }
        (None, Some(false)) => state.note(
            at,
            Code::MissingKey,
            "no DataFrame was handed over, and `tables.source` names no rows",
            "write `name` with `namespace`, `identifier`, or `path` with `format`; or hand over a DataFrame",
        ),
        _ => {}
    }
    if state.inputs.data_frame != Some(true) {
        return;
    }
    let select = source.select.first().map(|first| ("select", first.at));
    let filter = source.filter.as_ref().map(|filter| ("filter", filter.at()));
    for (key, at) in filter.into_iter().chain(select) {
        state.note(
            at,
            Code::Unused,
            format!("`tables.source.{key}` has no effect on a DataFrame that is handed over"),
            "remove it, and filter and select in the DataFrame itself",
        );
    }
}

/// Refuses to look for what was delivered in a sink that each run empties.
pub(crate) fn check_delivered(state: &mut State<'_>) {
    let sink = &state.config.tables.sink;
    let kept_elsewhere = sink.merge.as_ref().is_some_and(|merge| !merge.append_rows);
    if state.config.execution.skip_delivered.is_some()
        && sink.mode.value == SinkMode::Overwrite
        && !kept_elsewhere
    {
        state.note(
            sink.mode.at,
            Code::Conflict,
            "`execution.skip_delivered` leaves rows out whose answers are in the sink, and `tables.sink.mode: overwrite` \
             removes these answers",
            "write `mode: append`, or remove `skip_delivered`",
        );
    }
}

/// Where rows come from.
pub(crate) fn driver_source(state: &mut State<'_>) -> DriverSource {
    let source = &state.config.tables.source;
    let (table, path, format) = match source.rows() {
        Some(SourceRows::Table(table)) if source.identifier.is_some() => {
            (state.plain(table.name, "`tables.source.identifier`"), None, None)
        }
        Some(SourceRows::Table(table)) => (table_name(state, table, "tables.source"), None, None),
        Some(SourceRows::Files { path, format }) => {
            (None, state.plain(path, "`tables.source.path`"), Some(format.to_owned()))
        }
        None => (None, None, None),
    };
    let filter = source.filter.as_ref().and_then(|filter| state.plain(filter, "`tables.source.filter`"));
    let select = source.select.iter().map(|expression| expression.value.clone()).collect();
    DriverSource { table, path, format, filter, select }
}

/// Where responses go.
pub(crate) fn driver_sink(state: &mut State<'_>) -> DriverSink {
    let sink = &state.config.tables.sink;
    let (table, path) = target(state, sink.target(), "tables.sink");
    let merge = sink.merge.as_ref().map(|merge| driver_merge(state, merge, (&table, &path)));
    DriverSink {
        table,
        path,
        format: sink.format().to_owned(),
        mode: sink.mode.as_str().to_owned(),
        merge,
        source_columns: sink.source_columns.iter().map(|column| column.value.clone()).collect(),
        response_fields: response::columns(state.config)
            .into_iter()
            .map(|(name, kind)| DriverField { name, data_type: kind.spark().to_owned() })
            .collect(),
    }
}

fn driver_merge(
    state: &mut State<'_>,
    merge: &Merge,
    sink: (&Option<String>, &Option<String>),
) -> DriverMerge {
    let (table, path) = target(state, merge.target(), "tables.sink.merge");
    if (table.is_some() || path.is_some()) && (&table, &path) == sink {
        let at = match merge.target() {
            Some(Target::Table(table)) => table.name.at(),
            Some(Target::Path(path)) => path.at(),
            None => Default::default(),
        };
        state.note(
            at,
            Code::Conflict,
            "`tables.sink.merge` names the sink itself",
            "name another table: the sink has a row for every exchange, the merged table one per tracking_id",
        );
    }
    DriverMerge { table, path, append_rows: merge.append_rows }
}

fn target(
    state: &mut State<'_>,
    target: Option<Target<'_>>,
    section: &str,
) -> (Option<String>, Option<String>) {
    match target {
        Some(Target::Table(table)) => (table_name(state, table, section), None),
        Some(Target::Path(path)) => (None, state.plain(path, &format!("`{section}.path`"))),
        None => (None, None),
    }
}

/// What is allowed but gives up a promise.
pub(crate) fn warnings(state: &State<'_>) -> Vec<String> {
    let format = state.config.tables.sink.format();
    if format.eq_ignore_ascii_case("delta") {
        return Vec::new();
    }
    vec![format!(
        "the sink's format is {format}: that every source row ends as exactly one row is promised for delta only; a \
         driver that dies while it writes may leave rows twice"
    )]
}

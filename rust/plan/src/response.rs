//! `json_response`: the columns that are picked from answers, the schema, the condition of success.

use apisink_config::{
    Code, Config, FieldType, JsonResponse, Located, Middleware, ResponseField, Script, Text,
};
use serde_json::Value;

use crate::jinja::{self, Fault};
use crate::plan::{FieldKind, JsonResponseSpec, ResponseFieldSpec};
use crate::state::State;

/// The columns that every row of the sink has, in their order; `ingested_at` is added by the append.
pub const RESPONSE_COLUMNS: [&str; 25] = [
    "run_id",
    "request_id",
    "tracking_id",
    "outcome",
    "status_code",
    "method",
    "url",
    "attempts",
    "started_at",
    "elapsed_ms",
    "error",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "response_body_is_base64",
    "response_body_truncated",
    "json",
    "attempt_log",
    "worker",
    "transport",
    "log",
    "request_digest",
    "schema_version",
    "ingested_at",
];

/// The columns that answers fill: those that `json_response` picks, then those of each `script`.
pub(crate) fn columns(config: &Config) -> Vec<(String, FieldKind)> {
    let picked = picked(config).map(|field| (field.name.value.clone(), kind(field.kind)));
    picked.chain(scripts(config).flat_map(script_fields)).collect()
}

/// The fields of the chain's `json_response`.
pub(crate) fn picked(config: &Config) -> impl Iterator<Item = &Located<ResponseField>> {
    let json = config.middleware.iter().find_map(|link| match &link.value {
        Middleware::JsonResponse(json) => Some(json),
        _ => None,
    });
    json.into_iter().flat_map(|json| &json.fields)
}

fn scripts(config: &Config) -> impl Iterator<Item = &Script> {
    config.middleware.iter().filter_map(|link| match &link.value {
        Middleware::Script(script) => Some(script),
        _ => None,
    })
}

/// The columns that a script fills.
pub(crate) fn script_fields(script: &Script) -> Vec<(String, FieldKind)> {
    script.fields.iter().map(|field| (field.name.value.clone(), kind(field.kind))).collect()
}

const fn kind(kind: FieldType) -> FieldKind {
    match kind {
        FieldType::Text => FieldKind::String,
        FieldType::Long => FieldKind::Long,
        FieldType::Double => FieldKind::Double,
        FieldType::Boolean => FieldKind::Boolean,
    }
}

pub(crate) fn compile(state: &mut State<'_>, json: &JsonResponse) -> Option<JsonResponseSpec> {
    if let Some(expression) = &json.success_when {
        for Fault { line, column, what } in jinja::faults(expression, &["body", "status"]) {
            let exact = state.config.document.within(expression.at, line, column);
            let place = if exact.is_some() { String::new() } else { format!(", column {column}") };
            let hint = "write an expression such as `body.status == 'ok'`";
            let at = exact.unwrap_or(expression.at);
            state.note(at, Code::InvalidValue, format!("in `success_when`{place}: {what}"), hint);
        }
    }
    let schema = match &json.schema_file {
        Some(file) => Some(schema(state, file)?),
        None => None,
    };
    let fields = json.fields.iter().map(|field| {
        let ResponseField { name, pointer, kind: field_kind, required } = &field.value;
        ResponseFieldSpec {
            name: name.value.clone(),
            pointer: pointer.value.clone(),
            kind: kind(*field_kind),
            required: *required,
        }
    });
    Some(JsonResponseSpec {
        json_column: json.json_column,
        schema,
        fields: fields.collect(),
        success_when: json.success_when.as_ref().map(|expression| expression.value.clone()),
        error_message: json.error_message.as_ref().map(|pointer| pointer.value.clone()),
    })
}

/// Refuses columns that cannot stand beside the others. Tables take names that differ in case alone for the same.
pub(crate) fn check_names(state: &mut State<'_>) {
    let config = state.config;
    let of_scripts = scripts(config).flat_map(|script| &script.fields).map(|field| &field.name);
    let names: Vec<&Located<String>> = picked(config).map(|field| &field.name).chain(of_scripts).collect();
    for (index, name) in names.iter().enumerate() {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        let what = if RESPONSE_COLUMNS.iter().any(|column| is(column)) {
            "the sink's rows have a column of that name of their own"
        } else if names[..index].iter().any(|other| is(other)) {
            "another field has that name"
        } else if config.tables.sink.source_columns.iter().any(|column| is(column)) {
            "`tables.sink.source_columns` keeps a column of that name"
        } else {
            continue;
        };
        let what = format!("the field `{}` can't be a column: {what}", name.value);
        state.note(name.at, Code::Conflict, what, "give it another name");
    }
}

fn schema(state: &mut State<'_>, file: &Text) -> Option<Value> {
    let reference = file.references().pop()?;
    let text = state.resolve(&reference, file.at())?.expose();
    let name = &reference.key;
    let refused = match serde_json::from_str::<Value>(text) {
        Err(error) => {
            format!("{name}:{}:{}: it is no JSON: {error}", error.line(), error.column())
        }
        Ok(schema) => match validator(&schema) {
            Ok(_) => return Some(schema),
            Err(why) => format!("{name}: it is no JSON Schema: {why}"),
        },
    };
    state.note(file.at(), Code::InvalidValue, refused, "correct the file");
    None
}

/// The validator of a schema. Patterns take time in proportion to the text; nothing is fetched.
///
/// # Errors
///
/// Why it is no schema, and where in it.
pub fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .offline()
        .build(schema)
        .map_err(|error| {
            let path = error.instance_path().to_string();
            if path.is_empty() { error.to_string() } else { format!("{error} at {path}") }
        })
}

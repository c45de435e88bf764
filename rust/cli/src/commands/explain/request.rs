//! Where each part of the request comes from.

use apisink_config::{Auth, Config};
use apisink_plan::{
    BearerTokenSpec, BodyNode, CodingName, ColumnRef, CompressBodySpec, FormBodySpec, HeaderAuthSpec,
    HeaderCredential, HeadersSpec, IdempotencyKeySpec, JsonBodySpec, LinkPlan, NamedPieces,
    ParamInjectorSpec, Piece, Plan, RequestPlan, TemplateBodySpec, TextBodySpec,
};
use serde_json::Value;

use super::table::Table;

/// The parts of the request, and where each comes from.
pub(super) fn told(config: &Config, plan: &Plan) -> Table {
    let request = &plan.request;
    let mut table = Table::default();
    table.row(&request.method, url(request));
    path(&mut table, &request.path);
    for NamedPieces { name, value } in &request.query {
        table.row(format!("query {name}"), pieces(value));
    }
    for link in &plan.chain {
        injected(&mut table, link);
    }
    for NamedPieces { name, value } in &request.headers {
        table.row(format!("header {name}"), pieces(value));
    }
    for link in &plan.chain {
        header(&mut table, link);
    }
    if let Some(name) = &request.idempotency_header {
        table.row(format!("header {name}"), "the row's request_id, the same in every attempt");
    }
    if !matches!(*config.auth, Auth::None) {
        table.row("credentials", format!("auth `{}`", config.auth.name()));
    }
    for link in &plan.chain {
        body(&mut table, link);
    }
    table.row(
        "longest URL",
        format!("{} bytes; a row whose URL is longer is an invalid_row", request.max_url_bytes),
    );
    table
}

fn url(request: &RequestPlan) -> String {
    let path: String = request.path.iter().map(piece).collect();
    format!("{}://{}{path}", request.scheme, request.authority)
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Column(column) => format!("{{{}}}", column.path.join(".")),
        Piece::Secret(_) => "***".to_owned(),
    }
}

fn path(table: &mut Table, path: &[Piece]) {
    for piece in path {
        if let Piece::Column(column) = piece {
            table
                .row("path", format!("{}; percent-encoded, so that it stays one segment", of_column(column)));
        }
    }
}

/// A value's pieces: a single column by its rules, anything else as a template.
fn pieces(pieces: &[Piece]) -> String {
    match pieces {
        [Piece::Column(column)] => of_column(column),
        [Piece::Secret(_)] => "a secret, shown as ***".to_owned(),
        [] => "an empty value".to_owned(),
        pieces => format!("\"{}\"", pieces.iter().map(piece).collect::<String>()),
    }
}

fn of_column(column: &ColumnRef) -> String {
    let name = column.path.join(".");
    match (&column.default, column.required) {
        (Some(default), _) => format!("column {name}, or {} instead of a null", default.json),
        (None, true) => format!("column {name}; a null makes the row an invalid_row"),
        (None, false) => format!("column {name}"),
    }
}

fn injected(table: &mut Table, link: &LinkPlan) {
    if link.middleware != "param_injector" {
        return;
    }
    let Ok(spec) = serde_json::from_value::<ParamInjectorSpec>(link.spec.clone()) else { return };
    named_columns(table, "query", &spec.params);
}

/// The headers that a link sets.
fn header(table: &mut Table, link: &LinkPlan) {
    let spec = link.spec.clone();
    match link.middleware.as_str() {
        "headers" => {
            let Ok(spec) = serde_json::from_value::<HeadersSpec>(spec) else { return };
            for NamedPieces { name, value } in &spec.headers {
                table.row(format!("header {name}"), pieces(value));
            }
        }
        "bearer_token" => {
            let Ok(spec) = serde_json::from_value::<BearerTokenSpec>(spec) else { return };
            table.row(format!("header {}", spec.header), "Bearer and a token, shown as ***");
        }
        "header_auth" => {
            let Ok(spec) = serde_json::from_value::<HeaderAuthSpec>(spec) else { return };
            let what = match &spec.credential {
                HeaderCredential::Value { .. } => "a credential, shown as ***",
                HeaderCredential::User { .. } => "a user and password, shown as ***",
            };
            table.row(format!("header {}", spec.header), what);
        }
        "compress_body" => {
            let Ok(spec) = serde_json::from_value::<CompressBodySpec>(spec) else { return };
            let coding = match spec.encoding {
                CodingName::Gzip => "gzip",
                CodingName::Zstd => "zstd",
            };
            let what = format!("{coding}, if the body has {} bytes or more", spec.min_bytes);
            table.row("header content-encoding", what);
        }
        "idempotency_key" => {
            let Ok(IdempotencyKeySpec { header, before, after }) = serde_json::from_value(spec) else {
                return;
            };
            let form = if before.is_empty() && after.is_empty() {
                String::new()
            } else {
                format!(", as {before}…{after}")
            };
            let what = format!("the row's request_id{form}, the same in every attempt");
            table.row(format!("header {header}"), what);
        }
        _ => {}
    }
}

/// Columns under names, of which a null leaves its name out.
fn named_columns(table: &mut Table, kind: &str, columns: &[(String, ColumnRef)]) {
    for (name, column) in columns {
        let left_out =
            if column.required || column.default.is_some() { "" } else { "; a null leaves it out" };
        table.row(format!("{kind} {name}"), format!("{}{left_out}", of_column(column)));
    }
}

/// The body by the middleware that makes it. Of one that is not known here, the columns are told.
fn body(table: &mut Table, link: &LinkPlan) {
    if link.middleware == "json_body" {
        let Ok(spec) = serde_json::from_value::<JsonBodySpec>(link.spec.clone()) else { return };
        return node(table, "", &spec.body);
    }
    if link.middleware == "form_body" {
        let Ok(spec) = serde_json::from_value::<FormBodySpec>(link.spec.clone()) else { return };
        return named_columns(table, "form field", &spec.fields);
    }
    if link.middleware == "text_body" {
        let Ok(spec) = serde_json::from_value::<TextBodySpec>(link.spec.clone()) else { return };
        return table.row("body", format!("{}; {}", pieces(&spec.body), spec.content_type));
    }
    if link.middleware == "template_body" {
        let Ok(spec) = serde_json::from_value::<TemplateBodySpec>(link.spec.clone()) else { return };
        return template(table, &spec);
    }
    let mut columns = Vec::new();
    if !["param_injector", "headers"].contains(&link.middleware.as_str()) {
        find_columns(&link.spec, &mut columns);
    }
    if !columns.is_empty() {
        table.row(format!("by {}", link.middleware), format!("columns {}", columns.join(", ")));
    }
}

fn template(table: &mut Table, spec: &TemplateBodySpec) {
    let from = spec.template.file.as_ref().map_or_else(String::new, |file| format!(" {file}"));
    let checked = if spec.validate_json { "; a row whose body is no JSON is an invalid_row" } else { "" };
    let lines = spec.template.text.lines().count();
    table.row("body", format!("the template{from}, {lines} lines, as {}{checked}", spec.content_type));
    for (name, column) in &spec.columns {
        table.row(format!("body {{{{ {name} }}}}"), of_column(column));
    }
}

fn node(table: &mut Table, at: &str, body: &BodyNode) {
    match body {
        BodyNode::Row => table.row("body", "the whole row as a JSON object"),
        BodyNode::Column(column) => table.row(format!("body {at}"), of_column(column)),
        BodyNode::Object(fields) if fields.is_empty() => table.row("body", "an empty JSON object"),
        BodyNode::Object(fields) => {
            for (name, field) in fields {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                node(table, &at, field);
            }
        }
    }
}

/// Column references anywhere in a specification.
fn find_columns(spec: &Value, columns: &mut Vec<String>) {
    if let Ok(column) = serde_json::from_value::<ColumnRef>(spec.clone()) {
        let name = column.path.join(".");
        if !columns.contains(&name) {
            columns.push(name);
        }
        return;
    }
    match spec {
        Value::Array(items) => items.iter().for_each(|item| find_columns(item, columns)),
        Value::Object(fields) => fields.values().for_each(|field| find_columns(field, columns)),
        _ => {}
    }
}

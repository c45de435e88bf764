//! `script`: what it sends, what it makes of answers, and what becomes of one that fails.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};

use super::support::{Answer, Api, Executor, batch, drive_batches, sorted};

/// A config with a script in the chain before `json_body`; `more` are further keys of it.
fn config(api: &Api, script: &str, more: &str, links: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    let sections = format!(
        "middleware: [{{type: retry, base_delay: 0}}, {{type: script, script: {script}{more}}}{links}]"
    );
    api.config("url_path: /a", &sections, "")
}

fn rows() -> RecordBatch {
    batch(["id", "region"], &[["r1", "north"], ["r2", "south"]])
}

/// Rows whose answers are this body.
fn rows_answered_with(body: &str) -> RecordBatch {
    batch(["id", "region", "body"], &[["r1", "north", body], ["r2", "south", body]])
}

fn send(config: &str) -> Vec<Answer> {
    sorted(Executor::new().send(config, rows()))
}

/// The response rows, all columns of them.
fn send_batch(config: &str, rows: RecordBatch) -> RecordBatch {
    let executor = Executor::new();
    let engine = executor.engine(config);
    drive_batches(&executor.session(&engine, 0, &rows.schema()), vec![rows])
}

#[test]
fn it_shapes_the_request_from_the_row_and_signs_it_with_a_secret() {
    let api = Api::start(&[]);
    let script = "fn request(request, row) {
        request.set_header(\"X-Region\", row.region.to_upper());
        request.add_query(\"key\", row[\"id\"] + \"/\" + request.method);
        request.set_header(\"x-signature\", hmac_sha256_hex(secret(\"signing\"), request.target + request.body));
    }";
    let more = ", secrets: {signing: hunter2}";
    // After the body is made: only what is there can be signed.
    let config = config(&api, script, more, "").replace("{type: script", "{type: json_body}, {type: script");
    let answers = send(&config);
    assert!(answers.iter().all(|answer| answer.outcome == "success"), "{answers:?}");
    let requests = api.requests();
    let request = requests.iter().find(|request| request.query.as_deref() == Some("key=r1%2FPOST")).unwrap();
    assert_eq!(request.header("x-region"), Some("NORTH"));
    assert_eq!(request.body, r#"{"id":"r1","region":"north"}"#);
    // HMAC of the target and this body under that key, by another implementation.
    let signature = "1eda500334d0332538df921ba44916c285dd192956d8091b9c912ce31553274b";
    assert_eq!(request.header("x-signature"), Some(signature));
}

#[test]
fn it_judges_answers_and_fills_columns_of_their_types() {
    let body = r#"{"state":"refused","reason":"no stock","n":7,"price":2.5}"#;
    let api = Api::start(&["--mirror"]);
    let script = "fn response(response, row) {
        response.set_field(\"n\", response.json.n);
        response.set_field(\"price\", response.json.price);
        response.set_field(\"region\", row.region);
        if response.status == 200 && response.json.state != \"accepted\" { response.fail(response.json.reason); }
    }";
    let more = ", fields: [{name: n, type: long}, {name: price, type: double}, {name: region}]";
    let config = config(&api, script, more, ", {type: text_body, column: body}");
    let answers = send_batch(&config, rows_answered_with(body));
    let column = |name: &str| answers.column_by_name(name).unwrap().clone();
    assert_eq!(column("n").as_primitive::<Int64Type>().values(), &[7, 7]);
    assert_eq!(column("price").as_primitive::<Float64Type>().values(), &[2.5, 2.5]);
    let regions: Vec<_> = column("region").as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert!(regions.contains(&"north".to_owned()) && regions.contains(&"south".to_owned()));
    assert!(column("outcome").as_string::<i32>().iter().all(|outcome| outcome == Some("http_error")));
    let error = column("error");
    assert!(error.is_valid(0));
    assert_eq!(error.as_struct().column(0).as_string::<i32>().value(0), "rejected_by_script");
    assert_eq!(error.as_struct().column(1).as_string::<i32>().value(0), "no stock");
}

#[test]
fn an_answer_that_is_no_success_by_its_status_can_be_one() {
    let api = Api::start(&["--fail", "1:404"]);
    let script = "fn response(response, row) { if response.status == 404 { response.succeed(); } }";
    let answers = send(&config(&api, script, "", ""));
    assert!(
        answers.iter().all(|a| a.summary() == ("success", None, 1) && a.status == Some(404)),
        "{answers:?}"
    );
}

#[test]
fn a_row_for_which_it_fails_is_not_sent_and_says_where_and_why() {
    let api = Api::start(&[]);
    let script = "fn request(request, row) {\n  if row.region == \"north\" { throw \"not there\"; }\n}";
    let answers = send(&config(&api, script, "", ""));
    assert_eq!(answers[0].summary(), ("invalid_row", Some("script"), 0));
    assert_eq!(answers[0].error_message.as_deref(), Some("the script, line 2, column 30: not there"));
    assert_eq!(answers[1].outcome, "success");
    assert_eq!(api.report().requests, 1);
}

#[test]
fn one_that_does_not_end_is_stopped() {
    let api = Api::start(&[]);
    let endless = send(&config(&api, "fn request(request, row) { loop {} }", ", max_operations: 1000", ""));
    assert!(endless.iter().all(|answer| answer.summary() == ("invalid_row", Some("script"), 0)));
    assert!(
        endless[0].error_message.as_ref().unwrap().contains("more operations than max_operations allows")
    );
    let endless = send(&config(&api, "fn response(response, row) { loop {} }", ", max_operations: 1000", ""));
    assert!(endless.iter().all(|answer| answer.summary() == ("invalid_response", Some("script"), 1)));
}

#[test]
fn what_belongs_to_the_connection_is_not_the_scripts() {
    let api = Api::start(&[]);
    for header in ["Host", "content-length", "transfer-encoding", "connection"] {
        let script = format!("fn request(request, row) {{ request.set_header(\"{header}\", \"x\"); }}");
        let answers = send(&config(&api, &script, "", ""));
        assert_eq!(answers[0].summary(), ("invalid_row", Some("script"), 0), "{header}");
    }
    let answers =
        send(&config(&api, "fn request(request, row) { request.set_header(\"x\", \"a\\nb\"); }", "", ""));
    assert!(answers[0].error_message.as_ref().unwrap().contains("holds what no header may hold"));
}

#[test]
fn it_stands_beside_json_response() {
    let api = Api::start(&["--mirror"]);
    let script = "fn response(response, row) { response.set_field(\"from_script\", response.json.b); }";
    for links in [
        "SCRIPT, {type: json_response, fields: [{name: from_json, pointer: /a, type: long}]}",
        "{type: json_response, fields: [{name: from_json, pointer: /a, type: long}]}, SCRIPT",
    ] {
        let script = serde_json::to_string(script).unwrap();
        let link = format!("{{type: script, script: {script}, fields: [{{name: from_script}}]}}");
        let links = links.replace("SCRIPT", &link);
        let sections = format!("middleware: [{links}, {{type: text_body, column: body}}]");
        let rows = rows_answered_with(r#"{"a": 1, "b": "x"}"#);
        let answers = send_batch(&api.config("url_path: /a", &sections, ""), rows);
        assert_eq!(
            answers.column_by_name("from_json").unwrap().as_primitive::<Int64Type>().values(),
            &[1, 1]
        );
        let texts = answers.column_by_name("from_script").unwrap().clone();
        assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("x"), Some("x")], "{links}");
    }
}

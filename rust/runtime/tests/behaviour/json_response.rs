use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};

use super::support::{Answer, Api, Executor, batch, batch_of, compiled, ids, sorted};

/// Rows whose bodies the API answers with: it mirrors what comes.
fn rows(bodies: &[&str]) -> RecordBatch {
    let numbers: Vec<String> = (0..bodies.len()).map(|number| format!("{number:02}")).collect();
    let rows: Vec<[&str; 2]> = numbers.iter().zip(bodies).map(|(id, body)| [id.as_str(), *body]).collect();
    batch(["id", "body"], &rows)
}

fn config(api: &Api, keys: &str) -> String {
    let chain = format!(
        "middleware:\n  - {{type: json_response{keys}}}\n  - {{type: retry, max_attempts: 2, base_delay: 0}}\n  - {{type: text_body, column: body}}"
    );
    api.config("url_path: /a", &chain, "")
}

fn said(answers: &[Answer]) -> Vec<(&str, Option<&str>, Option<&str>)> {
    answers
        .iter()
        .map(|answer| {
            (answer.outcome.as_str(), answer.error_kind.as_deref(), answer.error_message.as_deref())
        })
        .collect()
}

#[test]
fn fields_of_the_body_become_typed_columns_and_the_body_the_json_column() {
    let api = Api::start(&["--mirror"]);
    let fields = ", fields: [{name: no, pointer: /no, type: long}, {name: price, pointer: /a/0/price, type: double}, \
                  {name: ok, pointer: /ok, type: boolean}, {name: text, pointer: \"/x~1y\"}, {name: tail, pointer: /a}]";
    let bodies = [
        r#"{"no": 7, "a": [{"price": 1.5}], "ok": true, "x/y": "text"}"#,
        r#"{"no": 9.0, "a": [{"price": 2}], "ok": null, "x/y": 12}"#,
        "{}",
    ];
    let executor = Executor::new();
    let engine = executor.engine(&config(&api, fields));
    let rows = rows(&bodies);
    let session = executor.session(&engine, 0, &rows.schema());
    let batch = super::support::drive_batches(&session, vec![rows]);
    let order: Vec<usize> = {
        let ids = batch.column_by_name("tracking_id").unwrap().as_string::<i32>();
        (0..3).map(|id| (0..3).find(|row| ids.value(*row) == format!("{id:02}")).unwrap()).collect()
    };
    let names: Vec<_> = batch.schema().fields().iter().skip(24).map(|field| field.name().clone()).collect();
    assert_eq!(names, ["no", "price", "ok", "text", "tail"]);
    let column = |name: &str| batch.column_by_name(name).unwrap().clone();
    let (no, price, ok) = (column("no"), column("price"), column("ok"));
    let texts = ["text", "tail", "json", "outcome"].map(column);
    let text = |index: usize, row: usize| {
        texts[index].is_valid(row).then(|| texts[index].as_string::<i32>().value(row).to_owned())
    };
    let read = |row: usize| {
        (
            no.is_valid(row).then(|| no.as_primitive::<Int64Type>().value(row)),
            price.is_valid(row).then(|| price.as_primitive::<Float64Type>().value(row)),
            ok.is_valid(row).then(|| ok.as_boolean().value(row)),
            text(0, row),
            text(1, row),
        )
    };
    let owned = |text: &str| Some(text.to_owned());
    assert_eq!(read(order[0]), (Some(7), Some(1.5), Some(true), owned("text"), owned(r#"[{"price":1.5}]"#)));
    assert_eq!(read(order[1]), (Some(9), Some(2.0), None, owned("12"), owned(r#"[{"price":2}]"#)));
    assert_eq!(read(order[2]), (None, None, None, None, None));
    for (row, body) in order.iter().zip(bodies) {
        assert_eq!((text(2, *row), text(3, *row)), (owned(body), owned("success")));
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_an_invalid_response_that_keeps_status_and_body() {
    let api = Api::start(&["--mirror"]);
    let keys = ", fields: [{name: no, pointer: /no, type: long, required: true}]";
    let bodies = [r#"{"no": 1}"#, "<html>", r#"{"no": "7"}"#, r#"{"no": null}"#, "", r#"{"no": 1.5}"#];
    let answers = sorted(Executor::new().send(&config(&api, keys), rows(&bodies)));
    let invalid = "invalid_response";
    assert_eq!(
        said(&answers),
        [
            ("success", None, None),
            (invalid, Some("invalid_json"), Some("the body is no JSON: expected value at line 1 column 1")),
            (invalid, Some("invalid_field"), Some("the field no: /no is no long")),
            (invalid, Some("invalid_field"), Some("the field no: /no is not there")),
            (invalid, Some("no_body"), Some("the answer has no body to judge it by")),
            (invalid, Some("invalid_field"), Some("the field no: /no is no long")),
        ]
    );
    for (answer, body) in answers.iter().zip(bodies) {
        assert_eq!((answer.status, answer.response_body.as_deref()), (Some(200), Some(body)));
    }
    let plain = Executor::new().send(&config(&api, ""), rows(&["", "[]"]));
    assert!(plain.iter().all(|answer| answer.outcome == "success"), "nothing is asked of an empty body");
}

#[test]
fn the_body_decides_what_a_success_is_and_says_what_went_wrong() {
    let api = Api::start(&["--mirror"]);
    let keys = ", success_when: \"body.status == 'ok' and status == 200\", error_message: /error/message";
    let bodies = [
        r#"{"status": "ok"}"#,
        r#"{"status": "bad", "error": {"message": "no such customer"}}"#,
        r#"{"status": "bad", "error": {"message": {"code": 7}}}"#,
        "[]",
    ];
    let answers = sorted(Executor::new().send(&config(&api, keys), rows(&bodies)));
    let rejected = |what| ("http_error", Some("rejected_by_body"), Some(what));
    assert_eq!(
        said(&answers),
        [
            ("success", None, None),
            rejected("no such customer"),
            rejected(r#"{"code":7}"#),
            rejected("not so: body.status == 'ok' and status == 200"),
        ]
    );
    assert!(answers.iter().all(|answer| answer.attempts == 1 && answer.status == Some(200)));
}

#[test]
fn a_condition_that_never_ends_is_an_invalid_response() {
    let api = Api::start(&["--mirror"]);
    let keys = ", success_when: \"(range(99999) | list * 99999) | length > 1\"";
    let answers = Executor::new().send(&config(&api, keys), rows(&["{}"]));
    assert_eq!(answers[0].outcome, "invalid_response", "{answers:?}");
    assert_eq!(answers[0].error_kind.as_deref(), Some("success_when"));
}

#[test]
fn a_rejected_answer_is_tried_again_if_told_so() {
    let api = Api::start(&["--mirror"]);
    let chain = "middleware: [{type: retry, max_attempts: 3, base_delay: 0, retry_rejected: true}, \
                 {type: json_response, success_when: body.ok}, {type: text_body, column: body}]";
    let answers =
        sorted(Executor::new().send(
            &api.config("url_path: /a", chain, ""),
            rows(&[r#"{"ok": true}"#, r#"{"ok": false}"#, "x"]),
        ));
    let summaries: Vec<_> = answers.iter().map(Answer::summary).collect();
    assert_eq!(
        summaries,
        [
            ("success", None, 1),
            ("http_error", Some("rejected_by_body"), 3),
            ("invalid_response", Some("invalid_json"), 1),
        ]
    );
}

#[test]
fn an_error_by_its_status_stays_one_whatever_its_body() {
    let api = Api::start(&["--fail-first", "9:404"]);
    let keys = ", success_when: body.ok, fields: [{name: no, pointer: /no, required: true}]";
    let chain = format!("middleware: [{{type: json_response{keys}}}]");
    let answer = Executor::new().send(&api.config("url_path: /a", &chain, ""), ids("r", 0..1)).remove(0);
    assert_eq!(answer.summary(), ("http_error", Some("http_status"), 1));
}

#[test]
fn a_body_that_is_not_as_the_schema_asks_is_an_invalid_response_that_cites_no_value() {
    let api = Api::start(&["--mirror"]);
    let text = config(&api, ", schema_file: order.json");
    let config = apisink_config::parse(text.as_bytes(), "c.yaml").unwrap();
    let schema = r#"{"type": "object", "properties": {"name": {"type": "string", "pattern": "^a+$"}}, "required": ["name"]}"#;
    let references = config.references().into_iter().map(|reference| apisink_plan::ResolvedReference {
        kind: reference.kind,
        scope: reference.scope,
        key: reference.key,
        value: Some(apisink_plan::Secret::new(schema)),
        error: None,
    });
    let inputs = apisink_plan::Inputs { references: references.collect(), ..Default::default() };
    let executor = Executor::new();
    let engine = executor.engine_of(&apisink_plan::compile(&config, &inputs).unwrap());
    let rows = rows(&[r#"{"name": "aaa"}"#, r#"{"name": "hunter2"}"#, "{}"]);
    let session = executor.session(&engine, 0, &rows.schema());
    let answers = sorted(super::support::drive(&session, vec![rows]));
    let kinds: Vec<_> =
        answers.iter().map(|answer| (answer.outcome.as_str(), answer.error_kind.as_deref())).collect();
    let invalid = ("invalid_response", Some("schema"));
    assert_eq!(kinds, [("success", None), invalid, invalid]);
    let message = answers[1].error_message.as_deref().unwrap();
    assert!(
        message.starts_with("/name is not as the schema asks: ") && !message.contains("hunter2"),
        "{message}"
    );
    assert!(answers[2].error_message.as_deref().unwrap().contains("\"name\""), "{answers:?}");
}

#[test]
fn a_dry_run_judges_no_answer() {
    let api = Api::start(&[]);
    let text = config(&api, ", success_when: body.ok");
    let config = apisink_config::parse(text.as_bytes(), "c.yaml").unwrap();
    let inputs = apisink_plan::Inputs { dry_run: true, ..Default::default() };
    let executor = Executor::new();
    let engine = executor.engine_of(&apisink_plan::compile(&config, &inputs).unwrap());
    let rows = rows(&["x"]);
    let answers = super::support::drive(&executor.session(&engine, 0, &rows.schema()), vec![rows]);
    assert_eq!(answers[0].summary(), ("success", None, 1));
}

#[test]
fn columns_of_the_source_stand_before_those_of_the_answer_and_rows_that_were_not_sent_have_none() {
    let api = Api::start(&["--mirror"]);
    let text = config(&api, ", fields: [{name: no, pointer: /no, type: long}]")
        .replace("sink: {path: /out,", "sink: {path: /out, source_columns: [amount],");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![Some("1"), None])),
        Arc::new(StringArray::from(vec![r#"{"no": 3}"#, r#"{"no": 4}"#])),
        Arc::new(Int64Array::from(vec![10, 20])),
    ];
    let executor = Executor::new();
    let engine = executor.engine_of(&compiled(&text));
    let rows = batch_of(&["id", "body", "amount"], columns);
    let session = executor.session(&engine, 0, &rows.schema());
    let batch = super::support::drive_batches(&session, vec![rows]);
    let tail: Vec<_> = batch.schema().fields().iter().skip(24).map(|field| field.name().clone()).collect();
    assert_eq!(tail, ["amount", "no"]);
    let no = batch.column_by_name("no").unwrap().as_primitive::<Int64Type>();
    let amount = batch.column_by_name("amount").unwrap().as_primitive::<Int64Type>();
    let mut pairs: Vec<_> =
        (0..2).map(|row| (amount.value(row), no.is_valid(row).then(|| no.value(row)))).collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [(10, Some(3)), (20, None)]);
}

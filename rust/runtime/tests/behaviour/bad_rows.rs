use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray};

use super::support::{Api, Executor, batch_of, sorted};

/// id, segment, note, filter, amount, needed, and the kind of the error, if it is one.
type Sample<'a> = (Option<&'a str>, Option<&'a str>, &'a str, &'a str, f64, Option<&'a str>, Option<&'a str>);

#[test]
fn a_bad_row_becomes_an_invalid_row_and_only_the_others_are_sent() {
    let api = Api::start(&[]);
    let config = api.config(
        "url_path: \"/rows/{segment}\", headers: {X-Note: \"{note}\"}, query: {filter: \"{filter}\"}, \
         max_url_length: 200",
        "middleware: [{type: retry}, {type: json_body}]",
        "{source_column: amount, endpoint_param: amount}, \
         {source_column: needed, endpoint_param: needed, required: true}",
    );
    let long = "x".repeat(200);
    #[rustfmt::skip]
    let rows: [Sample<'_>; 13] = [
        (Some("01"), Some("a"),  "plain",    "f", 1.5,           Some("n"), None),
        (None,       Some("a"),  "plain",    "f", 1.5,           Some("n"), Some("null_id")),
        (Some("03"), Some("a"),  "plain",    "f", f64::NAN,      Some("n"), Some("value")),
        (Some("04"), Some("a"),  "plain",    "f", f64::INFINITY, Some("n"), Some("value")),
        (Some("05"), Some("a"),  "x\r\ny",   "f", 1.5,           Some("n"), Some("header_value")),
        (Some("06"), Some("a"),  "x\ny",     "f", 1.5,           Some("n"), Some("header_value")),
        (Some("07"), Some("a"),  "x\0y",     "f", 1.5,           Some("n"), Some("header_value")),
        (Some("08"), Some("a"),  "plain",  &long, 1.5,           Some("n"), Some("url_too_long")),
        (Some("09"), Some(""),   "plain",    "f", 1.5,           Some("n"), Some("path_value")),
        (Some("10"), Some(".."), "plain",    "f", 1.5,           Some("n"), Some("path_value")),
        (Some("11"), None,       "plain",    "f", 1.5,           Some("n"), Some("path_value")),
        (Some("12"), Some("a"),  "plain",    "f", 1.5,           None,      Some("null_value")),
        (Some("01"), Some("a"),  "plain",    "f", 1.5,           Some("n"), Some("duplicate_tracking_id")),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.0))),
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.3))),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.4))),
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.5))),
    ];
    let batch = batch_of(&["id", "segment", "note", "filter", "amount", "needed"], columns);
    let answers = sorted(Executor::new().send(&config, batch));

    let mut expected: Vec<_> = rows.iter().map(|row| (row.0, row.6)).collect();
    expected.sort();
    let mut got: Vec<_> =
        answers.iter().map(|a| (a.tracking_id.as_deref(), a.error_kind.as_deref())).collect();
    got.sort();
    assert_eq!(got, expected);
    for answer in &answers {
        let valid = answer.error_kind.is_none();
        assert_eq!(answer.outcome, if valid { "success" } else { "invalid_row" }, "{answer:?}");
        assert_eq!(answer.attempts, i32::from(valid));
        assert_eq!(answer.url.is_some(), valid, "a row that was not rendered has no URL: {answer:?}");
    }
    let requests = api.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body, r#"{"amount":1.5,"needed":"n"}"#);
    assert_eq!((requests[0].path.as_str(), requests[0].header("x-note")), ("/rows/a", Some("plain")));
}

#[test]
fn a_job_of_bad_rows_alone_ends() {
    let api = Api::start(&[]);
    let ids: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; 3_000]));
    let answers = Executor::new().send(&api.config("url_path: /a", "", ""), batch_of(&["id"], vec![ids]));
    assert_eq!(answers.len(), 3_000);
    let mut request_ids: Vec<_> = answers.iter().map(|answer| &answer.request_id).collect();
    request_ids.sort();
    request_ids.dedup();
    assert_eq!(request_ids.len(), 3_000, "rows without an id can still be told apart");
    assert_eq!(api.report().connections, 0);
}

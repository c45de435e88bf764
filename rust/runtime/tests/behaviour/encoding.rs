use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::StringArray;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::support::{Api, Executor, batch_of, drive};

/// Whether a string can stand in a path segment and in a header.
fn is_sendable(segment: &str, header: &str) -> bool {
    !["", ".", ".."].contains(&segment) && !header.chars().any(|c| c == '\u{7f}' || (c < ' ' && c != '\t'))
}

/// Strings that are out to break something, and any others.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[/\\\\.?#&=%@: ]{0,8}",
        "(\\.\\./|%2e%2e%2f|//evil\\.example|[?#]x|@evil\\.example|\r\nHost: evil){1,3}",
    ]
}

#[test]
fn no_value_changes_the_host_the_path_or_another_parameter_of_its_request() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: \"/v1/{segment}/end\", query: {fixed: \"1\", value: \"{parameter}\", last: \"2\"}, \
         headers: {X-Value: \"{header}\"}",
        "middleware: [{type: param_injector}]",
        "{source_column: parameter, endpoint_param: \"in jected\", in: query}",
    );
    let engine = executor.engine(&config);
    let authority = api.authority();
    let rows = proptest::collection::vec((nasty(), nasty(), nasty()), 1..30);
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&rows, |rows| {
        api.reset();
        let columns: Vec<arrow_array::ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values((0..rows.len()).map(|n| n.to_string()))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.2))),
        ];
        let batch = batch_of(&["id", "segment", "parameter", "header"], columns);
        let answers = drive(&executor.session(&engine, 0, &batch.schema()), vec![batch]);
        let seen: HashMap<_, _> = api
            .requests()
            .into_iter()
            .map(|request| (request.key.clone().unwrap_or_default(), request))
            .collect();
        prop_assert_eq!(answers.len(), rows.len());
        for answer in &answers {
            let index: usize = answer.tracking_id.as_ref().unwrap().parse().unwrap();
            let (segment, parameter, header) = &rows[index];
            if !is_sendable(segment, header) {
                prop_assert_eq!(answer.outcome.as_str(), "invalid_row");
                prop_assert!(!seen.contains_key(&answer.request_id));
                continue;
            }
            prop_assert_eq!(answer.outcome.as_str(), "success", "{:?}", answer);
            let request = &seen[&answer.request_id];
            prop_assert_eq!(request.header("host"), Some(authority.as_str()));
            let path: Vec<_> = request.path.split('/').collect();
            prop_assert_eq!((path.len(), path[0], path[1], path[3]), (4, "", "v1", "end"));
            prop_assert_eq!(percent_decode_str(path[2]).decode_utf8().unwrap(), segment.as_str());
            let query: Vec<_> = request
                .query
                .as_deref()
                .unwrap_or_default()
                .split('&')
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap();
                    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
                    (decode(name), decode(value))
                })
                .collect();
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            prop_assert_eq!(
                query,
                [
                    pair("fixed", "1"),
                    pair("value", parameter),
                    pair("last", "2"),
                    pair("in jected", parameter)
                ]
            );
            let value = request.header("x-value").unwrap_or_default();
            prop_assert_eq!(value.trim_matches([' ', '\t']), header.trim_matches([' ', '\t']));
        }
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(api.report().malformed, 0);
}

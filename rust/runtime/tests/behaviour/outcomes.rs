use std::time::Duration;

use apisink_origin::Recorded;

use super::support::{Answer, Api, Executor, batch, drive, id_schema, ids, sorted};

const RETRY: &str =
    "transport: {base_timeout: 0.3}\nmiddleware: [{type: retry, max_attempts: 3, base_delay: 0.001}]";

/// One row that asks the API for a fault, sent with a chain that tries three times.
fn suffer(api: &Api, fault: &str, endpoint: &str) -> Answer {
    let config = api.config(&format!("url_path: \"/_fault/{fault}/a\"{endpoint}"), RETRY, "");
    let mut answers = Executor::new().send(&config, ids("row-", 0..1));
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

#[test]
fn every_way_to_fail_has_its_outcome_its_kind_and_its_attempts() {
    let table = [
        ("slow/0", "success", None, 1, Some(200)),
        ("empty/204", "success", None, 1, Some(204)),
        ("status/201", "success", None, 1, Some(201)),
        ("status/404", "http_error", Some("http_status"), 1, Some(404)),
        ("status/501", "http_error", Some("http_status"), 1, Some(501)),
        ("status/429", "http_error", Some("http_status"), 3, Some(429)),
        ("status/503", "http_error", Some("http_status"), 3, Some(503)),
        ("reset-before/x", "transport_error", Some("reset"), 3, None),
        ("reset-amid/x", "transport_error", Some("reset"), 3, None),
        ("reset-after/x", "success", None, 1, Some(200)),
        ("stall/x", "transport_error", Some("timeout"), 3, None),
        ("garbage/x", "invalid_response", Some("invalid_http"), 3, None),
    ];
    for (fault, outcome, kind, attempts, status) in table {
        let api = Api::start(&[]);
        let answer = suffer(&api, fault, "");
        assert_eq!(answer.summary(), (outcome, kind, attempts), "{fault}: {answer:?}");
        assert_eq!(answer.status, status, "{fault}");
        // Every attempt came to the server under the same key.
        let keys = api.keys();
        assert_eq!((keys.len(), keys[0].requests), (1, attempts as u64), "{fault}");
        assert_eq!(keys[0].key, answer.request_id, "{fault}");
    }
}

#[test]
fn a_post_without_a_key_is_not_sent_twice_when_its_bytes_may_have_left() {
    for fault in ["reset-before/x", "reset-amid/x", "stall/x", "garbage/x"] {
        let api = Api::start(&[]);
        let answer = suffer(&api, fault, ", idempotency_header: false");
        assert_eq!(answer.attempts, 1, "{fault}");
        assert!(answer.error_message.unwrap().contains("not sent again"), "{fault}");
        assert_eq!(api.report().requests, 1, "{fault}");
        let repeated = suffer(&api, fault, ", idempotency_header: false, method: PUT");
        assert_eq!(repeated.attempts, 3, "PUT is idempotent: {fault}");
    }
    let api = Api::start(&["--fail-first", "2:503"]);
    let config = api.config("url_path: /a, idempotency_header: false", RETRY, "");
    let answers = Executor::new().send(&config, ids("row-", 0..1));
    assert_eq!(answers[0].summary(), ("success", None, 3), "an answer that says no is no such danger");
}

#[test]
fn a_server_that_is_not_there_is_asked_again_and_then_named_in_the_error() {
    let api = Api::start(&[]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = api.config("url_path: /a", RETRY, "").replace(&api.authority(), &closed.to_string());
    let answer = Executor::new().send(&config, ids("row-", 0..1)).remove(0);
    assert_eq!(answer.summary(), ("transport_error", Some("connect"), 3));
    assert!(answer.error_message.unwrap().contains(&closed.to_string()));
}

#[test]
fn the_server_says_when_to_come_back_in_seconds_or_by_a_date_and_is_obeyed() {
    let api = Api::start(&[]);
    let config = api.config("url_path: \"/_fault/{kind}/1/{id}\"", RETRY, "");
    let rows = batch(["id", "kind"], &[["a", "retry-after"], ["b", "retry-after-date"]]);
    let answers = sorted(Executor::new().send(&config, rows));
    for answer in &answers {
        assert_eq!(answer.summary(), ("success", None, 2));
        let came: Vec<Recorded> = api
            .requests()
            .into_iter()
            .filter(|request| request.key.as_deref() == Some(answer.request_id.as_str()))
            .collect();
        let pause = came[1].arrived_ms - came[0].arrived_ms;
        // A date has whole seconds: the earliest moment that it means is up to a second away.
        assert!(pause >= 990.0 || (answer.tracking_id.as_deref() == Some("b") && pause > 0.0), "{pause} ms");
    }
    let date = &answers[1].request_id;
    let came: Vec<_> = api.requests().into_iter().filter(|r| r.key.as_ref() == Some(date)).collect();
    assert!(came[1].arrived_ms - came[0].arrived_ms >= 990.0, "the date was not waited for");
}

#[test]
fn a_retry_after_beyond_the_cap_is_cut_to_it() {
    let api = Api::start(&["--fail-first", "1:503:retry-after=3600"]);
    let sections =
        "execution: {obey_announced_limits: false}\nmiddleware: [{type: retry, max_retry_after: 0.01}]";
    let start = std::time::Instant::now();
    let answers = Executor::new().send(&api.config("url_path: /a", sections, ""), ids("row-", 0..1));
    assert_eq!(answers[0].summary(), ("success", None, 2));
    assert!(start.elapsed() < Duration::from_secs(3_000));
}

#[test]
fn an_answer_is_cut_at_its_cap_and_the_connection_is_not_used_again() {
    let api = Api::start(&["--body-bytes", "100000"]);
    let sections = "transport: {max_response_bytes: 1000, tcp_connection: {limit: 1}}";
    let answers = Executor::new().send(&api.config("url_path: /a", sections, ""), ids("row-", 0..3));
    for answer in answers {
        assert_eq!(
            (answer.summary(), answer.response_body.as_ref().map_or(0, String::len)),
            (("success", None, 1), 1_000)
        );
    }
    assert_eq!(api.report().connections, 3);
}

#[test]
fn the_retry_budget_is_that_of_the_process_and_the_last_answer_stands_without_it() {
    let api = Api::start(&["--fail-first", "99:503"]);
    let config = api.config(
        "url_path: /a",
        "middleware: [{type: retry, max_attempts: 9, base_delay: 0, budget: {share: 0.5, min_per_second: 0.1}}]",
        "",
    );
    let executor = Executor::new();
    let engine = executor.engine(&config);
    let mut answers = Vec::new();
    for (partition, prefix) in ["a", "b"].into_iter().enumerate() {
        let session = executor.session(&engine, partition as u32, &id_schema());
        answers.extend(drive(&session, vec![ids(prefix, 0..5)]));
    }
    assert!(answers.iter().all(|answer| answer.status == Some(503)), "{answers:?}");
    let attempts: i32 = answers.iter().map(|answer| answer.attempts).sum();
    assert_eq!(attempts, 10 + 5 + 1, "half as many retries as rows, and one");
    assert_eq!(api.report().requests, 16);
}

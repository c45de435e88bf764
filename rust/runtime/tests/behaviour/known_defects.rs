//! What goes wrong in other ways to do this job, by their users' reports: each is a test here. In brackets, the report.

use std::collections::BTreeSet;

use super::support::{Answer, Api, Executor, batch, drive, id_schema, ids, sorted, stalled};

fn send(api: &Api, url_path: &str, sections: &str, rows: usize) -> Vec<Answer> {
    let config = api.config(&format!("url_path: {url_path}"), sections, "");
    sorted(Executor::new().send(&config, ids("row-", 0..rows)))
}

/// A limit that each task keeps for itself (openaivec 189, cdp-spark-datasource 574).
#[test]
fn a_rate_limit_is_not_multiplied_by_the_number_of_tasks() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let engine = executor.engine(&api.config("url_path: /a", "execution: {max_requests_per_second: 20}", ""));
    std::thread::scope(|scope| {
        for task in 0..4_u32 {
            let engine = &engine;
            scope.spawn(move || {
                let rows = ids(&format!("{task}-"), 0..8);
                drive(&executor.session(engine, task, &id_schema()), vec![rows])
            });
        }
    });
    let report = api.report();
    assert_eq!(report.requests, 32);
    assert!(report.highest_rate_1s as f64 <= 21.0 + 20.0 * stalled(&report), "{report:?}");
}

/// Retries that the limiter never sees (vector 8647).
#[test]
fn a_retry_is_charged_to_the_rate_limit() {
    let api = Api::start(&["--fail-first", "4:503"]);
    let sections = "execution: {max_requests_per_second: 20}\n\
                    middleware: [{type: retry, max_attempts: 5, base_delay: 0, max_delay: 0}]";
    let answers = send(&api, "/a", sections, 6);
    assert!(answers.iter().all(|answer| answer.summary() == ("success", None, 5)));
    let report = api.report();
    assert!(report.highest_rate_1s as f64 <= 21.0 + 20.0 * stalled(&report), "{report:?}");
}

/// Rows that leave their place while they wait, so that those that fail pile up in memory (vector 25212, 17276).
#[test]
fn a_row_that_waits_for_its_retry_keeps_its_place() {
    let api = Api::start(&["--fail", "1:503:retry-after=3600"]);
    let executor = Executor::new();
    let sections = "execution: {max_in_flight: 8, obey_announced_limits: false}\n\
                    middleware: [{type: retry, max_retry_after: 3600}]";
    let session =
        executor.session(&executor.engine(&api.config("url_path: /a", sections, "")), 0, &id_schema());
    session.submit(&ids("row-", 0..500)).unwrap();
    api.until(|report| report.requests == 8 && report.in_flight == 0);
    // All eight wait now. A ninth would have been sent long before these questions are answered.
    for _ in 0..50 {
        assert_eq!(api.report().requests, 8);
    }
}

/// Retry-After that is not read, or not as a date (connect 1352; SynapseML by experiment).
#[test]
fn retry_after_is_obeyed_in_both_forms_and_on_503_too() {
    for rule in ["1:429:retry-after=1", "1:503:retry-after=1", "1:503:retry-after-date=2"] {
        let api = Api::start(&["--fail-first", rule]);
        let answers = send(&api, "/a", "middleware: [{type: retry, base_delay: 0, max_delay: 0}]", 1);
        assert_eq!(answers[0].summary(), ("success", None, 2), "{rule}");
        let waited = api.report().last_arrival_ms.unwrap() - api.report().first_arrival_ms.unwrap();
        // A date has whole seconds: of two, one and some may be left.
        assert!(waited >= 990.0, "{rule}: {waited} ms");
    }
}

/// 429s that are tried again without count and without end (SynapseML by experiment).
#[test]
fn an_api_that_only_ever_says_429_ends_each_row_after_its_attempts() {
    let api = Api::start(&["--fail", "1:429"]);
    let answers = send(&api, "/a", "middleware: [{type: retry, max_attempts: 3, base_delay: 0}]", 50);
    assert!(
        answers
            .iter()
            .all(|a| a.summary() == ("http_error", Some("http_status"), 3) && a.status == Some(429))
    );
    assert_eq!(api.report().requests, 150);
}

/// Every 4xx sent again and again.
#[test]
fn a_client_error_is_not_tried_again() {
    for status in [400, 401, 403, 404, 409, 410, 422] {
        let api = Api::start(&[]);
        let answers = send(&api, &format!("/_fault/status/{status}/a"), "middleware: [{type: retry}]", 3);
        assert!(
            answers.iter().all(|answer| answer.attempts == 1 && answer.status == Some(status)),
            "{status}"
        );
        assert_eq!(api.report().requests, 3, "{status}");
    }
}

/// 204 sent five times and called an error, 201 and 202 called errors (SynapseML by experiment).
#[test]
fn every_2xx_is_a_success_that_is_sent_once() {
    for (status, fault) in [(200, "status"), (201, "status"), (202, "status"), (204, "empty")] {
        let api = Api::start(&[]);
        let answers = send(&api, &format!("/_fault/{fault}/{status}/a"), "middleware: [{type: retry}]", 3);
        assert!(
            answers.iter().all(|a| a.summary() == ("success", None, 1) && a.status == Some(status)),
            "{status}"
        );
        assert_eq!(api.report().requests, 3, "{status}");
    }
}

/// A key that is made anew for each attempt (the HTTP client of benthos).
#[test]
fn the_idempotency_key_is_the_same_in_every_attempt() {
    let api = Api::start(&["--fail-first", "3:503"]);
    let answers = send(&api, "/a", "middleware: [{type: retry, max_attempts: 4, base_delay: 0}]", 20);
    assert!(answers.iter().all(|answer| answer.summary() == ("success", None, 4)));
    let keys = api.keys();
    assert_eq!(keys.len(), 20);
    assert!(keys.iter().all(|key| key.requests == 4));
}

/// One bad record that stops all others (Aiven 204), and rejected ones that vanish (vector 1772).
#[test]
fn a_bad_row_holds_up_no_other_and_is_not_lost() {
    let api = Api::start(&[]);
    let rows = batch(["id", "key"], &[["r1", "a"], ["r2", ".."], ["r3", "c"]]);
    let answers = sorted(Executor::new().send(&api.config("url_path: \"/{key}\"", "", ""), rows));
    let outcomes: Vec<&str> = answers.iter().map(|answer| answer.outcome.as_str()).collect();
    assert_eq!(outcomes, ["success", "invalid_row", "success"]);
    assert!(answers[1].error_message.as_ref().unwrap().contains("column key"));
}

/// Jobs that end well although every request failed (getindata 57, several Python data sources).
#[test]
fn a_run_in_which_everything_failed_does_not_look_like_success() {
    let api = Api::start(&["--fail", "1:500"]);
    let executor = Executor::new();
    let session = executor.session(&executor.engine(&api.config("url_path: /a", "", "")), 0, &id_schema());
    let answers = drive(&session, vec![ids("row-", 0..20)]);
    assert!(answers.iter().all(|answer| answer.summary() == ("http_error", Some("http_status"), 1)));
    let counts = session.counts();
    assert_eq!((counts.rows, counts.success, counts.http_error), (20, 0, 20));
}

/// A connection that is reset amid the answer, of which neither answer nor error is left (SynapseML by experiment).
#[test]
fn a_reset_amid_the_answer_leaves_a_row_with_its_error() {
    let api = Api::start(&["--reset-amid", "0.2"]);
    let answers = send(&api, "/a", "middleware: []", 300);
    assert_eq!(answers.len(), 300);
    let lost = answers.iter().filter(|answer| answer.outcome == "transport_error").collect::<Vec<_>>();
    assert!(!lost.is_empty());
    assert!(lost.iter().all(|answer| answer.error_kind.is_some() && answer.error_message.is_some()));
    assert!(answers.iter().all(|answer| ["success", "transport_error"].contains(&answer.outcome.as_str())));
    assert_eq!(answers.iter().map(|answer| &answer.tracking_id).collect::<BTreeSet<_>>().len(), 300);
}

/// A client that never has more than 257 requests in flight (SynapseML by experiment).
#[test]
fn as_many_requests_are_in_flight_as_the_config_allows() {
    let api = Api::start(&["--stall", "1"]);
    let executor = Executor::new();
    let sections = "transport: {tcp_connection: {limit: 400, limit_per_host: 400}}";
    let session =
        executor.session(&executor.engine(&api.config("url_path: /a", sections, "")), 0, &id_schema());
    session.submit(&ids("row-", 0..1_000)).unwrap();
    assert_eq!(api.until(|report| report.in_flight >= 400).in_flight, 400);
}

/// A new token for each request (CAMEL-20503), and tasks that disturb each other's (n8n 12742).
#[test]
fn tasks_that_start_together_share_one_token() {
    let api = Api::start(&["--oauth", "cli:secret", "--token-latency", "100ms", "--token-refresh"]);
    let auth = format!(
        "auth: {{type: oauth2_client_credentials, token_url: \"http://{}/oauth/token\", client_id: cli, client_secret: secret}}",
        api.authority()
    );
    let executor = Executor::new();
    let engine = executor.engine(&api.config("url_path: /a", &auth, ""));
    std::thread::scope(|scope| {
        for task in 0..8_u32 {
            let engine = &engine;
            scope.spawn(move || {
                let rows = ids(&format!("{task}-"), 0..20);
                let answers = drive(&executor.session(engine, task, &id_schema()), vec![rows]);
                assert!(answers.iter().all(|answer| answer.summary() == ("success", None, 1)));
            });
        }
    });
    assert_eq!(api.token_requests().len(), 1);
}

/// A 200 whose body says that nothing was done (connect 2699).
#[test]
fn an_error_in_the_body_of_a_200_is_an_error() {
    let api = Api::start(&["--mirror"]);
    let sections = "middleware:\n  - {type: json_response, success_when: body.ok, error_message: /error}\n  \
                    - {type: text_body, column: body}";
    let body = r#"{"ok": false, "error": "no such account"}"#;
    let rows = batch(["id", "body"], &[["r1", body]]);
    let answers = Executor::new().send(&api.config("url_path: /a", sections, ""), rows);
    assert_eq!(answers[0].summary(), ("http_error", Some("rejected_by_body"), 1));
    assert_eq!(
        (answers[0].status, answers[0].error_message.as_deref()),
        (Some(200), Some("no such account"))
    );
}

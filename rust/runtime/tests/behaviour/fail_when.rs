//! What ends a session before its rows are sent: too many failures, or its task.

use std::sync::Arc;

use apisink_runtime::{Engine, RuntimeError, Session};

use super::support::{Api, Executor, PATIENCE, drive, id_schema, ids, take};

fn open(executor: &Executor, engine: &Arc<Engine>, opening: &str) -> Result<Session, RuntimeError> {
    executor.open(engine, opening, 0, &id_schema())
}

/// A session of 5,000 rows.
fn sending(executor: &Executor, api: &Api, sections: &str) -> Session {
    let session = open(executor, &executor.engine(&api.config("url_path: /a", sections, "")), "").unwrap();
    session.submit(&ids("", 0..5_000)).unwrap();
    session
}

fn failure(session: &Session) -> String {
    loop {
        match session.wait(PATIENCE, true) {
            Err(error) => return error.to_string(),
            Ok(state) => assert!(!state.done, "every row was sent"),
        }
    }
}

#[test]
fn a_run_whose_rows_fail_stops_in_all_its_sessions_and_keeps_what_was_answered() {
    let api = Api::start(&["--fail", "1:500"]);
    let executor = Executor::new();
    let sections = "execution: {fail_when: {failed_rows: 50}}\ntransport: {tcp_connection: {limit: 4}}";
    let engine = executor.engine(&api.config("url_path: /a", sections, ""));
    let sessions = [open(&executor, &engine, "first").unwrap(), open(&executor, &engine, "first").unwrap()];
    for session in &sessions {
        session.submit(&ids("", 0..1_000)).unwrap();
    }
    for session in &sessions {
        let why = failure(session);
        assert!(why.contains("rows failed (execution.fail_when.failed_rows: 50)"), "{why}");
        assert!(why.contains("http_error, status 500"), "{why}");
    }
    let kept: usize = sessions.iter().map(|session| take(session).len()).sum();
    assert!((50..2_000).contains(&kept), "{kept} answers");
    assert!(api.report().requests < 2_000);
    // A task that Spark starts again sends nothing; the run that is gone on with does.
    assert!(matches!(open(&executor, &engine, "first").err(), Some(RuntimeError::FailWhen(_))));
    assert!(open(&executor, &engine, "second").is_ok());
}

#[test]
fn credentials_that_the_api_refuses_stop_the_run_by_default() {
    let api = Api::start(&["--bearer", "other"]);
    let executor = Executor::new();
    let sections = "auth: {type: bearer, token: t}\ntransport: {tcp_connection: {limit: 1}}";
    let session = open(&executor, &executor.engine(&api.config("url_path: /a", sections, "")), "").unwrap();
    session.submit(&ids("", 0..1_000)).unwrap();
    let why = failure(&session);
    assert!(why.contains("all of the first 20 rows with 401 or 403"), "{why}");
    assert!(api.report().requests < 1_000);
}

#[test]
fn a_few_failed_rows_stop_nothing() {
    let api = Api::start(&["--fail", "0.5:500"]);
    let executor = Executor::new();
    let engine =
        executor.engine(&api.config("url_path: /a", "execution: {fail_when: {failed_share: 0.9}}", ""));
    let answers = drive(&open(&executor, &engine, "").unwrap(), vec![ids("", 0..1_000)]);
    assert_eq!(answers.len(), 1_000);
}

#[test]
fn a_session_that_is_stopped_has_the_answers_of_all_but_those_in_flight() {
    let api = Api::start(&["--latency", "fixed:2ms"]);
    let executor = Executor::new();
    let sections = "transport: {tcp_connection: {limit: 4}}";
    let session = sending(&executor, &api, sections);
    api.until(|report| report.requests >= 100);
    session.stop();
    // A connection that was idle at that moment stays in the pool.
    let sent = api.until(|report| report.in_flight == 0).requests;
    let kept = take(&session).len() as u64;
    assert!(sent < 5_000 && kept + 4 >= sent, "{sent} sent, {kept} answers kept");
}

#[test]
fn a_session_that_ends_in_order_has_the_answer_of_every_request_that_was_written() {
    let api = Api::start(&["--latency", "fixed:20ms"]);
    let executor = Executor::new();
    let sections = "transport: {tcp_connection: {limit: 4}}";
    let session = sending(&executor, &api, sections);
    api.until(|report| report.requests >= 20);
    assert!(session.drain(PATIENCE));
    session.stop();
    let sent = api.report().requests;
    assert!(sent < 5_000 && take(&session).len() as u64 == sent, "{sent} sent");
}

#[test]
fn a_session_that_ends_in_order_waits_for_no_row_that_pauses() {
    let api = Api::start(&["--fail", "1:503:retry-after=3600"]);
    let executor = Executor::new();
    let sections = "execution: {obey_announced_limits: false, max_requests_per_second: 5}\n\
                    middleware: [{type: retry, max_retry_after: 3600}]";
    let session = sending(&executor, &api, sections);
    api.until(|report| report.requests >= 3 && report.in_flight == 0);
    assert!(session.drain(PATIENCE));
    session.stop();
    assert!(take(&session).is_empty());
}

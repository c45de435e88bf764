use std::time::{Duration, Instant};

use apisink_plan::LinkPlan;
use apisink_runtime::middleware::{BoxFuture, Common, Interceptor, Link, Listener, Next, Part, Registry};
use apisink_runtime::row::Row;
use apisink_runtime::{Exchange, Notes, Request, RowError, RuntimeError};

use super::support::{Api, Executor, PATIENCE, compiled, drive, id_schema, ids, take};

#[test]
fn a_closed_session_stops_sending() {
    let api = Api::start(&["--latency", "fixed:20ms"]);
    let executor = Executor::new();
    // A connection that is idle when the session is closed stays in the pool for so long.
    let sections = "transport: {tcp_connection: {limit: 4, idle_timeout: 0.2}}\nmiddleware: [{type: retry}]";
    let engine = executor.engine(&api.config("url_path: /a", sections, ""));
    let session = executor.session(&engine, 0, &id_schema());
    session.submit(&ids("", 0..2_000)).unwrap();
    api.until(|report| report.requests >= 20);
    session.close();
    session.close();
    let sent = api.until(|report| report.in_flight == 0 && report.open_connections == 0).requests;
    assert!(sent < 2_000);
    assert!(matches!(session.wait(PATIENCE, false), Err(RuntimeError::Closed(_))));
    assert!(matches!(session.submit(&ids("", 0..1)), Err(RuntimeError::Closed(_))));
    // Whatever the closed session had still to send would go before this.
    let answers = drive(&executor.session(&engine, 1, &id_schema()), vec![ids("later-", 0..20)]);
    assert_eq!((answers.len(), api.report().requests), (20, sent + 20));
}

#[test]
fn a_session_that_is_dropped_while_rows_wait_for_their_retry_lets_go_of_them() {
    let api = Api::start(&["--fail", "1:503:retry-after=3600"]);
    let executor = Executor::new();
    // Else the first answer holds back those that are not written yet.
    let sections =
        "execution: {obey_announced_limits: false}\nmiddleware: [{type: retry, max_retry_after: 3600}]";
    let session =
        executor.session(&executor.engine(&api.config("url_path: /a", sections, "")), 0, &id_schema());
    session.submit(&ids("", 0..10)).unwrap();
    api.until(|report| report.requests == 10);
    drop(session);
    super::support::eventually("all memory is given back", || {
        (executor.process.budget().used() == 0).then_some(())
    });
}

#[test]
fn a_wait_ends_when_another_thread_closes_the_session() {
    let api = Api::start(&["--stall", "1"]);
    let executor = Executor::new();
    let session = executor.session(&executor.engine(&api.config("url_path: /a", "", "")), 0, &id_schema());
    session.submit(&ids("", 0..1)).unwrap();
    session.finish();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| session.wait(PATIENCE, true));
        api.until(|report| report.in_flight == 1);
        let start = Instant::now();
        session.close();
        assert!(matches!(waiting.join().unwrap(), Err(RuntimeError::Closed(_))));
        assert!(start.elapsed() < PATIENCE / 2);
    });
}

#[test]
fn a_process_that_ends_lets_rows_in_flight_end_and_keeps_their_answers() {
    let api = Api::start(&["--latency", "fixed:200ms"]);
    let executor = Executor::new();
    let config = api.config("url_path: /a", "execution: {max_in_flight: 4}", "");
    let session = executor.session(&executor.engine(&config), 0, &id_schema());
    session.submit(&ids("", 0..1_000)).unwrap();
    api.until(|report| report.in_flight == 4);
    assert!(executor.process.shut_down(PATIENCE), "nothing is dropped");
    let report = api.until(|report| report.open_connections == 0);
    let mut answers = Vec::new();
    let end = loop {
        match session.wait(PATIENCE, false) {
            Ok(_) => answers.extend(take(&session)),
            Err(end) => break end,
        }
    };
    assert_eq!(end, RuntimeError::Closed("the executor ends".into()));
    assert!(answers.len() < 1_000);
    assert_eq!(answers.len() as u64, report.requests, "every answer is there");
    assert!(answers.iter().all(|answer| answer.outcome == "success"), "{answers:?}");

    let answers = drive(&executor.session(&executor.engine(&config), 1, &id_schema()), vec![ids("b", 0..4)]);
    assert_eq!(answers.len(), 4, "the process can be used again");
}

#[test]
fn what_is_in_flight_longer_than_the_grace_time_is_dropped() {
    let api = Api::start(&["--stall", "1"]);
    let executor = Executor::new();
    let session = executor.session(&executor.engine(&api.config("url_path: /a", "", "")), 0, &id_schema());
    session.submit(&ids("", 0..3)).unwrap();
    session.finish();
    api.until(|report| report.in_flight == 3);
    assert!(!executor.process.shut_down(Duration::from_millis(10)));
    assert!(matches!(session.wait(PATIENCE, true), Err(RuntimeError::Closed(_))));
    api.until(|report| report.in_flight == 0 && report.open_connections == 0);
    drop(session);
    assert_eq!(executor.process.budget().used(), 0);
}

#[test]
fn a_session_that_has_sent_all_its_rows_does_not_fail_with_the_end_of_its_process() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let session = executor.session(&executor.engine(&api.config("url_path: /a", "", "")), 0, &id_schema());
    session.submit(&ids("", 0..3)).unwrap();
    session.finish();
    api.until(|report| report.requests == 3 && report.in_flight == 0);
    assert!(executor.process.shut_down(PATIENCE));
    assert_eq!(drive(&session, Vec::new()).len(), 3);
}

/// A middleware with a bug, in each category and at each moment.
struct Buggy;

impl Interceptor for Buggy {
    fn call<'a>(&'a self, _: &'a mut Exchange, _: &'a Part, _: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async { panic!("the interceptor broke") })
    }
}

impl Listener for Buggy {
    fn after(&self, _: &Exchange, _: Duration, _: &mut Notes) {
        panic!("the listener broke");
    }
}

impl Common for Buggy {
    fn render(&self, _: &Row<'_>) -> Result<Part, RowError> {
        panic!("the rendering broke");
    }

    fn apply(&self, _: &Part, _: &mut Request) -> Result<(), RowError> {
        Ok(())
    }
}

#[test]
fn a_panic_in_a_middleware_fails_the_session_and_never_hangs_it() {
    let api = Api::start(&[]);
    let mut registry = Registry::default();
    registry.register("buggy_interceptor", |_| Ok(Link::Interceptor(Box::new(Buggy))));
    registry.register("buggy_listener", |_| Ok(Link::Listener(Box::new(Buggy))));
    registry.register("buggy_common", |_| Ok(Link::Common(Box::new(Buggy))));
    let executor = Executor::with(registry);
    let table = [
        ("buggy_interceptor", "the interceptor broke"),
        ("buggy_listener", "the listener broke"),
        ("buggy_common", "the rendering broke"),
    ];
    for (name, message) in table {
        let mut compiled = compiled(&api.config("url_path: /a", "middleware: [{type: retry}]", ""));
        compiled.plan.chain.push(LinkPlan { middleware: name.into(), spec: serde_json::json!({}) });
        let session = executor.session(&executor.engine_of(&compiled), 0, &id_schema());
        let told = match session.submit(&ids("", 0..100)) {
            Err(error) => error,
            Ok(()) => {
                session.finish();
                loop {
                    if let Err(error) = session.wait(PATIENCE, true) {
                        break error;
                    }
                }
            }
        };
        assert_eq!(told, RuntimeError::Panic(message.into()));
        assert_eq!(session.wait(PATIENCE, true), Err(told), "the failure stays");
    }
}

#[test]
fn an_unknown_middleware_is_refused_with_the_known_ones_named() {
    let api = Api::start(&[]);
    let mut compiled = compiled(&api.config("url_path: /a", "", ""));
    compiled.plan.chain.push(LinkPlan { middleware: "retri".into(), spec: serde_json::json!({}) });
    let executor = Executor::new();
    let engine = executor.engine_of(&compiled);
    let error = executor.open(&engine, "", 0, &id_schema()).err().unwrap();
    assert!(error.to_string().contains("no middleware retri"), "{error}");
    assert!(
        error.to_string().contains("json_body, json_response, logging, param_injector, retry"),
        "{error}"
    );
}

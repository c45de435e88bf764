use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use apisink_runtime::Process;
use apisink_runtime::middleware::Registry;

use super::support::{Api, Executor, compiled, drive, id_schema, ids};

#[test]
fn twenty_thousand_rows_of_sixteen_partitions_share_ten_connections() {
    const PARTITIONS: usize = 16;
    const ROWS: usize = 20_000 / PARTITIONS;
    let api = Api::start(&["--no-recording"]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: \"/rows/{id}\"",
        "transport: {tcp_connection: {limit: 10}}\nmiddleware: [{type: retry}, {type: json_body}]",
        "",
    );
    let engine = executor.engine(&config);
    let tasks: Vec<_> = (0..PARTITIONS)
        .map(|partition| {
            let engine = engine.clone();
            std::thread::spawn(move || {
                let prefix = format!("p{partition}-");
                let batches: Vec<_> =
                    (0..ROWS).step_by(500).map(|from| ids(&prefix, from..(from + 500).min(ROWS))).collect();
                drive(&executor.session(&engine, partition as u32, &id_schema()), batches)
            })
        })
        .collect();
    let answers: Vec<_> = tasks.into_iter().flat_map(|task| task.join().unwrap()).collect();

    assert_eq!(answers.len(), 20_000);
    assert!(answers.iter().all(|answer| answer.summary() == ("success", None, 1)));
    let tracking_ids: HashSet<_> = answers.iter().map(|answer| &answer.tracking_id).collect();
    let request_ids: HashSet<_> = answers.iter().map(|answer| &answer.request_id).collect();
    assert_eq!((tracking_ids.len(), request_ids.len()), (20_000, 20_000));
    let report = api.report();
    assert_eq!((report.requests, report.keys, report.keys_twice), (20_000, 20_000, 0));
    assert!(report.connections <= 10, "{} connections were opened", report.connections);
    assert!(report.highest_concurrency <= 10, "{} requests at once", report.highest_concurrency);
    assert_eq!(engine.transport().connections().opened, report.connections);
}

#[test]
fn sessions_of_the_same_plan_and_secrets_share_an_engine_and_others_do_not() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let config = |token: &str, limit: u32| {
        api.config(
            "url_path: /a",
            &format!(
                "auth: {{type: bearer, token: \"{token}\"}}\ntransport: {{tcp_connection: {{limit: {limit}}}}}"
            ),
            "",
        )
    };
    let engine = executor.engine(&config("one", 3));
    assert!(Arc::ptr_eq(&engine, &executor.engine(&config("one", 3))));
    assert_eq!(compiled(&config("one", 3)).driver, compiled(&config("two", 3)).driver);
    assert!(!Arc::ptr_eq(&engine, &executor.engine(&config("two", 3))), "other credentials");
    assert!(!Arc::ptr_eq(&engine, &executor.engine(&config("one", 4))), "another plan");
}

#[test]
fn a_pooled_connection_that_the_server_closed_while_idle_costs_no_row() {
    // Long enough that no connection of a round that is under way is closed, which no client could tell in time.
    let api = Api::start(&["--close-idle", "500ms"]);
    let executor = Executor::new();
    let engine = executor.engine(&api.config("url_path: /a, idempotency_header: false", "", ""));
    for round in 0..3 {
        let answers =
            drive(&executor.session(&engine, round, &id_schema()), vec![ids(&format!("{round}-"), 0..3)]);
        for answer in answers {
            assert_eq!(answer.summary(), ("success", None, 1), "{answer:?}");
        }
        api.until(|report| report.open_connections == 0);
    }
    assert_eq!(api.report().requests, 9);
}

#[test]
fn an_engine_that_no_session_uses_any_more_closes_its_connections() {
    let api = Api::start(&[]);
    let process = Process::new(Registry::default()).unwrap().keeping_unused_for(Duration::from_millis(20));
    let executor = Executor { process: Box::leak(Box::new(process)) };
    let config = api.config("url_path: /a", "transport: {tcp_connection: {idle_timeout: 3600}}", "");
    let engine = executor.engine(&config);
    let session = executor.session(&engine, 0, &id_schema());
    drive(&session, vec![ids("", 0..3)]);
    assert!(api.report().open_connections > 0);
    drop(session);
    let known = Arc::downgrade(&engine);
    drop(engine);
    api.until(|report| report.open_connections == 0);
    super::support::eventually("the engine and its credentials are gone", || {
        known.upgrade().is_none().then_some(())
    });
}

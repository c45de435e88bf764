use super::support::{Api, Executor, drive, id_schema, ids, stalled};

#[test]
fn the_rate_limit_holds_over_all_sessions_and_is_charged_for_every_attempt() {
    let api = Api::start(&["--fail-every", "3:503"]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: /a",
        "execution: {max_requests_per_second: 10}\n\
         middleware: [{type: retry, max_attempts: 20, base_delay: 0.001, max_delay: 0.001}]",
        "",
    );
    let engine = executor.engine(&config);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..2)
            .map(|task: u32| {
                let engine = &engine;
                scope.spawn(move || {
                    let session = executor.session(engine, task, &id_schema());
                    drive(&session, vec![ids(&format!("{task}-"), 0..9)])
                })
            })
            .collect();
        tasks.into_iter().flat_map(|task| task.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.outcome == "success"));
    let attempts: i32 = answers.iter().map(|answer| answer.attempts).sum();
    let report = api.report();
    assert_eq!((attempts as u64, report.keys), (report.requests, 18));
    assert!(attempts > 18, "some rows were tried again");
    assert!(report.highest_rate_1s as f64 <= 11.0 + 10.0 * stalled(&report), "{report:?}");
}

#[test]
fn a_pause_that_the_server_asks_one_row_for_holds_back_all() {
    let api = Api::start(&["--fail-first", "1:429:retry-after=1"]);
    let executor = Executor::new();
    // One connection: the first answer comes before the second request, whose pause it sets.
    let sections = "transport: {tcp_connection: {limit: 1}}\nexecution: {max_announced_pause: 0.2}";
    let answers = executor.send(&api.config("url_path: /a", sections, ""), ids("row-", 0..5));
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();

    assert_eq!(statuses, [Some(429); 5], "each row is answered once");
    let gaps = api.report().last_arrival_ms.unwrap();
    assert!(gaps >= 4.0 * 200.0, "every answer stops all others: the last came after {gaps} ms");
}

#[test]
fn attempts_to_two_paths_of_one_run_each_keep_their_own_rate() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let limits = "execution: {max_requests_per_second: 10, limits: [{host: other, max_requests_per_second: 0.01}, \
                  {path: \"/v1/bulk-*\", max_requests_per_second: 30}]}";
    let engine = executor.engine(&api.config("url_path: \"/v1/{id}?of=/v1/bulk-1\"", limits, ""));
    let session = executor.session(&engine, 0, &id_schema());
    let answers = drive(&session, vec![ids("bulk-", 0..46), ids("row-", 0..16)]);
    assert!(answers.iter().all(|answer| answer.outcome == "success"));

    let requests = api.requests();
    let of = |prefix: &str| {
        let of: Vec<f64> =
            requests.iter().filter(|r| r.path.starts_with(prefix)).map(|r| r.arrived_ms).collect();
        // Slots are given in the order of asking, which need not be that of arrival.
        (of.len(), of.iter().copied().fold(0.0, f64::max) - of.iter().copied().fold(f64::MAX, f64::min))
    };
    let ((bulk, bulk_ms), (rows, rows_ms)) = (of("/v1/bulk-"), of("/v1/row-"));
    assert_eq!((bulk, rows), (46, 16));
    // The first may come late by what the machine has held it up.
    let late = 1000.0 * stalled(&api.report()) + 30.0;
    assert!(bulk_ms >= 45.0 * 1000.0 / 30.0 - late, "{bulk_ms} ms");
    assert!(rows_ms >= 15.0 * 1000.0 / 10.0 - late, "{rows_ms} ms");
    assert!(api.report().highest_rate_1s > 31, "neither waits for the other: {:?}", api.report());
}

#[test]
fn every_slot_that_was_granted_is_spent_or_has_lapsed() {
    let api = Api::start(&["--fail-every", "3:503"]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: /a",
        "execution: {max_requests_per_second: 1000}\n\
         middleware: [{type: retry, max_attempts: 20, base_delay: 0.001, max_delay: 0.001}]",
        "",
    );
    executor.send(&config, ids("row-", 0..50));
    let rate = executor.process.stats().rate;
    let sent = api.report().requests;
    assert_eq!((rate.spent, rate.granted), (sent, rate.spent + rate.lapsed), "{rate:?}");
    assert_eq!(rate.round_trips, 0, "nobody was asked");
}

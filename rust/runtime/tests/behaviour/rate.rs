use super::support::{Api, Executor, drive, id_schema, ids};

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
    assert!(report.highest_rate_1s <= 11, "{} attempts within a second", report.highest_rate_1s);
}

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::support::{Api, Executor, PATIENCE, drive, id_schema, ids};

const BUDGET: usize = 1 << 20;
const ANSWER: usize = 300_000;

#[test]
fn answers_that_exceed_the_budget_together_all_arrive_and_memory_stays_within_it() {
    let api = Api::start(&["--body-bytes", "300000", "--no-recording"]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: /a",
        &format!(
            "execution: {{memory_budget_bytes: {BUDGET}, max_in_flight: 32}}\n\
             transport: {{tcp_connection: {{limit: 16}}}}"
        ),
        "",
    );
    let engine = executor.engine(&config);
    let budget = executor.process.budget();
    let ended = AtomicBool::new(false);
    let (answers, highest) = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..2)
            .map(|task: u32| {
                let engine = &engine;
                scope.spawn(move || {
                    let session = executor.session(engine, task, &id_schema());
                    drive(&session, vec![ids(&format!("{task}-"), 0..40)])
                })
            })
            .collect();
        let watch = scope.spawn(|| {
            let mut highest = 0;
            while !ended.load(Ordering::Relaxed) {
                highest = highest.max(budget.used());
                std::thread::sleep(Duration::from_micros(200));
            }
            highest
        });
        let answers: Vec<_> = tasks.into_iter().flat_map(|task| task.join().unwrap()).collect();
        ended.store(true, Ordering::Relaxed);
        (answers, watch.join().unwrap())
    });
    assert_eq!(answers.len(), 80);
    assert!(answers.iter().all(|answer| answer.outcome == "success"
        && answer.response_body.as_ref().is_some_and(|body| body.len() == ANSWER)));
    // One answer may exceed the budget, and the 80 requests are taken in as they come.
    let most = BUDGET + ANSWER + 80 * 1024;
    assert!(highest > BUDGET / 2 && highest <= most, "{highest} bytes were held");
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_response_batch_counts_in_the_budget_for_as_long_as_it_is_there() {
    let api = Api::start(&["--body-bytes", "300000", "--no-recording"]);
    let executor = Executor::new();
    let session = executor.session(&executor.engine(&api.config("url_path: /a", "", "")), 0, &id_schema());
    session.submit(&ids("", 0..3)).unwrap();
    session.finish();
    let mut rows = 0;
    while rows < 3 {
        session.wait(PATIENCE, true).unwrap();
        let batch = session.take(usize::MAX).unwrap().expect("answers");
        rows += batch.num_rows();
        assert!(executor.process.budget().used() >= batch.num_rows() * ANSWER);
    }
    drop(session);
    assert_eq!(executor.process.budget().used(), 0);
}

#[test]
fn a_session_gives_its_memory_back_when_it_is_closed_amid_its_answers() {
    let api = Api::start(&["--body-bytes", "300000", "--stall", "0.5"]);
    let executor = Executor::new();
    let sections = format!(
        "transport: {{tcp_connection: {{idle_timeout: 0.2}}}}\nexecution: {{memory_budget_bytes: {BUDGET}}}"
    );
    let config = api.config("url_path: /a", &sections, "");
    let session = executor.session(&executor.engine(&config), 0, &id_schema());
    session.submit(&ids("", 0..200)).unwrap();
    // Nobody takes answers here: three may fill the budget before a fourth request, and then no fifth is sent.
    api.until(|report| report.requests > 3);
    assert!(executor.process.budget().used() > 0);
    drop(session);
    api.until(|report| report.in_flight == 0 && report.open_connections == 0);
    super::support::eventually("all memory is given back", || {
        (executor.process.budget().used() == 0).then_some(())
    });
}

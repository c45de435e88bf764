use std::time::Duration;

use super::support::{Api, Executor, batch, eventually, id_schema, ids, take};

#[test]
fn a_stalled_answer_holds_no_other_row_back() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: \"/_fault/{kind}/{argument}/{id}\"",
        "transport: {tcp_connection: {limit: 4}}\nexecution: {max_in_flight: 8}",
        "",
    );
    let names: Vec<String> = (0..3_000).map(|n| format!("row-{n}")).collect();
    let rows: Vec<[&str; 3]> = names
        .iter()
        .enumerate()
        .map(|(n, id)| [id.as_str(), if n < 2 { "stall" } else { "slow" }, "0"])
        .collect();
    let batch = batch(["id", "kind", "argument"], &rows);
    let session = executor.session(&executor.engine(&config), 0, &batch.schema());
    session.submit(&batch).unwrap();
    session.finish();
    let mut answers = Vec::new();
    eventually("all rows but the stalled ones are answered", || {
        answers.extend(take(&session));
        (answers.len() == 2_998).then_some(())
    });
    assert!(answers.iter().all(|answer| answer.outcome == "success"));
    assert_eq!(api.report().in_flight, 2);
    assert!(!session.wait(Duration::ZERO, true).unwrap().done);
}

#[test]
fn rows_are_wanted_until_the_window_and_what_waits_for_it_are_full() {
    let api = Api::start(&["--stall", "1"]);
    let executor = Executor::new();
    let config = api.config(
        "url_path: /a",
        "transport: {tcp_connection: {limit: 4}}\nexecution: {max_in_flight: 8}",
        "",
    );
    let session = executor.session(&executor.engine(&config), 0, &id_schema());
    let mut submitted = 0;
    while session.wait(Duration::ZERO, false).unwrap().wants_rows {
        session.submit(&ids("", submitted..submitted + 500)).unwrap();
        submitted += 500;
        assert!(submitted < 5_000, "{submitted} rows were taken in although nothing is answered");
    }
    assert!(submitted >= 1_000, "only {submitted} rows were taken in");
    let report = api.until(|report| report.in_flight == 4);
    assert_eq!((report.requests, report.connections), (4, 4));
    let state = session.wait(Duration::ZERO, false).unwrap();
    assert!(!state.wants_rows && !state.has_responses && !state.done);
    session.close();
}

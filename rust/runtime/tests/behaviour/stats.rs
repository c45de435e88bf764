//! What sessions and processes tell of themselves, beside what the API has counted.

use apisink_runtime::Repeats;

use super::support::{Api, Executor, drive, eventually, ids};

const RETRY: &str = "middleware: [{type: retry, max_attempts: 4, base_delay: 0.001}]";

#[test]
fn a_session_tells_attempts_reasons_bytes_and_latencies_as_the_api_saw_them() {
    let api = Api::start(&["--fail-first", "2:503", "--latency", "fixed:3ms"]);
    let executor = Executor::new();
    let engine = executor.engine(&api.config("url_path: /a", RETRY, ""));
    let batch = ids("row-", 0..50);
    let session = executor.session(&engine, 0, &batch.schema());
    drive(&session, vec![batch]);

    let stats = session.stats();
    let report = api.until(|report| report.in_flight == 0);
    let traffic = &stats.traffic;
    assert_eq!((stats.counts.rows, stats.in_flight, traffic.rows, traffic.failures), (50, 0, 50, 0));
    assert_eq!((traffic.attempts, report.requests), (150, 150));
    assert_eq!(traffic.repeats, Repeats { throttled: 100, ..Repeats::default() });
    assert_eq!((traffic.bytes_sent, traffic.bytes_received), (report.bytes_in, report.bytes_out));
    assert_eq!(traffic.latencies.filled().map(|(_, count)| count).sum::<u64>(), 150);
    // 3 ms are in bucket 75: none was faster than the API.
    assert!(traffic.latencies.filled().all(|(bucket, _)| bucket >= 75), "{:?}", traffic.latencies);
}

#[test]
fn time_spent_waiting_for_the_rate_limit_is_told() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let limit = "execution: {max_requests_per_second: 100}";
    let engine = executor.engine(&api.config("url_path: /a", limit, ""));
    let batch = ids("row-", 0..20);
    let session = executor.session(&engine, 0, &batch.schema());
    drive(&session, vec![batch]);
    // The last of 20 has waited for 190 ms at least, the one before for 180 ms, and so on; the burst lets some go early.
    assert!(session.stats().traffic.throttled.as_millis() >= 200, "{:?}", session.stats().traffic);
}

#[test]
fn a_process_adds_up_its_sessions_and_remembers_those_that_have_ended() {
    let api = Api::start(&[]);
    let executor = Executor::new();
    let config = api.config("url_path: /a", "", "");
    let engine = executor.engine(&config);
    for partition in 0..3 {
        let batch = ids(&format!("p{partition}-"), 0..10);
        drive(&executor.session(&engine, partition, &batch.schema()), vec![batch]);
    }
    let slow = Api::start(&["--latency", "fixed:60s"]);
    let engine = executor.engine(&slow.config("url_path: /a", "", ""));
    let batch = ids("slow-", 0..5);
    let session = executor.session(&engine, 4, &batch.schema());
    session.submit(&batch).unwrap();
    slow.until(|report| report.in_flight == 5);

    let stats = executor.process.stats();
    assert_eq!((stats.sessions, stats.in_flight, stats.traffic.rows, stats.traffic.attempts), (1, 5, 30, 30));
    assert!(stats.connections >= 5 && stats.buffered_bytes > 0, "{stats:?}");

    session.close();
    session.close();
    let stats = eventually("nothing is in flight", || {
        let stats = executor.process.stats();
        (stats.sessions == 0 && stats.in_flight == 0).then_some(stats)
    });
    assert_eq!((stats.traffic.rows, stats.traffic.failures), (30, 0));
}

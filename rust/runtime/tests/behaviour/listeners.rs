//! What listeners leave in the sink.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, StructArray};

use super::support::{Api, Executor, batch, drive_batches, ids};

fn send(config: &str, rows: RecordBatch) -> RecordBatch {
    let executor = Executor::new();
    let engine = executor.engine(config);
    drive_batches(&executor.session(&engine, 0, &rows.schema()), vec![rows])
}

fn times(transport: &StructArray, name: &str) -> Vec<Option<f64>> {
    transport.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
}

#[test]
fn each_phase_of_an_attempt_and_the_life_of_its_connection_are_columns_of_their_middleware() {
    let api = Api::start(&[]);
    let chain = |links: &str| {
        let limit = "execution: {max_requests_per_second: 50}\ntransport: {tcp_connection: {limit: 1}}";
        api.config("url_path: /a", &format!("{limit}\nmiddleware: [{links}]"), "")
    };
    let both = send(&chain("{type: timing}, {type: transport_diagnostic}"), ids("r", 0..3));
    let transport = both.column_by_name("transport").unwrap().as_struct();
    for name in ["ttfb_ms", "wait_ms", "total_ms", "connection_age_ms"] {
        assert!(times(transport, name).iter().all(Option::is_some), "{name}");
    }
    let uses = transport.column_by_name("connection_uses").unwrap().as_primitive::<Int64Type>();
    let mut uses: Vec<_> = uses.values().to_vec();
    uses.sort_unstable();
    assert_eq!(uses, [1, 2, 3]);
    let waited = times(transport, "wait_ms").into_iter().flatten().filter(|wait| *wait > 0.0).count();
    assert!(waited >= 2, "two of three rows waited for the limit");
    let (total, first) = (times(transport, "total_ms"), times(transport, "ttfb_ms"));
    assert!(total.iter().zip(&first).all(|(total, first)| total >= first), "{total:?} {first:?}");

    let timing = send(&chain("{type: timing}"), ids("r", 0..1));
    let transport = timing.column_by_name("transport").unwrap().as_struct();
    assert!(times(transport, "total_ms")[0].is_some());
    assert_eq!(times(transport, "connection_age_ms"), [None]);
    assert!(transport.column_by_name("connection_uses").unwrap().is_null(0));
    let diagnostic = send(&chain("{type: transport_diagnostic}"), ids("r", 0..1));
    let transport = diagnostic.column_by_name("transport").unwrap().as_struct();
    assert_eq!((times(transport, "total_ms"), times(transport, "wait_ms")), (vec![None], vec![None]));
    assert!(transport.column_by_name("connection_uses").unwrap().is_valid(0));
}

/// The log lines in the sink.
fn lines(batch: &RecordBatch) -> Vec<Option<serde_json::Value>> {
    let log = batch.column_by_name("log").unwrap().as_string::<i32>();
    log.iter().map(|line| line.map(|line| serde_json::from_str(line).unwrap())).collect()
}

#[test]
fn a_line_holds_bodies_only_when_asked_and_then_cut_and_masked() {
    let api = Api::start(&["--mirror"]);
    let config = |keys: &str| {
        let chain = format!(
            "auth: {{type: bearer, token: s3cret-tok3n}}\nmiddleware: [{{type: logging, to_sink: true{keys}}}, {{type: text_body, column: body}}]"
        );
        api.config("url_path: /a", &chain, "")
    };
    let body = format!("é s3cret-tok3n {}", "x".repeat(100));
    let rows = batch(["id", "body"], &[["1", &body]]);
    let line = lines(&send(&config(""), rows.clone())).remove(0).unwrap();
    assert!(line.get("request_body").is_none() && line.get("response_body").is_none(), "{line}");

    let line = lines(&send(&config(", bodies: true, max_body_bytes: 16"), rows)).remove(0).unwrap();
    let shown = format!("é *** {}… ({} bytes)", "x".repeat(9), body.len());
    assert_eq!(
        (line["request_body"].as_str(), line["response_body"].as_str()),
        (Some(shown.as_str()), Some(shown.as_str()))
    );
}

#[test]
fn a_body_that_is_no_text_is_told_by_its_size() {
    let api = Api::start(&["--body-bytes", "300", "--body-binary"]);
    let chain = "middleware: [{type: logging, to_sink: true, bodies: true}]";
    let line = lines(&send(&api.config("url_path: /a", chain, ""), ids("r", 0..1))).remove(0).unwrap();
    assert_eq!(line["response_body"], "(300 bytes, no text)");
}

#[test]
fn a_share_of_the_successes_has_a_line_the_same_in_every_run_on_and_every_failure() {
    let api = Api::start(&[]);
    let config = |share: &str| {
        let chain = format!("middleware: [{{type: logging, to_sink: true, sample: {share}}}]");
        api.config("url_path: /a", &chain, "")
    };
    let ids_with_lines = |share: &str| -> Vec<String> {
        let batch = send(&config(share), ids("r", 0..400));
        let ids = batch.column_by_name("tracking_id").unwrap().as_string::<i32>();
        let with = lines(&batch).into_iter().zip(ids).filter(|(line, _)| line.is_some());
        let mut with: Vec<_> = with.map(|(_, id)| id.unwrap().to_owned()).collect();
        with.sort();
        with
    };
    let quarter = ids_with_lines("0.25");
    assert!((60..140).contains(&quarter.len()), "{}", quarter.len());
    assert_eq!(quarter, ids_with_lines("0.25"));
    assert_eq!((ids_with_lines("0").len(), ids_with_lines("1").len()), (0, 400));

    let failing = Api::start(&["--fail-first", "9:404"]);
    let chain = "middleware: [{type: logging, to_sink: true, sample: 0}]";
    assert!(lines(&send(&failing.config("url_path: /a", chain, ""), ids("r", 0..1)))[0].is_some());
}

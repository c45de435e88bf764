//! Redirects, through a whole session.

use apisink_runtime::Process;
use apisink_runtime::middleware::Registry;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use tokio::runtime::Runtime;

use crate::raw::Raw;
use crate::support::{compiled, run, texts};

/// Sends every row on to `/end` at `to`.
async fn sending_on(to: &'static str) -> Raw {
    Raw::serve(move |head| {
        let answer = match head.starts_with("GET /end") {
            true => "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nend".to_owned(),
            false => format!("HTTP/1.1 302 Found\r\nlocation: {to}/end\r\ncontent-length: 4\r\n\r\nmove"),
        };
        answer.into_bytes()
    })
    .await
}

fn process() -> Process {
    Process::new(Registry::default()).unwrap()
}

#[test]
fn a_redirect_is_the_answer_unless_it_is_to_be_followed() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(sending_on(""));
    let batch = run(process(), &compiled(&server.url, "{}"), 1);
    assert_eq!(texts(&batch, "response_body"), ["move"]);
    assert_eq!(texts(&batch, "outcome"), ["http_error"]);
}

#[test]
fn a_redirect_that_is_followed_is_an_attempt_of_its_own_and_spends_a_slot() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(sending_on(""));
    // Three rows of two attempts each: the sixth slot comes after five tenths of a second.
    let compiled = compiled(
        &server.url,
        "{redirects: {max: 2}, warmup: none}\nexecution: {max_requests_per_second: 10}",
    );
    let started = std::time::Instant::now();
    let batch = run(process(), &compiled, 3);
    assert!(started.elapsed() >= std::time::Duration::from_millis(500), "{:?}", started.elapsed());
    assert_eq!(texts(&batch, "response_body"), ["end"; 3]);
    let attempts = batch.column_by_name("attempts").unwrap().as_primitive::<Int32Type>();
    assert_eq!(attempts.values(), &[2, 2, 2]);
    // The row is known by the URL that it asked for.
    assert!(texts(&batch, "url").iter().all(|url| url.contains("/rows/")));
}

#[test]
fn a_ring_of_redirects_ends_with_the_last_answer_allowed() {
    let runtime = Runtime::new().unwrap();
    let server =
        runtime.block_on(Raw::start("HTTP/1.1 307 x\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"));
    let batch = run(process(), &compiled(&server.url, "{redirects: {max: 3}}"), 1);
    assert_eq!(texts(&batch, "outcome"), ["http_error"]);
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn another_host_is_asked_only_where_it_is_listed_and_without_credentials() {
    let runtime = Runtime::new().unwrap();
    let files = runtime.block_on(sending_on(""));
    let url: &'static str = Box::leak(files.url.clone().into_boxed_str());
    let api = runtime.block_on(sending_on(url));
    let auth = "auth: {type: bearer, token: hunter2}";
    let batch = run(process(), &compiled(&api.url, &format!("{{redirects: {{max: 1}}}}\n{auth}")), 1);
    assert_eq!(texts(&batch, "response_body"), ["move"]);
    assert!(files.asked().is_empty());

    let host = url.trim_start_matches("http://");
    let listed = format!("{{redirects: {{max: 1, hosts: [\"{host}\"]}}}}\n{auth}");
    let batch = run(process(), &compiled(&api.url, &listed), 1);
    assert_eq!(texts(&batch, "response_body"), ["end"]);
    assert!(api.asked().iter().all(|head| head.contains("hunter2")));
    assert_eq!(files.asked().len(), 1);
    assert!(!files.asked()[0].contains("hunter2"), "{:?}", files.asked());
}

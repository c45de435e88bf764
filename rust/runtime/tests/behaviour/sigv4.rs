use std::collections::BTreeSet;

use super::support::{Answer, Api, Executor, batch, ids};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn flag(service: &str, token: &str) -> String {
    format!("AKIDEXAMPLE:{SECRET}:eu-central-1:{service}{token}")
}

fn auth(service: &str, further: &str) -> String {
    format!(
        "auth: {{type: aws_sigv4, access_key_id: AKIDEXAMPLE, secret_access_key: {SECRET}, region: eu-central-1, \
         service: {service}{further}}}"
    )
}

fn statuses(answers: &[Answer]) -> BTreeSet<Option<i32>> {
    answers.iter().map(|answer| answer.status).collect()
}

#[test]
fn a_signature_opens_the_api_whatever_is_sent_and_another_key_does_not() {
    let rows = batch(
        ["id", "name"],
        &[["1", "plain"], ["2", "a/b c+d?e&f=g%20"], ["3", "ü:*~'()"], ["4", ".."], ["5", "x=y"]],
    );
    let mappings = "{source_column: name, endpoint_param: q, in: query}, \
                    {source_column: name, endpoint_param: body, in: body}";
    let chain =
        "middleware: [{type: param_injector}, {type: json_body}, {type: compress_body, min_bytes: 1}]";
    for service in ["execute-api", "s3"] {
        let api = Api::start(&["--sigv4", &flag(service, "")]);
        let endpoint = "url_path: \"/v1/@a:b/{name}/c//d?b=1&a=%2F\", headers: {X-Amz-Meta-A: \"a  b\"}";
        let config = |auth: &str| api.config(endpoint, &format!("{auth}\n{chain}"), mappings);
        let good = auth(service, "");
        let answers = Executor::new().send(&config(&good), rows.clone());
        // A segment of dots is refused before it is sent.
        let sent: Vec<_> = answers.iter().filter(|answer| answer.status.is_some()).collect();
        assert_eq!(sent.len(), 4, "{answers:?}");
        assert!(sent.iter().all(|answer| answer.outcome == "success"), "{service}: {answers:?}");
        for (right, wrong) in
            [(SECRET, "another"), ("AKIDEXAMPLE", "AKIDANOTHER"), ("eu-central-1", "eu-west-1")]
        {
            let answers = Executor::new().send(&config(&good.replace(right, wrong)), ids_and_names());
            assert_eq!(statuses(&answers), [Some(403)].into(), "{service}: {wrong}");
        }
    }
}

fn ids_and_names() -> arrow_array::RecordBatch {
    batch(["id", "name"], &[["1", "a"], ["2", "b"]])
}

#[test]
fn a_temporary_key_shows_its_session_token_which_no_answer_tells() {
    let api = Api::start(&["--sigv4", &flag("lambda", ":t0ken/of+session=="), "--echo"]);
    let config = |further: &str| api.config("url_path: /a", &auth("lambda", further), "");
    let with = Executor::new().send(&config(", session_token: t0ken/of+session=="), ids("row-", 0..1));
    assert_eq!(with[0].outcome, "success", "{with:?}");
    let body = with[0].response_body.as_ref().unwrap();
    assert!(body.contains("x-amz-security-token") && !body.contains("t0ken"), "{body}");
    let without = Executor::new().send(&config(""), ids("row-", 0..1));
    assert_eq!(without[0].status, Some(403));
}

#[test]
fn every_attempt_is_signed_when_it_is_written() {
    let api = Api::start(&["--sigv4", &flag("execute-api", ""), "--fail-first", "1:503:retry-after=2"]);
    let sections = format!("{}\nmiddleware: [{{type: retry}}]", auth("execute-api", ""));
    let answers = Executor::new().send(&api.config("url_path: /a", &sections, ""), ids("row-", 0..1));
    assert_eq!(answers[0].summary(), ("success", None, 2));
    // Both wait in the window for slots that come a second apart.
    let api_of_slots = Api::start(&["--sigv4", &flag("execute-api", "")]);
    let sections = format!("{}\nexecution: {{max_requests_per_second: 0.5}}", auth("execute-api", ""));
    let config = api_of_slots.config("url_path: /a", &sections, "");
    let answers = Executor::new().send(&config, ids("row-", 0..2));
    assert_eq!(statuses(&answers), [Some(200)].into());
    for api in [api, api_of_slots] {
        let requests = api.requests();
        let times: BTreeSet<_> =
            requests.iter().map(|request| request.header("x-amz-date").unwrap()).collect();
        let signatures: BTreeSet<_> =
            requests.iter().map(|request| request.header("authorization").unwrap()).collect();
        assert_eq!((requests.len(), times.len(), signatures.len()), (2, 2, 2), "{requests:?}");
    }
}

#[test]
fn over_http2_too_it_is_the_host_by_its_name_that_is_signed() {
    let api = Api::start(&["--sigv4", &flag("execute-api", ""), "--http2"]);
    let config = |auth: &str| {
        let sections =
            format!("{auth}\ntransport: {{http_version: http2}}\nmiddleware: [{{type: json_body}}]");
        api.config(
            "url_path: \"/v1/{id}?b=1\"",
            &sections,
            "{source_column: id, endpoint_param: id, in: path}",
        )
    };
    let good = auth("execute-api", "");
    let answers = Executor::new().send(&config(&good), ids("row-", 0..20));
    assert_eq!(statuses(&answers), [Some(200)].into(), "{answers:?}");
    let answers = Executor::new().send(&config(&good.replace(SECRET, "another")), ids("row-", 0..5));
    assert_eq!(statuses(&answers), [Some(403)].into(), "{answers:?}");
}

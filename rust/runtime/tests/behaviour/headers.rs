use std::io::Read;
use std::sync::Arc;

use apisink_origin::Recorded;
use apisink_plan::{Inputs, ResolvedReference, Secret};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, ListArray, RecordBatch, StringArray};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::support::{Answer, Api, Executor, batch, batch_of, ids, sorted};

/// What came, in the order of the query.
fn requests(api: &Api) -> Vec<Recorded> {
    let mut requests = api.requests();
    requests.sort_by(|a, b| (&a.path, &a.query, a.ordinal).cmp(&(&b.path, &b.query, b.ordinal)));
    requests
}

fn rows() -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1", "2", "3"])),
        Arc::new(StringArray::from(vec![Some("north"), None, Some("a\r\nX-Evil: 1")])),
    ];
    batch_of(&["id", "tenant"], columns)
}

#[test]
fn headers_of_the_chain_hold_columns_in_every_attempt_and_a_null_leaves_its_header_out() {
    let api = Api::start(&["--fail-first", "1:503:retry-after=0"]);
    let config = api.config(
        "url_path: \"/{id}\"",
        "middleware: [{type: retry}, {type: headers, headers: {X-Tenant: \"{tenant}\", X-Two: \"t-{tenant}\", X-Fixed: yes}}]",
        "",
    );
    let answers = sorted(Executor::new().send(&config, rows()));
    let summaries: Vec<_> = answers.iter().map(Answer::summary).collect();
    assert_eq!(
        summaries,
        [("success", None, 2), ("success", None, 2), ("invalid_row", Some("header_value"), 0)]
    );
    let seen: Vec<_> = requests(&api)
        .iter()
        .map(|request| ["x-tenant", "x-two", "x-fixed"].map(|name| request.header(name).map(str::to_owned)))
        .collect();
    let north = ["north", "t-north", "yes"].map(|value| Some(value.to_owned()));
    let none = [None, Some("t-".to_owned()), Some("yes".to_owned())];
    assert_eq!(seen, [north.clone(), north, none.clone(), none]);
}

/// The digest of the request of row 1, with a secret of this value.
fn digest(api: &Api, tenant: &str, secret: &str) -> String {
    let config = api.config(
        "url_path: /a",
        "middleware: [{type: headers, headers: {X-Key: \"{tenant}-{{secret.s:k}}\"}}, \
         {type: header_auth, header: X-Auth, value: \"{{secret.s:k}}\"}]",
        "",
    );
    let config = apisink_config::parse(config.as_bytes(), "c.yaml").unwrap();
    let references = config.references().into_iter().map(|reference| ResolvedReference {
        kind: reference.kind,
        scope: reference.scope,
        key: reference.key,
        value: Some(Secret::new(secret)),
        error: None,
    });
    let inputs = Inputs { references: references.collect(), ..Inputs::default() };
    let executor = Executor::new();
    let engine = executor.engine_of(&apisink_plan::compile(&config, &inputs).unwrap());
    let rows = batch(["id", "tenant"], &[["1", tenant]]);
    let answers = super::support::drive(&executor.session(&engine, 0, &rows.schema()), vec![rows]);
    let sent = api.requests().pop().unwrap();
    assert_eq!(sent.header("x-key"), Some(format!("{tenant}-{secret}").as_str()));
    assert_eq!(sent.header("x-auth"), Some(secret));
    answers[0].request_digest.clone().unwrap()
}

#[test]
fn another_secret_in_a_header_makes_no_other_request_and_another_value_does() {
    let api = Api::start(&[]);
    assert_eq!(digest(&api, "a", "hunter22"), digest(&api, "a", "hunter23"));
    assert_ne!(digest(&api, "a", "hunter22"), digest(&api, "b", "hunter22"));
}

#[test]
fn tokens_and_users_of_the_chain_pass_the_servers_checks_and_are_masked_in_what_it_echoes() {
    let pair = STANDARD.encode("zoë:pä:ss");
    let table = [
        ("{type: bearer_token, token: t0k3n-t0k3n}", "authorization", "Bearer t0k3n-t0k3n".to_owned()),
        ("{type: bearer_token, token: t0k3n-t0k3n, header: X-Fwd}", "x-fwd", "Bearer t0k3n-t0k3n".to_owned()),
        ("{type: header_auth, header: X-Key, value: t0k3n-t0k3n}", "x-key", "t0k3n-t0k3n".to_owned()),
        (
            "{type: header_auth, header: X-Key, prefix: 'Token ', value: abcdefgh1}",
            "x-key",
            "Token abcdefgh1".to_owned(),
        ),
        (
            "{type: header_auth, header: X-User, username: zoë, password: 'pä:ss'}",
            "x-user",
            format!("Basic {pair}"),
        ),
    ];
    for (link, header, value) in table {
        let api = Api::start(&["--echo"]);
        let config = api.config("url_path: /a", &format!("middleware: [{{type: retry}}, {link}]"), "");
        let answer = Executor::new().send(&config, ids("row-", 0..1)).remove(0);
        assert_eq!(api.requests()[0].header(header), Some(value.as_str()), "{link}");
        let body = answer.response_body.unwrap();
        let secret = value.split_once(' ').map_or(value.as_str(), |(_, secret)| secret);
        assert!(body.contains(header) && !body.contains(secret), "{link}: {body}");
    }
}

#[test]
fn a_body_is_compressed_from_its_least_size_on_and_the_sink_keeps_it_plain() {
    for (encoding, undo) in [
        ("gzip", gunzip as fn(&[u8]) -> Vec<u8>),
        ("zstd", |body: &[u8]| zstd::stream::decode_all(body).unwrap()),
    ] {
        let api = Api::start(&["--fail-first", "1:503:retry-after=0"]);
        let config = api.config(
            "url_path: \"/{id}\"",
            &format!("middleware: [{{type: json_body}}, {{type: compress_body, encoding: {encoding}, min_bytes: 100}}, {{type: retry}}]"),
            "",
        );
        let long = "abc".repeat(1_000);
        let answers =
            sorted(Executor::new().send(&config, batch(["id", "text"], &[["1", &long], ["2", "short"]])));
        let plain =
            [format!("{{\"id\":\"1\",\"text\":\"{long}\"}}"), r#"{"id":"2","text":"short"}"#.to_owned()];
        for (answer, plain) in answers.iter().zip(&plain) {
            assert_eq!(answer.summary(), ("success", None, 2));
            assert_eq!(answer.request_body.as_ref(), Some(plain));
        }
        let requests = requests(&api);
        assert_eq!(requests.len(), 4);
        for request in &requests[..2] {
            assert_eq!(request.header("content-encoding"), Some(encoding));
            assert_eq!(request.header("content-type"), Some("application/json"));
            assert!(request.body_base64 && request.body_bytes < 200);
            let body = STANDARD.decode(&request.body).unwrap();
            assert_eq!(String::from_utf8(undo(&body)).unwrap(), plain[0]);
        }
        for request in &requests[2..] {
            assert_eq!(
                (request.header("content-encoding"), request.body.as_str()),
                (None, plain[1].as_str())
            );
        }
    }
}

fn gunzip(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn the_idempotency_key_has_the_header_and_the_form_of_the_api() {
    for (keys, header, before, after) in [
        ("", "idempotency-key", "", ""),
        (", header: X-Id, prefix: orders-", "x-id", "orders-", ""),
        (", format: quoted, prefix: a", "idempotency-key", "\"a", "\""),
    ] {
        let api = Api::start(&["--reset-before", "1"]);
        let config = api.config(
            "url_path: /a",
            &format!("middleware: [{{type: retry, base_delay: 0}}, {{type: idempotency_key{keys}}}]"),
            "",
        );
        let answer = Executor::new().send(&config, ids("row-", 0..1)).remove(0);
        // Without a key, a POST would not be sent again after a reset.
        assert_eq!(answer.summary(), ("transport_error", Some("reset"), 3));
        let key = format!("{before}{}{after}", answer.request_id);
        for request in api.requests() {
            assert_eq!(request.header(header), Some(key.as_str()), "{keys}");
            let own = request.headers.iter().filter(|(_, value)| value.contains(&answer.request_id)).count();
            assert_eq!(own, 1, "the key is sent once: {request:?}");
        }
    }
}

#[test]
fn an_array_is_written_as_the_api_reads_it() {
    let items = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(2)]),
        Some(vec![]),
        None,
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec!["1", "2", "3"])), Arc::new(items)];
    let rows = batch_of(&["id", "tag"], columns);
    for (arrays, one, empty) in [
        ("repeat", "tag=1&tag=2", None),
        ("comma", "tag=1,2", None),
        ("brackets", "tag%5B%5D=1&tag%5B%5D=2", None),
        ("json", "tag=%5B1%2Cnull%2C2%5D", Some("tag=%5B%5D")),
    ] {
        let api = Api::start(&[]);
        let config = api.config(
            "url_path: \"/{id}\"",
            &format!("middleware: [{{type: param_injector, arrays: {arrays}}}]"),
            "{source_column: tag, endpoint_param: tag, in: query}",
        );
        Executor::new().send(&config, rows.clone());
        let queries: Vec<_> = requests(&api).into_iter().map(|request| request.query).collect();
        let written = |text: &str| Some(text.to_owned());
        assert_eq!(queries, [written(one), empty.and_then(written), None], "{arrays}");
    }
    let api = Api::start(&[]);
    let config = api.config(
        "url_path: /a",
        "middleware: [{type: param_injector, arrays: comma}]",
        "{source_column: tag, endpoint_param: tag, in: query}",
    );
    let texts = ListArray::new(
        Arc::new(arrow_schema::Field::new_list_field(arrow_schema::DataType::Utf8, true)),
        arrow_buffer::OffsetBuffer::from_lengths([2]),
        Arc::new(StringArray::from(vec!["a,b", "&c"])),
        None,
    );
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec!["1"])), Arc::new(texts)];
    Executor::new().send(&config, batch_of(&["id", "tag"], columns));
    assert_eq!(api.requests()[0].query.as_deref(), Some("tag=a%2Cb,%26c"));
}

#[test]
fn every_attempt_sends_the_same_request_whatever_shapes_it_after_the_retry() {
    let api_key = "auth: {type: api_key, in: query, name: k, value: abcdefgh1}\n";
    let bodies = [
        "{type: json_body}",
        "{type: form_body}",
        "{type: text_body, column: tenant}",
        "{type: text_body, template: \"{id};{tenant}\", content_type: text/csv}",
        "{type: template_body, template: \"[{{ id }}]\"}",
    ];
    let headers =
        "{type: headers, headers: {Content-Type: text/x, X-Tenant: \"{tenant}\"}}, {type: idempotency_key}";
    let token = "{type: bearer_token, token: t0k3n-t0k3n}";
    let orders = bodies.iter().flat_map(|body| {
        [
            ("", format!("{headers}, {body}, {token}")),
            ("", format!("{body}, {headers}")),
            (api_key, format!("{body}, {{type: auth}}, {headers}")),
        ]
    });
    for (auth, shaping) in orders {
        let api = Api::start(&["--fail-first", "2:503:retry-after=0"]);
        let mapping = if shaping.contains("form_body") {
            "{source_column: tenant, endpoint_param: tenant, in: body}"
        } else {
            ""
        };
        let sections = format!("{auth}middleware: [{{type: retry}}, {shaping}]");
        let config = api.config("url_path: \"/{id}\"", &sections, mapping);
        let answers = Executor::new().send(&config, batch(["id", "tenant"], &[["1", "north"]]));
        assert_eq!(answers[0].summary(), ("success", None, 3), "{shaping}");
        let sent: Vec<_> = requests(&api)
            .into_iter()
            .map(|request| {
                let mut headers = request.headers;
                headers.sort();
                (request.path, request.query, headers, request.body)
            })
            .collect();
        assert_eq!(sent.len(), 3, "{shaping}");
        assert!(
            !sent[0].3.is_empty() && sent[0].2.contains(&("x-tenant".into(), "north".into())),
            "{shaping}"
        );
        assert!(sent.iter().all(|request| *request == sent[0]), "{shaping}: {sent:?}");
    }
}

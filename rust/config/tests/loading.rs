//! What a config becomes.

use apisink_config::{
    Auth, ClientAuth, Literal, Middleware, Place, ReferenceKind, SinkMode, SourceRows, Target, parse,
};

const TEMPLATE: &str = include_str!("data/full-template.yaml");

#[test]
fn the_full_template_loads_unchanged() {
    let config = parse(TEMPLATE.as_bytes(), "template.yaml").unwrap();
    let Auth::Oauth2Password(auth) = &config.auth.value else { panic!("another auth") };
    assert_eq!(auth.token_url.literal(), Some("https://auth.example.com/token"));
    assert_eq!(auth.client_auth, ClientAuth::Basic);
    assert!(config.endpoint.url_is_absolute(), "base_path has no say");
    assert_eq!(config.execution.partitions, 200);
    assert_eq!(config.execution.max_requests_per_second, Some(30.0));
    assert_eq!(config.execution.window(config.transport.tcp_connection.limit), 64);
    assert_eq!(config.transport.tcp_connection.limit, 10);
    let chain: Vec<&str> = config.middleware.iter().map(|link| link.name()).collect();
    assert_eq!(chain, ["retry", "logging", "timing", "json_body"]);
    assert_eq!(config.tables.source.required_columns.len(), 2);
    assert!(matches!(config.tables.sink.target(), Some(Target::Table(_))));
    assert_eq!(config.tables.column_mapping[0].source_column.value, "patient_id");
    assert_eq!(config.references().len(), 4);
}

#[test]
fn what_is_left_out_has_its_default() {
    let text = "endpoint: {method: post, url_path: \"https://localhost/\"}\n\
                middleware: [{type: retry}]\n\
                tables: {source: {id_column: id}, sink: {path: /out}}\nauth:\n";
    let config = parse(text.as_bytes(), "c.yaml").unwrap();
    assert_eq!(config.execution.partitions, 16);
    assert_eq!(config.execution.window(config.transport.tcp_connection.limit), 400);
    assert_eq!(config.execution.memory_budget_bytes, 128 << 20);
    assert_eq!(config.transport.max_response_bytes, 8 << 20);
    assert_eq!(config.auth.value, Auth::None);
    assert_eq!(config.endpoint.method.value, "POST");
    assert_eq!(config.endpoint.idempotency_header.unwrap().value, "Idempotency-Key");
    let Middleware::Retry(retry) = &config.middleware[0].value else { panic!("not retry") };
    assert_eq!(retry.retry_status_codes, [429, 500, 502, 503, 504]);
    assert!(retry.respect_retry_after && retry.retry_transport_errors && !retry.retry_non_idempotent);
}

#[test]
fn json_is_read_like_yaml() {
    let text = r#"{
	"endpoint": {"method": "GET", "base_path": "http://localhost", "url_path": "/\u00e9", "idempotency_header": false,
	             "query": {"limit": 10, "deep": true}},
	"tables": {
		"source": {"id_column": "id"}, "sink": {"path": "/out"},
		"column_mapping": [{"source_column": "a.b", "endpoint_param": "c", "in": "query"}]
	}
}"#;
    let config = parse(text.as_bytes(), "c.json").unwrap();
    assert_eq!(config.endpoint.url_path.literal(), Some("/é"));
    assert_eq!(config.endpoint.query[0].1.literal(), Some("10"));
    assert_eq!(config.endpoint.query[1].1.literal(), Some("true"));
    assert_eq!(config.endpoint.idempotency_header, None);
    assert_eq!(config.tables.column_mapping[0].place.as_ref().unwrap().value, Place::Query);
}

#[test]
fn references_are_listed_with_their_places() {
    let text = "auth:\n  type: basic\n  username: \"{{env.USER_NAME}}\"\n  password: \"{{secret.kv:pass}}\"\n\
                endpoint:\n  method: GET\n  base_path: \"{{env.BASE}}\"\n  url_path: /a\n\
                tables:\n  source: {id_column: id}\n  sink: {path: /out}\n";
    let references = parse(text.as_bytes(), "c.yaml").unwrap().references();
    let places: Vec<(String, u32, u32)> = references
        .iter()
        .map(|reference| (reference.to_string(), reference.line, reference.column))
        .collect();
    assert_eq!(
        places,
        [
            ("{{env.USER_NAME}}".to_owned(), 3, 13),
            ("{{secret.kv:pass}}".to_owned(), 4, 13),
            ("{{env.BASE}}".to_owned(), 7, 14)
        ]
    );
    assert_eq!(references[1].kind, ReferenceKind::Secret);
    assert_eq!((references[1].scope.as_str(), references[1].key.as_str()), ("kv", "pass"));
}

#[test]
fn a_parsed_config_prints_no_credential() {
    let text = "auth: {type: bearer, token: hunter2}\n\
                endpoint: {method: GET, url_path: \"https://localhost/\"}\n\
                tables: {source: {id_column: id}, sink: {path: /out}}\n";
    assert!(!format!("{:?}", parse(text.as_bytes(), "c.yaml").unwrap()).contains("hunter2"));
}

#[test]
fn source_and_sink_say_what_they_name() {
    let load = |source: &str, sink: &str| {
        let text = format!(
            "endpoint: {{method: GET, url_path: \"https://localhost/\"}}\n\
             tables: {{source: {{id_column: id, {source}}}, sink: {{{sink}}}}}\n"
        );
        parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}")).tables
    };
    let tables = load("", "path: /out");
    assert_eq!(tables.source.rows(), None);
    assert_eq!((tables.sink.mode.value, tables.sink.format()), (SinkMode::Append, "delta"));
    let tables = load("path: /in", "path: /out, mode: overwrite, format: parquet");
    assert!(matches!(tables.source.rows(), Some(SourceRows::Files { format: "delta", .. })));
    assert_eq!((tables.sink.mode.value, tables.sink.format()), (SinkMode::Overwrite, "parquet"));
    let tables = load(
        "identifier: a.b.c, filter: \"x > 1\", select: [\"id\", \"upper(n) AS n\"]",
        "path: /out, merge: {name: current, namespace: a.b}, source_columns: [n]",
    );
    let Some(SourceRows::Table(table)) = tables.source.rows() else { panic!("no table") };
    assert_eq!((table.namespace, table.name.literal()), (None, Some("a.b.c")));
    let merge = tables.sink.merge.as_ref().unwrap();
    assert!(matches!(merge.target(), Some(Target::Table(_))) && merge.append_rows);
    assert_eq!(tables.sink.source_columns[0].value, "n");
}

#[test]
fn a_default_keeps_the_type_it_is_written_in() {
    let text = |default: &str| {
        format!(
            "endpoint: {{method: GET, url_path: \"https://localhost/\"}}\ntables: {{source: {{id_column: id}}, sink: {{path: \
             /out}}, column_mapping: [{{source_column: a, endpoint_param: b, default: {default}}}]}}\n"
        )
    };
    for (written, expected) in [
        ("7", Some(Literal::Whole(7))),
        ("1.5", Some(Literal::Fraction(1.5))),
        ("true", Some(Literal::Bool(true))),
        ("\"7\"", Some(Literal::Text("7".into()))),
        ("\"\"", Some(Literal::Text(String::new()))),
        ("null", None),
    ] {
        let config =
            parse(text(written).as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
        let read = config.tables.column_mapping[0].default.as_ref().map(|literal| literal.value.clone());
        assert_eq!(read, expected, "{written}");
    }
    for written in ["[1]", "{a: 1}", ".nan", "\"{{env.A}}\""] {
        assert!(parse(text(written).as_bytes(), "c.yaml").is_err(), "{written}");
    }
}

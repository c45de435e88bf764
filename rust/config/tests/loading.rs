//! What a config becomes.

use apisink_config::{Auth, Middleware, Place, ReferenceKind, SinkTarget, parse};

const TEMPLATE: &str = include_str!("data/full-template.yaml");

#[test]
fn the_full_template_loads_with_bearer_auth() {
    let start = TEMPLATE.find("auth:").unwrap();
    let end = TEMPLATE.find("endpoint:").unwrap();
    let text = format!(
        "{}auth: {{type: bearer, token: \"{{{{env.TOKEN}}}}\"}}\n{}",
        &TEMPLATE[..start],
        &TEMPLATE[end..]
    );
    let config = parse(text.as_bytes(), "template.yaml").unwrap();
    assert_eq!(config.execution.partitions, 200);
    assert_eq!(config.execution.max_requests_per_second, Some(30.0));
    assert_eq!(config.execution.window(config.transport.tcp_connection.limit), 64);
    assert_eq!(config.transport.tcp_connection.limit, 10);
    let chain: Vec<&str> = config.middleware.iter().map(|link| link.name()).collect();
    assert_eq!(chain, ["retry", "logging", "timing", "json_body"]);
    assert_eq!(config.tables.source.required_columns.len(), 2);
    assert!(matches!(config.tables.sink.target(), Some(SinkTarget::Table(_))));
    assert_eq!(config.tables.column_mapping[0].source_column.value, "patient_id");
    assert_eq!(config.references().len(), 1);
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

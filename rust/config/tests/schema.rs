//! The JSON Schema and the reader agree: an editor marks nothing that the driver accepts, and finds what a single key
//! can be wrong in.

use apisink_config::{Code, json_schema, parse};
use jsonschema::Validator;
use serde_json::{Value, json};

fn validator() -> Validator {
    jsonschema::validator_for(&serde_json::from_str(&json_schema()).expect("JSON")).expect("a JSON Schema")
}

fn config() -> Value {
    json!({
        "endpoint": {"method": "GET", "base_path": "http://localhost", "url_path": "/a"},
        "tables": {"source": {"id_column": "id"}, "sink": {"path": "/out"}},
    })
}

/// The config with a value at a path.
fn with(path: &[&str], value: &Value) -> Value {
    let mut config = config();
    let mut place = &mut config;
    for name in path {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[*name];
    }
    *place = value.clone();
    config
}

/// What a single key can be wrong in, whatever the others say.
fn is_of_one_key(code: Code) -> bool {
    matches!(code, Code::UnknownKey | Code::WrongType)
}

fn compare(schema: &Validator, config: &Value) {
    let read = parse(config.to_string().as_bytes(), "c.json");
    match read {
        Ok(_) => {
            let errors: Vec<String> = schema
                .iter_errors(config)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{config} is accepted, but the schema says {errors:?}");
        }
        Err(problems) if problems.as_slice().iter().any(|problem| is_of_one_key(problem.code)) => {
            assert!(!schema.is_valid(config), "{config} is refused, but not by the schema: {problems}");
        }
        Err(_) => {}
    }
}

/// Every key of the schema, by its path.
fn keys(schema: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    for (name, key) in schema["properties"].as_object().into_iter().flatten() {
        let path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
        found.push(path.clone());
        keys(key, &path, found);
        for option in key["anyOf"].as_array().into_iter().flatten() {
            keys(option, &path, found);
        }
    }
}

#[test]
fn the_schema_refuses_nothing_that_is_accepted_and_finds_wrong_types() {
    let schema = validator();
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(2.5),
        json!(1e300),
        json!(""),
        json!("word"),
        json!("GET"),
        json!("hyper"),
        json!("append"),
        json!("{{env.A}}"),
        json!("{{"),
        json!([]),
        json!([1]),
        json!([429]),
        json!(["word"]),
        json!(["http_5xx"]),
        json!([null]),
        json!([{}]),
        json!({}),
        json!({"a": "b"}),
        json!({"a": 1, "b": true}),
        json!({"a": 1.5}),
        json!({"a": null}),
        json!({"type": "none"}),
        json!({"type": "bearer"}),
        json!({"type": "bearer", "token": "t"}),
        json!({"type": "bearer", "token": ""}),
        json!({"type": null}),
        json!([{"type": "retry"}]),
        json!([{"type": "worker_identity"}]),
        json!([{"type": "worker_identity", "level": 1}]),
        json!([{"type": "retry", "max_attempts": null, "base_delay": 1}]),
        json!([{"type": "logging", "to_sink": "yes"}]),
        json!(["retry"]),
        json!([{"source_column": "a", "endpoint_param": "b", "in": "header", "default": 1.5}]),
        json!([{"source_column": "a"}]),
    ];
    let mut paths = Vec::new();
    keys(&serde_json::from_str(&json_schema()).unwrap(), &[], &mut paths);
    assert!(paths.len() > 60, "{paths:?}");
    for path in &paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for value in &values {
            compare(&schema, &with(&path, value));
        }
        let mut unknown = path.clone();
        unknown.push("no_such_key");
        compare(&schema, &with(&unknown, &json!(1)));
    }
}

#[test]
fn the_template_and_the_examples_fit_the_schema() {
    let schema = validator();
    let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
    let examples = std::fs::read_dir(configs).unwrap().map(|entry| entry.unwrap().path());
    let yaml = examples.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/full-template.yaml");
    for path in yaml.chain([template.into()]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

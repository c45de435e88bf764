//! What is made of answers: what is understood, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

use apisink_config::{ReferenceKind, parse};
use apisink_plan::{
    Compiled, DriverField, FieldKind, Inputs, JsonResponseSpec, ResolvedReference, Secret, compile,
};

fn config(keys: &str) -> String {
    format!(
        "endpoint: {{method: POST, base_path: \"http://localhost/v1\", url_path: /a}}\ntables:\n  source: {{id_column: id}}\n  \
         sink: {{path: /out, source_columns: [Region]}}\nmiddleware:\n  - type: json_response\n{keys}\n"
    )
}

fn tried(text: &str, schema: &str) -> Result<Compiled, String> {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let references = vec![ResolvedReference {
        kind: ReferenceKind::File,
        scope: String::new(),
        key: "s.json".into(),
        value: Some(Secret::new(schema)),
        error: None,
    }];
    compile(&config, &Inputs { references, ..Inputs::default() }).map_err(|problems| problems.to_string())
}

#[test]
fn fields_become_columns_after_the_sources() {
    let text = config(
        "    fields: [{name: no, pointer: /no, type: long, required: true}, {name: ok, pointer: /a/b, type: boolean}, {name: t, pointer: /t}]",
    );
    let compiled = tried(&text, "").unwrap();
    let named = |name: &str, kind| (name.to_owned(), kind);
    let expected =
        [named("no", FieldKind::Long), named("ok", FieldKind::Boolean), named("t", FieldKind::String)];
    assert_eq!(compiled.plan.sink.response_fields, expected);
    let types: Vec<_> = expected
        .iter()
        .map(|(name, kind)| DriverField { name: name.clone(), data_type: kind.spark().to_owned() })
        .collect();
    assert_eq!(compiled.driver.sink.response_fields, types);
    let spec: JsonResponseSpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    assert_eq!((spec.fields[0].required, spec.fields[1].pointer.as_str()), (true, "/a/b"));
}

#[test]
fn a_name_that_is_taken_is_refused() {
    for (name, why) in [
        ("Tracking_ID", "the sink's rows have a column of that name of their own"),
        ("ingested_at", "the sink's rows have a column of that name of their own"),
        ("region", "`tables.sink.source_columns` keeps a column of that name"),
        ("NO", "another field has that name"),
    ] {
        let text = config(&format!("    fields: [{{name: no, pointer: /a}}, {{name: {name}, pointer: /b}}]"));
        let told = tried(&text, "").unwrap_err();
        assert!(told.starts_with("c.yaml:7:46: ") && told.contains(why), "{told}");
    }
}

#[test]
fn a_condition_is_compiled_on_the_driver() {
    let refused =
        |condition: &str| tried(&config(&format!("    success_when: {condition}")), "").unwrap_err();
    assert_eq!(
        refused("bdy.status == 'ok'"),
        "c.yaml:7:19: in `success_when`: there is no `bdy` here; there are body and status [CONFIG_INVALID_VALUE]\n    \
         success_when: bdy.status == 'ok'\n  write an expression such as `body.status == 'ok'`"
    );
    assert!(refused("body.a b").starts_with("c.yaml:7:26: "), "{}", refused("body.a b"));
    assert!(refused("\"body.a is nun\"").contains("there is no test `nun`"));
    tried(&config("    success_when: body.status == 'ok' and status != 204"), "").unwrap();
}

#[test]
fn a_schema_is_compiled_on_the_driver_and_fetches_nothing() {
    let with = |schema: &str| tried(&config("    schema_file: s.json"), schema);
    let compiled = with("{\"type\": \"object\", \"required\": [\"id\"]}").unwrap();
    let spec: JsonResponseSpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    assert_eq!(spec.schema.unwrap()["required"][0], "id");
    for (schema, why) in [
        ("{\"type\":\n 1,}", "c.yaml:7:18: s.json:2:4: it is no JSON"),
        ("{\"properties\": {\"a\": {\"type\": \"objekt\"}}}", "at /properties/a/type"),
        ("{\"$ref\": \"https://example.com/other.json\"}", "s.json: it is no JSON Schema: "),
        ("{\"pattern\": \"(a)\\\\1\"}", "s.json: it is no JSON Schema: "),
    ] {
        let told = with(schema).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn what_is_made_of_answers_makes_no_other_requests() {
    let digest = |keys: &str| tried(&config(keys), "").unwrap().driver.request_digest;
    assert_eq!(digest("    json_column: false"), digest("    success_when: body.ok"));
}

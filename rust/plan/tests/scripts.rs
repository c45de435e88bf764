//! Scripts: what the driver takes of them, and what it refuses where.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

use apisink_config::{ReferenceKind, parse};
use apisink_plan::{Compiled, Inputs, ResolvedReference, ScriptSpec, Secret, compile};

/// A config whose script begins in line 8, column 7.
fn config(script: &str, more: &str) -> String {
    let indented: String = script.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "endpoint: {{method: POST, base_path: \"http://localhost/v1\", url_path: /a}}\ntables:\n  source: {{id_column: id}}\n  \
         sink: {{path: /out}}\nmiddleware:\n  - type: script\n    script: |\n{indented}{more}"
    )
}

fn inputs() -> Inputs {
    let secret = ResolvedReference {
        kind: ReferenceKind::Secret,
        scope: "vendor".into(),
        key: "key".into(),
        value: Some(Secret::new("hunter2")),
        error: None,
    };
    let columns = ["id", "region", "a.b"].map(str::to_owned).to_vec();
    Inputs { references: vec![secret], columns: Some(columns), ..Inputs::default() }
}

fn compiled(text: &str) -> Compiled {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    compile(&config, &inputs()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refusal(text: &str) -> String {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    compile(&config, &inputs()).expect_err("the config is refused").to_string()
}

#[test]
fn a_script_takes_the_columns_that_it_names_and_its_secrets_travel_apart() {
    let script = "fn request(request, row) {
  let city = row.region.sub_string(0, 2);
  request.set_header(\"x-signature\", hmac_sha256_hex(secret(\"signing\"), city + row[\"a.b\"] + row.region));
}";
    let compiled = compiled(&config(script, "    secrets: {signing: \"{{secret.vendor:key}}\"}\n"));
    let spec: ScriptSpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    let names: Vec<&str> = spec.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["region", "a.b"]);
    assert_eq!(spec.columns[1].1.path, ["a.b"]);
    assert_eq!((spec.request, spec.response, spec.reads_json), (true, false, false));
    assert!(!serde_json::to_string(&compiled.plan).unwrap().contains("hunter2"));
    assert_eq!(compiled.secrets.get(spec.secrets[0].1).unwrap().expose(), "hunter2");
    assert_eq!(compiled.driver.columns.unwrap(), ["id", "region", "a.b"]);
}

#[test]
fn the_columns_that_it_fills_stand_after_those_of_json_response() {
    let more = "    fields: [{name: order_no, type: long}]\n  - type: json_response\n    fields: [{name: state, pointer: /s}]\n";
    let compiled = compiled(&config("fn response(response, row) { response.json.x }", more));
    let names: Vec<&str> = compiled.plan.sink.response_fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["state", "order_no"]);
    let spec: ScriptSpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    assert_eq!((spec.first_field, spec.reads_json), (1, true));
}

#[test]
fn what_cannot_work_is_refused_with_its_place() {
    let body = |line: &str| format!("fn request(request, row) {{\n  {line}\n}}");
    for (script, more, expected) in [
        (body("let x = ;"), "", "c.yaml:9:17: in the `script`: Unexpected ';'"),
        (body("let x = regoin;"), "", "c.yaml:9:17: in the `script`: Undefined variable: regoin"),
        (
            body("request.set_heder(\"a\", \"b\");"),
            "",
            "c.yaml:9:17: in the `script`: there is no function `set_heder`",
        ),
        (body("row.regoin"), "", "c.yaml:9:13: in the `script`: the source has no column `regoin`"),
        (body("secret(\"signing\")"), "", "c.yaml:9:16: in the `script`: there is no secret `signing`"),
        (body("eval(\"1\")"), "", "c.yaml:9:9: in the `script`: "),
        ("fn request(request) {}".into(), "", "c.yaml:8:7: in the `script`: `request` takes request"),
        ("fn reqest(request, row) {}".into(), "", "there is neither `fn request(request, row)` nor"),
        (body("1"), "    secrets: {unused: x}\n", "the script never asks for the secret `unused`"),
        (body("1"), "    fields: [{name: outcome}]\n", "the field `outcome` can't be a column"),
    ] {
        let said = refusal(&config(&script, more));
        assert!(said.contains(expected), "{expected}\nis not in\n{said}");
    }
}

#[test]
fn a_near_name_is_suggested() {
    let said = refusal(&config("fn request(request, row) { request.set_heder(\"a\", row.regoin); }", ""));
    assert!(said.contains("did you mean `set_header`?") && said.contains("did you mean `region`?"), "{said}");
}

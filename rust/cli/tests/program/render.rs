//! `apisink render`.

use std::process::Command;

use crate::support::{Api, Call};

const CONFIG: &str = "\
execution: {max_requests_per_second: 30}
auth: {type: bearer, token: \"{{secret.vendor:token}}\"}
endpoint:
  method: POST
  base_path: \"{{env.API}}/v1\"
  url_path: \"/p/{patient}?note={note}\"
  headers: {X-Tenant: \"it's {patient}\"}
middleware: [{type: retry}, {type: json_body}]
tables:
  source: {id_column: id, identifier: a.b}
  sink: {path: /out}
  column_mapping:
    - {source_column: patient, endpoint_param: patient}
    - {source_column: text, endpoint_param: text, in: body}
";

const ROWS: &str = r#"{"id": 1, "patient": "a/b", "note": "[x] & {y}", "text": "it's $HOME `id` \"q\" \\ \n\u00e9 !"}
{"id": 2, "patient": null, "note": "", "text": "@/etc/passwd"}
{"id": 3, "patient": "..c", "note": null, "text": "@/etc/passwd"}
"#;

#[test]
fn each_row_becomes_a_curl_command_or_says_why_not() {
    let call = Call::new().file("c.yaml", CONFIG).file("rows.ndjson", ROWS).env("API", "https://localhost");
    let told = call.run(&["render", "c.yaml", "--rows", "rows.ndjson", "-n", "2", "--count", "1000000"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert_eq!(
        told.out,
        "# id 1\ncurl --request POST \\\n  'https://localhost/v1/p/a%2Fb?note=%5Bx%5D%20%26%20%7By%7D' \\\n  \
         --header 'user-agent: apisink/0.1.0' \\\n  --header 'x-tenant: it'\\''s a/b' \\\n  \
         --header 'idempotency-key: ba9a3e26-dbd4-5d3a-8d40-2b0a1b4b1c0f' \\\n"
            .replace("ba9a3e26-dbd4-5d3a-8d40-2b0a1b4b1c0f", key(&told.out))
            + "  --header 'content-type: application/json' \\\n  --header 'authorization: ***' \\\n  \
               --header 'accept-encoding: gzip, deflate, br, zstd' \\\n  --compressed \\\n  --header 'accept:' \\\n  \
               --data-raw '{\"text\":\"it'\\''s $HOME `id` \\\"q\\\" \\\\ \\né !\"}'\n\n\
               # id 2: not sent, path_value: column patient: null cannot stand in the URL's path\n\n\
               # 1000000 rows at 30 requests per second: at least 9 h 15 min, and longer by each retry\n"
    );
}

fn key(out: &str) -> &str {
    out.split("idempotency-key: ").nth(1).unwrap().split('\'').next().unwrap()
}

#[test]
fn nothing_is_sent() {
    let api = Api::start(&[]);
    let call = Call::new().file("c.yaml", CONFIG).file("rows.ndjson", ROWS).env("API", &api.url());
    assert_eq!(call.run(&["render", "c.yaml", "--rows", "rows.ndjson"]).code, 0);
    assert_eq!(api.requests().len(), 0);
}

/// Runs the printed text as a script, and sends the same rows: the API cannot tell one from the other.
#[test]
fn the_commands_send_what_the_engine_sends() {
    let api = Api::start(&[]);
    let anonymous = CONFIG.replace("auth: {type: bearer, token: \"{{secret.vendor:token}}\"}\n", "");
    for (text, n) in [
        (anonymous.clone(), "3"),
        (
            anonymous
                .replace("POST", "GET")
                .replace("{type: retry}, {type: json_body}", "{type: retry}")
                .replace("    - {source_column: text, endpoint_param: text, in: body}\n", ""),
            "3",
        ),
        (
            anonymous.replace(
                "X-Tenant: \"it's {patient}\"",
                "Accept: \"text/*\", X-Empty: \"\", X-Dollar: \"$(id)\"",
            ),
            "3",
        ),
        (anonymous.replace("method: POST", "method: PATCH\n  idempotency_header: false"), "1"),
    ] {
        let call = Call::new().file("c.yaml", &text).file("rows.ndjson", ROWS).env("API", &api.url());
        let of =
            |command: &str| call.run(&[command, "c.yaml", "--rows", "rows.ndjson", "-n", n, "--run-id", "r"]);
        let rendered = of("render");
        assert_eq!(rendered.code, 0, "{}", rendered.err);
        let script = format!("set -e\n{}", rendered.out);
        let shell = Command::new("sh").arg("-c").arg(&script).env_remove("http_proxy").output().unwrap();
        assert!(shell.status.success(), "{script}\n{}", String::from_utf8_lossy(&shell.stderr));
        let by_curl = api.drain();
        of("send");
        assert_eq!(by_curl, api.drain(), "{script}");
        assert!(by_curl.lines().count() >= 1);
    }
}

#[test]
fn a_variable_that_is_not_set_is_shown_as_it_is_written() {
    let call = Call::new().file("c.yaml", CONFIG).file("rows.ndjson", ROWS);
    let told = call.run(&["render", "c.yaml", "--rows", "rows.ndjson", "-n", "1"]);
    assert!(told.out.contains("'{{env.API}}/v1/p/a%2Fb?note="), "{}", told.all());
}

#[test]
fn credentials_are_masked_wherever_they_stand() {
    let text = CONFIG
        .replace("X-Tenant: \"it's {patient}\"", "X-Api-Key: \"{{env.KEY}}\", X-Raw-Token: hunter2-raw");
    let text = text.replace("note={note}", "note={note}&sig={{secret.vendor:token}}");
    let call = Call::new().file("c.yaml", &text).file("rows.ndjson", ROWS).env("API", "https://localhost");
    let call = call.env("KEY", "hunter2-key").env("APISINK_SECRET_VENDOR__TOKEN", "hunter2-token");
    let told = call.run(&["render", "c.yaml", "--rows", "rows.ndjson"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(!told.all().contains("hunter2"), "{}", told.all());
    assert!(
        told.out.contains("--header 'x-api-key: ***'") && told.out.contains("&sig=%2A%2A%2A'"),
        "{}",
        told.out
    );
}

#[test]
fn rows_that_lack_a_column_are_refused_before_anything_is_rendered() {
    let call = Call::new()
        .file("c.yaml", CONFIG)
        .file("rows.ndjson", "{\"id\": 1, \"patent\": 2, \"text\": 3, \"note\": 4}\n");
    let told = call.run(&["render", "c.yaml", "--rows", "rows.ndjson"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(told.err.contains("the source has no column `patient`"), "{}", told.err);
    assert!(told.err.contains("did you mean `patent`?"), "{}", told.err);
}

#[test]
fn rows_that_are_no_json_are_named_by_their_line() {
    let call = Call::new().file("c.yaml", CONFIG).file("rows.ndjson", "{\"id\": 1}\n\nid,patient\n");
    let told = call.run(&["render", "c.yaml", "--rows", "rows.ndjson"]);
    assert_eq!(told.code, 1);
    assert!(told.err.starts_with("apisink: rows.ndjson: line 3 is no JSON object"), "{}", told.err);
}

#[test]
fn no_token_is_asked_for() {
    let template = include_str!("../../../config/tests/data/full-template.yaml");
    let call =
        Call::new().file("c.yaml", template).file("rows.ndjson", "{\"tracking_id\": 1, \"patient_id\": 2}\n");
    assert_eq!(call.run(&["check", "c.yaml"]).code, 0);
    let told = call.run(&["render", "c.yaml", "--rows", "rows.ndjson"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("https://api.example.com/v1/patient"), "{}", told.all());
    assert!(told.out.contains("--header 'authorization: ***'"), "{}", told.all());
}

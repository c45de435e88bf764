//! What the refusals say.

use apisink_config::parse;

const TEMPLATE: &str = r#"
execution:
  partitions: 200
  max_requests_per_second: 30

transport:
  base_timeout: 30
  warmup_timeout: 10
  tcp_connection:
    limit: 10

auth:
  type: oauth2_password
  token_url: "https://auth.example.com/token"
  client_id: "{{secret.DATABRICKS_SCOPE:CLIENT_ID_KEY}}"
  client_secret: "{{secret.DATABRICKS_SCOPE:CLIENT_SECRET_KEY}}"
  username: "{{secret.DATABRICKS_SCOPE:USERNAME_KEY}}"
  password: "{{secret.DATABRICKS_SCOPE:PASSWORD_KEY}}"

endpoint:
  method: POST
  base_path: "https://api.example.com/v1"
  url_path: "https://api.example.com/v1/patient"
  headers:
    Accept: "application/json"
    Content-Type: "application/json"

middleware:
  - type: retry
    max_attempts: 3
    retry_status_codes: [429, 500, 502, 503]
    base_delay: 0.2
    max_delay: 2.0
  - type: logging
  - type: timing
  - type: json_body

tables:
  source:
    name: api_staging
    namespace: catalog.schema
    id_column: tracking_id

    required_columns:
      - tracking_id
      - patient_id

  sink:
    name: api_response
    namespace: catalog.schema
    mode: append

  column_mapping:
    - source_column: patient_id
      endpoint_param: patient
"#;

/// The smallest config, with `change` applied to its text.
fn refusal(text: &str) -> String {
    parse(text.as_bytes(), "c.yaml").expect_err("the config is refused").to_string()
}

fn minimal() -> String {
    "endpoint:\n  method: GET\n  base_path: http://localhost/v1\n  url_path: /a\n\
     tables:\n  source: {id_column: id}\n  sink: {path: /out}\n"
        .to_owned()
}

#[test]
fn play() {
    for text in [
        TEMPLATE.to_owned(),
        TEMPLATE.replace("oauth2_password", "bearer"),
        minimal().replace("method", "mehtod").replace("url_path: /a", "url_path: /a\n  url_path: /b\n  colour: 1"),
        "auth:\n  type: bearer\n  token: {{env.X}}\n".to_owned() + &minimal(),
        "auth:\n  type: bearer\n  token: \"hunter2 {{\"\n".to_owned() + &minimal(),
        "auth:\n  type: bearer\n  token: \"hunter2\n".to_owned() + &minimal(),
        "execution: {partitions: 0, max_requests_per_second: .nan, batch_rows: lots}\n".to_owned() + &minimal(),
        "execution: {max_requests_per_second: 1e400, flush_seconds: -.inf}\n".to_owned() + &minimal(),
        "".to_owned(), "# nothing\n".to_owned(), "- a\n".to_owned(), "a: [".to_owned(), "a: b\n---\nc: d\n".to_owned(),
        "a: *x\n".to_owned(),
        "middleware: [{type: retyr}, {type: timing}, {type: timing}, timing]\n".to_owned() + &minimal(),
        minimal().replace("http://", "ftp://"),
        minimal().replace("  base_path: http://localhost/v1\n", ""),
        minimal().replace("{path: /out}", "{path: /out, name: x}"),
        minimal().replace("{path: /out}", "{name: x}"),
        minimal().replace("{path: /out}", "{}"),
        minimal().replace("{id_column: id}", "{}"),
    ] {
        match parse(text.as_bytes(), "c.yaml") {
            Ok(_) => println!("OK\n------"),
            Err(e) => println!("{e}\n------"),
        }
    }
    let _ = refusal;
}

//! `apisink send`.

use crate::support::{Api, Call};

const CONFIG: &str = "\
auth: {type: bearer, token: \"{{secret.vendor:token}}\"}
endpoint:
  method: PUT
  base_path: \"{{env.API}}\"
  url_path: \"{path}\"
middleware: [{type: retry, max_attempts: 3, base_delay: 0}, {type: json_body}]
tables:
  source: {id_column: id}
  sink: {path: /out}
  column_mapping:
    - {source_column: path, endpoint_param: path}
    - {source_column: name, endpoint_param: name, in: body}
";

fn call(api: &Api, rows: &str) -> Call {
    Call::new()
        .file("c.yaml", CONFIG)
        .file("rows.ndjson", rows)
        .env("API", &api.url())
        .env("APISINK_SECRET_VENDOR__TOKEN", "hunter2")
}

#[test]
fn exchanges_are_printed_with_request_attempts_and_answer() {
    let api = Api::start(&["--bearer", "hunter2", "--fail-first", "1:503"]);
    let told = call(&api, "{\"id\": \"r1\", \"path\": \"a\", \"name\": \"Ada\"}\n").run(&[
        "send",
        "c.yaml",
        "--rows",
        "rows.ndjson",
        "--run-id",
        "r",
    ]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{}", told.out);
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!(lines[0], "run r");
    assert!(lines[2].starts_with("* row r1, request_id "), "{}", told.out);
    assert_eq!(lines[3], format!("> PUT {}/a", api.url()));
    for line in
        ["> authorization: ***", "> {\"name\":\"Ada\"}", "< status 200", "< content-type: application/json"]
    {
        assert!(lines.contains(&line), "{line}\nis not in\n{}", told.out);
    }
    let begins = |start: &str| lines.iter().any(|line| line.starts_with(start));
    for start in [
        "* attempt 1: status 503, took ",
        "* attempt 2: status 200, took ",
        "< {\"path\":\"/a\"",
        "* HTTP/1.1 to 127.0.0.1:",
        "* success, 2 attempts in ",
    ] {
        assert!(begins(start), "{start}\nbegins no line of\n{}", told.out);
    }
    assert_eq!(lines.last(), Some(&"1 of 1 exchanges were successful"));
}

#[test]
fn rows_are_sent_in_their_order_and_only_so_many() {
    let api = Api::start(&["--bearer", "hunter2"]);
    let rows: String =
        (0..9).map(|n| format!("{{\"id\": {n}, \"path\": \"p{n}\", \"name\": null}}\n")).collect();
    let told = call(&api, &rows).run(&["send", "c.yaml", "--rows", "rows.ndjson", "-n", "4"]);
    assert_eq!(told.code, 0, "{}", told.all());
    let paths: Vec<String> = api.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/p0", "/p1", "/p2", "/p3"]);
}

#[test]
fn an_exchange_without_success_is_told_by_the_exit_code() {
    let api = Api::start(&["--bearer", "another"]);
    let told = call(
        &api,
        "{\"id\": 1, \"path\": \"a\", \"name\": \"b\"}\n{\"id\": 2, \"path\": null, \"name\": \"b\"}\n",
    )
    .run(&["send", "c.yaml", "--rows", "rows.ndjson"]);
    assert_eq!(told.code, 1);
    for line in [
        "< status 401",
        "* http_error, 1 attempt in ",
        "* path_value: column path: null",
        "* invalid_row, 0 attempts",
        "0 of 2 exchanges were successful",
    ] {
        assert!(told.out.contains(line), "{line}\nis not in\n{}", told.out);
    }
}

#[test]
fn credentials_that_the_api_echoes_are_masked() {
    let api = Api::start(&["--bearer", "hunter2", "--echo"]);
    let told = call(&api, "{\"id\": 1, \"path\": \"a\", \"name\": \"b\"}\n").run(&[
        "send",
        "c.yaml",
        "--rows",
        "rows.ndjson",
    ]);
    assert_eq!(told.code, 0, "{}", told.all());
    assert!(
        told.out.contains("\"authorization\":\"Bearer ***\"") && !told.all().contains("hunter2"),
        "{}",
        told.out
    );
}

#[test]
fn a_secret_that_is_missing_keeps_everything_from_being_sent() {
    let api = Api::start(&[]);
    let call =
        Call::new().file("c.yaml", CONFIG).file("rows.ndjson", "{\"id\": 1, \"path\": \"a\", \"name\": 1}\n");
    let told = call.env("API", &api.url()).run(&["send", "c.yaml", "--rows", "rows.ndjson"]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("{{secret.vendor:token}} has no value"), "{}", told.err);
    assert_eq!(api.requests().len(), 0);
}

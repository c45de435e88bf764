//! `apisink explain`.

use crate::support::Call;

const CONFIG: &str = "\
execution: {partitions: 8, max_requests_per_second: 12.5, resend_on_resume: [http_5xx]}
auth: {type: basic, username: \"{{env.API_USER}}\", password: \"{{secret.vendor:password}}\"}
endpoint:
  method: POST
  base_path: \"{{env.API}}/v1\"
  url_path: /p/{patient}?key={{secret.vendor:key}}
  headers: {X-Tenant: \"t-{tenant}\", Accept: application/json}
middleware:
  - type: timing
  - type: retry
    max_attempts: 4
  - type: param_injector
  - type: json_body
tables:
  source: {id_column: id, identifier: a.b.c, filter: \"x > 1\"}
  sink: {path: /out, source_columns: [region], merge: {path: /current}}
  column_mapping:
    - {source_column: patient_id, endpoint_param: patient}
    - {source_column: page, endpoint_param: page, in: query}
    - {source_column: name.first, endpoint_param: name.first, default: \"?\"}
    - {source_column: born, endpoint_param: born, required: true}
";

fn explained(text: &str) -> String {
    let told = Call::new().file("c.yaml", text).run(&["explain", "c.yaml"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    told.out
}

#[test]
fn each_part_of_the_request_says_where_it_comes_from() {
    let told = explained(CONFIG);
    let request = told.split("THE CHAIN").next().unwrap();
    assert_eq!(
        request,
        "c.yaml\n\nTHE REQUEST, one for each row\n  \
         POST                    {{env.API}}/v1/p/{patient_id}\n  \
         path                    column patient_id; a null makes the row an invalid_row; percent-encoded, so that it\n                          \
         stays one segment\n  \
         query key               a secret, shown as ***\n  \
         query page              column page; a null leaves it out\n  \
         header x-tenant         \"t-{tenant}\"\n  \
         header accept           \"application/json\"\n  \
         header idempotency-key  the row's request_id, the same in every attempt\n  \
         credentials             auth `basic`\n  \
         body name.first         column name.first, or \"?\" instead of a null\n  \
         body born               column born; a null makes the row an invalid_row\n  \
         longest URL             8192 bytes; a row whose URL is longer is an invalid_row\n\n"
    );
}

#[test]
fn a_body_of_text_or_by_a_template_says_what_it_is_made_of() {
    let bodies = |link: &str| {
        let text = CONFIG.replace("  - type: json_body\n", link);
        let text = &text[..text.find("    - {source_column: name.first").unwrap()];
        let told = Call::new()
            .file("c.yaml", text)
            .file("order.j2", "{\"n\": {{ name }},\n \"id\": {{ patient }}}\n")
            .run(&["explain", "c.yaml"]);
        assert_eq!((told.code, told.err.as_str()), (0, ""));
        let request = told.out.split("THE CHAIN").next().unwrap();
        request
            .lines()
            .filter(|line| line.starts_with("  body"))
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(
        bodies("  - {type: text_body, template: \"{patient};{name}\"}\n"),
        "body                    \"{patient_id};{name}\"; text/plain; charset=utf-8"
    );
    assert_eq!(
        bodies("  - {type: template_body, template_file: order.j2}\n"),
        "body                    the template order.j2, 2 lines, as application/json; a row whose body is no JSON is\n\
         body {{ name }}         column name\n\
         body {{ patient }}      column patient_id"
    );
}

#[test]
fn headers_of_the_chain_are_parts_of_the_request_and_their_credentials_are_not_shown() {
    let links = "  - {type: headers, headers: {X-Row: \"r-{patient}\"}}\n  \
                 - {type: header_auth, header: X-Api-Key, value: hunter22}\n  \
                 - {type: bearer_token, header: X-Bearer, token: hunter22}\n  \
                 - {type: idempotency_key, header: X-Id, format: quoted, prefix: o-}\n";
    let told =
        explained(&CONFIG.replace(
            "  - type: json_body\n",
            &format!("  - type: json_body\n{links}  - type: compress_body\n"),
        ));
    for line in [
        "header x-row             \"r-{patient_id}\"",
        "header x-api-key         a credential, shown as ***",
        "header x-bearer          Bearer and a token, shown as ***",
        "header x-id              the row's request_id, as \"o-…\", the same in every attempt",
        "header content-encoding  gzip, if the body has 1024 bytes or more",
        "a request twice  the API can tell by x-id",
    ] {
        assert!(told.contains(line), "{line}\nis not in\n{told}");
    }
    assert!(!told.contains("hunter22") && !told.contains("idempotency-key"), "{told}");
}

#[test]
fn the_chain_says_what_is_made_of_answers() {
    let link = "  - {type: json_response, schema_file: s.json, success_when: body.ok, \
                fields: [{name: no, pointer: /order/no, type: long, required: true}]}\n";
    let text = CONFIG.replace("  - type: json_body\n", &format!("  - type: json_body\n{link}"));
    let call = Call::new().file("c.yaml", &text).file("s.json", "{\"type\": \"object\"}");
    let told = call.run(&["explain", "c.yaml"]);
    let told = told.all().replace("\n        ", " ");
    let keys = "json_column: true, success_when: \"body.ok\", by a JSON Schema, column no (bigint) from /order/no, required";
    assert!(told.contains(keys), "{told}");
}

#[test]
fn a_template_that_is_not_there_or_has_a_fault_is_refused_without_resolving_anything() {
    let text =
        CONFIG.replace("  - type: json_body\n", "  - {type: template_body, template_file: order.j2}\n");
    let absent = Call::new().file("c.yaml", &text).run(&["check", "c.yaml"]);
    assert!(absent.err.contains("c.yaml:13:42: the file order.j2 has no value"), "{}", absent.all());
    let faulty = Call::new().file("c.yaml", &text).file("order.j2", "{{ name }\n").run(&["check", "c.yaml"]);
    assert!(faulty.err.contains("c.yaml:13:42: order.j2:1:9: unexpected"), "{}", faulty.all());
}

#[test]
fn the_chain_says_what_runs_once_per_row_and_what_once_per_attempt() {
    let told = explained(CONFIG);
    let chain = told.split("THE CHAIN").nth(1).unwrap().split("A RUN").next().unwrap();
    let marks: Vec<&str> = chain
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("once") || line.starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        marks,
        [
            "once per row",
            "1  timing",
            "2  retry",
            "once per attempt, at most 4 for a row",
            "3  param_injector",
            "4  json_body",
            "5  auth",
            "6  transport (hyper)"
        ]
    );
    assert!(chain.contains("the limit of 12.5 requests per second is charged here"), "{chain}");
}

#[test]
fn a_budget_of_retries_is_told_where_they_are() {
    let told = explained(&CONFIG.replace("  - type: retry\n", "  - type: retry\n    budget: {share: 0.1}\n"));
    assert!(told.contains("retries of an executor are bounded by 0.1 for each first attempt"), "{told}");
}

#[test]
fn a_run_says_what_it_promises() {
    let told = explained(CONFIG);
    for line in [
        "source           table a.b.c, rows where x > 1",
        "tracking_id      column id; rows are spread over 8 Spark tasks by it",
        "sink             the table at /out (format delta), rows are appended; source columns kept: region",
        "merged table     the table at /current, one current row per tracking_id, beside the rows of the sink",
        "exactly one row  for every source row, whatever died in between",
        "journal          answers are kept in /out/_apisink until they are in the sink",
        "is not asked for again, but for http_5xx",
        "stops early      when an executor's first 20 rows are all answered with 401 or 403; what was answered is kept",
        "a request twice  the API can tell by idempotency-key",
        "rate             at most 12.5 attempts per second, retries included",
    ] {
        assert!(told.replace("\n                   ", " ").contains(line), "{line}\nis not in\n{told}");
    }
}

#[test]
fn what_is_not_promised_is_told() {
    let text = CONFIG
        .replace("path: /out,", "path: /out, format: parquet,")
        .replace("method: POST", "method: POST\n  idempotency_header: false");
    let told = explained(&text).replace("\n                   ", " ");
    assert!(told.contains("exactly one row  not promised: format parquet"), "{told}");
    assert!(
        told.contains("a request twice  nothing would tell the API, so that after a broken connection POST is tried again only if"),
        "{told}"
    );
    assert!(told.contains("\nWARNING: the sink's format is parquet"), "{told}");
}

#[test]
fn a_run_says_which_http_it_speaks() {
    let at = |url: &str, transport: &str| {
        let config = CONFIG.replace("{{env.API}}/v1", url);
        explained(&format!("{config}transport: {{{transport}}}\n")).replace("\n                   ", " ")
    };
    let one = "HTTP             HTTP/1.1\n";
    let two = "HTTP             HTTP/2, with up to 8 requests at once over a connection";
    let eight = "http2: {streams_per_connection: 8}";
    assert!(at("http://localhost", eight).contains(one));
    assert!(
        at("https://localhost", eight).contains(&format!("{two}, if the server prefers it; else HTTP/1.1\n"))
    );
    assert!(at("https://localhost", "http_version: http1").contains(one));
    assert!(at("http://localhost", &format!("http_version: http2, {eight}")).contains(&format!("{two}\n")));
}

#[test]
fn references_are_shown_as_they_are_written_with_their_lines() {
    let told = explained(CONFIG);
    for line in ["{{env.API}}                 line 5", "{{secret.vendor:password}}  line 2"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(!told.contains("stand-in"), "{told}");
}

#[test]
fn a_run_says_where_its_rows_do_not_go_and_which_are_left_out() {
    let merged = CONFIG.replace("merge: {path: /current}", "merge: {path: /current, append_rows: false}");
    let told = explained(&format!("{merged}\n")).replace("\n                   ", " ");
    assert!(
        told.contains("sink             the table at /out gets no rows: they go to the merged table alone"),
        "{told}"
    );
    let skipping = CONFIG.replace("partitions: 8", "partitions: 8, skip_delivered: any, repeated_ids: send");
    let told = explained(&skipping).replace("\n                   ", " ");
    for line in [
        "left out         rows of whose tracking_id the sink has an answer from an earlier run",
        "each row of the same one is sent, told apart by its content",
    ] {
        assert!(told.contains(line), "{line}\nis not in\n{told}");
    }
}

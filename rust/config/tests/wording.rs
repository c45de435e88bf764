//! What the refusals say.

use apisink_config::{Code, parse};

/// The template of the framework that this library replaces, unchanged.
const TEMPLATE: &str = include_str!("data/full-template.yaml");

/// The smallest config.
const MINIMAL: &str = "\
endpoint:
  method: GET
  base_path: http://localhost/v1
  url_path: /a
tables:
  source: {id_column: id}
  sink: {path: /out}
";

fn refusal(text: &str) -> String {
    parse(text.as_bytes(), "c.yaml").expect_err("the config is refused").to_string()
}

fn with(section: &str) -> String {
    format!("{MINIMAL}{section}\n")
}

#[test]
fn an_auth_type_that_is_not_known_is_refused_with_the_known_ones() {
    assert_eq!(
        refusal(&TEMPLATE.replace("oauth2_password", "oauth2_pasword")),
        "c.yaml:12:9: `auth.type` is `oauth2_pasword`, which is not known [CONFIG_INVALID_VALUE]\n    \
         type: ***\n  did you mean `oauth2_password`? known are `none`, `basic`, `bearer`, `api_key`, `oauth2_password`, \
         `oauth2_client_credentials`, `aws_sigv4`"
    );
}

#[test]
fn all_unknown_duplicate_and_missing_keys_come_at_once() {
    let text = MINIMAL
        .replace("method", "mehtod")
        .replace("url_path: /a", "url_path: /a\n  url_path: /b\n  colour: 1")
        .replace("{id_column: id}", "{}");
    let known = "known are `method`, `base_path`, `url_path`, `headers`, `query`, `idempotency_header`, `max_url_length`";
    assert_eq!(
        refusal(&text),
        format!(
            "c.yaml:1:1: `endpoint.method` is missing [CONFIG_MISSING_KEY]\n    endpoint:\n  \
             write for example `method: POST`\n\
             c.yaml:2:3: `endpoint` has no key `mehtod` [CONFIG_UNKNOWN_KEY]\n    mehtod: GET\n  \
             did you mean `method`? {known}\n\
             c.yaml:5:3: `endpoint.url_path` stands here again; first in line 4 [CONFIG_DUPLICATE_KEY]\n    \
             url_path: /b\n  remove one of them\n\
             c.yaml:6:3: `endpoint` has no key `colour` [CONFIG_UNKNOWN_KEY]\n    colour: 1\n  {known}"
        )
    );
}

#[test]
fn ranges_and_types_name_what_is_allowed() {
    let text = with("execution:\n  partitions: 0\n  max_requests_per_second: .nan\n  batch_rows: lots");
    assert_eq!(
        refusal(&text),
        "c.yaml:9:15: `execution.partitions` is 0, but must be from 1 to 100000 tasks [CONFIG_INVALID_VALUE]\n    \
         partitions: 0\n  write for example `partitions: 16`\n\
         c.yaml:10:28: `execution.max_requests_per_second` is NaN, but must be from 0.0001 to 1000000 attempts per \
         second [CONFIG_INVALID_VALUE]\n    max_requests_per_second: .nan\n  write for example \
         `max_requests_per_second: 30`\n\
         c.yaml:11:15: `execution.batch_rows` must be a whole number, but this is text [CONFIG_WRONG_TYPE]\n    \
         batch_rows: lots\n  write for example `batch_rows: 256`"
    );
}

#[test]
fn a_limit_of_some_hosts_or_paths_says_which_and_how_many() {
    let text = with(
        "execution:\n  limits:\n    - {}\n    - {path: v1, max_requests_per_second: 1}\n    \
         - {host: \"https://a\", max_requests_per_hour: 9}\n    - {path: \"/a{id}\", max_request_per_second: 1}",
    );
    assert_eq!(
        refusal(&text),
        "c.yaml:10:7: `execution.limits[0]` says neither of which `host` nor of which `path` it is the limit \
         [CONFIG_MISSING_KEY]\n    - {}\n  write one or both of them, or the run's own limit as \
         `execution.max_requests_per_second`\n\
         c.yaml:10:7: `execution.limits[0]` has no rate [CONFIG_MISSING_KEY]\n    - {}\n  \
         write for example `max_requests_per_second: 5`\n\
         c.yaml:11:14: `execution.limits[1].path` is `v1`, which does not begin with `/` [CONFIG_INVALID_VALUE]\n    \
         - {path: v1, max_requests_per_second: 1}\n  write a path such as /v1/bulk/*, and the host as `host`\n\
         c.yaml:12:14: `execution.limits[2].host` is `https://a`, which is no host: it has a scheme or a path \
         [CONFIG_INVALID_VALUE]\n    - {host: \"https://a\", max_requests_per_hour: 9}\n  \
         write a host such as api.example.com, api.example.com:8443 or *.example.com\n\
         c.yaml:13:7: `execution.limits[3]` has no rate [CONFIG_MISSING_KEY]\n    \
         - {path: \"/a{id}\", max_request_per_second: 1}\n  write for example `max_requests_per_second: 5`\n\
         c.yaml:13:14: `execution.limits[3].path` is `/a{id}`, which has a placeholder [CONFIG_INVALID_VALUE]\n    \
         - {path: \"/a{id}\", max_request_per_second: 1}\n  write `*` for what differs from row to row\n\
         c.yaml:13:24: `execution.limits[3]` has no key `max_request_per_second` [CONFIG_UNKNOWN_KEY]\n    \
         - {path: \"/a{id}\", max_request_per_second: 1}\n  did you mean `max_requests_per_second`? known are `host`, \
         `path`, `max_requests_per_second`, `max_requests_per_minute`, `max_requests_per_hour`, `burst`"
    );
}

#[test]
fn a_limit_that_can_be_that_of_nothing_is_refused() {
    let limits = |entries: &[&str]| {
        let entries = entries.iter().map(|entry| format!("    - {{{entry}, max_requests_per_second: 1}}\n"));
        with(&format!("execution:\n  limits:\n{}", entries.collect::<String>()))
    };
    assert_eq!(
        refusal(&limits(&["host: a.com", "path: /v1/*", "host: A.com, path: /v1/x"])),
        "c.yaml:12:7: `execution.limits[2]` is the limit of nothing: `limits[0]` comes before it and matches all that it \
         matches [CONFIG_UNUSED]\n    - {host: A.com, path: /v1/x, max_requests_per_second: 1}\n  \
         write the narrower entry first, or remove one of the two"
    );
    let refused = refusal(&limits(&["path: /v1/*", "path: /v1/*"]));
    assert!(refused.contains("`execution.limits[1]` is the limit of nothing"), "{refused}");
    let narrower_first = limits(&["host: a.com, path: /v1/x", "host: a.com", "path: /v1/*"]);
    assert!(parse(narrower_first.as_bytes(), "c.yaml").is_ok());
}

#[test]
fn an_infinite_time_is_refused() {
    for value in [".inf", "-.inf", "1e400", "-1", "1e12"] {
        let refused = refusal(&with(&format!("transport: {{base_timeout: {value}}}")));
        assert!(refused.contains("must be from 0.001 to 86400 seconds"), "{value}: {refused}");
    }
}

#[test]
fn a_middleware_that_is_not_known_is_refused_with_the_nearest_and_all_known_ones() {
    assert_eq!(
        refusal(&with("middleware:\n  - type: retyr\n    max_attempts: 5")),
        "c.yaml:9:11: `middleware[0].type` is `retyr`, which is not known [CONFIG_INVALID_VALUE]\n    \
         - type: retyr\n  did you mean `retry`? known are `retry`, `json_body`, `form_body`, `text_body`, `template_body`, \
         `param_injector`, `headers`, `bearer_token`, `header_auth`, `compress_body`, `idempotency_key`, `json_response`, `script`, `custom`, `auth`, `logging`, `timing`, `worker_identity`, `transport_diagnostic`"
    );
}

#[test]
fn a_middleware_that_is_senseless_twice_is_refused() {
    assert_eq!(
        refusal(&with("middleware:\n  - type: retry\n  - type: timing\n  - type: retry")),
        "c.yaml:11:5: the middleware `retry` stands in the chain again, first in line 9: each would repeat the attempts \
         of the other [CONFIG_CONFLICT]\n    - type: retry\n  remove one of them"
    );
    for (link, why) in [
        ("json_body", "a request has one body"),
        ("form_body", "a request has one body"),
        ("param_injector", "every parameter would be sent twice"),
        ("compress_body", "the body would be compressed twice"),
        ("idempotency_key", "a request has one key"),
        ("json_response", "both fill the same columns"),
        ("auth", "the second would only replace the credentials of the first"),
        ("worker_identity", "both fill the same column with the same"),
        ("transport_diagnostic", "both fill the same column with the same"),
    ] {
        let refused = refusal(&with(&format!("middleware: [{{type: {link}}}, {{type: {link}}}]")));
        assert!(
            refused.contains(&format!("`{link}` stands in the chain again, first in line 8: {why}")),
            "{refused}"
        );
    }
}

#[test]
fn a_second_middleware_that_makes_the_body_is_refused() {
    assert_eq!(
        refusal(&with("middleware:\n  - type: json_body\n  - type: form_body")),
        "c.yaml:10:5: the middleware `form_body` makes the request's body, as does `json_body` in line 9: a request has \
         one body [CONFIG_CONFLICT]\n    - type: form_body\n  remove one of them"
    );
}

#[test]
fn a_text_or_template_body_is_made_of_one_thing() {
    assert_eq!(
        refusal(&with("middleware:\n  - type: text_body\n    template: \"{a}\"\n    column: a")),
        "c.yaml:9:5: `middleware[0].template` and `middleware[0].column` exclude each other [CONFIG_CONFLICT]\n    \
         - type: text_body\n  remove one of them"
    );
    assert_eq!(
        refusal(&with("middleware:\n  - type: template_body\n    max_steps: 1")),
        "c.yaml:9:5: `middleware[0].template` is missing [CONFIG_MISSING_KEY]\n    - type: template_body\n  write \
         `template` or `template_file`\n\
         c.yaml:10:16: `middleware[0].max_steps` is 1, but must be from 1000 to 100000000 steps [CONFIG_INVALID_VALUE]\n    \
         max_steps: 1\n  write for example `max_steps: 1000000`"
    );
    for link in ["{type: text_body, column: a}", "{type: template_body, template: a}"] {
        let twice = refusal(&with(&format!("middleware: [{link}, {link}]")));
        assert!(twice.contains("again, first in line 8: a request has one body"), "{twice}");
        let second = refusal(&with(&format!("middleware: [{{type: json_body}}, {link}]")));
        assert!(second.contains("makes the request's body, as does `json_body` in line 8"), "{second}");
    }
}

#[test]
fn a_body_is_compressed_after_it_is_made() {
    assert_eq!(
        refusal(&with("middleware:\n  - type: compress_body\n  - type: json_body")),
        "c.yaml:9:5: the middleware `compress_body` stands before `json_body`, which makes the body [CONFIG_CONFLICT]\n    \
         - type: compress_body\n  put it after the middleware that makes the body"
    );
    let alone = refusal(&with("middleware: [{type: compress_body}]"));
    assert!(alone.contains("has no effect: nothing in the chain makes a body"), "{alone}");
}

#[test]
fn header_auth_is_a_value_or_a_user() {
    let link =
        |keys: &str| refusal(&with(&format!("middleware: [{{type: header_auth, header: X-A, {keys}}}]")));
    for (keys, why) in [
        ("prefix: a", "`middleware[0].value` is missing"),
        ("username: a", "`middleware[0].password` is missing"),
        ("password: a", "`middleware[0].username` is missing"),
        ("value: a, password: b", "`middleware[0].value` and `middleware[0].username` exclude each other"),
        ("username: a, password: b, prefix: c", "`middleware[0].prefix` has no effect without `value`"),
    ] {
        let told = link(keys);
        assert!(told.contains(why) && !told.contains("password: b"), "{told}");
    }
    let told = link("value: hunter2, clolor: red");
    assert!(told.contains("no key `clolor`") && !told.contains("hunter2"), "{told}");
}

#[test]
fn a_prefix_of_a_key_must_fit_into_quotes() {
    let told = refusal(&with("middleware: [{type: idempotency_key, prefix: \"a b\"}]"));
    assert!(told.starts_with("c.yaml:8:46: `middleware[0].prefix` holds what a key may not hold"), "{told}");
}

#[test]
fn what_is_read_of_an_answer_is_named_and_pointed_to() {
    let link = |keys: &str| refusal(&with(&format!("middleware: [{{type: json_response, {keys}}}]")));
    for (keys, why) in [
        ("fields: [{name: a b, pointer: /a}]", "`a b` is no name for a column"),
        ("fields: [{name: a, pointer: a}]", "`middleware[0].fields[0].pointer` is no JSON Pointer"),
        ("fields: [{name: a, pointer: /a~2}]", "`middleware[0].fields[0].pointer` is no JSON Pointer"),
        (
            "fields: [{name: a, pointer: /a, type: int}]",
            "`middleware[0].fields[0].type` is `int`, which is not known",
        ),
        ("error_message: /a", "`middleware[0].error_message` has no effect without `success_when`"),
    ] {
        let told = link(keys);
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_rejected_body_is_tried_again_only_where_retry_sees_it() {
    let json = "{type: json_response, success_when: body.ok}";
    let retry = "{type: retry, retry_rejected: true}";
    let told = refusal(&with(&format!("middleware: [{json}, {retry}]")));
    assert!(
        told.contains("no `json_response` with `success_when` and no `script` stands after `retry`"),
        "{told}"
    );
    parse(with(&format!("middleware: [{retry}, {json}]")).as_bytes(), "c.yaml").unwrap();
}

#[test]
fn listeners_that_tell_of_rows_and_of_attempts_may_stand_in_the_chain_twice() {
    let chain =
        "middleware: [{type: timing}, {type: logging}, {type: retry}, {type: timing}, {type: logging}]";
    assert_eq!(parse(with(chain).as_bytes(), "c.yaml").unwrap().middleware.len(), 5);
}

#[test]
fn retry_without_anything_to_try_again_is_refused() {
    let retry = |keys: &str| with(&format!("middleware:\n  - type: retry\n    {keys}"));
    assert_eq!(
        refusal(&retry("retry_transport_errors: false\n    retry_status_codes: []")),
        "c.yaml:11:25: `retry` has nothing to try again: no status, and no transport error [CONFIG_UNUSED]\n    \
         retry_status_codes: []\n  write for example `retry_status_codes: [429, 503]`, or remove `- type: retry`"
    );
    assert_eq!(
        refusal(&retry("respect_retry_after: false\n    max_retry_after: 5")),
        "c.yaml:11:22: `middleware[0].max_retry_after` has no effect: `respect_retry_after` is false [CONFIG_UNUSED]\n    \
         max_retry_after: 5\n  remove one of them"
    );
    assert!(parse(retry("retry_status_codes: []").as_bytes(), "c.yaml").is_ok());
    assert!(parse(retry("max_attempts: 1").as_bytes(), "c.yaml").is_ok());
}

#[test]
fn tokens_that_expire_are_looked_at_before_every_attempt() {
    let chain = "middleware:\n  - type: auth\n  - type: retry";
    let text = TEMPLATE.replace("middleware:\n  - type: retry", chain);
    assert_eq!(
        refusal(&text),
        "c.yaml:28:5: the middleware `auth` stands before `retry` and so runs once per row: with auth `oauth2_password` an \
         attempt after a pause would go out with a token that may have expired [CONFIG_CONFLICT]\n    - type: auth\n  \
         put `- type: auth` after `- type: retry`, or remove it: it is innermost by itself"
    );
    let fixed = with(&format!("auth: {{type: bearer, token: t}}\n{chain}"));
    assert!(parse(fixed.as_bytes(), "c.yaml").is_ok());
}

#[test]
fn a_whole_url_as_url_path_goes_to_the_server_of_base_path() {
    let url = |url: &str| MINIMAL.replace("url_path: /a", &format!("url_path: \"{url}\""));
    assert_eq!(
        refusal(&url("https://api.example.com/v1/{a}")),
        "c.yaml:4:13: `endpoint.url_path` goes to https://api.example.com, but `base_path` to http://localhost: a whole URL \
         as `url_path` leaves `base_path` without a say [CONFIG_CONFLICT]\n    url_path: \"https://api.example.com/v1/{a}\"\n  \
         write `url_path` without scheme and host, or remove `base_path`"
    );
    for other in ["https://localhost/a", "http://localhost:8080/a", "http://localhost2?a=b"] {
        assert!(refusal(&url(other)).contains("`endpoint.url_path` goes to"), "{other}");
    }
    for same in ["http://LOCALHOST/v2", "http://localhost:80/a", "http://localhost", "http://{{env.HOST}}/a"]
    {
        assert!(parse(url(same).as_bytes(), "c.yaml").is_ok(), "{same}");
    }
}

#[test]
fn a_sink_is_either_a_table_or_a_path() {
    let sink = |sink: &str| refusal(&MINIMAL.replace("{path: /out}", sink));
    assert_eq!(
        sink("{path: /out, name: a, namespace: b}"),
        "c.yaml:7:3: `tables.sink` has both a table name and a path [CONFIG_CONFLICT]\n    \
         sink: {path: /out, name: a, namespace: b}\n  keep either `name` and `namespace`, or `path`"
    );
    assert_eq!(
        sink("{}"),
        "c.yaml:7:3: `tables.sink` names no table [CONFIG_MISSING_KEY]\n    sink: {}\n  \
         write either `name` and `namespace`, or `path`"
    );
    assert_eq!(
        sink("{name: a}"),
        "c.yaml:7:3: `tables.sink.namespace` is missing [CONFIG_MISSING_KEY]\n    sink: {name: a}\n  \
         write both `name` and `namespace`, for example `namespace: default`"
    );
}

#[test]
fn a_source_is_named_once() {
    let source =
        |source: &str| refusal(&MINIMAL.replace("{id_column: id}", &format!("{{id_column: id, {source}}}")));
    assert_eq!(
        source("name: a, identifier: b.c, path: /d"),
        "c.yaml:6:3: `tables.source` says more than once where rows come from: `name` and `identifier` and `path` \
         [CONFIG_CONFLICT]\n    source: {id_column: id, name: a, identifier: b.c, path: /d}\n  keep one of them"
    );
    assert_eq!(
        source("namespace: a"),
        "c.yaml:6:3: `tables.source.name` is missing [CONFIG_MISSING_KEY]\n    \
         source: {id_column: id, namespace: a}\n  write `name` beside `namespace`, or remove `namespace`"
    );
    assert_eq!(
        source("identifier: a.b, format: parquet"),
        "c.yaml:6:52: `tables.source.format` has no effect: a table knows its own format [CONFIG_UNUSED]\n    \
         source: {id_column: id, identifier: a.b, format: parquet}\n  remove it, or name the files as `path`"
    );
}

#[test]
fn a_merged_table_is_named_like_the_sink() {
    let merge = |merge: &str| refusal(&MINIMAL.replace("{path: /out}", &format!("{{path: /out, {merge}}}")));
    assert_eq!(
        merge("merge: {}"),
        "c.yaml:7:22: `tables.sink.merge` names no table [CONFIG_MISSING_KEY]\n    \
         sink: {path: /out, merge: {}}\n  write either `name` and `namespace`, or `path`"
    );
    assert_eq!(
        merge("mode: overwrite, merge: {path: /current, append_rows: false}"),
        "c.yaml:7:28: `tables.sink.mode` has no effect: with `merge.append_rows: false` no row goes there \
         [CONFIG_UNUSED]\n    sink: {path: /out, mode: overwrite, merge: {path: /current, append_rows: false}}\n  \
         remove one of them"
    );
}

#[test]
fn a_null_is_either_replaced_or_refused() {
    let mapping = "  column_mapping: [{source_column: a, endpoint_param: b, default: 0, required: true}]";
    assert_eq!(
        refusal(&format!("{MINIMAL}{mapping}\n")),
        "c.yaml:8:67: `tables.column_mapping[0].default` and `tables.column_mapping[0].required` exclude each other \
         [CONFIG_CONFLICT]\n    column_mapping: [{source_column: a, endpoint_param: b, default: 0, required: true}]\n  \
         a null is either replaced or refused: remove one of them"
    );
}

#[test]
fn a_method_near_a_usual_one_is_taken_for_a_slip() {
    let method = |method: &str| parse(MINIMAL.replace("GET", method).as_bytes(), "c.yaml");
    for own in ["PURGE", "PROPFIND", "REPORT", "SEARCH", "QUERY", "M-SEARCH", "LINK", "purge"] {
        let config = method(own).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(config.endpoint.method.value, own.to_uppercase());
    }
    assert_eq!(
        method("PSOT").unwrap_err().to_string(),
        "c.yaml:2:11: `endpoint.method` is `PSOT`, which is not known [CONFIG_INVALID_VALUE]\n    method: PSOT\n  \
         did you mean `POST`? known are `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`, `QUERY`"
    );
    assert_eq!(
        method("connect").unwrap_err().to_string(),
        "c.yaml:2:11: `endpoint.method` is `CONNECT`, which asks a proxy or server about the connection itself \
         [CONFIG_INVALID_VALUE]\n    method: connect\n  write the method that the API documents"
    );
    for wrong in ["POSTS", "GTE", "\"GET /\"", "\"\"", "DELET", "Ü"] {
        assert!(method(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_http_and_https_urls_are_accepted() {
    assert_eq!(
        refusal(&MINIMAL.replace("http://", "ftp://")),
        "c.yaml:3:14: `endpoint.base_path` has a scheme other than http and https [CONFIG_INVALID_VALUE]\n    \
         base_path: ftp://localhost/v1\n  write a URL that begins with https:// or http://"
    );
    assert!(
        refusal(&MINIMAL.replace("/a\n", "file:///etc\n")).contains("`endpoint.url_path` has a scheme other")
    );
    assert!(
        refusal(&MINIMAL.replace("http://localhost", "localhost")).contains("does not begin with a scheme")
    );
}

#[test]
fn base_path_is_required_unless_url_path_is_absolute() {
    let without = MINIMAL.replace("  base_path: http://localhost/v1\n", "");
    assert!(refusal(&without).starts_with("c.yaml:1:1: `endpoint.base_path` is missing"));
    let absolute = without.replace("/a\n", "https://localhost/a\n");
    assert!(parse(absolute.as_bytes(), "c.yaml").unwrap().endpoint.url_is_absolute());
}

#[test]
fn a_basic_user_may_hold_no_colon() {
    let refused = refusal(&with("auth:\n  type: basic\n  username: me:hunter2\n  password: hunter2"));
    assert_eq!(
        refused,
        "c.yaml:10:13: `auth.username` holds a colon, which separates user and password in basic authentication \
         [CONFIG_INVALID_VALUE]\n    username: ***\n  write the user without the colon"
    );
}

#[test]
fn a_reference_without_quotes_is_explained() {
    assert_eq!(
        refusal(&with("auth:\n  type: bearer\n  token: {{env.TOKEN}}")),
        "c.yaml:10:10: `auth.token` must be text, but this is a mapping [CONFIG_WRONG_TYPE]\n    token: ***\n  \
         put the value in quotes: token: \"{{env.NAME}}\""
    );
}

#[test]
fn no_refusal_cites_a_credential() {
    for section in [
        "auth: hunter2",
        "auth: {hunter2}",
        "auth: {token=hunter2}",
        "auth: {type: bearer, token: hunter2, tokn: hunter2}",
        "auth:\n  type: bearer\n  token: \"hunter2 {{\"",
        "auth:\n  type: bearer\n  token: \"hunter2",
        "auth:\n  type: bearer\n  token: hunter2: hunter2",
        "auth:\n  type: bearer\n  token: *hunter2",
        "auth:\n  type: bearer\n  token: [hunter2]",
        "auth:\n  type: bearer\n  token: |\n    hunter2\n  x: 1",
        "auth:\n  type: basic\n  username: hunter2:\n  password: 1",
        "auth:\n  type: \"hunter2 or so\"",
        "auth:\n- hunter2",
        "Auth:\n  type: bearer\n  token: [hunter2]",
        "x: &t {token: hunter2}\nauth: *t",
        "endpoint2: {headers: {Authorization: \"hunter2 {{\"}}",
        "transport:\n  base_path: https://me:hunter2@localhost/",
    ] {
        let refused = refusal(&with(section));
        assert!(!refused.contains("hunter2"), "{section}\n{refused}");
    }
}

#[test]
fn a_text_that_is_no_config_is_refused_with_one_sentence() {
    for (text, what) in [
        ("", "c.yaml:1:1: a config is a mapping of sections, but this is nothing"),
        ("- a", "c.yaml:1:1: a config is a mapping of sections, but this is a list"),
        ("a: [", "c.yaml:1:4: the text is neither YAML nor JSON: unclosed bracket '['"),
        ("a: b\n---\nc: d", "c.yaml:3:1: a second document begins here"),
    ] {
        assert!(refusal(text).starts_with(what), "{}", refusal(text));
    }
    let refused = parse(b"a: b\nc: \xff", "c.yaml").unwrap_err();
    assert!(refused.to_string().starts_with("c.yaml:2:4: the config is not UTF-8"), "{refused}");
    assert_eq!(refused.as_slice()[0].code, Code::Syntax);
}

#[test]
fn a_text_without_end_is_refused_by_its_size() {
    let text = vec![b'#'; apisink_config::MAX_TEXT_BYTES + 1];
    assert!(
        parse(&text, "c.yaml")
            .unwrap_err()
            .to_string()
            .starts_with("c.yaml: the config is 1048577 bytes long")
    );
}

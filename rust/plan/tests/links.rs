//! Links that set headers or write the query: what is understood, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

use apisink_config::{ReferenceKind, parse};
use apisink_plan::{
    ArrayForm, BearerTokenSpec, Compiled, HeadersSpec, IdempotencyKeySpec, Inputs, ParamInjectorSpec, Piece,
    ResolvedReference, Secret, compile,
};

fn config(endpoint: &str, middleware: &str, sections: &str) -> String {
    format!(
        "endpoint: {{method: POST, base_path: \"http://localhost/v1\", url_path: /a{endpoint}}}\ntables:\n  source: {{id_column: id}}\n  \
         sink: {{path: /out}}\nmiddleware:\n{middleware}\n{sections}\n"
    )
}

fn tried(text: &str, secret: &str) -> Result<Compiled, String> {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let references = vec![ResolvedReference {
        kind: ReferenceKind::Secret,
        scope: "s".into(),
        key: "k".into(),
        value: Some(Secret::new(secret)),
        error: None,
    }];
    let columns = Some(["id", "tenant"].map(str::to_owned).to_vec());
    compile(&config, &Inputs { references, columns, ..Inputs::default() })
        .map_err(|problems| problems.to_string())
}

fn compiled(text: &str) -> Compiled {
    tried(text, "hunter22").unwrap_or_else(|problems| panic!("{problems}"))
}

fn refusal(text: &str) -> String {
    tried(text, "hunter22").expect_err("the config is refused")
}

#[test]
fn headers_hold_columns_and_secrets() {
    let text =
        config("", "  - {type: headers, headers: {X-Tenant: \"t-{tenant}\", X-Key: \"{{secret.s:k}}\"}}", "");
    let compiled = compiled(&text);
    let spec: HeadersSpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    assert_eq!(spec.headers[0].name, "x-tenant");
    assert!(matches!(spec.headers[0].value[1], Piece::Column(_)));
    assert!(matches!(spec.headers[1].value[0], Piece::Secret(_)));
    assert_eq!(compiled.plan.source.columns.unwrap(), ["id", "tenant"]);
    assert_eq!(compiled.plan.sink.masked.len(), 1);
}

#[test]
fn credentials_of_the_chain_leave_the_plan_and_both_digests_alone() {
    for link in [
        "{type: bearer_token, token: \"{{secret.s:k}}\"}",
        "{type: header_auth, header: X-A, value: \"{{secret.s:k}}\"}",
        "{type: header_auth, header: X-A, username: u, password: \"{{secret.s:k}}\"}",
        "{type: headers, headers: {X-A: \"{{secret.s:k}}\"}}",
    ] {
        let text = config("", &format!("  - {link}"), "");
        let (one, other) = (tried(&text, "hunter22").unwrap(), tried(&text, "hunter23").unwrap());
        assert_ne!(one.secrets, other.secrets);
        assert_eq!((one.plan, one.driver), (other.plan, other.driver), "{link}");
    }
    let with = |link: &str| compiled(&config("", &format!("  - {link}"), "")).driver.request_digest;
    let none = with("{type: timing}");
    assert_eq!(none, with("{type: bearer_token, token: a}"));
    assert_eq!(none, with("{type: header_auth, header: X-A, value: a}"));
    assert_ne!(none, with("{type: headers, headers: {X-A: a}}"));
}

#[test]
fn a_header_that_is_set_twice_is_refused_where_the_second_stands() {
    let key = "{type: bearer_token, token: a}";
    for (endpoint, links, sections, what) in [
        (
            ", headers: {X-A: a}",
            "  - {type: headers, headers: {x-a: b}}",
            "",
            "`x-a`, which is set under `endpoint.headers` too",
        ),
        (
            "",
            "  - {type: headers, headers: {X-A: a}}\n  - {type: header_auth, header: X-A, value: b}",
            "",
            "`x-a`, which is set by the middleware `headers` too",
        ),
        (
            "",
            key,
            "auth: {type: basic, username: a, password: b}",
            "`authorization`, which is set by `auth` too",
        ),
        (
            "",
            "  - {type: header_auth, header: X-K, value: b}",
            "auth: {type: api_key, name: x-k, value: b}",
            "`x-k`, which is set by `auth` too",
        ),
        (
            "",
            "  - {type: header_auth, header: Idempotency-Key, value: b}",
            "",
            "`idempotency-key`, which is set to the request_id too",
        ),
        (
            "",
            "  - {type: idempotency_key, header: X-A}\n  - {type: headers, headers: {X-A: b}}",
            "",
            "`x-a` carries the request_id",
        ),
        (
            ", headers: {Content-Encoding: br}",
            "  - {type: json_body}\n  - {type: compress_body}",
            "",
            "`content-encoding`, which is set under `endpoint.headers` too",
        ),
    ] {
        let links = if links.starts_with('{') { format!("  - {links}") } else { links.to_owned() };
        let told = refusal(&config(endpoint, &links, sections));
        assert!(told.contains(what), "{told}\nsays nothing of {what}");
        assert!(told.starts_with("c.yaml:"), "{told}");
    }
    let mapped = config("", "  - {type: header_auth, header: X-A, value: b}", "").replace(
        "sink:",
        "column_mapping: [{source_column: tenant, endpoint_param: x-a, in: header}]\n  sink:",
    );
    assert!(refusal(&mapped).contains("the header `x-a` is set by the middleware `header_auth` too"));
}

#[test]
fn reserved_headers_are_refused_everywhere() {
    for link in [
        "{type: headers, headers: {Host: a}}",
        "{type: bearer_token, token: a, header: Connection}",
        "{type: header_auth, header: Content-Length, value: a}",
        "{type: idempotency_key, header: Transfer-Encoding}",
    ] {
        let told = refusal(&config("", &format!("  - {link}"), ""));
        assert!(told.contains("can't be set: "), "{link}: {told}");
    }
    let told = refusal(&config("", "  - {type: headers, headers: {\"a b\": c}}", ""));
    assert!(told.contains("`a b` is no header name"), "{told}");
}

#[test]
fn credentials_of_the_chain_do_not_go_over_http_to_another_host() {
    for link in
        ["{type: bearer_token, token: a}", "{type: header_auth, header: X-A, value: \"{{secret.s:k}}\"}"]
    {
        let text = config("", &format!("  - {link}"), "").replace("localhost", "api.example.com");
        assert!(refusal(&text).contains("to http://api.example.com without encryption"), "{link}");
    }
}

#[test]
fn the_key_of_the_chain_takes_the_place_of_the_endpoints() {
    let link = "  - {type: idempotency_key, header: X-Id, format: quoted, prefix: o-}";
    let compiled = compiled(&config("", link, ""));
    let spec: IdempotencyKeySpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    assert_eq!(spec, IdempotencyKeySpec { header: "x-id".into(), before: "\"o-".into(), after: "\"".into() });
    assert_eq!(compiled.plan.request.idempotency_header, None);
    assert_eq!(compiled.driver.idempotency_header.as_deref(), Some("x-id"));
    for own in ["false", "X-Own"] {
        let told = refusal(&config(&format!(", idempotency_header: {own}"), link, ""));
        assert!(told.contains("takes the place of `endpoint.idempotency_header`"), "{told}");
    }
}

#[test]
fn arrays_are_json_unless_said_otherwise() {
    let of = |keys: &str| {
        let text = config("", &format!("  - {{type: param_injector{keys}}}"), "").replace(
            "sink:",
            "column_mapping: [{source_column: tenant, endpoint_param: t, in: query}]\n  sink:",
        );
        let spec = compiled(&text).plan.chain[0].spec.clone();
        serde_json::from_value::<ParamInjectorSpec>(spec).unwrap().arrays
    };
    assert_eq!(of(""), ArrayForm::Json);
    assert_eq!(of(", arrays: brackets"), ArrayForm::Brackets);
}

#[test]
fn a_bearer_has_a_header_of_its_own_if_told_so() {
    let header = |keys: &str| {
        let compiled = compiled(&config("", &format!("  - {{type: bearer_token, token: a{keys}}}"), ""));
        serde_json::from_value::<BearerTokenSpec>(compiled.plan.chain[0].spec.clone()).unwrap().header
    };
    assert_eq!((header(""), header(", header: X-Fwd")), ("authorization".to_owned(), "x-fwd".to_owned()));
}

//! The section `auth`: what is understood, and what does not go with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

use apisink_config::parse;
use apisink_plan::{AuthSpec, Compiled, Inputs, compile};

const SIGV4: &str =
    "{type: aws_sigv4, access_key_id: AKID, secret_access_key: hunter22, region: eu-central-1, service: s3}";

fn config(auth: &str, endpoint: &str, sections: &str, mappings: &str) -> String {
    let path = if endpoint.contains("url_path") { "" } else { ", url_path: /a" };
    format!(
        "auth: {auth}\nendpoint: {{method: POST, base_path: \"https://localhost/v1\"{path}{endpoint}}}\n\
         tables:\n  source: {{id_column: id}}\n  sink: {{path: /out}}\n  column_mapping: [{mappings}]\n{sections}\n"
    )
}

fn tried(text: &str) -> Result<Compiled, String> {
    let config = parse(text.as_bytes(), "c.yaml").map_err(|problems| problems.to_string())?;
    compile(&config, &Inputs::default()).map_err(|problems| problems.to_string())
}

fn refusal(text: &str) -> String {
    tried(text).expect_err("the config is refused")
}

#[test]
fn a_key_of_aws_is_a_plan_without_its_values() {
    let compiled = tried(&config(SIGV4, "", "", "")).unwrap_or_else(|problems| panic!("{problems}"));
    let AuthSpec::AwsSigv4(spec) = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap()
    else {
        panic!("{:?}", compiled.plan.chain)
    };
    assert_eq!(
        (spec.region.as_str(), spec.service.as_str(), spec.session_token),
        ("eu-central-1", "s3", None)
    );
    assert_eq!(compiled.secrets.get(spec.secret_access_key).unwrap().expose(), "hunter22");
    assert!(!serde_json::to_string(&compiled.plan).unwrap().contains("hunter22"));
    // The key itself is never sent, and its id is no credential.
    assert!(compiled.plan.sink.masked.is_empty());
}

#[test]
fn the_scope_of_a_signature_is_looked_at() {
    assert_eq!(
        refusal(&config(&SIGV4.replace("eu-central-1", "EU/Central"), "", "", "")),
        "c.yaml:1:83: `auth.region` is `EU/Central`: it has lower-case letters, digits and hyphens only \
         [CONFIG_INVALID_VALUE]\n    auth: ***\n  write for example \"eu-central-1\""
    );
    let refused = refusal(&config(&SIGV4.replace("AKID", "\"AK ID\""), "", "", ""));
    assert!(
        refused.contains("`auth.access_key_id` holds something else than letters and digits"),
        "{refused}"
    );
    assert!(
        refusal(&config("{type: aws_sigv4, region: a, service: b}", "", "", ""))
            .contains("`auth.access_key_id` is missing")
    );
}

#[test]
fn what_auth_sets_is_set_by_nothing_else() {
    let bearer = "{type: bearer, token: t0ken}";
    let key = "{type: api_key, name: X-Key, value: k3y}";
    let in_query = "{type: api_key, in: query, name: key, value: k3y}";
    let sent_as_header = "{source_column: a, endpoint_param: x-key, in: header}";
    let sent_as_param = "{source_column: a, endpoint_param: key, in: query}";
    let injector = "middleware: [{type: param_injector}]";
    for (auth, endpoint, sections, mappings, what) in [
        (bearer, ", headers: {Authorization: x}", "", "", "the header `authorization` is set by `auth` too"),
        (
            bearer,
            "",
            "middleware: [{type: bearer_token, token: b}]",
            "",
            "the middleware `bearer_token` sets the header `authorization`, which is set by `auth` too",
        ),
        (
            bearer,
            "",
            "middleware: [{type: headers, headers: {authorization: b}}]",
            "",
            "the header `authorization` is set by `auth` too",
        ),
        (key, ", headers: {x-key: b}", "", "", "the header `x-key` is set by `auth` too"),
        (key, "", "", sent_as_header, "the header `x-key` is set by `auth` too"),
        (
            in_query,
            ", query: {key: b}",
            "",
            "",
            "the query parameter `key` is set by `auth` and by the request too",
        ),
        (
            in_query,
            ", url_path: \"/b?key=b\"",
            "",
            "",
            "the query parameter `key` is set by `auth` and by the request too",
        ),
        (
            in_query,
            "",
            injector,
            sent_as_param,
            "the query parameter `key` is set by `auth` and by the request too",
        ),
        (SIGV4, ", headers: {X-Amz-Date: b}", "", "", "the header `x-amz-date` is set by `auth` too"),
        (
            SIGV4,
            "",
            "middleware: [{type: header_auth, header: X-Amz-Security-Token, value: b}]",
            "",
            "`x-amz-security-token`, which is set by `auth` too",
        ),
        (
            "{type: none}",
            "",
            "middleware: [{type: auth}]",
            "",
            "the middleware `auth` has no effect: there is no authentication to add",
        ),
    ] {
        let refused = refusal(&config(auth, endpoint, sections, mappings));
        assert!(refused.contains(what), "{refused}\nsays nothing of: {what}");
        assert_eq!(refused.matches("[CONFIG_").count(), 1, "one problem, told once: {refused}");
    }
}

#[test]
fn credentials_of_two_kinds_go_together_where_they_stand_apart() {
    for (auth, sections) in [
        ("{type: bearer, token: t0ken}", "middleware: [{type: header_auth, header: X-Key, value: k3y}]"),
        ("{type: api_key, name: X-Key, value: k3y}", "middleware: [{type: bearer_token, token: t0ken}]"),
        (
            SIGV4,
            "middleware: [{type: header_auth, header: X-Api-Key, value: k3y}, {type: json_body}, {type: compress_body}]",
        ),
        (SIGV4, "middleware: [{type: auth}, {type: retry}]"),
    ] {
        if let Err(problems) = tried(&config(auth, "", sections, "")) {
            panic!("{auth} {sections}: {problems}");
        }
    }
}

#[test]
fn parameters_of_a_token_request_are_each_said_once() {
    let client =
        "type: oauth2_client_credentials, token_url: \"https://a/t\", client_id: c, client_secret: s3cret";
    for (name, key) in
        [("scope", "`auth.scope`"), ("client_id", "`auth.client_id`"), ("grant_type", "`auth.type`")]
    {
        let refused = refusal(&config(&format!("{{{client}, token_params: {{{name}: x}}}}"), "", "", ""));
        let what = format!("`auth.token_params` holds `{name}`, which follows from {key}");
        assert!(refused.contains(&what), "{refused}");
    }
    let public =
        "type: oauth2_password, token_url: \"https://a/t\", client_id: c, username: u, password: s3cret";
    let refused = refusal(&config(&format!("{{{public}, client_auth: body}}"), "", "", ""));
    assert!(
        refused.contains("`auth.client_auth` has no effect: there is no `client_secret` to show"),
        "{refused}"
    );
}

#[test]
fn a_key_in_the_query_is_not_added_where_a_redirect_leads() {
    let key = |place: &str| format!("{{type: api_key, in: {place}, name: key, value: k3y}}");
    let told = |auth: &str, sections| tried(&config(auth, "", sections, "")).unwrap().driver.warnings;
    let followed = "transport: {redirects: {max: 2}}";
    assert_eq!(
        told(&key("query"), followed),
        [
            "auth `api_key` puts its key into the query, and a request that follows a redirect has the query that the API \
          tells: a key that it leaves out is not added"
        ]
    );
    assert!(told(&key("query"), "").is_empty() && told(&key("header"), followed).is_empty());
}

//! From config to plan.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

use apisink_config::{ReferenceKind, parse};
use apisink_plan::{
    AuthSpec, BodyNode, ClientAuth, ColumnRef, Compiled, DefaultValue, FormBodySpec, HttpVersionPlan,
    Identity, Inputs, JsonBodySpec, NamedPieces, Oauth2Grant, ParamInjectorSpec, Piece, Plan,
    ResolvedReference, Secret, SecretSlot, SecretValues, compile,
};
use proptest::prelude::*;

fn env(key: &str, value: &str) -> ResolvedReference {
    ResolvedReference {
        kind: ReferenceKind::Env,
        scope: String::new(),
        key: key.into(),
        value: Some(Secret::new(value)),
        error: None,
    }
}

fn inputs(references: &[ResolvedReference], columns: Option<&[&str]>) -> Inputs {
    Inputs {
        middleware: None,
        references: references.to_vec(),
        columns: columns.map(|columns| columns.iter().map(|column| (*column).to_owned()).collect()),
        data_frame: Some(true),
        dry_run: false,
    }
}

/// A config from the lines of its endpoint, its other sections, and its mappings.
fn config(endpoint: &str, sections: &str, mappings: &str) -> String {
    format!(
        "endpoint: {{{endpoint}}}\ntables:\n  source: {{id_column: id}}\n  sink: {{path: /out}}\n  \
         column_mapping: [{mappings}]\n{sections}\n"
    )
}

const LOCAL: &str = "method: POST, base_path: \"http://localhost/v1\", url_path: /a";

fn compiled_with(text: &str, inputs: &Inputs) -> Compiled {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    compile(&config, inputs).unwrap_or_else(|problems| panic!("{problems}"))
}

fn compiled(text: &str) -> Compiled {
    compiled_with(text, &Inputs::default())
}

fn refusal_with(text: &str, inputs: &Inputs) -> String {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    let problems = compile(&config, inputs).expect_err("the config is refused");
    assert!(!problems.as_slice().is_empty());
    problems.to_string()
}

fn refusal(text: &str) -> String {
    refusal_with(text, &Inputs::default())
}

fn literal(text: &str) -> Piece {
    Piece::Literal(text.into())
}

fn column(path: &str, required: bool) -> ColumnRef {
    ColumnRef { path: path.split('.').map(str::to_owned).collect(), required, default: None }
}

fn named(name: &str, value: Vec<Piece>) -> NamedPieces {
    NamedPieces { name: name.into(), value }
}

fn body(compiled: &Compiled) -> BodyNode {
    let link = compiled.plan.chain.iter().find(|link| link.middleware == "json_body").unwrap();
    serde_json::from_value::<JsonBodySpec>(link.spec.clone()).unwrap().body
}

fn params(compiled: &Compiled) -> Vec<(String, ColumnRef)> {
    let link = compiled.plan.chain.iter().find(|link| link.middleware == "param_injector").unwrap();
    serde_json::from_value::<ParamInjectorSpec>(link.spec.clone()).unwrap().params
}

fn chain(compiled: &Compiled) -> Vec<&str> {
    compiled.plan.chain.iter().map(|link| link.middleware.as_str()).collect()
}

#[test]
fn the_patients_example_compiles() {
    let text = include_str!("../../../configs/patients.yaml");
    let source = ["tracking_id", "patient_id", "name", "address"];
    let compiled = compiled_with(text, &inputs(&[env("PATIENTS_API_TOKEN", "t0ken")], Some(&source)));
    let request = &compiled.plan.request;
    assert_eq!((request.scheme.as_str(), request.authority.as_str()), ("http", "127.0.0.1:8080"));
    assert_eq!(request.path, [literal("/v1/patient/"), Piece::Column(column("patient_id", true))]);
    assert_eq!(
        chain(&compiled),
        ["retry", "logging", "timing", "worker_identity", "transport_diagnostic", "json_body", "auth"]
    );
    let city = BodyNode::Object(vec![("city".into(), BodyNode::Column(column("address.city", false)))]);
    assert_eq!(
        body(&compiled),
        BodyNode::Object(vec![
            ("name".into(), BodyNode::Column(column("name", false))),
            ("address".into(), city)
        ])
    );
    assert_eq!(compiled.plan.source.columns.as_ref().unwrap(), &source);
    assert_eq!(compiled.plan.sink.response_headers, ["x-request-id"]);
    assert_eq!(compiled.secrets.get(SecretSlot(0)).unwrap().expose(), "t0ken");
    assert_eq!(compiled.driver.sink.table.as_deref(), Some("default.patient_responses"));
    assert_eq!(compiled.driver.journal_path.as_deref(), Some("spark-warehouse/_apisink"));
    assert_eq!(compiled.driver.warnings, Vec::<String>::new());
}

#[test]
fn the_enrich_example_compiles() {
    let compiled = compiled(include_str!("../../../configs/enrich-get.yaml"));
    assert_eq!(compiled.plan.request.query, [named("format", vec![literal("full")])]);
    assert_eq!(
        params(&compiled),
        [("zip".to_owned(), column("postcode", true)), ("country".to_owned(), column("country", false))]
    );
    assert_eq!(compiled.driver.sink.path.as_deref(), Some("spark-warehouse/enriched"));
    assert_eq!(compiled.driver.columns.unwrap(), ["id", "postcode", "country"]);
}

#[test]
fn the_driver_json_has_the_agreed_keys() {
    let driver = serde_json::to_value(compiled(&config(LOCAL, "", "")).driver).unwrap();
    let keys: Vec<&String> = driver.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "planDigest",
            "requestDigest",
            "partitions",
            "idColumn",
            "columns",
            "requiredColumns",
            "sink",
            "source",
            "journalPath",
            "batchRows",
            "batchBytes",
            "flushMillis",
            "flushRows",
            "flushBytes",
            "skipDelivered",
            "resendOnResume",
            "failWhen",
            "generalLimit",
            "otherLimits",
            "sendingWindow",
            "allowSpeculation",
            "memoryBudgetBytes",
            "idempotencyHeader",
            "warnings"
        ]
    );
    assert_eq!(driver["flushMillis"], 5000);
    assert_eq!(driver["sink"]["path"], "/out");
    assert_eq!(driver["sink"]["table"], serde_json::Value::Null);
}

#[test]
fn a_limit_is_known_by_its_host_or_else_by_the_server() {
    let sections = |limits: &str| config(LOCAL, &format!("execution: {{{limits}}}"), "");
    let entry = "limits: [{path: /v1/bulk/*, max_requests_per_minute: 300, burst: 2}, \
                 {host: \"*.Example.com\", max_requests_per_second: 50, max_requests_per_hour: 3600}]";
    let limited = compiled(&sections(&format!("max_requests_per_second: 95, {entry}")));
    let limits: Vec<_> =
        limited.plan.execution.limits.iter().map(|l| (l.name.as_str(), l.per_second, l.burst)).collect();
    let names = ["limit of http://localhost /v1/bulk/* 5/s burst 2", "limit of *.example.com 1/s burst 1"];
    assert_eq!(limits, [(names[0], 5.0, 2), (names[1], 1.0, 1)]);
    assert_eq!(limited.driver.other_limits, names);
    assert_eq!(limited.driver.general_limit.as_deref(), Some("http://localhost 95/s burst 1"));
    assert_eq!(
        limited.driver.warnings,
        [
            "`execution.limits[1]` is for the host `*.Example.com`, to which nothing is sent: requests go to localhost"
        ]
    );
    let without = compiled(&sections("partitions: 16"));
    assert_eq!((without.driver.general_limit, without.driver.other_limits.len()), (None, 0));
    assert_eq!(
        limited.driver.request_digest, without.driver.request_digest,
        "a run goes on under other limits"
    );
}

#[test]
fn a_plan_survives_its_serialised_form() {
    let compiled = compiled(&config(LOCAL, "middleware: [{type: retry}, {type: json_body}]", ""));
    let bytes = serde_json::to_vec(&compiled.plan).unwrap();
    assert_eq!(serde_json::from_slice::<Plan>(&bytes).unwrap(), compiled.plan);
    let secrets: SecretValues = serde_json::from_slice(br#"["a","b"]"#).unwrap();
    assert_eq!(secrets.get(SecretSlot(1)).unwrap().expose(), "b");
    assert!(secrets.get(SecretSlot(2)).is_none());
}

#[test]
fn a_placeholder_takes_the_mapping_of_its_name_and_else_the_column() {
    let endpoint = "method: GET, base_path: \"http://LOCALHOST:80/v 1/\", \
                    url_path: \"/x/{p}/{raw.f}?a={p}&b=c%20d&e\", headers: {X-Row: \"r-{p}\"}";
    let compiled = compiled(&config(endpoint, "", "{source_column: s.t, endpoint_param: p}"));
    let request = &compiled.plan.request;
    assert_eq!(request.authority, "localhost:80");
    assert_eq!(
        request.path,
        [
            literal("/v%201/x/"),
            Piece::Column(column("s.t", true)),
            literal("/"),
            Piece::Column(column("raw.f", true))
        ]
    );
    assert_eq!(
        request.query,
        [
            named("a", vec![Piece::Column(column("s.t", false))]),
            named("b", vec![literal("c d")]),
            named("e", vec![])
        ]
    );
    assert_eq!(request.headers, [named("x-row", vec![literal("r-"), Piece::Column(column("s.t", false))])]);
    assert_eq!(compiled.plan.source.columns.as_ref().unwrap(), &["id", "s", "raw"]);
}

#[test]
fn without_a_place_a_mapping_goes_to_the_body_before_the_query() {
    let mapping = "{source_column: a, endpoint_param: x}, {source_column: b, endpoint_param: y, in: query}";
    let both = compiled(&config(LOCAL, "middleware: [{type: param_injector}, {type: json_body}]", mapping));
    assert_eq!(body(&both), BodyNode::Object(vec![("x".into(), BodyNode::Column(column("a", false)))]));
    assert_eq!(params(&both), [("y".to_owned(), column("b", false))]);
}

#[test]
fn a_body_without_mapped_fields_is_the_whole_row() {
    let compiled = compiled(&config(LOCAL, "middleware: [{type: json_body}]", ""));
    assert_eq!(body(&compiled), BodyNode::Row);
    assert_eq!(compiled.plan.source.columns, None);
    assert_eq!(compiled.driver.columns, None);
}

#[test]
fn a_mapping_in_a_header_adds_that_header() {
    let compiled = compiled(&config(
        LOCAL,
        "",
        "{source_column: a, endpoint_param: X-Patient, in: header, required: true}",
    ));
    let expected = named("x-patient", vec![Piece::Column(column("a", true))]);
    assert_eq!(compiled.plan.request.headers, [expected]);
}

#[test]
fn auth_is_innermost_unless_the_chain_names_its_place() {
    let bearer = "auth: {type: bearer, token: t}\nmiddleware:";
    let innermost = compiled(&config(LOCAL, &format!("{bearer} [{{type: retry}}, {{type: timing}}]"), ""));
    assert_eq!(chain(&innermost), ["retry", "timing", "auth"]);
    let placed = compiled(&config(LOCAL, &format!("{bearer} [{{type: auth}}, {{type: retry}}]"), ""));
    assert_eq!(chain(&placed), ["auth", "retry"]);
    let spec: AuthSpec = serde_json::from_value(placed.plan.chain[0].spec.clone()).unwrap();
    assert_eq!(spec, AuthSpec::Bearer { token: SecretSlot(0) });
}

#[test]
fn credentials_stay_out_of_the_plan() {
    let endpoint = "method: GET, base_path: \"https://localhost\", url_path: \"/bot{{env.T}}/x?token=hunter2-a\", \
                    headers: {X-Api-Key: hunter2-b, Authorization: \"Key {{env.T}}\"}, query: {sig: \"{{env.S}}\"}";
    let resolved = inputs(&[env("T", "hunter2-c"), env("S", "hunter2-d")], None);
    let compiled = compiled_with(&config(endpoint, "", ""), &resolved);
    let plan = serde_json::to_string(&compiled.plan).unwrap();
    let driver = serde_json::to_string(&compiled.driver).unwrap();
    assert!(!plan.contains("hunter2") && !driver.contains("hunter2"), "{plan}");
    assert!(!format!("{compiled:?} {resolved:?}").contains("hunter2"));
    let secrets = serde_json::to_string(&compiled.secrets).unwrap();
    for value in ["hunter2-a", "hunter2-b", "hunter2-c", "hunter2-d"] {
        assert_eq!(secrets.matches(value).count(), 1, "{value}");
    }
}

#[test]
fn credentials_are_masked_in_answers_and_mere_settings_are_not() {
    let endpoint = "method: POST, base_path: \"http://localhost\", url_path: \"/{{env.TENANT}}/{{secret.kv:path}}\", \
                    headers: {X-Api-Key: \"{{env.KEY}}\", Accept: \"{{env.MEDIA}}\"}, query: {access_token: literal}";
    let auth = "auth: {type: basic, username: admin, password: \"{{env.PASSWORD}}\"}\nmiddleware: [{type: json_body}]";
    let secret = ResolvedReference { kind: ReferenceKind::Secret, scope: "kv".into(), ..env("path", "p") };
    let references =
        [env("TENANT", "acme"), env("KEY", "k"), env("MEDIA", "text/plain"), env("PASSWORD", "w"), secret];
    let compiled = compiled_with(&config(endpoint, auth, ""), &inputs(&references, None));
    let masked = &compiled.plan.sink.masked;
    let mut values: Vec<_> =
        masked.iter().map(|slot| compiled.secrets.get(*slot).unwrap().expose()).collect();
    values.sort_unstable();
    assert_eq!(values, ["k", "literal", "p", "w"]);
}

#[test]
fn a_form_body_takes_field_names_as_written_and_never_the_whole_row() {
    let chain = "middleware: [{type: form_body}]";
    let mapping =
        "{source_column: a.b, endpoint_param: x.y, in: body}, {source_column: c, endpoint_param: z}";
    let compiled = compiled(&config(LOCAL, chain, mapping));
    let spec: FormBodySpec = serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap();
    assert_eq!(spec.fields, [("x.y".to_owned(), column("a.b", false)), ("z".to_owned(), column("c", false))]);
    assert_eq!(compiled.plan.source.columns.unwrap(), ["id", "a", "c"]);
    let twice = "{source_column: a, endpoint_param: x}, {source_column: b, endpoint_param: x}";
    let refused = refusal(&config(LOCAL, chain, twice));
    assert!(refused.contains("two mappings fill the form field `x`"), "{refused}");
    let refused = refusal(&config(LOCAL, chain, ""));
    assert!(refused.contains("`form_body` has no effect: no mapping goes to the body"), "{refused}");
}

#[test]
fn base_path_takes_variables_but_no_secrets() {
    let endpoint = |base: &str| config(&format!("method: GET, base_path: \"{base}\", url_path: a"), "", "");
    let compiled =
        compiled_with(&endpoint("{{env.BASE}}/v2"), &inputs(&[env("BASE", "https://h:8443")], None));
    assert_eq!(compiled.plan.request.authority, "h:8443");
    assert_eq!(compiled.plan.request.path, [literal("/v2/a")]);
    let refused = refusal(&endpoint("https://{{secret.a:b}}/v2"));
    assert!(refused.contains("`endpoint.base_path` may not hold {{secret.a:b}}"), "{refused}");
}

#[test]
fn a_mapping_that_nothing_injects_is_refused() {
    assert_eq!(
        refusal(&config(LOCAL, "", "{source_column: patient_id, endpoint_param: patient}")),
        "c.yaml:5:20: the mapping of `patient_id` to `patient` has no effect: nothing in the chain or in `endpoint` \
         uses it [CONFIG_UNUSED]\n    column_mapping: [{source_column: patient_id, endpoint_param: patient}]\n  \
         add `- type: json_body`, `- type: form_body` or `- type: param_injector` to `middleware`, or write `{patient}` in \
         `endpoint.url_path`"
    );
    for (place, hint) in [
        ("body", "add `- type: json_body`"),
        ("query", "add `- type: param_injector`"),
        ("path", "write `{p}` in `endpoint.url_path`"),
    ] {
        let refused =
            refusal(&config(LOCAL, "", &format!("{{source_column: a, endpoint_param: p, in: {place}}}")));
        assert!(refused.contains(hint), "{refused}");
    }
}

#[test]
fn links_without_effect_are_refused() {
    let refused = refusal(&config(LOCAL, "middleware: [{type: param_injector}]", ""));
    assert!(refused.contains("`param_injector` has no effect"), "{refused}");
    let refused = refusal(&config(LOCAL, "middleware: [{type: auth}]", ""));
    assert!(refused.contains("the middleware `auth` has no effect"), "{refused}");
}

#[test]
fn colliding_body_fields_are_refused() {
    let refused = refusal(&config(
        LOCAL,
        "middleware: [{type: json_body}]",
        "{source_column: a, endpoint_param: x}, {source_column: b, endpoint_param: x.y}, \
         {source_column: c, endpoint_param: x..z}",
    ));
    assert!(refused.contains("the body field `x.y` collides with another mapping's field"), "{refused}");
    assert!(refused.contains("the body field `x..z` has an empty name"), "{refused}");
}

#[test]
fn urls_that_may_not_be_are_refused() {
    let url = |base: &str, path: &str| {
        refusal(&config(&format!("method: GET, base_path: \"{base}\", url_path: \"{path}\""), "", ""))
    };
    for (base, path, what) in [
        ("http://{host}/", "a", "`endpoint.base_path` has a placeholder"),
        ("http://localhost:{port}/", "a", "`endpoint.base_path` has a placeholder"),
        ("http://localhost", "http://{host}/a", "has a placeholder or reference in its host or port"),
        ("http://localhost", "https://{{env.H}}/a", "has a placeholder or reference in its host or port"),
        ("http://me:hunter2@localhost", "a", "`endpoint.base_path` holds a user or password"),
        ("http://localhost", "http://me:hunter2@localhost/a", "`endpoint.url_path` holds a user or password"),
        ("http://localhost/?a=b", "a", "`endpoint.base_path` has a query"),
        ("http://localhost/", "a#b", "`endpoint.url_path` has a fragment"),
        ("http://", "a", "has a malformed host or port"),
        ("http://:80", "a", "has a malformed host or port"),
        ("http://localhost:99999", "a", "has a malformed host or port"),
        ("http://local host", "a", "has a malformed host or port"),
        ("http://localhost", "a/{b", "in `endpoint.url_path`, a `{` is not closed by `}`"),
        ("http://localhost", "a?{b}=c", "in the name of a query parameter"),
        ("http://localhost", "a?b=%ff", "are not UTF-8"),
    ] {
        let refused = url(base, path);
        assert!(refused.contains(what), "{base} {path}\n{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn headers_that_may_not_be_are_refused() {
    let headers = |headers: &str, sections: &str| {
        refusal(&config(&format!("{LOCAL}, headers: {{{headers}}}"), sections, ""))
    };
    for name in ["Host", "Content-Length", "Transfer-Encoding", "Connection"] {
        let refused = headers(&format!("{name}: x"), "");
        assert!(refused.contains(&format!("the header `{name}` can't be set: it ")), "{refused}");
    }
    assert!(headers("\"X Y\": x", "").contains("`X Y` is no header name"));
    assert!(headers("Accept: a, accept: b", "").contains("the header `accept` is set twice"));
    assert!(headers("X-A: \"a\\nb\"", "").contains("holds a character that a header may not hold"));
    assert!(
        headers("idempotency-key: x", "").contains("the header `idempotency-key` carries the request_id")
    );
    let refused = headers("Authorization: x", "auth: {type: bearer, token: t}");
    assert!(refused.contains("the header `authorization` is set by `auth` too"), "{refused}");
}

#[test]
fn references_without_a_value_are_all_named() {
    let text = config(
        &format!("{LOCAL}, headers: {{X-A: \"{{{{env.A}}}}\"}}"),
        "auth: {type: bearer, token: \"{{secret.kv:t}}\"}",
        "",
    );
    let failed = ResolvedReference {
        kind: ReferenceKind::Secret,
        scope: "kv".into(),
        key: "t".into(),
        value: None,
        error: Some("no provider".into()),
    };
    let refused = refusal_with(&text, &inputs(&[failed], None));
    assert!(refused.contains("{{env.A}} has no value: nobody looked it up"), "{refused}");
    assert!(refused.contains("set the environment variable A on the driver"), "{refused}");
    assert!(refused.contains("{{secret.kv:t}} has no value: no provider"), "{refused}");
}

#[test]
fn unfit_credentials_are_refused_without_citing_them() {
    let text = config(LOCAL, "auth: {type: bearer, token: \"{{env.T}}\"}", "");
    let refused = refusal_with(&text, &inputs(&[env("T", "hunter2\n")], None));
    assert!(refused.contains("the value of `auth.token` holds a character"), "{refused}");
    assert!(refused.contains("correct the value of {{env.T}}") && !refused.contains("hunter2"), "{refused}");
    assert!(refusal_with(&text, &inputs(&[env("T", "")], None)).contains("`auth.token` is empty"));
    let basic = config(LOCAL, "auth: {type: basic, username: \"{{env.U}}\", password: p}", "");
    let refused = refusal_with(&basic, &inputs(&[env("U", "me:hunter2")], None));
    assert!(refused.contains("`auth.username` holds a colon") && !refused.contains("hunter2"), "{refused}");
}

#[test]
fn columns_that_the_source_lacks_are_all_named_with_the_nearest() {
    let text = "endpoint: {method: POST, base_path: \"http://localhost\", url_path: \"/{city}\"}\n\
                middleware: [{type: json_body}]\n\
                tables:\n  source: {id_column: trackingid, required_columns: [patient_id, colour]}\n  \
                sink: {path: /out}\n  column_mapping: [{source_column: nmae.first, endpoint_param: n}]\n";
    let refused = refusal_with(text, &inputs(&[], Some(&["tracking_id", "patient_id", "name", "City"])));
    assert_eq!(refused.matches("CONFIG_MISSING_COLUMN").count(), 4, "{refused}");
    for (missing, hint) in [
        ("trackingid", "did you mean `tracking_id`?"),
        ("nmae", "did you mean `name`?"),
        ("city", "did you mean `City`?"),
        ("colour", "the source has `tracking_id`, `patient_id`, `name`, `City`"),
    ] {
        assert!(refused.contains(&format!("the source has no column `{missing}`")), "{refused}");
        assert!(refused.contains(hint), "{refused}");
    }
}

#[test]
fn a_placeholder_without_a_column_is_refused_where_it_stands() {
    let text = "endpoint:\n  method: GET\n  base_path: http://localhost\n  url_path: /p/{patient}\n  \
                headers: {X-Region: \"r-{regoin}\"}\n\
                tables:\n  source: {id_column: id}\n  sink: {path: /out}\n";
    assert_eq!(
        refusal_with(text, &inputs(&[], Some(&["id", "patient_id", "region"]))),
        "c.yaml:4:13: the source has no column `patient` [CONFIG_MISSING_COLUMN]\n    url_path: /p/{patient}\n  the source has \
         `id`, `patient_id`, `region`\nc.yaml:5:23: the source has no column `regoin` [CONFIG_MISSING_COLUMN]\n    \
         headers: {X-Region: \"r-{regoin}\"}\n  did you mean `region`?"
    );
}

#[test]
fn credentials_without_tls_to_another_host_are_refused_unless_allowed() {
    let to = |base: &str, sections: &str| {
        config(&format!("method: POST, base_path: \"{base}\", url_path: a"), sections, "")
    };
    let bearer = "auth: {type: bearer, token: t}";
    assert_eq!(
        refusal(&to("http://api.example.com", bearer)),
        "c.yaml:1:37: auth `bearer` sends its credentials to http://api.example.com without encryption \
         [CONFIG_INVALID_VALUE]\n    endpoint: {method: POST, base_path: \"http://api.example.com\", url_path: a}\n  \
         write https://, or `allow_insecure_http: true` under `transport` if the network in between may be trusted"
    );
    let allowed = format!("{bearer}\ntransport: {{allow_insecure_http: true}}");
    assert_eq!(
        compiled(&to("http://api.example.com", &allowed)).driver.warnings,
        ["auth `bearer` sends its credentials to http://api.example.com without encryption; use https"]
    );
    assert!(compiled(&to("https://api.example.com", bearer)).driver.warnings.is_empty());
    assert!(compiled(&to("http://127.0.0.1:8080", bearer)).driver.warnings.is_empty());
    assert!(compiled(&to("http://api.example.com", "")).driver.warnings.is_empty());
    let by_header = config("method: POST, url_path: \"http://h/a\", headers: {X-Api-Key: k}", "", "");
    assert!(refusal(&by_header).contains("the header `x-api-key` is sent to http://h without encryption"));
    let by_query = config("method: POST, url_path: \"http://h/a?token=t\"", "", "");
    assert!(refusal(&by_query).contains("a credential in the URL or a header is sent to http://h without"));
}

#[test]
fn the_full_template_compiles() {
    let template = include_str!("../../config/tests/data/full-template.yaml");
    let secret = |key: &str| ResolvedReference {
        kind: ReferenceKind::Secret,
        scope: "DATABRICKS_SCOPE".into(),
        key: key.into(),
        value: Some(Secret::new("hunter2")),
        error: None,
    };
    let keys = ["CLIENT_ID_KEY", "CLIENT_SECRET_KEY", "USERNAME_KEY", "PASSWORD_KEY"];
    let resolved = Inputs { data_frame: Some(false), ..inputs(&keys.map(secret), None) };
    let refused = refusal_with(&template.replace("https://auth", "http://auth"), &resolved);
    assert!(
        refused.contains("`auth.token_url` sends credentials over http, without encryption"),
        "{refused}"
    );
    let compiled = compiled_with(template, &resolved);
    let links: Vec<&str> = compiled.plan.chain.iter().map(|link| link.middleware.as_str()).collect();
    assert_eq!(links, ["retry", "logging", "timing", "json_body", "auth"]);
    let auth: AuthSpec = serde_json::from_value(compiled.plan.chain[4].spec.clone()).unwrap();
    let AuthSpec::Oauth2(auth) = auth else { panic!("{auth:?}") };
    assert_eq!(auth.token_url, "https://auth.example.com/token");
    assert!(matches!(auth.grant, Oauth2Grant::Password { .. }));
    assert_eq!((auth.client_auth, auth.client_secret.is_some()), (ClientAuth::Basic, true));
    assert_eq!((auth.scope, auth.audience, auth.params), (None, None, Vec::new()));
    assert_eq!(compiled.plan.request.path, [literal("/v1/patient")]);
    assert_eq!(compiled.driver.source.table.as_deref(), Some("catalog.schema.api_staging"));
    assert_eq!(compiled.driver.sink.table.as_deref(), Some("catalog.schema.api_response"));
    let patient = BodyNode::Column(column("patient_id", false));
    assert_eq!(body(&compiled), BodyNode::Object(vec![("patient".into(), patient)]));
}

#[test]
fn rows_come_from_one_place() {
    let text = |source: &str| {
        format!(
            "endpoint: {{{LOCAL}}}\ntables:\n  source: {{id_column: id, {source}}}\n  sink: {{path: /out}}\n"
        )
    };
    let table = Inputs { data_frame: Some(false), ..Inputs::default() };
    assert_eq!(
        refusal(&text("identifier: a.b")),
        "c.yaml:3:3: a DataFrame was handed over, and `tables.source` names a table too [CONFIG_CONFLICT]\n    \
         source: {id_column: id, identifier: a.b}\n  keep one of them: remove what `tables.source` names, or hand over \
         no DataFrame"
    );
    assert_eq!(
        refusal_with(&text(""), &table),
        "c.yaml:3:3: no DataFrame was handed over, and `tables.source` names no rows [CONFIG_MISSING_KEY]\n    \
         source: {id_column: id, }\n  write `name` with `namespace`, `identifier`, or `path` with `format`; or hand over \
         a DataFrame"
    );
    let refused = refusal(&text("filter: \"a > 1\", select: [a]"));
    assert_eq!(refused.matches("has no effect on a DataFrame that is handed over").count(), 2, "{refused}");
    let source = compiled_with(&text("path: /in, format: csv, filter: \"a > 1\", select: [id, a]"), &table);
    let source = serde_json::to_value(&source.driver.source).unwrap();
    let expected = serde_json::json!({
        "table": null, "path": "/in", "format": "csv", "filter": "a > 1", "select": ["id", "a"]
    });
    assert_eq!(source, expected);
}

#[test]
fn the_driver_learns_where_responses_go() {
    let text = |sink: &str| {
        format!("endpoint: {{{LOCAL}}}\ntables:\n  source: {{id_column: id}}\n  sink: {{{sink}}}\n")
    };
    let made = compiled(&text(
        "path: /out, format: parquet, mode: overwrite, source_columns: [b, a], \
         merge: {name: n, namespace: s}",
    ));
    let expected = serde_json::json!({
        "table": null, "path": "/out", "format": "parquet", "mode": "overwrite",
        "merge": {"table": "s.n", "path": null, "appendRows": true}, "sourceColumns": ["b", "a"], "responseFields": [],
    });
    assert_eq!(serde_json::to_value(&made.driver.sink).unwrap(), expected);
    assert_eq!(made.plan.sink.source_columns, ["b", "a"]);
    assert_eq!(made.driver.columns.as_deref().unwrap(), ["id", "b", "a"]);
    assert!(
        made.driver.warnings[0].starts_with("the sink's format is parquet: "),
        "{:?}",
        made.driver.warnings
    );
    let missing =
        refusal_with(&text("path: /out, source_columns: [nmae]"), &inputs(&[], Some(&["id", "name"])));
    assert!(missing.contains("the source has no column `nmae`") && missing.contains("`name`?"), "{missing}");
    let same = refusal(&text("path: /out, merge: {path: /out}"));
    assert!(same.contains("`tables.sink.merge` names the sink itself"), "{same}");
}

#[test]
fn a_default_stands_for_a_null_in_both_forms() {
    let text = config(
        "method: POST, base_path: \"http://localhost\", url_path: \"/{p}\"",
        "middleware: [{type: json_body}]",
        "{source_column: a, endpoint_param: p, default: 7}, {source_column: b, endpoint_param: b, default: \"x\\\"y\"}",
    );
    let compiled = compiled(&text);
    let default = |text: &str, json: &str| Some(DefaultValue { text: text.into(), json: json.into() });
    let in_path = Piece::Column(ColumnRef { default: default("7", "7"), ..column("a", true) });
    assert_eq!(compiled.plan.request.path[1], in_path);
    let in_body =
        BodyNode::Column(ColumnRef { default: default("x\"y", "\"x\\\"y\""), ..column("b", false) });
    assert_eq!(body(&compiled), BodyNode::Object(vec![("b".into(), in_body)]));
}

#[test]
fn digests_change_with_what_they_stand_for_and_with_nothing_else() {
    let text = |partitions: u32, path: &str, auth: &str| {
        config(
            &format!("method: POST, base_path: \"http://localhost\", url_path: {path}"),
            &format!("execution: {{partitions: {partitions}}}\nauth: {auth}\nmiddleware: [{{type: retry}}]"),
            "",
        )
    };
    let digests = |text: &str, token: &str| {
        let driver = compiled_with(text, &inputs(&[env("T", token)], None)).driver;
        (driver.plan_digest, driver.request_digest)
    };
    let bearer = "{type: bearer, token: \"{{env.T}}\"}";
    let first = digests(&text(4, "/a", bearer), "one");
    assert_eq!(first.0.len(), 64);
    assert_eq!(digests(&text(4, "/a", bearer), "one"), first, "the same config");
    assert_eq!(digests(&text(4, "/a", bearer), "two"), first, "another secret");
    let more = digests(&text(8, "/a", bearer), "one");
    assert_ne!(more.0, first.0, "other partitions");
    assert_eq!(more.1, first.1, "other partitions");
    let anonymous = digests(&text(4, "/a", "{type: none}"), "one");
    assert_ne!(anonymous.0, first.0, "other auth");
    assert_eq!(anonymous.1, first.1, "other auth");
    let moved = digests(&text(4, "/b", bearer), "one");
    assert!(moved.0 != first.0 && moved.1 != first.1, "another path");
}

#[test]
fn seconds_become_rounded_milliseconds() {
    let sections = "transport: {base_timeout: 0.0015, tcp_connection: {idle_timeout: 1.9996}}\n\
                    execution: {flush_seconds: 2.5}";
    let compiled = compiled(&config(LOCAL, sections, ""));
    assert_eq!(compiled.plan.transport.base_timeout_ms, 2);
    assert_eq!(compiled.plan.transport.tcp.idle_timeout_ms, 2000);
    assert_eq!(compiled.driver.flush_millis, 2500);
}

#[test]
fn http2_is_refused_where_it_cannot_be_spoken_and_not_offered_where_it_makes_no_sense() {
    let transport = |keys: &str| config(LOCAL, &format!("transport: {{{keys}}}"), "");
    let version = |keys: &str| compiled(&transport(keys)).plan.transport.http_version;
    assert_eq!(version("base_timeout: 1"), HttpVersionPlan::Auto);
    assert_eq!(version("http_version: http2"), HttpVersionPlan::Http2);
    assert_eq!(version("tcp_connection: {keep_alive: false}"), HttpVersionPlan::Http1);
    let both = refusal(&transport("http_version: http2, tcp_connection: {keep_alive: false}"));
    assert!(both.contains("c.yaml:6:27: `transport.http_version` is http2, but"), "{both}");
    assert!(both.contains("each request has a connection of its own"), "{both}");
    let proxied = |scheme: &str| transport(&format!("http_version: http2, proxy: {{url: '{scheme}://p:1'}}"));
    let plain = refusal(&proxied("http"));
    assert!(plain.contains("an HTTP proxy takes requests to http URLs as HTTP/1.1"), "{plain}");
    assert_eq!(compiled(&proxied("socks5")).plan.transport.http_version, HttpVersionPlan::Http2);
}

proptest! {
    #[test]
    fn whatever_the_url_and_header_compilation_ends(
        base in "https?://[a-z:@{}?#/%\\[\\]. é0-9]{0,20}",
        path in "[a-z:@{}?#/%&=+. é0-9\\[\\]]{0,30}",
        header in "[ -~]{0,20}",
    ) {
        let text = serde_json::json!({
            "endpoint": {"method": "GET", "base_path": base, "url_path": path, "headers": {"x-a": header}},
            "tables": {"source": {"id_column": "id"}, "sink": {"path": "/out"}},
        });
        if let Ok(config) = parse(text.to_string().as_bytes(), "c.json") {
            match compile(&config, &Inputs::default()) {
                Ok(compiled) => prop_assert!(
                    matches!(&compiled.plan.request.path[0], Piece::Literal(path) if path.starts_with('/'))
                ),
                Err(problems) => prop_assert!(!problems.as_slice().is_empty()),
            }
        }
    }
}

#[test]
fn a_proxy_is_refused_with_what_to_write_and_its_url_is_never_cited() {
    let told = |url: &str| refusal(&config(LOCAL, &format!("transport: {{proxy: {{url: \"{url}\"}}}}"), ""));
    let with_user = told("http://me:hunter2@proxy:3128");
    assert!(
        with_user.starts_with("c.yaml:6:26: `transport.proxy.url` holds a user or password"),
        "{with_user}"
    );
    assert!(!with_user.contains("hunter2"), "{with_user}");
    assert!(told("https://proxy:3128").contains("write http://HOST:PORT or socks5://HOST:PORT"));
    for url in ["http://proxy", "http://proxy:0", "socks5://:1080", "http://proxy:3128/path"] {
        assert!(told(url).contains("`transport.proxy.url` has no host and port"), "{url}");
    }
    let sections = "transport: {proxy: {url: \"socks5://Proxy:1080\", username: u, password: hunter2, no_proxy: [.Inside]}}";
    let proxy = compiled(&config(LOCAL, sections, "")).plan.transport.proxy.unwrap();
    assert_eq!(
        (proxy.authority.as_str(), proxy.no_proxy.as_slice()),
        ("proxy:1080", &["inside".to_owned()][..])
    );
    assert!(proxy.credentials.is_some());
}

#[test]
fn rows_are_told_apart_by_their_id_unless_the_config_says_otherwise() {
    let text = |execution: &str, source: &str| {
        config(LOCAL, &format!("execution: {{{execution}}}"), "").replace("{id_column: id}", source)
    };
    let identity = |execution: &str, source: &str| compiled(&text(execution, source)).plan.source.identity;
    assert_eq!(identity("", "{id_column: id}"), Identity::Column("id".into()));
    assert_eq!(identity("repeated_ids: send", "{id_column: id}"), Identity::ColumnAndContent("id".into()));
    assert_eq!(identity("", "{}"), Identity::Content);
    assert_eq!(
        compiled(&text("", "{}")).driver.columns,
        None,
        "nothing is mapped, so that all columns count"
    );
}

#[test]
fn what_looks_for_tracking_ids_needs_an_id_column_and_a_sink_that_keeps_them() {
    let text = config(LOCAL, "execution: {skip_delivered: any}", "");
    let unnamed = text.replace("{id_column: id}", "{}");
    assert!(
        refusal(&unnamed).contains("`execution.skip_delivered` looks for the rows' tracking ids in the sink")
    );
    let emptied = text.replace("{path: /out}", "{path: /out, mode: overwrite}");
    let refused = refusal(&emptied);
    assert!(refused.contains("`tables.sink.mode: overwrite` removes these answers"), "{refused}");
    let merged = config(LOCAL, "", "")
        .replace("{id_column: id}", "{}")
        .replace("{path: /out}", "{path: /out, merge: {path: /m}}");
    assert!(refusal(&merged).contains("`tables.sink.merge` keeps one current row per tracking_id"));
}

#[test]
fn a_body_with_a_method_that_gives_it_no_meaning_is_warned_of() {
    let warnings = |method: &str, chain: &str| {
        let endpoint = LOCAL.replace("POST", method);
        compiled(&config(&endpoint, &format!("middleware: [{chain}]"), "")).driver.warnings.join("\n")
    };
    assert!(warnings("GET", "{type: json_body}").starts_with("a GET request gets a body"));
    assert!(warnings("DELETE", "{type: text_body, template: x}").starts_with("a DELETE request gets a body"));
    assert_eq!(warnings("POST", "{type: json_body}"), "");
    assert_eq!(warnings("GET", "{type: timing}"), "");
}

use std::time::Duration;

use apisink_origin::TokenRequest;
use apisink_runtime::RuntimeError;

use super::support::{Answer, Api, Executor, PATIENCE, drive, eventually, id_schema, ids, stalled};

const OAUTH: [&str; 4] = ["--oauth", "cli:s/e c%r+t", "--oauth-user", "zoë:p&ss=w"];

/// A config whose tokens come from the API's own token endpoint. `keys` are further ones of the section `auth`.
fn config(api: &Api, kind: &str, keys: &str, sections: &str) -> String {
    config_with(api, api, kind, keys, sections)
}

/// A config whose tokens come from another server.
fn config_with(api: &Api, tokens: &Api, kind: &str, keys: &str, sections: &str) -> String {
    let user = if kind == "oauth2_password" { ", username: zoë, password: p&ss=w" } else { "" };
    let auth = format!(
        "auth: {{type: {kind}, token_url: \"http://{}/oauth/token\", client_id: cli, \
         client_secret: s/e c%r+t{user}{keys}}}",
        tokens.authority()
    );
    api.config("url_path: /a", &format!("{auth}\n{sections}"), "")
}

fn successes(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.outcome == "success").count()
}

fn asked(api: &Api, parameter: &str) -> Vec<String> {
    api.token_requests().iter().filter_map(|asked| asked.parameter(parameter)).map(str::to_owned).collect()
}

#[test]
fn each_grant_and_each_way_to_show_the_client_opens_the_api() {
    for (kind, keys, client_auth) in [
        ("oauth2_password", "", "basic"),
        ("oauth2_password", ", client_auth: body", "body"),
        (
            "oauth2_client_credentials",
            ", scope: read write, audience: a/b, token_params: {resource: x&y}",
            "basic",
        ),
        ("oauth2_client_credentials", ", client_auth: body", "body"),
    ] {
        let api = Api::start(&OAUTH);
        let answers = Executor::new().send(&config(&api, kind, keys, ""), ids("row-", 0..20));
        assert_eq!(successes(&answers), 20, "{kind}{keys}");
        assert!(answers.iter().all(|answer| answer.attempts == 1));
        let [asked]: [TokenRequest; 1] = api.token_requests().try_into().unwrap();
        assert_eq!(asked.client_auth, client_auth);
        assert_eq!((asked.client_id.as_str(), asked.client_secret.as_str()), ("cli", "s/e c%r+t"));
        let shown = |name| asked.parameter(name);
        match kind {
            "oauth2_password" => {
                assert_eq!((shown("username"), shown("password")), (Some("zoë"), Some("p&ss=w")))
            }
            _ if keys.contains("scope") => assert_eq!(
                (shown("scope"), shown("audience"), shown("resource")),
                (Some("read write"), Some("a/b"), Some("x&y"))
            ),
            _ => assert_eq!(shown("grant_type"), Some("client_credentials")),
        }
        assert_eq!(api.report().unauthorized, 0);
    }
}

#[test]
fn tasks_that_start_at_once_wait_for_one_token() {
    let api = Api::start(&[&OAUTH[..], &["--token-latency", "200ms"]].concat());
    let executor = Executor::new();
    let engine = executor.engine(&config(&api, "oauth2_client_credentials", "", ""));
    let tasks: Vec<_> = (0..8)
        .map(|partition| {
            let session = executor.session(&engine, partition, &id_schema());
            std::thread::spawn(move || drive(&session, vec![ids(&format!("p{partition}-"), 0..50)]))
        })
        .collect();
    for task in tasks {
        assert_eq!(successes(&task.join().unwrap()), 50);
    }
    let report = api.report();
    assert_eq!((report.tokens.requests, report.requests, report.unauthorized), (1, 400, 0));
}

#[test]
fn a_token_is_renewed_before_it_expires_and_nothing_waits_for_that() {
    let api = Api::start(&[&OAUTH[..], &["--token-life", "1s", "--latency", "fixed:10ms"]].concat());
    let rate = "execution: {max_requests_per_second: 100, max_in_flight: 4}";
    let answers =
        Executor::new().send(&config(&api, "oauth2_client_credentials", "", rate), ids("row-", 0..320));
    assert_eq!(successes(&answers), 320);
    let report = api.report();
    assert!(report.tokens.issued >= 3, "{:?}", report.tokens);
    assert!(
        report.tokens.issued <= 2 + u64::from(report.last_arrival_ms.unwrap() as u32 / 500),
        "{report:?}"
    );
}

#[test]
#[ignore = "takes 30 seconds; make soak"]
fn a_run_of_thirty_seconds_with_tokens_that_live_two_fails_no_row() {
    let api = Api::start(
        &[&OAUTH[..], &["--token-life", "2s", "--latency", "fixed:10ms", "--no-recording"]].concat(),
    );
    let rate = "execution: {max_requests_per_second: 200, max_in_flight: 16}";
    let executor = Executor::new();
    let engine = executor.engine(&config(&api, "oauth2_client_credentials", "", rate));
    let tasks: Vec<_> = (0..8)
        .map(|partition| {
            let session = executor.session(&engine, partition, &id_schema());
            std::thread::spawn(move || drive(&session, vec![ids(&format!("p{partition}-"), 0..750)]))
        })
        .collect();
    let answers: Vec<_> = tasks.into_iter().flat_map(|task| task.join().unwrap()).collect();
    assert_eq!(successes(&answers), 6_000);
    let report = api.report();
    println!("{} tokens in {:.1} s", report.tokens.issued, report.last_arrival_ms.unwrap() / 1000.0);
    assert!((15..=20).contains(&report.tokens.issued), "{report:?}");
}

#[test]
fn a_request_that_waits_longer_for_its_slot_than_a_token_lives_shows_a_good_one() {
    let api = Api::start(&[&OAUTH[..], &["--token-life", "1s"]].concat());
    // All rows are in the window from the beginning; the last one is written after three lives of a token.
    let rate = "execution: {max_requests_per_second: 20, max_in_flight: 100}";
    let answers =
        Executor::new().send(&config(&api, "oauth2_client_credentials", "", rate), ids("row-", 0..64));
    assert_eq!(successes(&answers), 64);
    let report = api.report();
    assert!(report.tokens.issued >= 3, "{:?}", report.tokens);
    // A token that expires on its way is refused now and then, not for every row.
    assert!(report.unauthorized < 16, "{} of 64 requests were refused", report.unauthorized);
}

#[test]
fn a_revoked_token_is_replaced_once_and_the_requests_repeated_under_the_rate_limit() {
    let api = Api::start(&OAUTH);
    let executor = Executor::new();
    let engine = executor.engine(&config(
        &api,
        "oauth2_client_credentials",
        "",
        "execution: {max_requests_per_second: 200}",
    ));
    let send = |prefix: &str| drive(&executor.session(&engine, 0, &id_schema()), vec![ids(prefix, 0..40)]);
    assert_eq!(successes(&send("a-")), 40);
    api.revoke_tokens(false);
    let answers = send("b-");
    assert_eq!(successes(&answers), 40);
    let report = api.report();
    assert!(report.unauthorized >= 1);
    assert_eq!(report.tokens.issued, 2, "all that were refused share the new token");
    let attempts: i32 = answers.iter().map(|answer| answer.attempts).sum();
    assert_eq!(attempts as u64, 40 + report.unauthorized, "every repeat is an attempt");
    assert!(report.highest_rate_1s as f64 <= 201.0 + 200.0 * stalled(&report), "{report:?}");
}

#[test]
fn a_token_that_is_refused_although_it_is_new_is_not_asked_for_again_and_again() {
    let api = Api::start(&["--bearer", "another"]);
    let tokens = Api::start(&OAUTH);
    let config = config_with(&api, &tokens, "oauth2_client_credentials", "", "");
    let config = format!("{config}execution: {{fail_when: {{unauthorized_rows: 0}}}}\n");
    let answers = Executor::new().send(&config, ids("row-", 0..100));
    assert!(answers.iter().all(|answer| answer.status == Some(401) && answer.attempts <= 2));
    assert!(tokens.report().tokens.requests <= 4, "{:?}", tokens.report().tokens);
}

#[test]
fn refresh_tokens_are_used_each_once_and_the_full_grant_when_one_is_refused() {
    let api = Api::start(&[&OAUTH[..], &["--token-refresh"]].concat());
    let executor = Executor::new();
    let engine = executor.engine(&config(&api, "oauth2_password", "", ""));
    let send = |prefix: &str| drive(&executor.session(&engine, 0, &id_schema()), vec![ids(prefix, 0..5)]);
    for (prefix, revoke) in [("a-", false), ("b-", false), ("c-", true), ("d-", false)] {
        assert_eq!(successes(&send(prefix)), 5, "{prefix}");
        api.revoke_tokens(revoke);
    }
    let grants = asked(&api, "grant_type");
    assert_eq!(grants, ["password", "refresh_token", "refresh_token", "refresh_token", "password"]);
    assert_eq!(api.report().tokens.refreshed, 2);
    let shown = asked(&api, "refresh_token");
    assert!(shown[0] != shown[1] && shown[1] != shown[2], "rotated");
}

#[test]
fn a_token_without_an_expiry_is_kept_until_it_is_refused() {
    let api = Api::start(&[&OAUTH[..], &["--token-omit-expiry"]].concat());
    let answers =
        Executor::new().send(&config(&api, "oauth2_client_credentials", "", ""), ids("row-", 0..50));
    assert_eq!((successes(&answers), api.report().tokens.issued), (50, 1));
}

#[test]
fn a_token_endpoint_that_fails_in_passing_is_asked_again() {
    let api = Api::start(&[&OAUTH[..], &["--token-fail", "2:503"]].concat());
    let answers = Executor::new().send(&config(&api, "oauth2_client_credentials", "", ""), ids("row-", 0..5));
    assert_eq!(successes(&answers), 5);
    assert_eq!(api.report().tokens.requests, 3);
}

#[test]
fn a_token_endpoint_that_refuses_is_asked_once_and_ends_the_session_with_its_words() {
    let words = "1000:400:invalid_grant=the user zoë may not use p&ss=w";
    let api = Api::start(&[&OAUTH[..], &["--token-fail", words]].concat());
    let executor = Executor::new();
    let engine = executor.engine(&config(&api, "oauth2_password", "", "middleware: [{type: retry}]"));
    let session = executor.session(&engine, 0, &id_schema());
    assert!(session.wait(Duration::ZERO, false).unwrap().wants_rows);
    session.submit(&ids("row-", 0..1000)).unwrap();
    session.finish();
    let error = eventually("the session fails", || session.wait(PATIENCE, true).err());
    let RuntimeError::Token(why) = &error else { panic!("{error}") };
    assert_eq!(
        *why,
        format!(
            "no token from http://{}/oauth/token: it answered with status 400: invalid_grant: the user zoë may not \
             use ***. Check auth.username and auth.password",
            api.authority()
        )
    );
    assert!(session.take(usize::MAX).unwrap().is_none(), "no row is answered");
    assert_eq!(session.counts().rows, 0);
    let report = api.report();
    assert_eq!((report.tokens.requests, report.requests), (1, 0));
}

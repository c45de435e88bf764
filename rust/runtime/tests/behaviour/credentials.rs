use super::support::{Api, Executor, ids};

#[test]
fn basic_and_bearer_credentials_pass_the_servers_checks() {
    let api = Api::start(&["--basic", "zoë:pä:ss\"word", "--bearer", "t0k3n"]);
    let table = [
        ("{type: basic, username: zoë, password: 'pä:ss\"word'}", Some(200)),
        ("{type: bearer, token: t0k3n}", Some(200)),
        ("{type: basic, username: zoë, password: wrong}", Some(401)),
        ("{type: bearer, token: wrong}", Some(401)),
        ("{type: none}", Some(401)),
    ];
    for (auth, status) in table {
        let config = api.config("url_path: /a", &format!("auth: {auth}\nmiddleware: [{{type: retry}}]"), "");
        let answers = Executor::new().send(&config, ids("row-", 0..2));
        for answer in answers {
            assert_eq!((answer.status, answer.attempts), (status, 1), "{auth}");
        }
    }
    assert_eq!(api.report().unauthorized, 6);
}

#[test]
fn an_api_key_passes_in_a_header_or_the_query_and_is_masked_in_the_url() {
    for (place, flag) in [("header", "header:X-Api-Key=k3y+/&=ö"), ("query", "query:X-Api-Key=k3y+/&=ö")] {
        // A header holds no ö.
        let (flag, key) = if place == "header" {
            (flag.replace('ö', "o"), "k3y+/&=o")
        } else {
            (flag.to_owned(), "k3y+/&=ö")
        };
        let api = Api::start(&["--api-key", &flag, "--echo"]);
        for (value, status) in [(key, 200), ("wrong", 401)] {
            let auth = format!("auth: {{type: api_key, in: {place}, name: X-Api-Key, value: \"{value}\"}}");
            let config = api.config("url_path: /a, query: {page: \"1\"}", &auth, "");
            let answer = Executor::new().send(&config, ids("row-", 0..1)).remove(0);
            assert_eq!(answer.status, Some(status), "{place}");
            let url = answer.url.unwrap();
            let shown = if place == "query" { "/a?page=1&X-Api-Key=***" } else { "/a?page=1" };
            assert!(url.ends_with(shown), "{url}");
        }
    }
}

#[test]
fn credentials_stay_in_every_attempt() {
    let api = Api::start(&["--bearer", "t0k3n", "--fail-first", "2:503"]);
    let config = api.config(
        "url_path: /a",
        "auth: {type: bearer, token: t0k3n}\nmiddleware: [{type: auth}, {type: retry, base_delay: 0}]",
        "",
    );
    let answers = Executor::new().send(&config, ids("row-", 0..3));
    assert!(answers.iter().all(|answer| answer.summary() == ("success", None, 3)), "{answers:?}");
    assert_eq!(api.report().unauthorized, 0);
}

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

//! What happens beside the exchanges reaches the log, once, and without secrets.

use apisink_plan::LogLevel;
use apisink_runtime::session::{LogLine, Logger};

use super::support::{Api, Executor, drive, id_schema, ids};

/// Level and text of the lines of an engine.
fn of_engine(lines: &[LogLine]) -> Vec<(LogLevel, &str)> {
    let lines = lines.iter().filter(|line| line.logger == Logger::Native);
    lines.map(|line| (line.level, line.text.as_str())).collect()
}

#[test]
fn tokens_that_come_late_come_and_are_refused_are_told() {
    let api = Api::start(&["--oauth", "cli:s3cr3t-of-client", "--token-fail", "1:503:busy=s3cr3t-of-client"]);
    let auth = format!(
        "auth: {{type: oauth2_client_credentials, token_url: \"http://{}/oauth/token\", client_id: cli, \
         client_secret: s3cr3t-of-client}}",
        api.authority()
    );
    let executor = Executor::new();
    let engine = executor.engine(&api.config("url_path: /a", &auth, ""));
    let sessions = [0, 1].map(|partition| executor.session(&engine, partition, &id_schema()));
    drive(&sessions[0], vec![ids("a-", 0..5)]);
    let lines = sessions[0].take_logs();
    let told = of_engine(&lines);
    assert_eq!(told.iter().map(|(level, _)| *level).collect::<Vec<_>>(), [LogLevel::Warn, LogLevel::Info]);
    assert!(
        told[0].1.contains("in attempt 1: it answered with status 503")
            && told[0].1.contains("asked again in"),
        "{told:?}"
    );
    assert!(!told[0].1.contains("s3cr3t"), "{told:?}");
    assert!(
        told[1].1.starts_with("a new token from http://") && told[1].1.contains("good for 3600 s"),
        "{told:?}"
    );

    api.revoke_tokens(false);
    drive(&sessions[1], vec![ids("b-", 0..5)]);
    let lines = sessions[1].take_logs();
    let told = of_engine(&lines);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], (LogLevel::Info, "the API refused the token with 401; another is asked for"));
    assert!(sessions[0].take_logs().is_empty(), "each line is taken once");
}

#[test]
fn a_pause_that_the_server_asks_for_is_told_when_it_begins() {
    let api = Api::start(&["--fail-first", "1:429:retry-after=60"]);
    let sections = "execution: {max_announced_pause: 0.2}\n\
                    middleware: [{type: retry, respect_retry_after: false, base_delay: 0.001}]";
    let executor = Executor::new();
    let engine = executor.engine(&api.config("url_path: /a", sections, ""));
    let session = executor.session(&engine, 0, &id_schema());
    drive(&session, vec![ids("row-", 0..1)]);
    let lines = session.take_logs();
    let expected =
        format!("{} answered 429 and asks for a pause: nothing is sent for 0.2 s", api.authority());
    assert_eq!(of_engine(&lines), [(LogLevel::Warn, expected.as_str())]);
}

//! The configs of the guide on authentication each open an API that asks for what they show.

use crate::page::blocks;
use crate::support::{Api, Call};

/// What a config has beside its credentials.
const REST: &str = "endpoint: {method: POST, base_path: \"https://api.example.com\", url_path: /v1/rows}\n\
                    tables: {source: {id_column: id}, sink: {path: /out}}\n";

/// What the page's secret store holds.
const SECRETS: [(&str, &str); 9] = [
    ("access-key-id", "AKIDEXAMPLE"),
    ("client-id", "cl1ent"),
    ("client-secret", "cl1ent/s3cret"),
    ("key", "k3y"),
    ("password", "p&ss"),
    ("secret-access-key", "aws/s3cret"),
    ("session-token", "s3ssion=="),
    ("token", "t0ken"),
    ("username", "us3r"),
];

/// A kind of credential, and the flags of an API that asks for it.
const KINDS: [(&str, &[&str]); 6] = [
    ("basic", &["--basic", "clinic:p&ss"]),
    ("bearer", &["--bearer", "t0ken"]),
    ("api_key", &["--api-key", "header:X-Api-Key=k3y"]),
    ("oauth2_password", &["--oauth", "cl1ent:cl1ent/s3cret", "--oauth-user", "us3r:p&ss"]),
    ("oauth2_client_credentials", &["--oauth", "cl1ent:cl1ent/s3cret"]),
    ("aws_sigv4", &["--sigv4", "AKIDEXAMPLE:aws/s3cret:eu-central-1:execute-api:s3ssion=="]),
];

#[test]
fn every_config_opens_an_api_that_asks_for_what_it_shows() {
    let blocks = blocks("guides/auth.md");
    let kinds: Vec<_> = blocks
        .iter()
        .map(|block| block.text.split("type: ").nth(1).and_then(|rest| rest.lines().next()).unwrap())
        .collect();
    assert_eq!(kinds, KINDS.map(|(kind, _)| kind));
    for (block, (kind, flags)) in blocks.iter().zip(KINDS) {
        let api = Api::start(flags);
        let mut call = Call::new()
            .file("c.yaml", &format!("{}{REST}", block.text))
            .file("rows.ndjson", "{\"id\": \"row-1\"}\n");
        for (key, value) in SECRETS {
            call = call.file(&format!("secrets/vendor/{key}"), value);
        }
        let base = format!("endpoint.base_path={}", api.url());
        let tokens = format!("auth.token_url={}/oauth/token", api.url());
        let mut arguments =
            vec!["send", "c.yaml", "--rows", "rows.ndjson", "--secrets-dir", "secrets", "--set", &base];
        if block.text.contains("token_url") {
            arguments.extend(["--set", tokens.as_str()]);
        }
        let told = call.run(&arguments);
        assert_eq!((told.code, api.requests().len()), (0, 1), "{kind}: {}", told.all());
    }
}

//! `/_origin`: what the origin tells of itself. These requests are in no count and meet no fault.

use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;

use crate::answer::{Answer, Content, respond};
use crate::exchange::Shared;
use crate::link::Link;

/// How many requests `/_origin/requests` shows unless told otherwise.
const DEFAULT_LIMIT: usize = 100;

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
}

/// Whether a path is the origin's own.
pub(crate) fn owns(path: &str) -> bool {
    path.strip_prefix("/_origin").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request for one of the origin's own paths.
pub(crate) fn serve(shared: &Shared, link: &Arc<Link>, request: &Request<Incoming>) -> Response<Answer> {
    link.begin(None);
    let path = request.uri().path();
    let commands = ["/_origin/reset", "/_origin/revoke", "/_origin/token-fail"];
    let allowed = if commands.contains(&path) { Method::POST } else { Method::GET };
    let (status, content) = match path {
        "/_origin/report"
        | "/_origin/keys"
        | "/_origin/requests"
        | "/_origin/reset"
        | "/_origin/revoke"
        | "/_origin/token-requests"
        | "/_origin/token-fail"
            if request.method() != allowed =>
        {
            let error = "this path takes another method, see the Allow header";
            (StatusCode::METHOD_NOT_ALLOWED, Content::json(&Problem { error }))
        }
        "/_origin/report" => (StatusCode::OK, Content::json(&shared.report())),
        "/_origin/keys" => (StatusCode::OK, keys(shared)),
        "/_origin/requests" => requests(shared, request.uri().query()),
        "/_origin/reset" => {
            shared.reset();
            (StatusCode::NO_CONTENT, Content::empty())
        }
        "/_origin/revoke" | "/_origin/token-requests" | "/_origin/token-fail" => {
            tokens(shared, path, request.uri().query())
        }
        _ => {
            let error = "write /_origin/report, /_origin/keys, /_origin/requests?limit=100, \
                         /_origin/token-requests, or POST /_origin/reset, /_origin/revoke?refresh=true, \
                         /_origin/token-fail?1:503";
            (StatusCode::NOT_FOUND, Content::json(&Problem { error }))
        }
    };
    link.answer(status.as_u16(), None);
    let mut response = respond(link, status, content, false);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let allow = if allowed == Method::POST { "POST" } else { "GET" };
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn keys(shared: &Shared) -> Content {
    let mut lines = Vec::new();
    for key in shared.recorder.keys() {
        // Writing plain structs to memory has no error.
        if serde_json::to_writer(&mut lines, &key).is_ok() {
            lines.push(b'\n');
        }
    }
    Content::ndjson(lines)
}

/// What concerns the tokens of `--oauth`.
fn tokens(shared: &Shared, path: &str, query: Option<&str>) -> (StatusCode, Content) {
    let Some(oauth) = &shared.auth.oauth else {
        let error = "no tokens are issued: the origin was started without --oauth";
        return (StatusCode::CONFLICT, Content::json(&Problem { error }));
    };
    match path {
        "/_origin/token-requests" => return (StatusCode::OK, Content::json(&oauth.requests())),
        "/_origin/revoke" => oauth.revoke(query == Some("refresh=true")),
        _ => match query.unwrap_or_default().parse() {
            Ok(rule) => oauth.fail(rule),
            Err(error) => return (StatusCode::BAD_REQUEST, Content::json(&Problem { error: &error })),
        },
    }
    (StatusCode::NO_CONTENT, Content::empty())
}

fn requests(shared: &Shared, query: Option<&str>) -> (StatusCode, Content) {
    if shared.script.no_recording {
        let error = "requests are not recorded: the origin was started with --no-recording";
        return (StatusCode::CONFLICT, Content::json(&Problem { error }));
    }
    let limit = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("limit="));
    match limit.map_or(Ok(DEFAULT_LIMIT), str::parse) {
        Ok(limit) => (StatusCode::OK, Content::json(&shared.recorder.requests(limit))),
        Err(_) => {
            let error = "limit is not a whole number: write /_origin/requests?limit=100";
            (StatusCode::BAD_REQUEST, Content::json(&Problem { error }))
        }
    }
}

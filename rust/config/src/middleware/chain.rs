//! What makes no sense in a chain: a middleware twice, a middleware in the wrong place.

use super::Middleware;
use crate::auth::Auth;
use crate::problem::{Code, Located};
use crate::reader::Section;

/// Refuses what makes no sense in a chain.
pub(crate) fn check_chain(section: &Section<'_>, chain: &[Located<Middleware>], auth: Option<&Auth>) {
    for (index, link) in chain.iter().enumerate() {
        let name = link.name();
        let first = chain[..index].iter().find(|known| known.name() == name);
        if let (Some(first), Some(why)) = (first, why_once(&link.value)) {
            section.note(
                link.at,
                Code::Conflict,
                format!(
                    "the middleware `{name}` stands in the chain again, first in line {}: {why}",
                    first.at.line
                ),
                "remove one of them",
            );
        }
    }
    check_body(section, chain);
    check_compression(section, chain);
    check_retry(section, chain, auth);
    check_rejected(section, chain);
}

/// Two middlewares of different names that make the body; the same twice is refused as such.
fn check_body(section: &Section<'_>, chain: &[Located<Middleware>]) {
    let mut bodies = chain.iter().filter(|link| makes_body(&link.value));
    let Some(first) = bodies.next() else { return };
    for link in bodies.filter(|link| link.name() != first.name()) {
        section.note(
            link.at,
            Code::Conflict,
            format!(
                "the middleware `{}` makes the request's body, as does `{}` in line {}: a request has one body",
                link.name(),
                first.name(),
                first.at.line
            ),
            "remove one of them",
        );
    }
}

/// Only a body that is there can be compressed.
fn check_compression(section: &Section<'_>, chain: &[Located<Middleware>]) {
    let Some(place) = chain.iter().position(|link| matches!(link.value, Middleware::CompressBody(_))) else {
        return;
    };
    if chain[..place].iter().any(|link| makes_body(&link.value)) {
        return;
    }
    let (what, hint) = match chain.iter().find(|link| makes_body(&link.value)) {
        Some(body) => (
            format!("the middleware `compress_body` stands before `{}`, which makes the body", body.name()),
            "put it after the middleware that makes the body",
        ),
        None => (
            "the middleware `compress_body` has no effect: nothing in the chain makes a body".to_owned(),
            "remove it, or add for example `- type: json_body` before it",
        ),
    };
    section.note(chain[place].at, Code::Conflict, what, hint);
}

const fn makes_body(link: &Middleware) -> bool {
    matches!(
        link,
        Middleware::JsonBody | Middleware::FormBody | Middleware::TextBody(_) | Middleware::TemplateBody(_)
    )
}

/// Why a middleware may not stand in a chain twice; none of those that may: a `timing` before `retry` and one after it
/// tell of different things.
const fn why_once(link: &Middleware) -> Option<&'static str> {
    match link {
        Middleware::Retry(_) => Some("each would repeat the attempts of the other"),
        link if makes_body(link) => Some("a request has one body"),
        Middleware::ParamInjector(_) => Some("every parameter would be sent twice"),
        Middleware::Auth => Some("the second would only replace the credentials of the first"),
        Middleware::BearerToken(_) => Some("a request has one bearer"),
        Middleware::CompressBody(_) => Some("the body would be compressed twice"),
        Middleware::JsonResponse(_) => Some("both fill the same columns"),
        Middleware::IdempotencyKey(_) => Some("a request has one key"),
        Middleware::WorkerIdentity | Middleware::TransportDiagnostic => {
            Some("both fill the same column with the same")
        }
        _ => None,
    }
}

/// Whether a body is rejected is known to a `retry` that stands around it only.
fn check_rejected(section: &Section<'_>, chain: &[Located<Middleware>]) {
    let place =
        chain.iter().position(|link| matches!(&link.value, Middleware::Retry(retry) if retry.retry_rejected));
    let Some(place) = place else { return };
    let after = |link: &Located<Middleware>| match &link.value {
        Middleware::JsonResponse(json) => json.success_when.is_some(),
        Middleware::Script(_) => true,
        _ => false,
    };
    if !chain[place..].iter().any(after) {
        section.note(
            chain[place].at,
            Code::Conflict,
            "`retry_rejected` has no effect: no `json_response` with `success_when` and no `script` stands after `retry`",
            "put `- type: json_response` after `- type: retry`, or remove `retry_rejected`",
        );
    }
}

/// What stands before `retry` runs once per row. A token that was asked for must be looked at before every attempt.
fn check_retry(section: &Section<'_>, chain: &[Located<Middleware>], auth: Option<&Auth>) {
    let place = |name: &str| chain.iter().position(|link| link.name() == name);
    let (Some(auth), Some(outer), Some(retry)) = (auth, place("auth"), place("retry")) else { return };
    let expires = matches!(auth, Auth::Oauth2Password(_) | Auth::Oauth2ClientCredentials(_));
    if outer < retry && expires {
        section.note(
            chain[outer].at,
            Code::Conflict,
            format!(
                "the middleware `auth` stands before `retry` and so runs once per row: with auth `{}` an attempt after a \
                 pause would go out with a token that may have expired",
                auth.name()
            ),
            "put `- type: auth` after `- type: retry`, or remove it: it is innermost by itself",
        );
    }
}

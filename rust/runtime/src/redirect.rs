//! Redirects (RFC 9110, 15.4): the request that an answer asks for, if the plan allows it.

use std::sync::Arc;

use apisink_plan::RedirectPlan;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HeaderMap,
    LOCATION, PROXY_AUTHORIZATION,
};
use http::{Method, StatusCode};
use url::Url;

use crate::exchange::Response;
use crate::request::{Origin, Request};

/// The request that follows from a redirect; none when the answer is none, names no place that can be asked, or one
/// that the plan does not allow. Nothing leads from https to http.
pub(crate) fn follow(plan: &RedirectPlan, request: &Request, response: &Response) -> Option<Request> {
    let keeps_method = match response.status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method != Method::POST,
        StatusCode::SEE_OTHER => request.method == Method::HEAD,
        _ => return None,
    };
    let location = std::str::from_utf8(response.headers.get(LOCATION)?.as_bytes()).ok()?;
    let at = &request.origin;
    let base = format!("{}://{}{}", at.scheme(), at.authority, request.target);
    let url = Url::parse(&base).ok()?.join(location).ok()?;
    let host = url.host_str()?;
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let origin = Origin::new(url.scheme(), &authority).ok()?;
    let same = (origin.tls, &origin.host, origin.port) == (at.tls, &at.host, at.port);
    let listed = plan.hosts.contains(&authority) && (origin.tls || !at.tls);
    if !same && !listed {
        return None;
    }
    let origin = if same { at.clone() } else { Arc::new(origin) };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let method = if keeps_method { request.method.clone() } else { Method::GET };
    let mut next = Request::new(method, origin, target);
    next.headers = request.headers.clone();
    if keeps_method {
        next.body = request.body.clone();
    } else {
        next.body = Bytes::new();
        for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE] {
            next.headers.remove(name);
        }
    }
    if same {
        next.late.clone_from(&request.late);
    } else {
        drop_credentials(&mut next.headers);
    }
    next.has_idempotency_key = request.has_idempotency_key;
    Some(next)
}

fn drop_credentials(headers: &mut HeaderMap) {
    let sensitive: Vec<_> = headers
        .iter()
        .filter(|(_, value)| value.is_sensitive())
        .map(|(name, _)| name.clone())
        .chain([AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION])
        .collect();
    for name in sensitive {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn request(method: Method) -> Request {
        let origin = Arc::new(Origin::new("https", "api.example.com").unwrap());
        let mut request = Request::new(method, origin, "/v1/a?b=c".into());
        request.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer hunter2"));
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut key = HeaderValue::from_static("hunter2");
        key.set_sensitive(true);
        request.headers.insert("x-api-key", key);
        request.headers.insert("x-plain", HeaderValue::from_static("kept"));
        request.body = Bytes::from_static(b"{}");
        request
    }

    fn redirected(method: Method, status: u16, location: &str) -> Option<Request> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        let response = Response { status, headers, body: Bytes::new(), truncated: false };
        let plan =
            RedirectPlan { max: 3, hosts: vec!["files.example.com".into(), "b.example.com:8443".into()] };
        follow(&plan, &request(method), &response)
    }

    #[test]
    fn the_method_follows_from_the_status() {
        let method =
            |method, status| redirected(method, status, "/x").map(|next| (next.method, next.body.len()));
        for (status, from, to) in [
            (301, Method::POST, (Method::GET, 0)),
            (302, Method::POST, (Method::GET, 0)),
            (301, Method::PUT, (Method::PUT, 2)),
            (303, Method::PUT, (Method::GET, 0)),
            (303, Method::HEAD, (Method::HEAD, 2)),
            (307, Method::POST, (Method::POST, 2)),
            (308, Method::PATCH, (Method::PATCH, 2)),
        ] {
            assert_eq!(method(from, status), Some(to), "{status}");
        }
        for status in [200, 300, 304, 305] {
            assert_eq!(method(Method::GET, status), None, "{status}");
        }
        assert!(!redirected(Method::POST, 303, "/x").unwrap().headers.contains_key(CONTENT_TYPE));
    }

    #[test]
    fn a_location_is_read_relative_to_the_request() {
        for (location, url) in [
            ("/x?y=z", "https://api.example.com/x?y=z"),
            ("d", "https://api.example.com/v1/d"),
            ("../d/./e#f", "https://api.example.com/d/e"),
            ("?y", "https://api.example.com/v1/a?y"),
            ("https://API.example.com:443/x", "https://api.example.com/x"),
            ("//files.example.com", "https://files.example.com/"),
            ("https://b.example.com:8443/x", "https://b.example.com:8443/x"),
        ] {
            assert_eq!(redirected(Method::GET, 302, location).unwrap().display_url(), url, "{location}");
        }
    }

    #[test]
    fn no_other_host_and_no_plain_http_is_led_to() {
        for location in [
            "https://evil.example.com/",
            "http://api.example.com/",
            "http://files.example.com/",
            "https://files.example.com:8443/",
            "https://files.example.com.evil.com/",
            "https://api.example.com@evil.com/",
            "ftp://files.example.com/",
            "https://",
        ] {
            assert!(redirected(Method::GET, 302, location).is_none(), "{location}");
        }
    }

    #[test]
    fn credentials_stay_at_their_origin() {
        let same = redirected(Method::GET, 302, "/x").unwrap().headers;
        assert!(same.contains_key(AUTHORIZATION) && same.contains_key("x-api-key"));
        let other = redirected(Method::GET, 302, "https://files.example.com/x").unwrap().headers;
        assert!(!other.contains_key(AUTHORIZATION) && !other.contains_key("x-api-key"));
        assert_eq!(other["x-plain"], "kept");
    }
}

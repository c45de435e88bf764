//! `endpoint`: the request that every row becomes.

use crate::keys::{keys, text, texts, whole, word_or_false};
use crate::method::{Method, method};
use crate::problem::{Code, Located, Position};
use crate::reader::Section;
use crate::text::{Segment, Text};

const IDEMPOTENCY_HEADER: &str = "Idempotency-Key";

keys! {
    /// The request that every row becomes.
    pub struct Endpoint {
        /// HTTP method. Lower case is read as upper case.
        method: Method = method().required(),
        /// What every URL begins with: scheme, host and perhaps a path. No say if `url_path` is a whole URL.
        base_path: Option<Text> =
            text("\"https://api.example.com/v1\"").or_empty().optional("`url_path` must be a whole URL"),
        /// Path of the request, relative to `base_path`, or a whole URL. May hold `{name}` placeholders.
        url_path: Text = text("\"/patient/{patient}\"").or_empty().required(),
        /// Headers of every request; values may hold `{name}` placeholders.
        headers: Vec<(Located<String>, Text)> = texts("{Accept: \"application/json\"}").or(Vec::new()),
        /// Fixed query parameters of every request; values may hold `{name}` placeholders.
        query: Vec<(Located<String>, Text)> = texts("{format: \"full\"}").or(Vec::new()),
        /// Header that carries the request_id, the same in every attempt. `false` switches it off.
        idempotency_header: Option<Located<String>> =
            word_or_false(IDEMPOTENCY_HEADER).or(Some(Located::new(IDEMPOTENCY_HEADER.to_owned(), Position::default()))),
        /// Longest URL; a row whose URL is longer is an invalid row.
        max_url_length: usize = whole(16..=1 << 20, "bytes").or(8192),
    }
    check |section| check_urls(section, base_path.as_ref().and_then(Option::as_ref), url_path.as_ref());
}

impl Endpoint {
    /// Whether `url_path` is a whole URL, so that `base_path` has no say.
    #[must_use]
    pub fn url_is_absolute(&self) -> bool {
        is_absolute(self.url_path.leading_literal())
    }
}

fn check_urls(section: &Section<'_>, base: Option<&Text>, url: Option<&Text>) {
    if let Some(url) = url {
        if is_absolute(url.leading_literal()) {
            check_scheme(section, "url_path", url.leading_literal(), url.at());
            if let Some(base) = base {
                check_same_server(section, base, url);
            }
        } else if !section.has("base_path") {
            section.missing(
                "base_path",
                "for example `base_path: \"https://api.example.com/v1\"`, or a whole URL as `url_path`",
            );
        }
    }
    if let Some(base) = base {
        match base.segments().first() {
            // Whatever begins with a reference is checked once the reference is resolved.
            Some(Segment::Reference(_)) => {}
            _ => check_scheme(section, "base_path", base.leading_literal(), base.at()),
        }
    }
}

/// A whole URL as `url_path` leaves `base_path` without a say: one that names another server is a slip.
fn check_same_server(section: &Section<'_>, base: &Text, url: &Text) {
    if let (Some(of_base), Some(of_url)) = (server(base), server(url))
        && of_base != of_url
    {
        section.note(
            url.at(),
            Code::Conflict,
            format!(
                "`endpoint.url_path` goes to {of_url}, but `base_path` to {of_base}: a whole URL as `url_path` leaves \
                 `base_path` without a say"
            ),
            "write `url_path` without scheme and host, or remove `base_path`",
        );
    }
}

/// Scheme, host and port that a URL begins with, if they are written out. A user and password are no part of it.
fn server(url: &Text) -> Option<String> {
    let (scheme, rest) = url.leading_literal().split_once("://")?;
    let end = rest.find(['/', '?', '#']).or(url.literal().map(|_| rest.len()))?;
    let authority = rest[..end].rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    (!authority.is_empty() && !authority.contains(['{', '}'])).then(|| format!("{scheme}://{authority}"))
}

/// Whether a string begins with a scheme, known or not.
fn is_absolute(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

fn check_scheme(section: &Section<'_>, key: &str, text: &str, at: Position) {
    let name = section.name(key);
    match text.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") => {}
        Some(_) if is_absolute(text) => section.note(
            at,
            Code::InvalidValue,
            format!("{name} has a scheme other than http and https"),
            "write a URL that begins with https:// or http://",
        ),
        _ => section.note(
            at,
            Code::InvalidValue,
            format!("{name} does not begin with a scheme"),
            "write a URL that begins with https:// or http://",
        ),
    }
}

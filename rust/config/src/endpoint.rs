//! `endpoint`: the request that every row becomes.

use crate::problem::{Code, Located, Position};
use crate::reader::Section;
use crate::text::Text;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const DEFAULT_IDEMPOTENCY_HEADER: &str = "Idempotency-Key";

/// The section `endpoint`.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// HTTP method, upper case: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Required.
    pub method: Located<String>,
    /// What every URL begins with: scheme, host and perhaps a path. Required unless `url_path` is absolute.
    pub base_path: Option<Text>,
    /// Path of the request, relative to `base_path`, or a whole URL. May hold `{name}` placeholders. Required.
    pub url_path: Text,
    /// Headers of every request; values may hold `{name}` placeholders.
    pub headers: Vec<(Located<String>, Text)>,
    /// Fixed query parameters of every request; values may hold `{name}` placeholders.
    pub query: Vec<(Located<String>, Text)>,
    /// Header that carries the request_id, by default `Idempotency-Key`; none when it was set to false.
    pub idempotency_header: Option<Located<String>>,
    /// Longest URL in bytes, 16 to 1048576, default 8192; a row whose URL is longer is an invalid row.
    pub max_url_length: usize,
}

impl Endpoint {
    /// Whether `url_path` is a whole URL, so that `base_path` has no say.
    #[must_use]
    pub fn url_is_absolute(&self) -> bool {
        is_absolute(self.url_path.leading_literal())
    }

    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let method = section.required_word("method", "POST").and_then(|word| {
            let upper = word.to_ascii_uppercase();
            if METHODS.contains(&upper.as_str()) {
                return Some(Located::new(upper, word.at));
            }
            section.unknown_choice("method", &word, METHODS.into_iter());
            None
        });
        let base_path = section.text("base_path", "\"https://api.example.com/v1\"");
        let url_path = section.required_text("url_path", "\"/patient/{patient}\"");
        if let Some(url) = &url_path {
            let absolute = is_absolute(url.leading_literal());
            if absolute {
                check_scheme(section, "url_path", url.leading_literal(), url.at());
            } else if !section.has("base_path") {
                section.missing(
                    "base_path",
                    "for example `base_path: \"https://api.example.com/v1\"`, or a whole URL as `url_path`",
                );
            }
        }
        if let Some(base) = &base_path {
            match base.segments().first() {
                // Whatever begins with a reference is checked once the reference is resolved.
                Some(crate::text::Segment::Reference(_)) => {}
                _ => check_scheme(section, "base_path", base.leading_literal(), base.at()),
            }
        }
        let headers = section.texts("headers", "`headers: {Accept: \"application/json\"}`");
        let query = section.texts("query", "`query: {format: \"full\"}`");
        let idempotency_header = section
            .word_or_false("idempotency_header", DEFAULT_IDEMPOTENCY_HEADER)
            .unwrap_or_else(|| Some(Located::new(DEFAULT_IDEMPOTENCY_HEADER.to_owned(), section.at())));
        let max_url_length = section.whole("max_url_length", "bytes", 16..=1 << 20, 8192) as usize;
        section.finish();
        Some(Self {
            method: method?,
            base_path,
            url_path: url_path?,
            headers,
            query,
            idempotency_header,
            max_url_length,
        })
    }
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

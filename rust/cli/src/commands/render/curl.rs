//! A request as a curl command for a POSIX shell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::message::Message;

/// Headers that curl makes itself.
const OF_CURL: [&str; 2] = ["host", "content-length"];

/// Headers that curl adds unless it is told not to.
const ADDED_BY_CURL: [&str; 2] = ["accept", "user-agent"];

/// The command that sends this request and no other.
pub(crate) fn command(url: &str, message: &Message) -> String {
    let mut words = match message.method.as_str() {
        // With `--request HEAD` curl would wait for a body.
        "HEAD" => vec!["curl --head".to_owned()],
        method => vec![format!("curl --request {}", quoted(method))],
    };
    // Or curl would make other URLs of brackets and braces, and of `/../`.
    if url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if url.contains("/.") {
        words.push("--path-as-is".to_owned());
    }
    words.push(quoted(url));
    for (name, value) in &message.headers {
        if !OF_CURL.contains(&name.as_str()) {
            // A header without a value is written with a semicolon; with a colon it would be removed.
            let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            words.push(format!("--header {}", quoted(&header)));
        }
    }
    let has = |name: &str| message.headers.iter().any(|(known, _)| known == name);
    if has("accept-encoding") {
        // The header stays as it is; curl is only told to decompress the answer.
        words.push("--compressed".to_owned());
    }
    let typed = (!message.body.is_empty()).then_some("content-type");
    for name in ADDED_BY_CURL.into_iter().chain(typed) {
        if !has(name) {
            words.push(format!("--header '{name}:'"));
        }
    }
    match std::str::from_utf8(&message.body) {
        // A body that begins with `@` would be taken for the name of a file by any other option.
        Ok(body) if !body.contains('\0') => {
            if !body.is_empty() || has("content-length") {
                words.push(format!("--data-raw {}", quoted(body)));
            }
            words.join(" \\\n  ")
        }
        _ => {
            words.push("--data-binary @-".to_owned());
            format!(
                "printf %s {} | base64 --decode | {}",
                STANDARD.encode(&message.body),
                words.join(" \\\n  ")
            )
        }
    }
}

/// One word of a POSIX shell, whatever it holds.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{command, quoted};
    use crate::commands::render::message::Message;

    fn message(method: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Message { method: method.to_owned(), headers, body: body.to_vec() }
    }

    #[test]
    fn a_word_is_quoted_when_the_shell_would_read_it_otherwise() {
        assert_eq!(quoted("https://localhost:8080/v1/a%20b"), "https://localhost:8080/v1/a%20b");
        assert_eq!(quoted("/a?b=c&d"), "'/a?b=c&d'");
        assert_eq!(quoted("it's $HOME `x`\n"), "'it'\\''s $HOME `x`\n'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_command_sends_what_the_message_holds_and_nothing_of_curls_own() {
        let headers = [("host", "h"), ("content-length", "7"), ("x-empty", ""), ("user-agent", "apisink")];
        assert_eq!(
            command("http://h/a", &message("POST", &headers, b"@file's")),
            "curl --request POST \\\n  http://h/a \\\n  --header 'x-empty;' \\\n  --header 'user-agent: apisink' \\\n  \
             --header 'accept:' \\\n  --header 'content-type:' \\\n  --data-raw '@file'\\''s'"
        );
    }

    #[test]
    fn a_request_without_a_body_and_one_for_the_head_alone_say_so() {
        let of = |method: &str| {
            command("http://[::1]/a", &message(method, &[("accept", "*/*"), ("user-agent", "a")], b""))
        };
        assert_eq!(
            of("HEAD"),
            "curl --head \\\n  --globoff \\\n  'http://[::1]/a' \\\n  --header 'accept: */*' \\\n  --header 'user-agent: a'"
        );
        assert!(!of("GET").contains("--data"));
    }

    #[test]
    fn a_body_that_is_no_text_comes_through_a_pipe() {
        let told = command("http://h/a", &message("PUT", &[], &[0, 255]));
        assert!(told.starts_with("printf %s AP8= | base64 --decode | curl --request PUT"), "{told}");
        assert!(told.ends_with("--data-binary @-"), "{told}");
    }
}

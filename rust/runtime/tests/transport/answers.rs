//! Answers: content codings, charsets, and those without a body.

use apisink_runtime::{FailureKind, Response};
use compression_codecs::EncodeV2;
use compression_codecs::brotli::BrotliEncoder;
use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::deflate::DeflateEncoder;
use compression_codecs::flate::params::FlateEncoderParams;
use compression_codecs::gzip::GzipEncoder;
use compression_codecs::zlib::ZlibEncoder;
use compression_codecs::zstd::ZstdEncoder;
use http::Method;

use crate::client::{Client, get};
use crate::raw::Raw;

fn encode(mut encoder: impl EncodeV2, body: &[u8]) -> Vec<u8> {
    let (mut encoded, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    let mut input = PartialBuffer::new(body);
    loop {
        let mut output = WriteBuffer::new_initialized(&mut piece);
        if input.unwritten().is_empty() {
            let finished = encoder.finish(&mut output).unwrap();
            let written = output.written_len();
            encoded.extend_from_slice(&piece[..written]);
            if finished {
                return encoded;
            }
        } else {
            encoder.encode(&mut input, &mut output).unwrap();
            let written = output.written_len();
            encoded.extend_from_slice(&piece[..written]);
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    encode(GzipEncoder::new(FlateEncoderParams::from(Level::Default)), body)
}

/// A body in every coding, and what Content-Encoding calls it.
fn encoded(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let flate = || FlateEncoderParams::from(Level::Default);
    vec![
        ("gzip", gzip(body)),
        ("deflate", encode(ZlibEncoder::new(flate()), body)),
        ("deflate", encode(DeflateEncoder::new(flate()), body)),
        ("br", encode(BrotliEncoder::new(EncoderParams::default()), body)),
        ("zstd", encode(ZstdEncoder::new(3), body)),
    ]
}

async fn ask(client: &Client, headers: &str, body: &[u8]) -> Response {
    let server = Raw::ok(headers, body).await;
    client.get(&server.url, "/").await.0
}

#[tokio::test]
async fn a_compressed_answer_is_asked_for_and_decompressed() {
    let text = format!("{{\"patient\": 7, \"notes\": \"{}\"}}", "well ".repeat(20_000));
    for (coding, body) in encoded(text.as_bytes()) {
        let server = Raw::ok(&format!("content-encoding: {coding}\r\nx-a: b\r\n"), &body).await;
        let (response, facts) = Client::new(|_| {}).get(&server.url, "/").await;
        assert!(response.body == text.as_bytes(), "{coding}");
        assert!(!response.truncated);
        // They would describe another body.
        assert!(!response.headers.contains_key("content-encoding"));
        assert!(!response.headers.contains_key("content-length"));
        assert_eq!(response.headers["x-a"], "b");
        assert!(server.asked()[0].contains("\r\naccept-encoding: gzip, deflate, br, zstd\r\n"));
        assert!(facts.bytes_received.unwrap() < text.len() as u64 / 10);
    }
}

#[tokio::test]
async fn what_a_request_accepts_itself_goes_before_and_nothing_is_done_when_switched_off() {
    let body = gzip(b"hello");
    let server = Raw::ok("content-encoding: gzip\r\n", &body).await;
    let mut request = get(&server.url, "/");
    request.headers.insert("accept-encoding", "identity".parse().unwrap());
    let response = Client::new(|_| {}).sent(&request).await.result.unwrap();
    assert_eq!(response.body, "hello");
    assert!(server.asked()[0].contains("\r\naccept-encoding: identity\r\n"), "{:?}", server.asked());

    let (response, _) = Client::new(|plan| plan.decompress = false).get(&server.url, "/").await;
    assert_eq!(response.body, body);
    assert_eq!(response.headers["content-encoding"], "gzip");
    assert!(!server.asked()[1].contains("accept-encoding"), "{:?}", server.asked());
}

#[tokio::test]
async fn several_members_are_one_body_and_what_follows_the_last_is_left_out() {
    let body = [gzip(b"one, "), gzip(b"two"), b"\0\0\0".to_vec()].concat();
    assert_eq!(ask(&Client::new(|_| {}), "content-encoding: gzip\r\n", &body).await.body, "one, two");
}

#[tokio::test]
async fn a_bomb_is_cut_off_at_the_cap() {
    let bomb = vec![b'0'; 4 << 20];
    for (coding, body) in encoded(&bomb) {
        let client = Client::new(|plan| plan.max_response_bytes = 50_000);
        let response = ask(&client, &format!("content-encoding: {coding}\r\n"), &body).await;
        assert!(response.truncated, "{coding}");
        assert_eq!(response.body.len(), 50_000, "{coding}");
    }
}

#[tokio::test]
async fn a_body_that_unfolds_into_nothing_for_ever_is_cut_off_as_well() {
    let body = gzip(b"").repeat(10_000);
    let client = Client::new(|plan| plan.max_response_bytes = 50_000);
    let response = ask(&client, "content-encoding: gzip\r\n", &body).await;
    assert!(response.truncated && response.body.is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_what_its_coding_says_is_an_invalid_answer() {
    let text = "well ".repeat(2_000);
    for (coding, body) in encoded(text.as_bytes()) {
        for (broken, why) in [(&body[..body.len() / 2], "ends too early"), (b"hello, hello", "")] {
            let server = Raw::ok(&format!("content-encoding: {coding}\r\n"), broken).await;
            let failure = Client::new(|_| {}).fail(&server.url, "/").await;
            assert_eq!((failure.kind, failure.may_have_left), (FailureKind::InvalidResponse, true));
            let told = format!("the body is not what its Content-Encoding says, {coding}: ");
            assert!(failure.message.contains(&told) && failure.message.contains(why), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_body_may_name_a_coding() {
    for (method, status) in
        [(Method::GET, "204 No Content"), (Method::GET, "304 Not Modified"), (Method::HEAD, "200 OK")]
    {
        let length = if status.starts_with("204") { "" } else { "content-length: 30\r\n" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-encoding: gzip\r\n{length}\r\n");
        let server = Raw::start(answer).await;
        let client = Client::new(|_| {});
        for uses in [1, 2] {
            let mut request = get(&server.url, "/");
            request.method = method.clone();
            let sent = client.sent(&request).await;
            let response = sent.result.unwrap();
            assert_eq!((response.status.as_str(), response.body.len()), (&status[..3], 0));
            assert_eq!(sent.facts.connection_uses, Some(uses));
        }
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over_and_chunks_and_trailers_leave_the_connection_usable() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    let server = Raw::start(format!(
        "{interim}HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
         2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nx-sum: 7\r\n\r\n"
    ))
    .await;
    let client = Client::new(|_| {});
    for uses in [1, 2] {
        let (response, facts) = client.get(&server.url, "/").await;
        assert_eq!((response.status.as_u16(), &response.body[..]), (200, &b"hello"[..]));
        assert_eq!(facts.connection_uses, Some(uses));
    }
}

#[tokio::test]
async fn text_in_another_charset_becomes_utf_8() {
    let client = Client::new(|_| {});
    let latin = ask(&client, "content-type: text/plain; charset=iso-8859-1\r\n", b"Z\xfcrich").await;
    assert_eq!(latin.body, "Zürich");
    assert!(!latin.headers.contains_key("content-length"));
    let kana = ask(&client, "content-type: text/csv; charset=\"shift_jis\"\r\n", b"\x83\x65").await;
    assert_eq!(kana.body, "テ");
    let unknown = ask(&client, "content-type: text/plain; charset=klingon\r\n", b"Z\xfcrich").await;
    assert_eq!(unknown.body, &b"Z\xfcrich"[..]);
}

//! `transport.tls`: whom to trust, and who we are.

use crate::keys::{Choice, binary_file, choice, credential, file, flag, keys, located, word, words};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::{SecretText, Text};

keys! {
    /// TLS of `https` URLs. Files are of the driver's machine and are read there; executors need no copy.
    pub struct Tls {
        /// PEM file with the certificates of the authorities that are trusted, and no others.
        ca_file: Option<Text> = file("/etc/ssl/company-ca.pem").optional("the authorities of the executor's operating system"),
        /// PEM file with the client certificate and its chain, its own first.
        client_cert_file: Option<Text> = file("/etc/ssl/client.pem").optional("no client certificate"),
        /// The same as text.
        client_cert: Option<SecretText> = credential().optional("no client certificate"),
        /// PEM file with the client certificate's private key, unencrypted (PKCS#8, PKCS#1 or SEC1).
        client_key_file: Option<Text> = file("/etc/ssl/client.key").optional("no client certificate"),
        /// The same as text.
        client_key: Option<SecretText> = credential().optional("no client certificate"),
        /// PKCS#12 store (.p12, .pfx) with the client certificate, its chain and its key.
        client_p12_file: Option<Text> = binary_file("/etc/ssl/client.p12").optional("no client certificate"),
        /// The same in Base64.
        client_p12: Option<SecretText> = credential().optional("no client certificate"),
        /// The password of the store.
        client_p12_password: Option<SecretText> = credential().optional("the store has the empty password"),
        /// The name to ask for, which the server's certificate must hold.
        server_name: Option<Located<String>> = word("api.example.com").optional("the URL's host"),
        /// The oldest version of TLS that is spoken.
        min_version: OldestTls = choice(VERSIONS).or(OldestTls::V1_2),
        /// The server's key must be one of these: `sha256/` and the base64 of its SubjectPublicKeyInfo's SHA-256.
        pins: Vec<Located<String>> =
            words("[\"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]").or(Vec::new()),
        /// Whether sessions are resumed, which spares a new connection a part of its handshake.
        session_resumption: bool = flag().or(true),
        /// Switches the check of the server's certificate off, so that anybody may read and change what is sent. Pins
        /// are still checked.
        danger_accept_any_server_certificate: Located<bool> = located(flag()).or(Located::new(false, Default::default())),
    }
    check |section| one_client_cert(section);
}

/// A client certificate is said in one form, whole.
fn one_client_cert(section: &Section<'_>) {
    let has = |key: &str| section.has(key);
    let exclude = |one: &str, other: &str| {
        let what = format!("{} and {} exclude each other", section.name(one), section.name(other));
        section.note(section.at(), Code::InvalidValue, what, "remove one of them");
    };
    for (file, text) in [
        ("client_cert_file", "client_cert"),
        ("client_key_file", "client_key"),
        ("client_p12_file", "client_p12"),
    ] {
        if has(file) && has(text) {
            exclude(file, text);
        }
    }
    let written = |keys: [&'static str; 2]| keys.into_iter().find(|key| has(key));
    let certificate = written(["client_cert_file", "client_cert"]);
    let key = written(["client_key_file", "client_key"]);
    match (written(["client_p12_file", "client_p12"]), certificate.or(key)) {
        (Some(store), Some(pem)) => return exclude(pem, store),
        (None, _) if has("client_p12_password") => {
            section.missing("client_p12_file", "`client_p12_file` or `client_p12` as well");
        }
        _ => {}
    }
    match (certificate, key) {
        (Some(_), None) => section.missing("client_key_file", "`client_key_file` or `client_key` as well"),
        (None, Some(_)) => {
            section.missing("client_cert_file", "`client_cert_file` or `client_cert` as well");
        }
        _ => {}
    }
}

const VERSIONS: &[Choice<OldestTls>] =
    &[("1.2", OldestTls::V1_2, "TLS 1.2 and 1.3"), ("1.3", OldestTls::V1_3, "TLS 1.3 alone")];

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldestTls {
    /// `1.2`.
    V1_2,
    /// `1.3`.
    V1_3,
}

//! Functions that scripts may call beside those of the language.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rhai::{Engine, EvalAltResult, ImmutableString};
use sha2::{Digest, Sha256};

use crate::request::{encode_into, hex};

pub(super) fn register(engine: &mut Engine, secrets: Vec<(String, String)>) {
    let secrets: BTreeMap<String, ImmutableString> =
        secrets.into_iter().map(|(name, value)| (name, value.into())).collect();
    engine.register_fn("secret", move |name: &str| -> Result<ImmutableString, Box<EvalAltResult>> {
        secrets.get(name).cloned().ok_or_else(|| format!("there is no secret {name}").into())
    });
    engine.register_fn("sha256_hex", |text: &str| hex(&Sha256::digest(text.as_bytes())));
    engine.register_fn("hmac_sha256_hex", |key: &str, text: &str| hex(&hmac(key, text)));
    engine.register_fn("hmac_sha256_base64", |key: &str, text: &str| STANDARD.encode(hmac(key, text)));
    engine.register_fn("base64_encode", |text: &str| STANDARD.encode(text));
    engine.register_fn("url_encode", |text: &str| {
        let mut encoded = String::new();
        encode_into(text.as_bytes(), &mut encoded);
        encoded
    });
    engine.register_fn("now_ms", now_ms);
    engine.register_fn("now_rfc3339", || Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds fill 63 bits in 292 million years")]
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

fn hmac(key: &str, text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mut mac) => {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        // HMAC takes a key of any length.
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_signatures_are_those_of_the_standards() {
        let mut engine = apisink_plan::script::engine(1_000);
        register(&mut engine, vec![("key".into(), "Jefe".into())]);
        let value = |script: &str| engine.eval::<String>(script).unwrap();
        // RFC 4231, test case 2.
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(value("hmac_sha256_hex(secret(\"key\"), \"what do ya want for nothing?\")"), signature);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(value("sha256_hex(\"\")"), empty);
        assert_eq!(value("base64_encode(\"Köln\")"), "S8O2bG4=");
        assert_eq!(value("url_encode(\"a b/c\")"), "a%20b%2Fc");
        assert_eq!(value("hmac_sha256_base64(\"k\", \"v\")").len(), 44);
    }
}

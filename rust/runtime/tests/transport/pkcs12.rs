//! A client certificate from a PKCS#12 store, as OpenSSL makes them.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use apisink_plan::{ClientCertificatePlan, SecretSlot, TlsPlan};
use apisink_runtime::RuntimeError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::Client;
use crate::tls::{Authority, Identity, serve};

/// What stores are encrypted with today, by Windows and older Java, and by OpenSSL before 3.0.
const ENCRYPTIONS: [&[&str]; 3] =
    [&[], &["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"], &["-legacy"]];

/// A store in Base64.
fn store(identity: &Identity, password: &str, flags: &[&str]) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("store-{}-{}.pem", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let input = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let pem = format!("{}{}", identity.key.serialize_pem(), identity.certificate.pem());
    std::fs::write(&input, pem).unwrap();
    let made = Command::new("openssl")
        .args(["pkcs12", "-export", "-name", "me", "-passout", &format!("pass:{password}"), "-in"])
        .arg(&input)
        .args(flags)
        .output()
        .unwrap();
    std::fs::remove_file(&input).unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    STANDARD.encode(made.stdout)
}

/// A client with a store in the plan's slot 0 and its password in slot 1.
fn client(authority: &Authority, store: &str, password: &str) -> Result<Client, RuntimeError> {
    let password_slot = (!password.is_empty()).then_some(SecretSlot(1));
    let client = ClientCertificatePlan::Pkcs12 { store: SecretSlot(0), password: password_slot };
    let tls = TlsPlan { client: Some(client), ..authority.trusted() };
    Client::try_new(&[store, password], |plan| plan.tls = tls)
}

#[tokio::test]
async fn a_store_opens_a_server_that_asks_for_its_certificate_however_it_is_encrypted() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let me = clients.issue("me", |_| {});
    let origin = serve(&authority.server(), rustls::ALL_VERSIONS, Some(&clients)).await;
    for flags in ENCRYPTIONS {
        for password in ["pä55 \"word", ""] {
            let client = client(&authority, &store(&me, password, flags), password).unwrap();
            assert_eq!(client.get(&origin.url(), "/").await.0.status, 200, "{flags:?} {password:?}");
        }
    }
    // As `base64` breaks it into lines.
    let lines: Vec<u8> = store(&me, "pw", &[]).into_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n');
    client(&authority, std::str::from_utf8(&lines).unwrap(), "pw").unwrap().get(&origin.url(), "/").await;
}

#[test]
fn a_store_that_cannot_be_opened_is_refused_before_any_request() {
    let authority = Authority::new();
    let me = authority.issue("me", |_| {});
    let told = |store: &str, password: &str| client(&authority, store, password).err().unwrap().to_string();
    for flags in ENCRYPTIONS {
        for wrong in ["hunter2", ""] {
            let told = told(&store(&me, "right", flags), wrong);
            assert!(
                told.contains("transport.tls.client_p12_password: it is not the password"),
                "{flags:?}: {told}"
            );
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
    assert!(told("no Base64!", "x").contains("transport.tls.client_p12: it is no Base64"));
    let told_of_pem = told(&STANDARD.encode(me.certificate.pem()), "x");
    assert!(told_of_pem.contains("transport.tls.client_p12: it is no PKCS#12 store"), "{told_of_pem}");
    let without_key = told(&store(&me, "x", &["-nokeys"]), "x");
    assert!(without_key.contains("it holds no private key with its certificate"), "{without_key}");
}

//! TLS: whom the engine trusts, who it is, and what it says when that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use apisink_origin::{Origin, Script};
use apisink_plan::{ClientCertificatePlan, SecretSlot, TlsPlan, TlsVersion, TransportPlan};
use apisink_runtime::{FailureKind, RuntimeError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData, date_time_ymd,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use sha2::{Digest, Sha256};

use crate::client::Client;

/// An authority of the test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Authorities have names of their own: of two with one name the wrong one would be tried.
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        Identity { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    pub(crate) fn server(&self) -> Identity {
        self.issue("127.0.0.1", |_| {})
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }

    pub(crate) fn trusted(&self) -> TlsPlan {
        TlsPlan { ca: Some(self.0.pem()), ..TlsPlan::default() }
    }
}

impl Identity {
    fn pin(&self) -> String {
        format!("sha256/{}", STANDARD.encode(Sha256::digest(self.key.subject_public_key_info())))
    }
}

pub(crate) async fn serve(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> Origin {
    Origin::start_tls(Script::default(), Arc::new(config(identity, versions, clients))).await
}

pub(crate) fn config(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(authority.roots(), provider).build().unwrap(),
        ),
    };
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    builder.with_single_cert(vec![identity.certificate.der().clone()], key).unwrap()
}

const BOTH: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;

fn with(tls: TlsPlan) -> impl FnOnce(&mut TransportPlan) {
    move |plan| plan.tls = tls
}

#[tokio::test]
async fn a_server_whose_authority_is_given_is_trusted_and_its_handshake_is_timed() {
    let authority = Authority::new();
    let origin = serve(&authority.server(), BOTH, None).await;
    let client = Client::new(with(authority.trusted()));
    let (response, facts) = client.get(&origin.url(), "/").await;
    assert_eq!(response.status, 200);
    assert!(facts.tls.is_some());
    let (_, facts) = client.get(&origin.url(), "/").await;
    assert_eq!((facts.reused, facts.tls), (Some(true), None));
}

/// Keeps a server's sessions, and counts those that are resumed.
#[derive(Debug)]
struct Sessions {
    kept: Arc<dyn StoresServerSessions>,
    resumed: AtomicU32,
}

impl Sessions {
    fn resumed(&self, found: Option<Vec<u8>>) -> Option<Vec<u8>> {
        self.resumed.fetch_add(u32::from(found.is_some()), Ordering::Relaxed);
        found
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.kept.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.resumed(self.kept.get(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.resumed(self.kept.take(key))
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_session_is_resumed_by_the_next_connection_unless_that_is_switched_off() {
    let authority = Authority::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (session_resumption, resumed) in [(true, 1), (false, 0)] {
            let kept = ServerSessionMemoryCache::new(32);
            let sessions = Arc::new(Sessions { kept, resumed: AtomicU32::new(0) });
            let mut config = config(&authority.server(), &[version], None);
            config.session_storage = sessions.clone();
            let origin = Origin::start_tls(Script::default(), Arc::new(config)).await;
            let client = Client::new(|plan| {
                plan.tls = TlsPlan { session_resumption, ..authority.trusted() };
                plan.tcp.keep_alive = false;
            });
            for _ in 0..2 {
                let (_, facts) = client.get(&origin.url(), "/").await;
                assert!(facts.tls.is_some());
            }
            assert_eq!(sessions.resumed.load(Ordering::Relaxed), resumed, "{version:?}");
        }
    }
}

/// What a client with this plan is told, having sent nothing.
async fn refused(origin: &Origin, tls: TlsPlan) -> String {
    let failure = Client::new(with(tls)).fail(&origin.url(), "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::ServerCertificate, false));
    assert_eq!(origin.report().requests, 0);
    failure.message
}

#[tokio::test]
async fn an_unknown_authority_is_told_with_the_key_that_names_it() {
    let origin = serve(&Authority::new().server(), BOTH, None).await;
    let told = refused(&origin, Authority::new().trusted()).await;
    assert!(told.contains("its issuer is not trusted; set transport.tls.ca_file"), "{told}");
}

#[tokio::test]
async fn an_expired_certificate_is_told_with_its_date() {
    let authority = Authority::new();
    let expired = authority.issue("127.0.0.1", |params| params.not_after = date_time_ymd(2001, 2, 3));
    let origin = serve(&expired, BOTH, None).await;
    let told = refused(&origin, authority.trusted()).await;
    assert!(told.contains("it has expired") && told.contains("the API's owner must renew it"), "{told}");
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_points_at_the_clock() {
    let authority = Authority::new();
    let early = authority.issue("127.0.0.1", |params| params.not_before = date_time_ymd(4000, 1, 1));
    let origin = serve(&early, BOTH, None).await;
    let told = refused(&origin, authority.trusted()).await;
    assert!(told.contains("it is not valid yet") && told.contains("check the executor's clock"), "{told}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_that_name_is_asked_for() {
    let authority = Authority::new();
    let origin = serve(&authority.issue("api.example.com", |_| {}), BOTH, None).await;
    let told = refused(&origin, authority.trusted()).await;
    assert!(told.contains("it is not for 127.0.0.1") && told.contains("transport.tls.server_name"), "{told}");
    let named = TlsPlan { server_name: Some("api.example.com".into()), ..authority.trusted() };
    Client::new(with(named)).get(&origin.url(), "/").await;
}

#[tokio::test]
async fn a_pin_lets_its_own_key_pass_and_no_other() {
    let authority = Authority::new();
    let (server, other) = (authority.server(), authority.server());
    let origin = serve(&server, BOTH, None).await;
    let pinned = |pins: &[&Identity]| TlsPlan {
        pins: pins.iter().map(|identity| identity.pin()).collect(),
        ..authority.trusted()
    };
    let told = refused(&origin, pinned(&[&other])).await;
    assert!(told.contains(&format!("its key {} is none of transport.tls.pins", server.pin())), "{told}");
    Client::new(with(pinned(&[&other, &server]))).get(&origin.url(), "/").await;
}

#[tokio::test]
async fn without_verification_any_certificate_will_do_but_pins_are_still_checked() {
    let origin = serve(&Authority::new().server(), BOTH, None).await;
    let unverified = TlsPlan { verify: false, ..TlsPlan::default() };
    let pinned = TlsPlan { pins: vec![Authority::new().server().pin()], ..unverified.clone() };
    assert!(refused(&origin, pinned).await.contains("none of transport.tls.pins"));
    Client::new(with(unverified)).get(&origin.url(), "/").await;
}

#[tokio::test]
async fn a_server_that_is_too_old_says_so() {
    let authority = Authority::new();
    let origin = serve(&authority.server(), &[&rustls::version::TLS12], None).await;
    let new = TlsPlan { min_version: TlsVersion::V1_3, ..authority.trusted() };
    let failure = Client::new(with(new)).fail(&origin.url(), "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Tls, false));
    assert!(failure.message.contains("transport.tls.min_version"), "{failure:?}");
    Client::new(with(authority.trusted())).get(&origin.url(), "/").await;
}

/// A client certificate: `certificate` in the plan's slot 1, `key` in slot 0.
fn client(authority: &Authority, certificate: &str, key: &str) -> Result<Client, RuntimeError> {
    let client = Some(ClientCertificatePlan::Pem { certificate: SecretSlot(1), key: SecretSlot(0) });
    Client::try_new(&[key, certificate], with(TlsPlan { client, ..authority.trusted() }))
}

#[tokio::test]
async fn a_client_certificate_opens_a_server_that_asks_for_one_in_both_versions() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let me = clients.issue("me", |_| {});
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let origin = serve(&authority.server(), &[version], Some(&clients)).await;
        let client = client(&authority, &me.certificate.pem(), &me.key.serialize_pem()).unwrap();
        client.get(&origin.url(), "/").await;
    }
}

#[tokio::test]
async fn a_missing_or_unknown_client_certificate_is_told_in_both_versions() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let stranger = Authority::new().issue("stranger", |_| {});
    let (old, new) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for (version, http2) in [(old, false), (old, true), (new, false), (new, true)] {
        let mut config = config(&authority.server(), &[version], Some(&clients));
        config.alpn_protocols.extend(http2.then(|| b"h2".to_vec()));
        let origin = Origin::start_tls(Script::default(), Arc::new(config)).await;
        let missing = Client::new(with(authority.trusted())).fail(&origin.url(), "/").await;
        assert_eq!(missing.kind, FailureKind::ClientCertificate, "{missing:?}");
        assert!(missing.message.contains("set transport.tls.client_cert and"), "{missing:?}");
        let client = client(&authority, &stranger.certificate.pem(), &stranger.key.serialize_pem()).unwrap();
        let unknown = client.fail(&origin.url(), "/").await;
        assert_eq!(unknown.kind, FailureKind::ClientCertificate, "{unknown:?}");
        assert!(unknown.message.contains("it does not accept the client certificate"), "{unknown:?}");
        assert_eq!(origin.report().requests, 0);
    }
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_told() {
    let origin = crate::client::origin(&[]).await;
    let url = origin.url().replace("http://", "https://");
    let failure = Client::new(with(Authority::new().trusted())).fail(&url, "/").await;
    assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Tls, false), "{failure:?}");
}

#[test]
fn what_cannot_be_read_is_refused_before_any_request_and_no_key_is_cited() {
    let authority = Authority::new();
    let (me, other) = (authority.issue("me", |_| {}), authority.issue("other", |_| {}));
    let (certificate, key) = (me.certificate.pem(), me.key.serialize_pem());
    let told = |certificate: &str, key: &str| client(&authority, certificate, key).err().unwrap().to_string();
    assert!(told("no PEM", &key).contains("transport.tls.client_cert: it holds no certificate"));
    assert!(told(&certificate, "hunter2").contains("transport.tls.client_key: it holds no private key"));
    assert!(!told(&certificate, "hunter2").contains("hunter2"));
    assert!(
        told(&certificate, &other.key.serialize_pem())
            .contains("it is not the key of the client certificate")
    );
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(told(&certificate, encrypted).contains("the key is encrypted; write it unencrypted"));

    let told = |tls: TlsPlan| Client::try_new(&[], with(tls)).err().unwrap().to_string();
    let ca = Some("no PEM".to_owned());
    assert!(
        told(TlsPlan { ca, ..TlsPlan::default() }).contains("transport.tls.ca_file: it holds no certificate")
    );
    let pins = vec!["sha256/short".to_owned()];
    assert!(told(TlsPlan { pins, ..TlsPlan::default() }).contains("transport.tls.pins: sha256/short is not"));
}

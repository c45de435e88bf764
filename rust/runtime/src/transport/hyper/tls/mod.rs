//! TLS by rustls with aws-lc-rs: whom to trust, and who we are.

mod identity;
mod problem;
mod verifier;
mod witness;

use std::sync::{Arc, OnceLock};

use apisink_plan::{TlsPlan, TlsVersion};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

pub(super) use identity::ClientCertificate;
pub(in crate::transport) use problem::{explain, of_error};
use verifier::{Pin, Verifier};
pub(in crate::transport::hyper) use witness::Witness;

/// Sessions kept for resumption, of all hosts together.
const SESSIONS: usize = 64;

/// What a plan says about TLS, read and checked. The client configuration is made at the first TLS connection: a
/// plain-HTTP plan never reads the platform's roots.
#[derive(Debug)]
pub(super) struct Tls {
    roots: Option<Arc<RootCertStore>>,
    client: Option<Arc<CertifiedKey>>,
    server_name: Option<ServerName<'static>>,
    pins: Vec<Pin>,
    min_version: TlsVersion,
    resume: bool,
    verify: bool,
    alpn: Vec<Vec<u8>>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    /// Reads a plan's certificates; `client` is the values of its slots. The error says which key of the config is at
    /// fault.
    pub(super) fn new(
        plan: &TlsPlan,
        client: Option<ClientCertificate<'_>>,
        alpn: &[&str],
    ) -> Result<Self, String> {
        Ok(Self {
            roots: plan.ca.as_deref().map(given_roots).transpose()?.map(Arc::new),
            client: client.map(ClientCertificate::read).transpose()?.map(Arc::new),
            server_name: plan.server_name.as_deref().map(server_name).transpose()?,
            pins: plan.pins.iter().map(|pin| pin.parse()).collect::<Result<_, _>>()?,
            min_version: plan.min_version,
            resume: plan.session_resumption,
            verify: plan.verify,
            alpn: alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect(),
            config: OnceLock::new(),
        })
    }

    /// The client configuration; made once, and so is its error.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| self.client_config().map(Arc::new)).clone()
    }

    /// The name that the server's certificate must hold.
    pub(super) fn name_of(&self, host: &str) -> Result<ServerName<'static>, String> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => ServerName::try_from(host.to_owned())
                .map_err(|_| format!("{host} is no name that a certificate can hold")),
        }
    }

    fn client_config(&self) -> Result<ClientConfig, String> {
        let roots = match &self.roots {
            Some(roots) => roots.clone(),
            None if self.verify => Arc::new(platform_roots()?),
            None => Arc::new(RootCertStore::empty()),
        };
        let verifier = Verifier::new(roots, provider(), self.verify, self.pins.clone())?;
        let versions: &[_] = match self.min_version {
            TlsVersion::V1_2 => &[&rustls::version::TLS12, &rustls::version::TLS13],
            TlsVersion::V1_3 => &[&rustls::version::TLS13],
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .map_err(|e| e.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.client {
            Some(client) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(client.clone())))
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption =
            if self.resume { Resumption::in_memory_sessions(SESSIONS) } else { Resumption::disabled() };
        config.alpn_protocols = self.alpn.clone();
        Ok(config)
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())).clone()
}

fn platform_roots() -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    let (added, _) = store.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let why = loaded.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
        return Err(format!(
            "no CA certificate of the operating system can be used: {why}; \
             install its package of CA certificates on the executors, or set transport.tls.ca_file"
        ));
    }
    Ok(store)
}

fn given_roots(pem: &str) -> Result<RootCertStore, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("transport.tls.ca_file: {why}");
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| wrong(&e))?;
        store.add(certificate).map_err(|e| wrong(&format!("a certificate cannot be used: {e}")))?;
    }
    if store.is_empty() {
        return Err(wrong(&"it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(store)
}

fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| format!("transport.tls.server_name: {name} is no name that a certificate can hold"))
}

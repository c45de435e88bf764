//! Every config in `configs/` does what it says: accepted, explained, rendered, and its sample rows sent to a real API.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use apisink_config::{Auth, Config, ReferenceKind};
use apisink_origin::Script;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::support::{Api, Call};

/// What stands for every secret and variable.
const VALUE: &str = "t0ken";

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs")
}

fn examples() -> Vec<PathBuf> {
    let all = std::fs::read_dir(configs()).unwrap().map(|entry| entry.unwrap().path());
    let mut yaml: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    yaml.sort();
    assert!(yaml.len() >= 4, "{yaml:?}");
    yaml
}

fn read(path: &Path) -> Config {
    apisink_config::parse(&std::fs::read(path).unwrap(), "example")
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// A server that lets in whom its own authority has signed.
struct Certificates {
    server: ServerConfig,
    authority: String,
    client: String,
    client_key: String,
}

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &authority).unwrap(), key)
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let (certificate, key) = issue("127.0.0.1");
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let (client, client_key) = issue("client");
        Self {
            server,
            authority: authority.pem(),
            client: client.pem(),
            client_key: client_key.serialize_pem(),
        }
    }
}

/// An API that asks for what the config has to show, and a call that can show it.
fn stage(config: &Config) -> (Api, Call, Vec<String>) {
    let mut call = Call::new();
    let mut set = Vec::new();
    let mut script = Script::default();
    match &config.auth.value {
        Auth::None => {}
        Auth::Basic(basic) => {
            let user = basic.username.expose().literal().unwrap_or(VALUE);
            script.basic = Some(format!("{user}:{VALUE}"));
        }
        _ => script.bearer = Some(VALUE.to_owned()),
    }
    // A retry is a part of what is shown, where there is one.
    if config.middleware.iter().any(|link| link.name() == "retry") {
        script.fail_first = Script::from_args(["--fail-first", "1:503:retry-after=0"]).unwrap().fail_first;
    }
    let certificates = config.transport.tls.client_cert_file.as_ref().map(|_| Certificates::new());
    for reference in config.references() {
        let value = match (&certificates, reference.key.as_str()) {
            (Some(certificates), "client-key") => &certificates.client_key,
            _ => VALUE,
        };
        call = match reference.kind {
            ReferenceKind::Env => call.env(&reference.key, value),
            ReferenceKind::Secret => {
                call.file(&format!("secrets/{}/{}", reference.scope, reference.key), value)
            }
            ReferenceKind::File | ReferenceKind::BinaryFile => call,
        };
    }
    let api = match certificates {
        None => Api::with(script, None),
        Some(certificates) => {
            call = call.file("ca.pem", &certificates.authority).file("client.pem", &certificates.client);
            set.push("transport.tls.ca_file=ca.pem".to_owned());
            set.push("transport.tls.client_cert_file=client.pem".to_owned());
            Api::with(script, Some(certificates.server))
        }
    };
    // Another server, the same path.
    let base = config.endpoint.base_path.as_ref().and_then(|base| base.literal()).unwrap_or_default();
    let path = base.splitn(4, '/').nth(3).unwrap_or_default();
    set.push(format!("endpoint.base_path={}/{path}", api.url()));
    (api, call, set)
}

#[test]
fn every_example_is_accepted_explained_and_its_rows_are_sent_with_success() {
    for example in examples() {
        let name = example.file_stem().unwrap().to_string_lossy().into_owned();
        let rows = configs().join(format!("rows/{name}.ndjson"));
        let rows = rows.to_str().unwrap();
        let example = example.to_str().unwrap();
        for arguments in
            [vec!["check", example], vec!["explain", example], vec!["render", example, "--rows", rows]]
        {
            let told = Call::new().run(&arguments);
            assert_eq!(told.code, 0, "{arguments:?}: {}", told.all());
            assert!(!told.out.contains("not sent"), "{arguments:?}: {}", told.all());
        }
        let config = read(Path::new(example));
        let (api, call, set) = stage(&config);
        let mut arguments = vec!["send", example, "--rows", rows, "-n", "100", "--secrets-dir", "secrets"];
        for one in &set {
            arguments.extend(["--set", one]);
        }
        let told = call.run(&arguments);
        assert_eq!(told.code, 0, "{name}: {}", told.all());
        let sent = std::fs::read_to_string(rows).unwrap().lines().count();
        let answered = api.requests().iter().filter(|request| request.status == Some(200)).count();
        assert_eq!(answered, sent, "{name}: {}", told.all());
    }
}

#[test]
fn the_examples_ask_for_what_they_say() {
    let of = |name: &str| {
        let example = configs().join(format!("{name}.yaml"));
        let config = read(&example);
        let (api, call, set) = stage(&config);
        let rows = configs().join(format!("rows/{name}.ndjson"));
        let mut arguments = vec![
            "send",
            example.to_str().unwrap(),
            "--rows",
            rows.to_str().unwrap(),
            "--secrets-dir",
            "secrets",
        ];
        for one in &set {
            arguments.extend(["--set", one]);
        }
        call.run(&arguments);
        let answered = api.requests().into_iter().filter(|request| request.status == Some(200));
        answered
            .map(|request| {
                let tenant = request.header("x-tenant").map(str::to_owned);
                (
                    format!("{} {}?{}", request.method, request.path, request.query.unwrap_or_default()),
                    tenant,
                    request.body,
                )
            })
            .collect::<Vec<_>>()
    };
    let told = |line: &str, tenant: Option<&str>, body: &str| {
        (line.to_owned(), tenant.map(str::to_owned), body.to_owned())
    };
    assert_eq!(
        of("enrich-get"),
        [
            told("GET /v1/lookup?format=full&zip=50667&country=DE", None, ""),
            told("GET /v1/lookup?format=full&zip=1010", None, ""),
        ]
    );
    assert_eq!(
        of("vendor-orders"),
        [
            told(
                "POST /v1/orders?",
                Some("north"),
                r#"{"order":{"id":"o-1","customer":7,"line":{"quantity":3,"price":12.5}}}"#
            ),
            told(
                "POST /v1/orders?",
                Some("south"),
                r#"{"order":{"id":"o-2","customer":8,"line":{"quantity":1,"price":99.0}}}"#
            ),
        ]
    );
    let filed = r#"{"report_id":"r-18","year":2024,"approved":true,"positions":[]}"#;
    assert_eq!(of("regulatory-filing")[1], told("PUT /filings/2024/r-18?", None, filed));
}

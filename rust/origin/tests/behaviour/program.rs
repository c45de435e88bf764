use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// The program, killed if its test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(args: &[&str]) -> (Program, String, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_apisink-origin"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let addr = line.trim_end().split_once("://").unwrap().1.to_owned();
    (Program(child), addr, stdout)
}

fn get(addr: &str, path: &str) -> String {
    get_over(TcpStream::connect(addr).unwrap(), path)
}

fn get_over(mut stream: impl Read + Write, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_where_it_listens_and_ends_with_its_standard_input() {
    let (mut program, addr, mut stdout) = start(&["--exit-with-stdin", "--threads", "2"]);
    assert!(get(&addr, "/a").starts_with("HTTP/1.1 200 OK"));
    assert!(get(&addr, "/_origin/report").contains("\"requests\":1,"));
    drop(program.0.stdin.take());
    assert!(program.0.wait().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn it_ends_on_sigterm_and_not_with_its_standard_input_unless_asked() {
    let (mut program, addr, _stdout) = start(&[]);
    drop(program.0.stdin.take());
    assert!(get(&addr, "/a").starts_with("HTTP/1.1 200 OK"));
    let killed = Command::new("kill").arg(program.0.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn it_writes_its_port_to_a_file() {
    let path = std::env::temp_dir().join(format!("apisink-origin-port-{}", std::process::id()));
    let (_program, addr, _stdout) = start(&["--port-file", path.to_str().unwrap()]);
    let port = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(addr, format!("127.0.0.1:{}", port.trim_end()));
}

#[test]
fn it_speaks_tls_with_a_certificate_that_it_hands_out() {
    let path = std::env::temp_dir().join(format!("apisink-origin-{}.pem", std::process::id()));
    let (_program, addr, _stdout) = start(&["--tls-certificate", path.to_str().unwrap()]);
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let mut connect = |name: &'static str, protocols: &[&[u8]]| {
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from(name).unwrap();
        let mut connection = ClientConnection::new(Arc::new(config.clone()), name).unwrap();
        let mut stream = TcpStream::connect(&addr).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap();
        }
        StreamOwned::new(connection, stream)
    };
    assert_eq!(connect("localhost", &[b"http/1.1", b"h2"]).conn.alpn_protocol(), Some(&b"h2"[..]));
    let stream = connect("127.0.0.1", &[b"http/1.1"]);
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(get_over(stream, "/a").starts_with("HTTP/1.1 200 OK"));
    assert!(get_over(connect("localhost", &[]), "/a").starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn it_refuses_flags_that_make_no_sense() {
    for (args, told) in [
        (&["--fail", "0.7:503", "--stall", "0.7"][..], "must not exceed 1"),
        (&["--fail", "often:503"][..], "`often` is not a share"),
        (&["--http2", "--tls-certificate", "x"][..], "cannot be used with"),
        (&["--tls-certificate", "/nowhere/x"][..], "cannot write /nowhere/x"),
        (&["--close-idle", "5"][..], "write a number and a unit"),
        (&["--listen", "192.0.2.1:1"][..], "cannot listen on 192.0.2.1:1"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_apisink-origin")).args(args).output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8(output.stderr).unwrap().contains(told), "{args:?}");
        assert!(output.stdout.is_empty());
    }
}

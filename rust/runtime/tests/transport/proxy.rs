//! Proxies: a small real one that speaks HTTP and SOCKS 5, and notes what it was asked.

use std::sync::{Arc, Mutex};

use apisink_plan::{ProxyKind, ProxyPlan, SecretSlot, TransportPlan};
use apisink_runtime::FailureKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, origin};
use crate::raw::read_head;

/// What the proxy asks its users for.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    Open,
    /// User `u` and password `p`.
    Locked,
}

struct Running {
    authority: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Running {
    async fn start(door: Door) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = asked.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, door, seen.clone()));
            }
        });
        Self { authority, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A client that uses it, with a user in slots 0 and 1.
    fn client(&self, kind: ProxyKind, password: &str, change: impl FnOnce(&mut TransportPlan)) -> Client {
        let credentials = Some((SecretSlot(0), SecretSlot(1)));
        let proxy = ProxyPlan { kind, authority: self.authority.clone(), credentials, no_proxy: Vec::new() };
        Client::try_new(&["u", password], |plan| {
            plan.proxy = Some(proxy);
            change(plan);
        })
        .unwrap()
    }
}

async fn serve(mut stream: TcpStream, door: Door, seen: Arc<Mutex<Vec<String>>>) {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    if first[0] == 5 {
        return socks(stream, door, seen).await.unwrap_or_default();
    }
    let Some(head) = read_head(&mut stream).await else { return };
    seen.lock().unwrap().push(head.clone());
    // `u:p`
    if door == Door::Locked && !head.contains("proxy-authorization: Basic dTpw\r\n") {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        return stream.write_all(refusal).await.unwrap();
    }
    let target = head.split(' ').nth(1).unwrap();
    if head.starts_with("CONNECT ") {
        let Ok(mut there) = TcpStream::connect(target).await else {
            return stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await.unwrap();
        };
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut there).await;
    } else {
        let (authority, path) = target.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut there = TcpStream::connect(authority).await.unwrap();
        there
            .write_all(format!("GET /{path} HTTP/1.1\r\nhost: {authority}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let _ = copy_bidirectional(&mut stream, &mut there).await;
    }
}

/// RFC 1928 and 1929, as far as a client with a name needs them.
async fn socks(mut stream: TcpStream, door: Door, seen: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut methods = vec![0; 2];
    stream.read_exact(&mut methods).await?;
    let mut offered = vec![0; methods[1].into()];
    stream.read_exact(&mut offered).await?;
    if door == Door::Locked {
        stream.write_all(&[5, 2]).await?;
        let mut given = [0; 5];
        stream.read_exact(&mut given).await?;
        let known = given == *b"\x01\x01u\x01p";
        stream.write_all(&[1, u8::from(!known)]).await?;
    } else {
        stream.write_all(&[5, 0]).await?;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        _ => {
            let mut name = vec![0; stream.read_u8().await?.into()];
            stream.read_exact(&mut name).await?;
            String::from_utf8(name).unwrap()
        }
    };
    let port = stream.read_u16().await?;
    seen.lock().unwrap().push(format!("SOCKS {host}:{port}"));
    // A name that only the proxy knows.
    let there = TcpStream::connect((host.replace("api.inside", "127.0.0.1"), port)).await;
    let code = if there.is_ok() { 0 } else { 5 };
    stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut stream, &mut there?).await?;
    Ok(())
}

#[tokio::test]
async fn a_plain_request_is_given_to_the_proxy_as_it_is_with_its_user() {
    let (origin, proxy) = (origin(&[]).await, Running::start(Door::Locked).await);
    let client = proxy.client(ProxyKind::Http, "p", |_| {});
    client.get(&origin.url(), "/a?b=c").await;
    let head = &proxy.asked()[0];
    assert!(head.starts_with(&format!("GET {}/a?b=c HTTP/1.1\r\n", origin.url())), "{head}");
    assert!(head.contains(&format!("\r\nhost: {}\r\n", origin.addr())), "{head}");
    assert_eq!(origin.report().requests, 1);
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_its_connection_is_used_again() {
    let authority = crate::tls::Authority::new();
    let origin = crate::tls::serve(&authority.server(), rustls::ALL_VERSIONS, None).await;
    for (kind, asked) in [(ProxyKind::Http, "CONNECT "), (ProxyKind::Socks5, "SOCKS ")] {
        let proxy = Running::start(Door::Locked).await;
        let client = proxy.client(kind, "p", |plan| plan.tls = authority.trusted());
        client.get(&origin.url(), "/").await;
        let (_, facts) = client.get(&origin.url(), "/").await;
        assert_eq!(facts.connection_uses, Some(2));
        let seen = proxy.asked();
        assert_eq!(seen.len(), 1);
        assert!(seen[0].starts_with(&format!("{asked}{}", origin.addr())), "{seen:?}");
    }
    assert_eq!(origin.report().requests, 4);
}

#[tokio::test]
async fn a_name_is_resolved_by_the_socks_proxy() {
    let (origin, proxy) = (origin(&[]).await, Running::start(Door::Open).await);
    let port = origin.addr().port();
    let client = proxy.client(ProxyKind::Socks5, "p", |_| {});
    client.get(&format!("http://api.inside:{port}"), "/").await;
    assert_eq!(proxy.asked(), [format!("SOCKS api.inside:{port}")]);
}

#[tokio::test]
async fn a_user_that_the_proxy_does_not_know_is_told_and_nothing_has_left() {
    let proxy = Running::start(Door::Locked).await;
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let failure = proxy.client(kind, "wrong-secret", |_| {}).fail("https://127.0.0.1:9", "/").await;
        assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Connect, false));
        let told = format!("no connection to 127.0.0.1:9 through the proxy {}: ", proxy.authority);
        assert!(failure.message.starts_with(&told), "{failure:?}");
        assert!(!failure.message.contains("wrong-secret"), "{failure:?}");
        if kind == ProxyKind::Http {
            assert!(failure.message.contains("set transport.proxy.username"), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn what_the_proxy_cannot_reach_is_a_failed_connection() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = Running::start(Door::Open).await;
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let failure = proxy.client(kind, "p", |_| {}).fail(&format!("https://{closed}"), "/").await;
        assert_eq!((failure.kind, failure.may_have_left), (FailureKind::Connect, false), "{failure:?}");
    }
}

#[tokio::test]
async fn hosts_that_are_excepted_and_those_below_them_are_reached_without_it() {
    let (origin, proxy) = (origin(&[]).await, Running::start(Door::Open).await);
    let except = |host: &str| {
        let no_proxy = vec![host.to_owned()];
        proxy.client(ProxyKind::Http, "p", move |plan| plan.proxy.as_mut().unwrap().no_proxy = no_proxy)
    };
    except("127.0.0.1").get(&origin.url(), "/").await;
    let port = origin.addr().port();
    except("localhost").get(&format!("http://localhost:{port}"), "/").await;
    assert!(proxy.asked().is_empty());
    except("0.0.1").get(&format!("http://127.0.0.1:{port}"), "/").await;
    except("host").get(&format!("http://localhost:{port}"), "/").await;
    assert_eq!(proxy.asked().len(), 2);
}

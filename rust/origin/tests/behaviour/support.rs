//! A client that hides nothing: it writes bytes and reads bytes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use apisink_origin::{Origin, Script};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No wait of these tests takes this long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn origin(args: &[&str]) -> Origin {
    Origin::start(Script::from_args(args).unwrap()).await
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("waited in vain")
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The length of all of it, head included.
    pub(crate) length: usize,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.unwrap(), unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Asks with GET and an Idempotency-Key if there is one, and reads the answer.
    pub(crate) async fn get(&mut self, path: &str, key: Option<&str>) -> Answer {
        self.send(get(path, key).as_bytes()).await;
        self.answer(true).await.unwrap()
    }

    pub(crate) async fn answer(&mut self, has_body: bool) -> io::Result<Answer> {
        within(self.read_answer(has_body)).await
    }

    async fn read_answer(&mut self, has_body: bool) -> io::Result<Answer> {
        let head_end = loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.unread[..head_end].to_vec()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = if has_body { length.map_or(0, |(_, value)| value.parse().unwrap()) } else { 0 };
        while self.unread.len() < head_end + length {
            self.more().await?;
        }
        let rest = self.unread.split_off(head_end + length);
        let body = self.unread.split_off(head_end);
        self.unread = rest;
        Ok(Answer { status, headers, body, length: head_end + length })
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Reads to the end: what came, and how it ended.
    pub(crate) async fn rest(mut self) -> (Vec<u8>, Result<(), io::ErrorKind>) {
        let end = within(self.stream.read_to_end(&mut self.unread)).await;
        (self.unread, end.map(|_| ()).map_err(|error| error.kind()))
    }
}

pub(crate) fn get(path: &str, key: Option<&str>) -> String {
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: origin\r\n{key}\r\n")
}

/// One request on a connection of its own.
pub(crate) async fn once(origin: &Origin, path: &str, key: Option<&str>) -> Answer {
    Client::connect(origin.addr()).await.get(path, key).await
}

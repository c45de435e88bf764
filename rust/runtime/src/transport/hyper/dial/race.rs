//! The first of several addresses that can be connected to (happy eyeballs, RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// After so long without a connection the next address is tried beside the others (RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to whichever address answers first, each a head start after the one before it, or at once when that one
/// has failed. The error is that of the last one to fail.
pub(super) async fn connect(
    addresses: impl IntoIterator<Item = SocketAddr>,
) -> Result<TcpStream, Option<(SocketAddr, io::Error)>> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last = None;
    let mut next_at = Instant::now();
    let mut more = true;
    loop {
        if more && (trying.is_empty() || next_at <= Instant::now()) {
            match waiting.next() {
                Some(address) => {
                    trying.push(async move { (address, TcpStream::connect(address).await) });
                    next_at = Instant::now() + HEAD_START;
                }
                None => more = false,
            }
        }
        tokio::select! {
            ended = trying.next() => match ended {
                Some((_, Ok(stream))) => return Ok(stream),
                Some((address, Err(error))) => {
                    last = Some((address, error));
                    next_at = Instant::now();
                }
                None if more => {}
                None => return Err(last),
            },
            () = sleep_until(next_at), if more => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_address_and_a_silent_one_do_not_keep_the_next_from_being_used() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let refused = {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            closed.local_addr().unwrap()
        };
        // Its queue of connections is full: what comes now is not answered.
        let full = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&full).listen(0).unwrap();
        let silent = full.local_addr().unwrap();
        let _fill: Vec<_> = (0..2)
            .map(|_| std::net::TcpStream::connect_timeout(&silent, Duration::from_millis(200)))
            .collect();
        let stream = connect([refused, silent, good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let (address, _) = connect([refused, refused]).await.unwrap_err().unwrap();
        assert_eq!(address, refused);
        assert!(connect([]).await.unwrap_err().is_none());
    }
}

//! The socket as HTTP sees it: its bytes are counted, so that an attempt knows whether any of it has left.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::pool::OpenCount;

/// Bytes of a connection, TLS included.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    read: AtomicU64,
    written: AtomicU64,
    suspect: AtomicBool,
    /// Whether the peer may speak unasked, as in HTTP/2.
    may_speak: AtomicBool,
}

impl Traffic {
    /// Adds to a count that only the owner of the socket changes: two plain steps cost a fraction of one that is atomic.
    fn add(count: &AtomicU64, bytes: usize) {
        count.store(count.load(Ordering::Relaxed) + bytes as u64, Ordering::Relaxed);
    }

    /// Bytes read and written so far.
    pub(super) fn so_far(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed))
    }

    /// Lets the next write look first whether the peer has closed meanwhile.
    pub(super) fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Takes what the peer sends unasked for something else than its end.
    pub(super) fn let_it_speak(&self) {
        self.may_speak.store(true, Ordering::Relaxed);
    }
}

/// A socket that counts, and is counted.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    traffic: Arc<Traffic>,
    _open: OpenCount,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, open: OpenCount) -> Self {
        Self { stream, traffic: Arc::default(), _open: open }
    }

    pub(super) fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// After a long idle time the end of the connection may lie unread in the kernel. What the peer of HTTP/1.1 sends
    /// unasked on an idle connection is its end as well (TLS close_notify, 408).
    fn look(&self) -> io::Result<()> {
        if !self.traffic.suspect.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        match SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
            Ok(1..) if self.traffic.may_speak.load(Ordering::Relaxed) => Ok(()),
            Ok(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    fn wrote(&self, bytes: usize) -> Poll<io::Result<usize>> {
        Traffic::add(&self.traffic.written, bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, traffic, .. } = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(stream).poll_read(cx, buf))?;
        Traffic::add(&traffic.read, buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.look()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.look()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

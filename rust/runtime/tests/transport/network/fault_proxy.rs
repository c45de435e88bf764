//! A TCP proxy that does to connections what networks do.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

/// What becomes of the bytes that come from now on. `after` counts those of answers that pass before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// They pass.
    None,
    /// They pass so much later, both ways.
    Delay(Duration),
    /// They vanish, both ways.
    Blackhole,
    /// They wait until the fault is over, as when packets are lost and sent again.
    Stall { after: usize },
    /// The connection is reset instead.
    Reset { after: usize },
    /// The client's side is told that no more will come; the server's stays open.
    HalfClose { after: usize },
}

/// A proxy in front of one server.
pub(super) struct FaultProxy {
    /// Where it listens.
    pub(super) addr: SocketAddr,
    fault: watch::Sender<Fault>,
    cut: Arc<Notify>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

/// How a connection ends.
enum End {
    Close,
    Reset,
}

/// What the pipes of a connection look at.
struct Weather {
    fault: watch::Receiver<Fault>,
    /// Bytes of answers that have passed since the fault began.
    passed: usize,
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FaultProxy {
    /// A proxy in front of the server at `to`, without a fault.
    pub(super) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let fault = watch::Sender::new(Fault::None);
        let (cut, open) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let (seen, cutting, counted) = (fault.clone(), cut.clone(), open.clone());
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let open = Open(counted.clone());
                let weather = || Weather { fault: seen.subscribe(), passed: 0 };
                let (up, down, cut) = (weather(), weather(), cutting.clone());
                connections.spawn(async move {
                    // What fails here has failed because one of both sides has left.
                    let _ = pass(client, to, up, down, &cut).await;
                    drop(open);
                });
            }
        });
        Self { addr, fault, cut, open, accepting }
    }

    /// Lets a fault begin, for the connections that are open and for those that come.
    pub(super) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Resets all open connections now.
    pub(super) fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(
    mut client: TcpStream,
    to: SocketAddr,
    up: Weather,
    down: Weather,
    cut: &Notify,
) -> io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let end = {
        let (client_read, client_write) = client.split();
        let (server_read, server_write) = server.split();
        tokio::select! {
            end = requests(client_read, server_write, up) => end,
            end = answers(server_read, client_write, down) => end,
            () = cut.notified() => Ok(End::Reset),
        }
    };
    if matches!(end, Ok(End::Reset)) {
        // Closing a socket that lingers for no time at all sends a reset.
        client.set_zero_linger()?;
    }
    Ok(())
}

async fn requests(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, weather: Weather) -> io::Result<End> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(End::Close);
        }
        let fault = *weather.fault.borrow();
        match fault {
            Fault::Blackhole => continue,
            Fault::Delay(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        to.write_all(&piece[..length]).await?;
    }
}

async fn answers(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut weather: Weather) -> io::Result<End> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(End::Close);
        }
        let mut rest = &piece[..length];
        while !rest.is_empty() {
            let (fault, left) = weather.look();
            let now = rest.len().min(left);
            match fault {
                Fault::Blackhole => break,
                Fault::Delay(time) => tokio::time::sleep(time).await,
                _ => {}
            }
            to.write_all(&rest[..now]).await?;
            weather.passed += now;
            rest = &rest[now..];
            match fault {
                _ if rest.is_empty() => {}
                Fault::Stall { .. } => weather.changed().await,
                Fault::Reset { .. } => return Ok(End::Reset),
                Fault::HalfClose { .. } => {
                    to.shutdown().await?;
                    weather.changed().await;
                    return Ok(End::Close);
                }
                Fault::None | Fault::Delay(_) | Fault::Blackhole => {}
            }
        }
    }
}

impl Weather {
    /// The fault of now, and how many bytes of answers may pass before it strikes.
    fn look(&mut self) -> (Fault, usize) {
        if self.fault.has_changed().unwrap_or(false) {
            self.passed = 0;
        }
        let fault = *self.fault.borrow_and_update();
        let left = match fault {
            Fault::None | Fault::Delay(_) | Fault::Blackhole => usize::MAX,
            Fault::Stall { after } | Fault::Reset { after } | Fault::HalfClose { after } => {
                after.saturating_sub(self.passed)
            }
        };
        (fault, left)
    }

    async fn changed(&mut self) {
        // Without a proxy there is no fault either.
        let _ = self.fault.changed().await;
        self.passed = 0;
    }
}

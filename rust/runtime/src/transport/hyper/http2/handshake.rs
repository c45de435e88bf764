//! The beginning of a connection: both sides' SETTINGS, and its tasks.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use super::Sharing;

/// Most bytes of an answer's headers.
const LONGEST_HEADERS: u32 = 64 * 1024;

/// A connection on which the server has spoken.
pub(in crate::transport::hyper) struct Beginning {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// How many streams at once the server allows now.
    pub(super) allowed: Arc<AtomicUsize>,
}

/// Begins to speak HTTP/2 and waits for the server's SETTINGS. Only they tell that it speaks HTTP/2, too, and how many
/// streams it allows: what is beyond would wait inside of hyper, where the moment of its writing is out of sight.
pub(in crate::transport::hyper) async fn begin<S>(
    stream: S,
    sharing: Sharing,
) -> hyper::Result<Option<Beginning>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let steps = Arc::<Steps>::default();
    let mut builder = Builder::new(Tasks(steps.clone()));
    builder
        .timer(TokioTimer::new())
        .initial_max_send_streams(0)
        .initial_stream_window_size(sharing.window)
        .initial_connection_window_size(sharing.connection_window())
        .max_header_list_size(LONGEST_HEADERS);
    if let Some((interval, timeout)) = sharing.ping {
        builder.keep_alive_interval(interval).keep_alive_timeout(timeout);
    }
    let (sender, mut connection) = builder.handshake(TokioIo::new(stream)).await?;
    while connection.current_max_send_streams() == 0 {
        tokio::select! {
            ended = &mut connection => return ended.map(|()| None),
            () = steps.made.notified() => {}
        }
    }
    steps.watched.store(false, Ordering::Relaxed);
    let allowed = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
    let told = allowed.clone();
    tokio::spawn(poll_fn(move |cx| {
        // Its errors reach the requests that suffer them.
        let ended = Pin::new(&mut connection).poll(cx).map(drop);
        allowed.store(connection.current_max_send_streams(), Ordering::Relaxed);
        ended
    }));
    Ok(Some(Beginning { sender, allowed: told }))
}

/// Steps of a connection's tasks: hyper itself does not tell when SETTINGS come.
struct Steps {
    made: Notify,
    /// Whether they have not come yet.
    watched: AtomicBool,
}

impl Default for Steps {
    fn default() -> Self {
        Self { made: Notify::new(), watched: AtomicBool::new(true) }
    }
}

/// Runs the tasks that hyper makes of a connection, and tells of the steps of those that it begins with. Later ones are
/// those of its requests, one for each.
#[derive(Clone)]
struct Tasks(Arc<Steps>);

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        // Boxed: spawning moves what it is given a few times, and these are large.
        let mut task = Box::pin(task);
        if !self.0.watched.load(Ordering::Relaxed) {
            tokio::spawn(task);
            return;
        }
        let steps = self.0.clone();
        tokio::spawn(poll_fn(move |cx| {
            let polled = task.as_mut().poll(cx).map(drop);
            if steps.watched.load(Ordering::Relaxed) {
                steps.made.notify_one();
            }
            polled
        }));
    }
}

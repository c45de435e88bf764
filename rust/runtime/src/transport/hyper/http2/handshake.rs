//! The beginning of a connection: both sides' SETTINGS, and its tasks.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
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
    let mut under_way = FuturesUnordered::new();
    let mut is_open = true;
    // Goes on after the end of the connection as long as requests wait for their answers, or for their errors.
    tokio::spawn(poll_fn(move |cx| {
        if is_open {
            // Its errors reach the requests that suffer them.
            is_open = Pin::new(&mut connection).poll(cx).is_pending();
            allowed.store(connection.current_max_send_streams(), Ordering::Relaxed);
        }
        under_way.extend(steps.begun().drain(..));
        while let Poll::Ready(Some(())) = under_way.poll_next_unpin(cx) {}
        if is_open || !under_way.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }));
    Ok(Some(Beginning { sender, allowed: told }))
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection shares with the tasks that hyper makes of it.
struct Steps {
    /// A step was made.
    made: Notify,
    /// Whether SETTINGS have not come yet: hyper itself does not tell when they do.
    watched: AtomicBool,
    /// Tasks of requests that have not run yet.
    begun: Mutex<Vec<Task>>,
}

impl Default for Steps {
    fn default() -> Self {
        Self { made: Notify::new(), watched: AtomicBool::new(true), begun: Mutex::default() }
    }
}

impl Steps {
    fn begun(&self) -> MutexGuard<'_, Vec<Task>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the tasks that hyper makes of a connection. The first one reads and writes frames, and its steps are told of; the
/// later ones are those of requests, which wait for their answers. They run within the task of the connection, which makes
/// them while it is polled: a task of the runtime for each would cost more than what it does, and answers that come
/// together would wake as many.
#[derive(Clone)]
struct Tasks(Arc<Steps>);

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let mut task = Box::pin(task);
        if !self.0.watched.load(Ordering::Relaxed) {
            self.0.begun().push(task);
            return;
        }
        let steps = self.0.clone();
        tokio::spawn(poll_fn(move |cx| {
            let polled = task.as_mut().poll(cx);
            if steps.watched.load(Ordering::Relaxed) {
                steps.made.notify_one();
            }
            polled
        }));
    }
}

//! The feeder: lets rendered rows into the admission window, in order, and runs their exchanges in lanes.
//!
//! A lane is a task that runs one exchange after the other: starting a task for each row would cost more than much of the
//! chain. There are as many lanes as rows wait, up to as many as the window has places.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::SystemTime;

use apisink_plan::LogLevel;
use futures_util::FutureExt;
use tokio::sync::SemaphorePermit;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::state::Shared;
use super::{Rendered, panic_message};
use crate::ending::Stage;
use crate::engine::Engine;
use crate::error::RuntimeError;
use crate::middleware::Chain;

/// Reserved for an answer before its request is sent; more is taken as it arrives.
const ANSWER_ALLOWANCE: usize = 4 * 1024;

/// Runs until the feed ends and all its exchanges are completed, the session has failed, or the engine ends. Dropping
/// it drops them all.
pub(super) async fn run(
    feed: UnboundedReceiver<Vec<Rendered>>,
    engine: Arc<Engine>,
    chain: Arc<Chain>,
    shared: Arc<Shared>,
) {
    let mut ending = engine.ending.join();
    let queue = Arc::new(Queue::default());
    let mut lanes = JoinSet::new();
    let work = async {
        feed_lanes(feed, &queue, &engine, &chain, &shared, &mut lanes).await;
        all(&mut lanes).await;
    };
    tokio::select! {
        () = work => {}
        () = ending.until(Stage::Draining) => queue.close(),
    }
    tokio::select! {
        () = all(&mut lanes) => {}
        () = ending.until(Stage::Dropped) => {}
    }
    if ending.is_ending() {
        lanes.shutdown().await;
        shared.halt(RuntimeError::Closed("the executor ends".into()));
    }
}

async fn all(lanes: &mut JoinSet<()>) {
    while lanes.join_next().await.is_some() {}
}

/// Puts batches into the queue and sees that there are lanes for them. May be dropped at any moment.
async fn feed_lanes(
    mut feed: UnboundedReceiver<Vec<Rendered>>,
    queue: &Arc<Queue>,
    engine: &Arc<Engine>,
    chain: &Arc<Chain>,
    shared: &Arc<Shared>,
    lanes: &mut JoinSet<()>,
) {
    let most = engine.plan.execution.max_in_flight.max(1);
    let mut warm = false;
    while let Some(batch) = feed.recv().await {
        if !warm && !batch.is_empty() {
            let warn = |why| engine.events.push(LogLevel::Warn, why);
            if let Err(error) = engine.warmup.run(engine.transport.as_ref(), warn).await {
                return shared.fail(error);
            }
            warm = true;
        }
        while lanes.try_join_next().is_some() {}
        for _ in 0..queue.push(batch, most) {
            lanes.spawn(lane(queue.clone(), engine.clone(), chain.clone(), shared.clone()));
        }
    }
}

/// Rows that wait for the window, and the lanes that take them.
#[derive(Default)]
struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    rows: VecDeque<Rendered>,
    lanes: usize,
}

impl Queue {
    /// Adds rows, and says how many lanes are to be started for them: with those that run, no more than `most`.
    fn push(&self, rows: Vec<Rendered>, most: usize) -> usize {
        let mut waiting = self.waiting();
        waiting.rows.extend(rows);
        let more = most.saturating_sub(waiting.lanes).min(waiting.rows.len());
        waiting.lanes += more;
        more
    }

    /// The next row. With none the lane that asks ends: it is not counted any more.
    fn pop(&self) -> Option<Rendered> {
        let mut waiting = self.waiting();
        let next = waiting.rows.pop_front();
        if next.is_none() {
            waiting.lanes -= 1;
        }
        next
    }

    /// Drops the rows that wait.
    fn close(&self) {
        let rows = std::mem::take(&mut self.waiting().rows);
        drop(rows);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs exchanges until no row waits, or none may be sent any more.
async fn lane(queue: Arc<Queue>, engine: Arc<Engine>, chain: Arc<Chain>, shared: Arc<Shared>) {
    loop {
        // In the order of asking, beside the lanes of the process's other tasks.
        let Ok(place) = engine.window.acquire().await else { return };
        let Some(rendered) = queue.pop() else { return };
        if !shared.admit() {
            return queue.close();
        }
        exchange(rendered, place, &engine, &chain, &shared).await;
    }
}

/// One exchange. A row that waits for its retry keeps its place in the window.
async fn exchange(
    rendered: Rendered,
    place: SemaphorePermit<'_>,
    engine: &Engine,
    chain: &Chain,
    shared: &Shared,
) {
    let Rendered { mut exchange, parts } = rendered;
    let run = async {
        exchange.memory.admit(ANSWER_ALLOWANCE).await;
        exchange.started_at = SystemTime::now();
        chain.run(&mut exchange, &parts, engine).await;
    };
    let ended = unless_stopped(shared, AssertUnwindSafe(run).catch_unwind()).await;
    let Some(ended) = ended else { return };
    match ended {
        Ok(()) => {
            drop(place);
            match exchange.stopped.take() {
                Some(error) => shared.fail(error),
                None => shared.completed(exchange),
            }
        }
        Err(panic) => shared.fail(RuntimeError::Panic(panic_message(panic.as_ref()))),
    }
}

/// Lets an exchange make no step once its session is stopped. An abort reaches one exchange after the other, and what each
/// of them lets go of is free then for the next one, which would send its request yet.
async fn unless_stopped<T>(shared: &Shared, exchange: impl Future<Output = T>) -> Option<T> {
    let mut exchange = pin!(exchange);
    poll_fn(|cx| match shared.is_stopped() {
        true => Poll::Ready(None),
        false => exchange.as_mut().poll(cx).map(Some),
    })
    .await
}

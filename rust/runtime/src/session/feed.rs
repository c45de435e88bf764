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
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::state::Shared;
use super::{Rendered, panic_message};
use crate::ending::Stage;
use crate::engine::Engine;
use crate::error::RuntimeError;
use crate::gate::Passage;
use crate::middleware::Chain;
use crate::window::Entry;

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
struct Queue {
    waiting: Mutex<Waiting>,
    /// No row waits any more.
    drained: Notify,
}

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
        let last = waiting.rows.is_empty();
        drop(waiting);
        if last {
            self.drained.notify_waiters();
        }
        next
    }

    /// Whether no row waits. Then the lane that asks ends: it is not counted any more.
    fn leave(&self) -> bool {
        let mut waiting = self.waiting();
        let empty = waiting.rows.is_empty();
        waiting.lanes -= usize::from(empty);
        empty
    }

    /// Drops the rows that wait.
    fn close(&self) {
        let rows = std::mem::take(&mut self.waiting().rows);
        self.drained.notify_waiters();
        drop(rows);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs exchanges until no row waits, or none may be sent any more.
async fn lane(queue: Arc<Queue>, engine: Arc<Engine>, chain: Arc<Chain>, shared: Arc<Shared>) {
    while let Some(mut entry) = enter(&queue, &engine).await {
        while !entry.is_over() {
            let Some(rendered) = queue.pop() else { return };
            if !shared.admit() {
                return queue.close();
            }
            match exchange(rendered, entry, &engine, &chain, &shared).await {
                Some(kept) => entry = kept,
                None => break,
            }
        }
    }
}

/// Waits for the window, beside the lanes of the process's other tasks. None when no row waits any more, whoever has taken
/// the last one: a session's end must not wait for lanes that have nothing to do.
async fn enter(queue: &Queue, engine: &Engine) -> Option<Entry> {
    let mut drained = pin!(queue.drained.notified());
    loop {
        drained.as_mut().enable();
        if queue.leave() {
            return None;
        }
        tokio::select! {
            entry = engine.enter() => return entry,
            () = drained.as_mut() => drained.set(queue.drained.notified()),
        }
    }
}

/// One exchange. A row that waits for its retry keeps its place in the window, but not its turn: then nothing is left of
/// the entry.
async fn exchange(
    rendered: Rendered,
    entry: Entry,
    engine: &Engine,
    chain: &Chain,
    shared: &Shared,
) -> Option<Entry> {
    let Rendered { mut exchange, parts } = rendered;
    let (turn, seat) = entry.split();
    exchange.turn = Some(turn);
    exchange.passage = Passage::through(shared.gate.clone());
    let run = async {
        exchange.memory.admit(ANSWER_ALLOWANCE).await;
        exchange.started_at = SystemTime::now();
        chain.run(&mut exchange, &parts, engine).await;
    };
    let ended = unless_stopped(shared, AssertUnwindSafe(run).catch_unwind()).await;
    let turn = exchange.turn.take();
    match ended? {
        Ok(()) => match exchange.stopped.take() {
            Some(error) => shared.fail(error),
            None => shared.completed(exchange),
        },
        Err(panic) => shared.fail(RuntimeError::Panic(panic_message(panic.as_ref()))),
    }
    turn.map(|turn| seat.with(turn))
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

//! The feeder: takes rendered rows into the admission window, in order, and starts their exchanges.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;

use apisink_plan::LogLevel;
use futures_util::FutureExt;
use tokio::sync::OwnedSemaphorePermit;
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
    let mut exchanges = JoinSet::new();
    tokio::select! {
        () = admit(feed, &engine, &chain, &shared, &mut exchanges) => {}
        () = ending.until(Stage::Draining) => {}
    }
    tokio::select! {
        () = async { while exchanges.join_next().await.is_some() {} } => {}
        () = ending.until(Stage::Dropped) => {}
    }
    if ending.is_ending() {
        exchanges.shutdown().await;
        shared.halt(RuntimeError::Closed("the executor ends".into()));
    }
}

/// Starts an exchange for every row as soon as the window has a place for it. May be dropped at any moment.
async fn admit(
    mut feed: UnboundedReceiver<Vec<Rendered>>,
    engine: &Arc<Engine>,
    chain: &Arc<Chain>,
    shared: &Arc<Shared>,
    exchanges: &mut JoinSet<()>,
) {
    let mut warm = false;
    while let Some(batch) = feed.recv().await {
        if !warm && !batch.is_empty() {
            let warn = |why| engine.events.push(LogLevel::Warn, why);
            if let Err(error) = engine.warmup.run(engine.transport.as_ref(), warn).await {
                return shared.fail(error);
            }
            warm = true;
        }
        for rendered in batch {
            let Ok(place) = engine.window.clone().acquire_owned().await else { return };
            let (engine, chain, shared) = (engine.clone(), chain.clone(), shared.clone());
            if !shared.admit() {
                return;
            }
            while exchanges.try_join_next().is_some() {}
            exchanges.spawn(exchange(rendered, place, engine, chain, shared));
        }
    }
}

/// One exchange. A row that waits for its retry keeps its place in the window.
async fn exchange(
    rendered: Rendered,
    place: OwnedSemaphorePermit,
    engine: Arc<Engine>,
    chain: Arc<Chain>,
    shared: Arc<Shared>,
) {
    let Rendered { mut exchange, parts } = rendered;
    let run = async {
        exchange.memory.admit(ANSWER_ALLOWANCE).await;
        exchange.started_at = SystemTime::now();
        chain.run(&mut exchange, &parts, engine.as_ref()).await;
    };
    let ended = unless_stopped(&shared, AssertUnwindSafe(run).catch_unwind()).await;
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

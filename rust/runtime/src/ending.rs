//! The end of an engine in order: rows in flight end first, then connections.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Stage {
    /// It has not begun.
    Open,
    /// No further row is sent; those in flight go on.
    Draining,
    /// Those in flight are dropped.
    Dropped,
}

/// Ends the feeders of an engine's sessions.
#[derive(Debug)]
pub(crate) struct Ending(watch::Sender<Stage>);

/// A feeder's view of it. The end waits until the feeder has dropped it.
#[derive(Debug)]
pub(crate) struct Feeding(watch::Receiver<Stage>);

impl Default for Ending {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Open))
    }
}

impl Ending {
    /// Takes part, for as long as the result lives.
    pub(crate) fn join(&self) -> Feeding {
        Feeding(self.0.subscribe())
    }

    /// Lets no further row be sent, gives those in flight a grace time, and drops what is left. False when there was
    /// something left.
    pub(crate) async fn run(&self, grace: Duration) -> bool {
        self.0.send_replace(Stage::Draining);
        let in_time = timeout(grace, self.0.closed()).await.is_ok();
        if !in_time {
            self.0.send_replace(Stage::Dropped);
            self.0.closed().await;
        }
        in_time
    }
}

impl Feeding {
    /// Waits until the end has come so far.
    pub(crate) async fn until(&mut self, stage: Stage) {
        if self.0.wait_for(|now| *now >= stage).await.is_err() {
            // Without its engine nothing can end it.
            std::future::pending().await
        }
    }

    /// Whether the end has begun.
    pub(crate) fn is_ending(&self) -> bool {
        *self.0.borrow() >= Stage::Draining
    }
}

//! A session: the sending side of one Spark task.
//!
//! The task's thread feeds batches in ([`Session::submit`]), waits in short calls ([`Session::wait`]) and takes
//! response batches out ([`Session::take`]). Between them rows pass three places, each bounded: *pending* (rendered,
//! not admitted; at most two batches), *in flight* (admitted into the window that all tasks of the process share) and
//! *completed* (waiting to be taken; their bytes stay in the budget until then). There is no barrier anywhere: a row
//! leaves as soon as its own answer is there.

mod answers;
mod feed;
mod identity;
mod log_lines;
mod render;
mod state;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apisink_plan::LogLevel;
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

pub use log_lines::{LogLine, LogLines, Logger};
use render::{RenderContext, RenderedBatch, Renderer};
pub(crate) use state::Shared;
pub use state::{Counts, SessionState, SessionStats};

use crate::engine::Engine;
use crate::error::RuntimeError;
use crate::middleware::Part;
use crate::process::Process;
use crate::rate::{Keeper, Member};
use crate::response_batch::{ResponseBatch, ResponseContext};
use crate::source_columns::SourceColumns;
use crate::{Exchange, RequestIds};

/// Who asks: identity of a task attempt, as it reaches the sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    /// The run.
    pub run_id: String,
    /// Tells apart the times that the run was opened and gone on with: `execution.fail_when` counts anew in each.
    #[serde(default)]
    pub opening: String,
    /// Epoch of a streaming run; 0 in a batch run.
    pub epoch: u64,
    /// Spark's executor id.
    pub executor_id: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: i64,
    /// Spark partition.
    pub partition_id: u32,
    /// Spark's task attempt id.
    pub task_attempt_id: i64,
    /// The least severe level of log lines that anybody will read.
    pub log_level: LogLevel,
    /// Who keeps the rate limit.
    #[serde(default)]
    pub rate_keeper: Keeper,
}

/// Why a session that was stopped sends no more.
fn stopped() -> RuntimeError {
    RuntimeError::Closed("the session was stopped".into())
}

/// What a panic said.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

/// A rendered row on its way.
struct Rendered {
    /// Boxed, for it goes through many hands.
    exchange: Box<Exchange>,
    parts: Vec<Part>,
}

/// The sending side of one Spark task. All methods may be called from any thread; none blocks for longer than it says.
pub struct Session {
    process: &'static Process,
    engine: Arc<Engine>,
    renderer: Mutex<Renderer>,
    feed: Mutex<Option<UnboundedSender<Vec<Rendered>>>>,
    feeder: AbortHandle,
    shared: Arc<Shared>,
    lines: Arc<LogLines>,
    context: ResponseContext,
    _members: Vec<Member>,
}

impl Session {
    /// Opens a session for batches of a schema. Sends nothing yet. Fails when this opening of the run has been stopped by
    /// `execution.fail_when` in this process.
    pub fn open(
        process: &'static Process,
        engine: Arc<Engine>,
        task: Task,
        schema: &Schema,
    ) -> Result<Self, RuntimeError> {
        let watch = process.watches().of(&task.opening, engine.plan.execution.fail_when);
        watch.check()?;
        let lines = Arc::new(LogLines::default());
        let source = SourceColumns::new(&engine.plan.sink.source_columns, schema)?;
        let ids = RequestIds::new(&task.run_id, task.epoch);
        let context = RenderContext {
            registry: process.registry(),
            schema,
            source: source.clone(),
            ids,
            partition: task.partition_id,
            budget: process.budget().clone(),
            log_level: task.log_level,
            lines: &lines,
        };
        let (renderer, chain) = Renderer::new(&engine, context)?;
        let shared = Shared::new(process.budget().clone(), watch);
        process.sessions().opened(shared.clone());
        let (feed, rendered) = tokio::sync::mpsc::unbounded_channel();
        let feeder =
            process.handle().spawn(feed::run(rendered, engine.clone(), chain, shared.clone())).abort_handle();
        let members = match task.rate_keeper {
            Keeper::Share(tasks) => engine.limits.join(tasks),
            Keeper::Process | Keeper::Driver => Vec::new(),
        };
        let context = ResponseContext::new(task, engine.plan.sink.clone(), source);
        Ok(Self {
            process,
            engine,
            renderer: Mutex::new(renderer),
            feed: Mutex::new(Some(feed)),
            feeder,
            shared,
            lines,
            context,
            _members: members,
        })
    }

    /// Takes in answers that earlier attempts of the task have journaled: rows with these request_ids and unchanged
    /// requests are not sent again. They count as rows of this session. Call it before the first [`Session::submit`].
    ///
    /// `records`, one after another: request_id (16 bytes), the first 8 bytes of the request digest, attempts (4 bytes,
    /// big endian), outcome (1 byte: `success`, `http_error`, `transport_error`, `invalid_row`, `invalid_response`,
    /// `unknown`, from 0). Of several for one request_id the first counts.
    pub fn resume(&self, records: &[u8]) -> Result<(), RuntimeError> {
        let mut renderer = self.renderer.lock().unwrap_or_else(PoisonError::into_inner);
        for answer in answers::parse(records)? {
            if renderer.answered(&answer) {
                self.shared.answered_before(answer.outcome, answer.attempts);
            }
        }
        renderer.account();
        Ok(())
    }

    /// Leaves rows of these tracking ids out, unless this run has an answer of theirs: earlier runs have delivered them.
    /// Call it before the first [`Session::submit`].
    ///
    /// `tracking_ids`, one after another: length in bytes (4 bytes, big endian), text in UTF-8.
    pub fn skip(&self, tracking_ids: &[u8]) -> Result<(), RuntimeError> {
        let mut renderer = self.renderer.lock().unwrap_or_else(PoisonError::into_inner);
        for tracking_id in answers::parse_ids(tracking_ids)? {
            renderer.skip(tracking_id);
        }
        renderer.account();
        Ok(())
    }

    /// Renders every row of a batch to an owned request and queues it. Never waits: call it when [`Session::wait`]
    /// says that rows are wanted. The batch is not referred to after the call.
    pub fn submit(&self, batch: &RecordBatch) -> Result<(), RuntimeError> {
        let feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(feed) = feed.as_ref() else {
            return Err(RuntimeError::Closed("rows arrived after the end of the input".into()));
        };
        let mut renderer = self.renderer.lock().unwrap_or_else(PoisonError::into_inner);
        let rendering = catch_unwind(AssertUnwindSafe(|| renderer.render(batch)));
        let RenderedBatch { rendered, refused, skipped } = rendering.unwrap_or_else(|panic| {
            let error = RuntimeError::Panic(panic_message(panic.as_ref()));
            self.shared.fail(error.clone());
            Err(error)
        })?;
        self.shared.submitted(rendered.len());
        self.shared.skipped(skipped);
        for exchange in refused {
            self.shared.refused(exchange);
        }
        feed.send(rendered).map_err(|_| RuntimeError::Closed("the session has ended".into()))
    }

    /// Says that no more rows will come.
    pub fn finish(&self) {
        self.end_feed();
        self.shared.finish_input();
    }

    fn end_feed(&self) {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Waits until there is something to do, at most for `timeout`. With `finishing`, wanting rows is nothing to do.
    pub fn wait(&self, timeout: Duration, finishing: bool) -> Result<SessionState, RuntimeError> {
        let mut state = self.shared.wait(timeout, finishing)?;
        state.logs = !self.lines.is_empty() || !self.engine.events.is_empty();
        Ok(state)
    }

    /// Takes at most so many completed exchanges out as one response batch; none when there are none. The bytes of its rows count
    /// in the budget until the batch is dropped.
    pub fn take(&self, max_rows: usize) -> Result<Option<RecordBatch>, RuntimeError> {
        let completed = self.shared.take(max_rows);
        if completed.is_empty() {
            return Ok(None);
        }
        let bodies = completed.iter().filter_map(|exchange| exchange.result.as_ref()?.as_ref().ok());
        let body_bytes = bodies.map(|response| response.body.len()).sum();
        let held = self.process.budget().take(0);
        let mut batch =
            ResponseBatch::new(&self.context, &self.engine.mask, completed.len(), body_bytes, held);
        for exchange in completed {
            batch.append(*exchange);
        }
        batch.finish().map(Some)
    }

    /// Log lines since the last call: of this session's exchanges, and of its engine, whose lines one of its sessions takes.
    pub fn take_logs(&self) -> Vec<LogLine> {
        let sources = [(Logger::Native, &self.engine.events), (Logger::Exchange, &self.lines)];
        let mut taken = Vec::new();
        for (logger, lines) in sources {
            for (level, line) in lines.take() {
                taken.push(LogLine { logger, level, text: self.engine.mask.text(&line).into_owned() });
            }
        }
        taken
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// What was done so far, and what it has cost.
    pub fn stats(&self) -> SessionStats {
        self.shared.stats()
    }

    /// Stops sending in order: no further request is written, and those that have been are waited for, at most for
    /// `timeout`. True when each of them is completed or pauses before its retry. What is completed is to be taken between
    /// two calls: answers wait for the memory that it holds. May be called repeatedly; [`Session::stop`] drops what is left.
    pub fn drain(&self, timeout: Duration) -> bool {
        self.end_feed();
        self.shared.drain(stopped(), timeout)
    }

    /// Stops sending at once: no further row is sent, what is in flight is dropped and its connections are closed. What is
    /// completed can still be taken. May be called repeatedly.
    pub fn stop(&self) {
        // First: the feeder may be at work, and an abort reaches it at its next pause only.
        self.shared.stop(stopped());
        self.feeder.abort();
        self.end_feed();
    }

    /// Stops sending and lets the engine go. May be called repeatedly.
    pub fn close(&self) {
        self.stop();
        self.process.sessions().ended(&self.shared);
        self.process.touch(&self.engine);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

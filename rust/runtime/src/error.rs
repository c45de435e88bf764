//! Errors: of a row (it becomes an `invalid_row` response row) and of the runtime (they end the task).

use thiserror::Error;

/// Why a row cannot be sent. It never fails the job: the row becomes an `invalid_row` row with this kind and message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct RowError {
    /// A stable word for the kind, as it stands in the sink's `error.kind`.
    pub kind: &'static str,
    /// What is wrong and with which column; never a secret.
    pub message: String,
}

impl RowError {
    /// A row error of a kind.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// What ends a task: the plan, the schema, the machine or this library is at fault, not a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuntimeError {
    /// The plan cannot be run by this library: other version, unknown middleware or engine.
    #[error("the plan cannot run here: {0}")]
    Plan(String),
    /// The source's Arrow schema does not fit the plan.
    #[error("the source's schema does not fit the plan: {0}")]
    Schema(String),
    /// The process could not be set up: runtime threads, TLS roots.
    #[error("the sending process could not start: {0}")]
    Process(String),
    /// The API could not be reached before the first row, and the config wants that to end the task.
    #[error("the API cannot be reached, and no row was sent: {0}")]
    Unreachable(String),
    /// Requests cannot be authenticated: the token endpoint gives no token.
    #[error("requests cannot be authenticated, and sending has stopped: {0}")]
    Token(String),
    /// Too many rows failed, by the config's own measure.
    #[error("sending has stopped: {0}")]
    FailWhen(String),
    /// A batch arrived after the input was finished, or the session was closed.
    #[error("the session is closed: {0}")]
    Closed(String),
    /// A bug in native code, caught.
    #[error("native code panicked: {0}")]
    Panic(String),
    /// A response batch could not be built.
    #[error("a response batch could not be built: {0}")]
    Batch(String),
}

//! The process as a whole.

use std::time::Duration;

use apisink_runtime::Process;
use jni::sys::jlong;

use crate::error::{Kind, NativeError};
use crate::millis::millis;

/// What it does and has done. Asking starts nothing.
pub(crate) fn stats() -> Result<Vec<u8>, NativeError> {
    let stats = Process::started().map(Process::stats).unwrap_or_default();
    serde_json::to_vec(&stats).map_err(|e| NativeError::new(Kind::Internal, e.to_string()))
}

/// So long tasks may take to bring answers that have arrived into the journal, once nothing is in flight.
const KEEP_ANSWERS: Duration = Duration::from_secs(2);

/// Ends it in order; false when something in flight was dropped, or a task has not kept its answers in time.
pub(crate) fn shut_down(grace_millis: jlong) -> bool {
    let grace = millis(grace_millis);
    Process::started().is_none_or(|process| {
        let in_time = process.shut_down(grace);
        process.wait_for_sessions(KEEP_ANSWERS) && in_time
    })
}

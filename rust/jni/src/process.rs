//! The process as a whole.

use apisink_runtime::Process;

use crate::error::{Kind, NativeError};

/// What it does and has done. Asking starts nothing.
pub(crate) fn stats() -> Result<Vec<u8>, NativeError> {
    let stats = Process::started().map(Process::stats).unwrap_or_default();
    serde_json::to_vec(&stats).map_err(|e| NativeError::new(Kind::Internal, e.to_string()))
}

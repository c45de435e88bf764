//! Sessions behind their numbers: what the entry points do once the JVM's values are converted.

use apisink_plan::LogLevel;
use apisink_runtime::session::LogLine;
use apisink_runtime::{Process, Session, Task};
use arrow_array::RecordBatch;
use arrow_array::ffi::FFI_ArrowArray;
use arrow_schema::{DataType, Schema};
use jni::sys::{jint, jlong};

use crate::arrow;
use crate::error::{Kind, NativeError};
use crate::handles::{self, OpenSession};
use crate::millis::millis;

const READY_FOR_ROWS: jint = 1;
const RESPONSES: jint = 2;
const DONE: jint = 4;
const LOGS: jint = 8;

pub(crate) fn open(plan: &[u8], secrets: &[u8], task: &[u8], schema: Schema) -> Result<jlong, NativeError> {
    let task: Task = serde_json::from_slice(task).map_err(|e| {
        NativeError::new(Kind::Internal, format!("the task's description cannot be read: {e}"))
    })?;
    let process = Process::global()?;
    let engine = process.engine(plan, secrets, task.rate_keeper, &task.executor_id)?;
    let session = Session::open(process, engine, task, &schema)?;
    Ok(handles::insert(OpenSession { session, row_type: DataType::Struct(schema.fields) }))
}

pub(crate) fn resume(handle: jlong, answers: &[u8]) -> Result<(), NativeError> {
    Ok(handles::get(handle)?.session.resume(answers)?)
}

pub(crate) fn skip(handle: jlong, tracking_ids: &[u8]) -> Result<(), NativeError> {
    Ok(handles::get(handle)?.session.skip(tracking_ids)?)
}

pub(crate) fn wait(handle: jlong, timeout_millis: jlong, finishing: bool) -> Result<jint, NativeError> {
    let timeout = millis(timeout_millis);
    let state = handles::get(handle)?.session.wait(timeout, finishing)?;
    let bits = [
        (state.wants_rows, READY_FOR_ROWS),
        (state.has_responses, RESPONSES),
        (state.done, DONE),
        (state.logs, LOGS),
    ];
    Ok(bits.into_iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum())
}

pub(crate) fn submit(handle: jlong, array: FFI_ArrowArray) -> Result<(), NativeError> {
    let open = handles::get(handle)?;
    let batch = arrow::import_batch(array, open.row_type.clone())?;
    Ok(open.session.submit(&batch)?)
}

pub(crate) fn finish(handle: jlong) -> Result<(), NativeError> {
    handles::get(handle)?.session.finish();
    Ok(())
}

pub(crate) fn take(handle: jlong, max_rows: jint) -> Result<Option<RecordBatch>, NativeError> {
    Ok(handles::get(handle)?.session.take(usize::try_from(max_rows).unwrap_or(0))?)
}

pub(crate) fn take_logs(handle: jlong) -> Result<Vec<Vec<u8>>, NativeError> {
    let lines = handles::get(handle)?.session.take_logs();
    let record = |line: LogLine| format!("{} {} {}", line.logger.word(), level_word(line.level), line.text);
    Ok(lines.into_iter().map(record).map(String::into_bytes).collect())
}

pub(crate) fn stats(handle: jlong) -> Result<Vec<u8>, NativeError> {
    let stats = handles::get(handle)?.session.stats();
    serde_json::to_vec(&stats).map_err(|e| NativeError::new(Kind::Internal, e.to_string()))
}

pub(crate) fn drain(handle: jlong, timeout_millis: jlong) -> Result<bool, NativeError> {
    Ok(handles::get(handle)?.session.drain(millis(timeout_millis)))
}

pub(crate) fn stop(handle: jlong) -> Result<(), NativeError> {
    handles::get(handle)?.session.stop();
    Ok(())
}

pub(crate) fn close(handle: jlong) {
    if let Some(open) = handles::remove(handle) {
        open.session.close();
    }
}

fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "ERROR",
        LogLevel::Warn => "WARN",
        LogLevel::Info => "INFO",
        LogLevel::Debug => "DEBUG",
        LogLevel::Trace => "TRACE",
    }
}

//! Sessions as numbers: a slot table with generations.
//!
//! A number is valid from `openSession` to `closeSession`. A slot that is used again has another generation, so a
//! stale number never reaches a later session. Lifetime: the process; bound: the sessions that are open.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use arrow_schema::DataType;
use jni::sys::jlong;
use slotmap::{DefaultKey, Key, KeyData, SlotMap};

use crate::error::{Kind, NativeError};

/// An open session and the type of its source batches.
pub(crate) struct OpenSession {
    pub(crate) session: apisink_runtime::Session,
    pub(crate) row_type: DataType,
}

static SESSIONS: LazyLock<RwLock<SlotMap<DefaultKey, Arc<OpenSession>>>> = LazyLock::new(RwLock::default);

/// Registers a session.
pub(crate) fn insert(session: OpenSession) -> jlong {
    let mut sessions = SESSIONS.write().unwrap_or_else(PoisonError::into_inner);
    sessions.insert(Arc::new(session)).data().as_ffi() as jlong
}

/// The session of a number. It stays alive as long as the result is held, even if it is closed meanwhile.
pub(crate) fn get(handle: jlong) -> Result<Arc<OpenSession>, NativeError> {
    let sessions = SESSIONS.read().unwrap_or_else(PoisonError::into_inner);
    sessions.get(key(handle)).cloned().ok_or_else(|| {
        NativeError::new(Kind::SessionClosed, format!("session {handle:#x} is closed or never was"))
    })
}

/// Forgets a session; none when it was forgotten before.
pub(crate) fn remove(handle: jlong) -> Option<Arc<OpenSession>> {
    SESSIONS.write().unwrap_or_else(PoisonError::into_inner).remove(key(handle))
}

fn key(handle: jlong) -> DefaultKey {
    KeyData::from_ffi(handle as u64).into()
}

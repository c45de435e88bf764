//! The target that was parsed last: the requests of most plans have one path.

use std::sync::{Mutex, TryLockError};

use http::Uri;

use crate::exchange::Failure;
use crate::transport::message;

/// Longer ones are parsed anew, so that nothing large is kept and compared.
const LONGEST: usize = 256;

/// Remembers one target. Nobody waits for it: who finds another thread at work parses his own.
#[derive(Debug, Default)]
pub(super) struct Targets(Mutex<Option<(String, Uri)>>);

impl Targets {
    /// The target as it stands in a message.
    pub(super) fn uri(&self, target: &str) -> Result<Uri, Failure> {
        let mut last = match self.0.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return message::uri(target),
        };
        if let Some((text, uri)) = last.as_ref()
            && text == target
        {
            return Ok(uri.clone());
        }
        let uri = message::uri(target)?;
        if target.len() <= LONGEST {
            *last = Some((target.to_owned(), uri.clone()));
        }
        Ok(uri)
    }
}

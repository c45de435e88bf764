//! The target that was parsed first: the requests of most plans have one path.

use std::borrow::Cow;
use std::sync::OnceLock;

use http::Uri;

use crate::exchange::Failure;
use crate::transport::message;

/// Remembers one target.
#[derive(Debug, Default)]
pub(super) struct Targets(OnceLock<(String, Uri)>);

impl Targets {
    /// The target as it stands in a message.
    pub(super) fn uri(&self, target: &str) -> Result<Cow<'_, Uri>, Failure> {
        if let Some((text, uri)) = self.0.get()
            && text == target
        {
            return Ok(Cow::Borrowed(uri));
        }
        let uri = message::uri(target)?;
        // Where another thread was first, this one is parsed anew each time.
        self.0.get_or_init(|| (target.to_owned(), uri.clone()));
        Ok(Cow::Owned(uri))
    }
}

//! The target at a host that was parsed first: the requests of most plans have one path.

use std::sync::OnceLock;

use http::Uri;

use crate::exchange::Failure;
use crate::request::{Origin, Request};
use crate::transport::message;

/// Remembers one target at a host.
#[derive(Debug, Default)]
pub(super) struct Targets(OnceLock<Known>);

/// A target in both of its forms.
#[derive(Debug)]
pub(super) struct Known {
    text: String,
    relative: Uri,
    absolute: Uri,
}

/// The target of a request, which can stand in a message.
pub(super) enum Target<'a> {
    /// One that was parsed before.
    Known(&'a Known),
    /// One that was parsed now.
    Parsed(Uri),
}

impl Targets {
    /// The target of a request to the host.
    pub(super) fn of(&self, request: &Request) -> Result<Target<'_>, Failure> {
        let Request { origin, target, .. } = request;
        if let Some(known) = self.0.get()
            && known.text == *target
        {
            return Ok(Target::Known(known));
        }
        let relative = message::uri(target)?;
        if self.0.get().is_none() {
            let absolute = message::absolute(relative.clone(), origin)?;
            let known = Known { text: target.clone(), relative: relative.clone(), absolute };
            // Where another thread was first, this one is parsed anew each time.
            let _ = self.0.set(known);
        }
        Ok(Target::Parsed(relative))
    }
}

impl Target<'_> {
    /// Its path and query, as HTTP/1.1 writes it.
    pub(super) fn relative(&self) -> Uri {
        match self {
            Self::Known(known) => known.relative.clone(),
            Self::Parsed(relative) => relative.clone(),
        }
    }

    /// The whole URL.
    pub(super) fn absolute(&self, origin: &Origin) -> Result<Uri, Failure> {
        match self {
            Self::Known(known) => Ok(known.absolute.clone()),
            Self::Parsed(relative) => message::absolute(relative.clone(), origin),
        }
    }
}

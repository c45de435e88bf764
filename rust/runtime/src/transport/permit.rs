//! What lets an attempt be written.

use crate::gate::Passage;
use crate::rate::RateLimiter;

/// The right to write one request: a slot of its rate limit, and a sender that has not been told to end.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a RateLimiter,
    passage: Option<&'a mut Passage>,
}

impl<'a> Permit<'a> {
    /// That of a request that belongs to no session.
    pub fn of(limiter: &'a RateLimiter) -> Self {
        Self { limiter, passage: None }
    }

    /// That of an exchange, on its way through the gate of its session.
    pub(crate) fn of_session(limiter: &'a RateLimiter, passage: &'a mut Passage) -> Self {
        Self { limiter, passage: Some(passage) }
    }

    /// The limit that a slot is spent of.
    pub fn limiter(&self) -> &'a RateLimiter {
        self.limiter
    }

    /// Right before the request is written. From here on its answer is waited for when the session ends early; when that
    /// has begun already, this never returns, and the attempt is dropped unsent.
    pub async fn pass(&mut self) {
        if !self.passes() {
            std::future::pending().await
        }
    }

    /// The same at once; when this is false, the attempt is to wait until it is dropped.
    pub(crate) fn passes(&mut self) -> bool {
        self.passage.as_mut().is_none_or(|passage| passage.pass())
    }
}

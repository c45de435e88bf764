//! `idempotency_key` (common): the request_id in a header and a form of the API's own.

use apisink_plan::IdempotencyKeySpec;
use http::header::{HeaderName, HeaderValue};

use super::{BuildContext, Common, Link, Part};
use crate::error::{RowError, RuntimeError};
use crate::request::{Request, header_name};

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let IdempotencyKeySpec { header, before, after } = context.spec()?;
    Ok(Link::Common(Box::new(IdempotencyKey { header: header_name(&header)?, before, after })))
}

struct IdempotencyKey {
    header: HeaderName,
    before: String,
    after: String,
}

impl Common for IdempotencyKey {
    fn apply(&self, _: &Part, request: &mut Request) -> Result<(), RowError> {
        let key = format!("{}{}{}", self.before, request.request_id.hyphenated(), self.after);
        let key = HeaderValue::try_from(key)
            .map_err(|_| RowError::new("header_value", "the idempotency key is no value of a header"))?;
        request.headers.insert(self.header.clone(), key);
        request.has_idempotency_key = true;
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

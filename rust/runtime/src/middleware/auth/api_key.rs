//! `api_key`: a key of the API's own, in a header or as a query parameter.

use apisink_plan::{KeyPlace, SecretSlot};
use http::header::HeaderName;

use super::Fixed;
use crate::error::{RowError, RuntimeError};
use crate::middleware::{BuildContext, Common, Link, Part};
use crate::request::{Request, encode_into};

pub(super) fn make(
    context: &BuildContext<'_, '_>,
    place: KeyPlace,
    name: &str,
    value: SecretSlot,
) -> Result<Link, RuntimeError> {
    let value = context.secret(value)?;
    match place {
        KeyPlace::Header => {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| RuntimeError::Plan(format!("auth: {name} is no header name")))?;
            Fixed::named(name, value)
        }
        KeyPlace::Query => {
            let encoded = |text: &str| {
                let mut encoded = String::new();
                encode_into(text.as_bytes(), &mut encoded);
                encoded
            };
            Ok(Link::Common(Box::new(QueryKey { name: encoded(name), value: encoded(value) })))
        }
    }
}

/// Name and key, encoded.
struct QueryKey {
    name: String,
    value: String,
}

impl Common for QueryKey {
    fn apply(&self, _: &Part, request: &mut Request) -> Result<(), RowError> {
        request.push_secret_query(&self.name, &self.value);
        Ok(())
    }
}

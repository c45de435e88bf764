//! `text_body` (common): a text with the row's values in it as the request's body.

use apisink_plan::TextBodySpec;
use bytes::Bytes;
use http::header::HeaderValue;

use super::{BuildContext, Common, Link, Part};
use crate::error::{RowError, RuntimeError};
use crate::request::{BoundPiece, Request, bind, write_value};
use crate::row::Row;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: TextBodySpec = context.spec()?;
    let pieces = bind(&spec.body, context.secrets, context.binder)?;
    Ok(Link::Common(Box::new(TextBody { pieces, content_type: content_type(&spec.content_type)? })))
}

struct TextBody {
    pieces: Vec<BoundPiece>,
    content_type: HeaderValue,
}

/// A Content-Type as the value of a header.
pub(super) fn content_type(name: &str) -> Result<HeaderValue, RuntimeError> {
    HeaderValue::from_str(name).map_err(|_| RuntimeError::Plan(format!("{name} is no content type")))
}

impl Common for TextBody {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut body = Vec::with_capacity(128);
        write_value(&self.pieces, row, false, &mut body)?;
        Ok(Part::Bytes(Bytes::from(body)))
    }

    fn apply(&self, part: &Part, request: &mut Request) -> Result<(), RowError> {
        if let Part::Bytes(body) = part {
            request.set_body(body.clone(), &self.content_type);
        }
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

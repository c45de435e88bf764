//! Headers of a plan, bound to the source's columns.

use apisink_plan::{NamedPieces, SecretValues};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::error::{RowError, RuntimeError};
use crate::request::{BoundPiece, bind, header_name, with_room, write_value};
use crate::row::{Binder, Row};

/// Headers that middleware adds to a request: idempotency key, content type, and others that there seldom are.
const ADDED: usize = 4;

/// Headers: those that are the same for every row, and those made of columns.
#[derive(Debug, Default)]
pub(crate) struct HeaderTemplates {
    pub(crate) fixed: HeaderMap,
    rows: Vec<(HeaderName, Vec<BoundPiece>)>,
}

impl HeaderTemplates {
    pub(crate) fn new(
        headers: &[NamedPieces],
        secrets: &SecretValues,
        binder: &mut Binder<'_>,
    ) -> Result<Self, RuntimeError> {
        let mut templates = Self { fixed: HeaderMap::with_capacity(headers.len() + 2), rows: Vec::new() };
        for NamedPieces { name, value } in headers {
            let header = header_name(name)?;
            let pieces = bind(value, secrets, binder)?;
            if pieces.iter().any(|piece| matches!(piece, BoundPiece::Column { .. })) {
                templates.rows.push((header, pieces));
                continue;
            }
            let text: String = pieces.iter().map(BoundPiece::fixed).collect();
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                RuntimeError::Plan(format!("header {name} has a value that HTTP does not allow"))
            })?;
            value.set_sensitive(pieces.iter().any(BoundPiece::is_secret));
            templates.fixed.append(header, value);
        }
        Ok(templates)
    }

    /// Those that are the same for every row, with room for what is added.
    pub(crate) fn fixed_with_room(&self) -> HeaderMap {
        with_room(&self.fixed, self.rows.len() + ADDED)
    }

    /// Appends the headers made of a row's columns. `seen` is told what of the row reached them, for the digest: another
    /// password makes no other request.
    pub(crate) fn render(
        &self,
        row: &Row<'_>,
        headers: &mut HeaderMap,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<(), RowError> {
        let mut text = Vec::new();
        for (name, pieces) in &self.rows {
            text.clear();
            if !write_value(pieces, row, false, &mut text)? {
                continue;
            }
            let mut value = HeaderValue::from_bytes(&text).map_err(|_| {
                RowError::new(
                    "header_value",
                    format!("header {name}: the value holds a character that HTTP does not allow (CR, LF, control)"),
                )
            })?;
            seen(&[0]);
            seen(name.as_str().as_bytes());
            seen(&[0]);
            if pieces.iter().any(BoundPiece::is_secret) {
                value.set_sensitive(true);
                text.clear();
                write_value(pieces, row, true, &mut text)?;
                seen(&text);
            } else {
                seen(value.as_bytes());
            }
            headers.append(name.clone(), value);
        }
        Ok(())
    }
}

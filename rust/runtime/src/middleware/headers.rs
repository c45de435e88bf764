//! `headers` (common): headers whose values may hold columns. A null alone leaves its header out.

use apisink_plan::HeadersSpec;
use http::HeaderMap;

use super::{BuildContext, Common, HeaderPart, Link, Part};
use crate::error::{RowError, RuntimeError};
use crate::header_template::HeaderTemplates;
use crate::request::Request;
use crate::row::Row;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: HeadersSpec = context.spec()?;
    let templates = HeaderTemplates::new(&spec.headers, context.secrets, context.binder)?;
    Ok(Link::Common(Box::new(Headers { templates })))
}

struct Headers {
    templates: HeaderTemplates,
}

impl Common for Headers {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut headers = HeaderMap::new();
        let mut seen = Vec::new();
        self.templates.render(row, &mut headers, |bytes| seen.extend_from_slice(bytes))?;
        Ok(if headers.is_empty() {
            Part::None
        } else {
            Part::Headers(Box::new(HeaderPart { headers, seen }))
        })
    }

    fn apply(&self, part: &Part, request: &mut Request) -> Result<(), RowError> {
        let of_row = match part {
            Part::Headers(part) => Some(&part.headers),
            _ => None,
        };
        for (name, value) in self.templates.fixed.iter().chain(of_row.into_iter().flatten()) {
            request.headers.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

//! `form_body` (common): row values as a form body (the URL Standard's application/x-www-form-urlencoded). A null leaves
//! its field out.

use apisink_plan::FormBodySpec;
use bytes::Bytes;
use http::HeaderValue;

use super::{BuildContext, Common, Link, Part};
use crate::error::{RowError, RuntimeError};
use crate::request::{Request, encode_into, require};
use crate::row::{ColumnIndex, Row};

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: FormBodySpec = context.spec()?;
    let fields = spec
        .fields
        .iter()
        .map(|(name, column)| {
            let mut encoded = String::new();
            encode_into(name.as_bytes(), &mut encoded);
            Ok(Field { name: encoded, column: context.binder.column(column)?, required: column.required })
        })
        .collect::<Result<Vec<_>, RuntimeError>>()?;
    Ok(Link::Common(Box::new(FormBody { fields })))
}

struct FormBody {
    fields: Vec<Field>,
}

struct Field {
    name: String,
    column: ColumnIndex,
    required: bool,
}

impl Common for FormBody {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut body = String::with_capacity(128);
        let mut value = Vec::new();
        for field in &self.fields {
            if row.is_null(field.column) {
                require(row, field.column, field.required)?;
                continue;
            }
            value.clear();
            row.write_text(field.column, &mut value)?;
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(&field.name);
            body.push('=');
            encode_into(&value, &mut body);
        }
        Ok(Part::Bytes(Bytes::from(body)))
    }

    fn apply(&self, part: &Part, request: &mut Request) -> Result<(), RowError> {
        if let Part::Bytes(body) = part {
            request.set_body(body.clone(), &HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

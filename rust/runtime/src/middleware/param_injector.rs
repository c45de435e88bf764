//! `param_injector` (interceptor): row values as query parameters. A null leaves its parameter out.

use apisink_plan::ParamInjectorSpec;

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::{RowError, RuntimeError};
use crate::exchange::Exchange;
use crate::request::{encode_into, require};
use crate::row::{ColumnIndex, Row};

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: ParamInjectorSpec = context.spec()?;
    let params = spec
        .params
        .iter()
        .map(|(name, column)| {
            let mut encoded = String::new();
            encode_into(name.as_bytes(), &mut encoded);
            Ok(Param { name: encoded, column: context.binder.column(column)?, required: column.required })
        })
        .collect::<Result<Vec<_>, RuntimeError>>()?;
    Ok(Link::Interceptor(Box::new(ParamInjector { params })))
}

struct ParamInjector {
    params: Vec<Param>,
}

struct Param {
    name: String,
    column: ColumnIndex,
    required: bool,
}

impl Interceptor for ParamInjector {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut query = String::new();
        let mut value = Vec::new();
        for param in &self.params {
            if row.is_null(param.column) {
                require(row, param.column, param.required)?;
                continue;
            }
            value.clear();
            row.write_text(param.column, &mut value)?;
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&param.name);
            query.push('=');
            encode_into(&value, &mut query);
        }
        Ok(if query.is_empty() { Part::None } else { Part::Text(query) })
    }

    fn call<'a>(&'a self, exchange: &'a mut Exchange, part: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        if let Part::Text(query) = part {
            exchange.request.push_encoded_query(query);
        }
        Box::pin(next.run(exchange))
    }
}

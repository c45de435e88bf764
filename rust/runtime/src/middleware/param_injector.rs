//! `param_injector` (interceptor): row values as query parameters. A null leaves its parameter out.

use apisink_plan::{ArrayForm, ParamInjectorSpec};

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
    Ok(Link::Interceptor(Box::new(ParamInjector { params, arrays: spec.arrays })))
}

struct ParamInjector {
    params: Vec<Param>,
    arrays: ArrayForm,
}

struct Param {
    name: String,
    column: ColumnIndex,
    required: bool,
}

impl ParamInjector {
    /// Adds the items of an array; a null one is left out.
    fn array(&self, row: &Row<'_>, param: &Param, query: &mut String) -> Result<(), RowError> {
        let mut first = true;
        let name = match self.arrays {
            ArrayForm::Brackets => format!("{}{BRACKETS}", param.name),
            _ => param.name.clone(),
        };
        row.each_text(param.column, |item| {
            if self.arrays == ArrayForm::Comma && !first {
                query.push(',');
            } else {
                begin(query, &name);
            }
            first = false;
            encode_into(item, query);
        })
    }
}

/// `[]`, encoded: neither may stand in a query as it is (RFC 3986, 3.4).
const BRACKETS: &str = "%5B%5D";

/// Begins a parameter.
fn begin(query: &mut String, name: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
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
            if self.arrays != ArrayForm::Json && row.is_array(param.column) {
                self.array(row, param, &mut query)?;
                continue;
            }
            value.clear();
            row.write_text(param.column, &mut value)?;
            begin(&mut query, &param.name);
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

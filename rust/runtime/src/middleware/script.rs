//! `script` (interceptor): code of the config's own around every request. A script that fails makes its row an
//! `invalid_row`, or its answer an `invalid_response`; one that does not end is stopped.

use std::sync::Arc;

use apisink_plan::script::{ON_REQUEST, ON_RESPONSE, accepted};
use apisink_plan::{FieldKind, ScriptSpec};
use rhai::{AST, CallFnOptions, Dynamic, Engine, Map, Scope};

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::{RowError, RuntimeError};
use crate::exchange::{Exchange, Outcome};
use crate::parsed::BodyVerdict;
use crate::request::{Request, check_url_bytes, mark_secrets};
use crate::row::{ColumnIndex, Row};
use crate::script::{RequestView, ResponseView, engine, failure, of_template};
use crate::transport::RENDER;

/// How much larger a body is as a script's values than as text, about.
const TREE: usize = 16;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: ScriptSpec = context.spec()?;
    let secrets = spec
        .secrets
        .iter()
        .map(|(name, slot)| Ok((name.clone(), context.secret(*slot)?.to_owned())))
        .collect::<Result<Vec<_>, RuntimeError>>()?;
    let values = secrets.iter().map(|(_, value)| value.clone()).collect();
    let engine = engine(spec.max_operations, secrets);
    let ast = accepted(&engine, &spec.script.text)
        .map_err(|error| RuntimeError::Plan(format!("the script: {error}")))?;
    let columns = spec
        .columns
        .into_iter()
        .map(|(name, column)| Ok((name, context.binder.column(&column)?)))
        .collect::<Result<Vec<_>, RuntimeError>>()?;
    Ok(Link::Interceptor(Box::new(Script {
        engine,
        ast,
        columns,
        secrets: values,
        fields: Arc::new(spec.fields),
        first_field: spec.first_field,
        max_url_bytes: context.plan.request.max_url_bytes,
        on_request: spec.request,
        // The engine that renders answers with the request.
        on_response: spec.response && context.plan.transport.engine != RENDER,
        reads_json: spec.reads_json,
    })))
}

struct Script {
    engine: Engine,
    ast: AST,
    columns: Vec<(String, ColumnIndex)>,
    secrets: Vec<String>,
    fields: Arc<Vec<(String, FieldKind)>>,
    first_field: usize,
    max_url_bytes: usize,
    on_request: bool,
    on_response: bool,
    reads_json: bool,
}

/// What a script takes of a row.
#[derive(Clone, Debug)]
pub struct ScriptRow {
    values: Map,
    /// Its JSON form, for the digest of the request.
    pub(super) seen: Vec<u8>,
}

impl Interceptor for Script {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut values = Map::new();
        let mut seen = Vec::new();
        for (name, column) in &self.columns {
            values.insert(name.as_str().into(), of_template(&row.template_value(*column)?));
            row.write_json(*column, &mut seen)?;
            seen.push(0);
        }
        Ok(Part::Script(Box::new(ScriptRow { values, seen })))
    }

    fn call<'a>(&'a self, exchange: &'a mut Exchange, part: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Part::Script(row) = part else { return next.run(exchange).await };
            if self.on_request
                && let Err(error) = self.shape(&mut exchange.request, row)
            {
                return exchange.refuse(error);
            }
            next.run(exchange).await;
            if self.on_response {
                self.judge(exchange, row).await;
            }
        })
    }
}

impl Script {
    /// Calls the script's function for requests.
    fn shape(&self, request: &mut Request, row: &ScriptRow) -> Result<(), RowError> {
        let blank = Request::new(request.method.clone(), request.origin.clone(), String::new());
        let view = RequestView::new(std::mem::replace(request, blank));
        let called = self.run(ON_REQUEST, Dynamic::from(view.clone()), row);
        *request = view.into_request();
        called.map_err(|why| RowError::new("script", why))?;
        mark_secrets(&mut request.headers, &self.secrets);
        check_url_bytes(request.url_bytes(), self.max_url_bytes)
    }

    /// Calls the script's function for answers.
    async fn judge(&self, exchange: &mut Exchange, row: &ScriptRow) {
        let Some(Ok(response)) = &exchange.result else { return };
        let before = exchange.memory.bytes();
        if self.reads_json {
            exchange.memory.grow(TREE * response.body.len()).await;
        }
        let Some(Ok(response)) = exchange.result.take() else { return };
        let view = ResponseView::new(response, self.fields.clone());
        let called = self.run(ON_RESPONSE, Dynamic::from(view.clone()), row);
        let judgement = view.into_judgement();
        exchange.result = Some(Ok(judgement.response));
        let verdict = match called {
            Ok(()) => judgement.verdict,
            Err(message) => Some(BodyVerdict { outcome: Outcome::InvalidResponse, kind: "script", message }),
        };
        let parsed = exchange.parsed.get_or_insert_default();
        let end = self.first_field + judgement.fields.len();
        if parsed.fields.len() < end {
            parsed.fields.resize(end, None);
        }
        for (field, value) in parsed.fields[self.first_field..].iter_mut().zip(judgement.fields) {
            *field = value;
        }
        if verdict.is_some() {
            parsed.verdict = verdict;
        }
        let held = parsed.bytes();
        exchange.memory.shrink_to(before);
        exchange.memory.grow(held).await;
    }

    fn run(&self, function: &str, subject: Dynamic, row: &ScriptRow) -> Result<(), String> {
        let options = CallFnOptions::new().eval_ast(false);
        let arguments = (subject, row.values.clone());
        let called: Result<Dynamic, _> =
            self.engine.call_fn_with_options(options, &mut Scope::new(), &self.ast, function, arguments);
        called.map(|_| ()).map_err(|error| failure(&error))
    }
}

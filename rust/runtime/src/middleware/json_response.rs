//! `json_response` (interceptor): reads the answer's body as JSON, picks columns of it, and judges a successful answer by it.
//!
//! The answer itself stays as it is: what is found stands beside it ([`Parsed`]), so that the sink keeps status and body of
//! an answer that is refused.

use apisink_plan::jinja::{Condition, failure};
use apisink_plan::{FieldKind, JsonResponseSpec, ResponseFieldSpec, validator};
use jsonschema::Validator;
use minijinja::value::Serde;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::RuntimeError;
use crate::exchange::{Exchange, Outcome, Response};
use crate::parsed::{BodyVerdict, FieldValue, Parsed};
use crate::transport::RENDER;

/// How much larger a body is as a tree than as text, about.
const TREE: usize = 8;

/// Longest text that an API says about a failure, in characters.
const MOST_SAID: usize = 1_000;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: JsonResponseSpec = context.spec()?;
    let wrong = |what: &str, why: String| RuntimeError::Plan(format!("json_response: {what}: {why}"));
    let schema = spec.schema.as_ref().map(validator).transpose().map_err(|why| wrong("the schema", why))?;
    let success = spec
        .success_when
        .as_deref()
        .map(Condition::new)
        .transpose()
        .map_err(|error| wrong("success_when", error.to_string()))?;
    // The engine that renders answers with the request.
    let renders = context.plan.transport.engine == RENDER;
    Ok(Link::Interceptor(Box::new(JsonResponse { spec, schema, success, renders })))
}

struct JsonResponse {
    spec: JsonResponseSpec,
    schema: Option<Validator>,
    success: Option<Condition>,
    renders: bool,
}

impl Interceptor for JsonResponse {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            next.run(exchange).await;
            let Some(Ok(response)) = &exchange.result else { return };
            if self.renders {
                return;
            }
            let before = exchange.memory.bytes();
            if self.needs_tree() {
                exchange.memory.grow(TREE * response.body.len()).await;
            }
            let parsed = self.read(response).after(exchange.parsed.take());
            exchange.memory.shrink_to(before);
            exchange.memory.grow(parsed.bytes()).await;
            exchange.parsed = Some(parsed);
        })
    }
}

impl JsonResponse {
    fn needs_tree(&self) -> bool {
        self.schema.is_some() || self.success.is_some() || !self.spec.fields.is_empty()
    }

    fn read(&self, response: &Response) -> Parsed {
        let mut parsed = Parsed::default();
        let verdict = self.read_into(response, &mut parsed).err();
        // What is no success by its status needs no second reason.
        parsed.verdict = verdict.filter(|_| response.status.is_success());
        parsed
    }

    fn read_into(&self, response: &Response, parsed: &mut Parsed) -> Result<(), BodyVerdict> {
        if response.truncated {
            return Err(invalid("truncated", "the body was cut off, so that it cannot be read as JSON"));
        }
        if response.body.is_empty() {
            let required = self.spec.fields.iter().any(|field| field.required);
            if required || self.schema.is_some() || self.success.is_some() {
                return Err(invalid("no_body", "the answer has no body to judge it by"));
            }
            return Ok(());
        }
        let no_json =
            |error: serde_json::Error| invalid("invalid_json", &format!("the body is no JSON: {error}"));
        if !self.needs_tree() {
            serde_json::from_slice::<IgnoredAny>(&response.body).map_err(no_json)?;
            parsed.json_column = self.spec.json_column;
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&response.body).map_err(no_json)?;
        parsed.json_column = self.spec.json_column;
        let mut misfit = None;
        for field in &self.spec.fields {
            parsed.fields.push(field_of(field, &body).unwrap_or_else(|verdict| {
                misfit.get_or_insert(verdict);
                None
            }));
        }
        // Before all else: an answer that tells of a failure has another shape, and says why.
        self.check_success(response, &body)?;
        if let Some(error) = self.schema.as_ref().and_then(|schema| schema.validate(&body).err()) {
            let at = error.instance_path().to_string();
            let at = if at.is_empty() { "the body".to_owned() } else { at };
            // Masked: the sink may be meant to hold no bodies.
            return Err(invalid("schema", &format!("{at} is not as the schema asks: {}", error.masked())));
        }
        misfit.map_or(Ok(()), Err)
    }

    fn check_success(&self, response: &Response, body: &Value) -> Result<(), BodyVerdict> {
        let Some(success) = &self.success else { return Ok(()) };
        let context = minijinja::Value::from_pairs([
            ("body", minijinja::Value::from(Serde(body))),
            ("status", minijinja::Value::from(response.status.as_u16())),
        ]);
        match success.holds(context) {
            Ok(true) => Ok(()),
            Ok(false) => Err(BodyVerdict {
                outcome: Outcome::HttpError,
                kind: "rejected_by_body",
                message: self.said(body),
            }),
            Err(error) => {
                let why = failure(&error, "it takes too many steps");
                Err(invalid("success_when", &format!("success_when: {why}")))
            }
        }
    }

    /// What the body says went wrong.
    fn said(&self, body: &Value) -> String {
        let said = self.spec.error_message.as_deref().and_then(|pointer| body.pointer(pointer));
        match said {
            Some(Value::String(text)) => text.chars().take(MOST_SAID).collect(),
            Some(Value::Null) | None => {
                let expression = self.spec.success_when.as_deref().unwrap_or_default();
                format!("not so: {expression}")
            }
            Some(other) => other.to_string().chars().take(MOST_SAID).collect(),
        }
    }
}

fn invalid(kind: &'static str, message: &str) -> BodyVerdict {
    BodyVerdict { outcome: Outcome::InvalidResponse, kind, message: message.to_owned() }
}

fn field_of(field: &ResponseFieldSpec, body: &Value) -> Result<Option<FieldValue>, BodyVerdict> {
    let misfit = |what: &str| {
        let message = format!("the field {}: {} {what}", field.name, field.pointer);
        invalid("invalid_field", &message)
    };
    let value = match body.pointer(&field.pointer) {
        None | Some(Value::Null) if field.required => return Err(misfit("is not there")),
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let value = match (field.kind, value) {
        (FieldKind::String, Value::String(text)) => Some(FieldValue::Text(text.clone())),
        (FieldKind::String, other) => Some(FieldValue::Text(other.to_string())),
        (FieldKind::Long, Value::Number(number)) => {
            number.as_i64().or_else(|| whole(number.as_f64()?)).map(FieldValue::Long)
        }
        (FieldKind::Double, Value::Number(number)) => number.as_f64().map(FieldValue::Double),
        (FieldKind::Boolean, Value::Bool(value)) => Some(FieldValue::Boolean(*value)),
        _ => None,
    };
    match value {
        Some(value) => Ok(Some(value)),
        None => Err(misfit(&format!("is no {}", kind_name(field.kind)))),
    }
}

const fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::String => "string",
        FieldKind::Long => "long",
        FieldKind::Double => "double",
        FieldKind::Boolean => "boolean",
    }
}

/// A number that was written with a fraction of zero, such as 7.0, as far as a double knows every whole number.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

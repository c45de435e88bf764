//! `response`, as a script sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apisink_plan::FieldKind;
use rhai::{Dynamic, Engine, EvalAltResult};

use super::request::header;
use super::values::of_json;
use crate::exchange::{Outcome, Response};
use crate::parsed::{BodyVerdict, FieldValue};
use crate::request::lossy;

/// What is kept of what a script says about an answer, in characters.
const MOST_SAID: usize = 1_000;

/// An answer while a script has it, and what the script makes of it.
#[derive(Clone)]
pub(crate) struct ResponseView(Arc<Mutex<Judged>>);

#[derive(Clone)]
struct Judged {
    response: Response,
    columns: Arc<Vec<(String, FieldKind)>>,
    json: Option<Dynamic>,
    fields: Vec<Option<FieldValue>>,
    verdict: Option<BodyVerdict>,
}

/// What a script has made of an answer.
pub(crate) struct Judgement {
    pub(crate) response: Response,
    pub(crate) fields: Vec<Option<FieldValue>>,
    pub(crate) verdict: Option<BodyVerdict>,
}

impl ResponseView {
    /// A view of an answer, and of the columns that the script may fill.
    pub(crate) fn new(response: Response, columns: Arc<Vec<(String, FieldKind)>>) -> Self {
        let fields = vec![None; columns.len()];
        Self(Arc::new(Mutex::new(Judged { response, columns, json: None, fields, verdict: None })))
    }

    /// The answer, and what the script has made of it.
    pub(crate) fn into_judgement(self) -> Judgement {
        let judgement = |judged: Judged| {
            let Judged { response, fields, verdict, .. } = judged;
            Judgement { response, fields, verdict }
        };
        match Arc::try_unwrap(self.0) {
            Ok(judged) => judgement(judged.into_inner().unwrap_or_else(PoisonError::into_inner)),
            // A closure of the script may have kept it.
            Err(shared) => judgement(shared.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    fn judged(&self) -> MutexGuard<'_, Judged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body as JSON, parsed once; `()` when it is none.
    fn json(&mut self) -> Dynamic {
        let mut judged = self.judged();
        if judged.json.is_none() {
            let body = serde_json::from_slice(&judged.response.body).ok();
            judged.json = Some(body.map_or(Dynamic::UNIT, of_json));
        }
        judged.json.clone().unwrap_or(Dynamic::UNIT)
    }

    fn judge(&mut self, outcome: Outcome, kind: &'static str, message: &str) {
        let message = message.chars().take(MOST_SAID).collect();
        self.judged().verdict = Some(BodyVerdict { outcome, kind, message });
    }

    fn set_field(&mut self, name: &str, value: Dynamic) -> Result<(), Box<EvalAltResult>> {
        let mut judged = self.judged();
        let known = judged.columns.iter().position(|(known, _)| known == name);
        let index = known.ok_or_else(|| format!("there is no field {name}; `fields` names them"))?;
        let kind = judged.columns[index].1;
        let misfit = |value: &Dynamic| format!("the field {name} cannot hold {}", value.type_name());
        judged.fields[index] = if value.is_unit() {
            None
        } else {
            Some(match kind {
                FieldKind::String => FieldValue::Text(value.to_string()),
                FieldKind::Long => FieldValue::Long(value.as_int().map_err(|_| misfit(&value))?),
                FieldKind::Double => FieldValue::Double(
                    value.as_float().or_else(|_| whole(&value)).map_err(|()| misfit(&value))?,
                ),
                FieldKind::Boolean => FieldValue::Boolean(value.as_bool().map_err(|_| misfit(&value))?),
            })
        };
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss, reason = "the column is a double")]
fn whole(value: &Dynamic) -> Result<f64, ()> {
    value.as_int().map(|value| value as f64).map_err(|_| ())
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<ResponseView>("response")
        .register_get("status", |view: &mut ResponseView| i64::from(view.judged().response.status.as_u16()))
        .register_get("body", |view: &mut ResponseView| lossy(&view.judged().response.body).into_owned())
        .register_get("truncated", |view: &mut ResponseView| view.judged().response.truncated)
        .register_get("json", ResponseView::json)
        .register_fn("header", |view: &mut ResponseView, name: &str| {
            header(view.judged().response.headers.get(name))
        })
        .register_fn("fail", |view: &mut ResponseView, message: &str| {
            view.judge(Outcome::HttpError, "rejected_by_script", message);
        })
        .register_fn("invalid", |view: &mut ResponseView, message: &str| {
            view.judge(Outcome::InvalidResponse, "invalid_by_script", message);
        })
        .register_fn("succeed", |view: &mut ResponseView| view.judge(Outcome::Success, "", ""))
        .register_fn("set_field", ResponseView::set_field);
}

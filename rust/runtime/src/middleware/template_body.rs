//! `template_body` (common): a template, rendered from the row, as the request's body.

use apisink_plan::TemplateBodySpec;
use apisink_plan::jinja::{environment, failure};
use bytes::Bytes;
use http::header::HeaderValue;
use minijinja::{Environment, Value};
use serde::de::IgnoredAny;

use super::text_body::content_type;
use super::{BuildContext, Common, Link, Part};
use crate::error::{RowError, RuntimeError};
use crate::request::{Request, require};
use crate::row::{ColumnIndex, Row};

/// The template's name within its environment.
const NAME: &str = "body";

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: TemplateBodySpec = context.spec()?;
    let mut environment = environment(spec.escape, spec.max_steps, false);
    environment
        .add_template_owned(NAME, spec.template.text)
        .map_err(|error| RuntimeError::Plan(format!("the template of the body: {error}")))?;
    let names = spec
        .columns
        .into_iter()
        .map(|(name, column)| Ok((name, context.binder.column(&column)?, column.required)))
        .collect::<Result<Vec<_>, RuntimeError>>()?;
    Ok(Link::Common(Box::new(TemplateBody {
        environment,
        names,
        validate_json: spec.validate_json,
        content_type: content_type(&spec.content_type)?,
    })))
}

struct TemplateBody {
    environment: Environment<'static>,
    /// Names of the template, their columns, and whether a null is refused.
    names: Vec<(String, ColumnIndex, bool)>,
    validate_json: bool,
    content_type: HeaderValue,
}

impl Common for TemplateBody {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut values = Vec::with_capacity(self.names.len());
        for (name, column, required) in &self.names {
            require(row, *column, *required)?;
            values.push((name.as_str(), row.template_value(*column)?));
        }
        let template = self.environment.get_template(NAME).map_err(|error| failed(&error))?;
        let body = template.render(Value::from_pairs(values)).map_err(|error| failed(&error))?;
        if self.validate_json {
            serde_json::from_str::<IgnoredAny>(&body)
                .map_err(|error| RowError::new("invalid_json", format!("the body is no JSON: {error}")))?;
        }
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

fn failed(error: &minijinja::Error) -> RowError {
    let line = error.line().unwrap_or_default();
    let what = failure(error, "it takes more steps than max_steps allows");
    RowError::new("template", format!("the template of the body, line {line}: {what}"))
}

//! Bodies that a text or a template makes.

use apisink_config::{Code, Located, Place, ReferenceKind, TemplateBody, Text, TextBody};

use crate::headers::unfit_for_header;
use crate::jinja::{self, Escape, Fault, Name};
use crate::mapping::Mappings;
use crate::plan::{Piece, TemplateBodySpec, TemplateSource, TextBodySpec};
use crate::source_text::SourceText;
use crate::state::State;
use crate::template::{Part, parts};

/// The specification of a `text_body`; none when it has faults, which are noted.
pub(crate) fn text_body(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    body: &TextBody,
) -> Option<TextBodySpec> {
    let content_type = content_type(state, &body.content_type);
    let pieces = match (&body.template, &body.column) {
        (Some(template), _) => pieces(state, mappings, template),
        (None, Some(column)) => {
            Some(vec![Piece::Column(mappings.placeholder(state, column, Place::Body, column.at))])
        }
        (None, None) => None,
    };
    Some(TextBodySpec { body: pieces?, content_type: content_type? })
}

fn pieces(state: &mut State<'_>, mappings: &mut Mappings<'_>, template: &Text) -> Option<Vec<Piece>> {
    if refuses_secrets(state, template) {
        return None;
    }
    let mut pieces = Some(Vec::new());
    for part in parts(state, template, "the template of `text_body`")? {
        let piece = match part {
            Part::Literal(literal) => Some(Piece::Literal(literal)),
            Part::Placeholder(name) => {
                Some(Piece::Column(mappings.placeholder(state, &name, Place::Body, template.at())))
            }
            Part::Reference(reference) => state
                .resolve(&reference, template.at())
                .map(|value| Piece::Literal(value.expose().to_owned())),
        };
        pieces = pieces.zip(piece).map(|(mut pieces, piece)| {
            pieces.push(piece);
            pieces
        });
    }
    pieces
}

/// A body is a part of what tells one request from another, and may be kept in the sink.
fn refuses_secrets(state: &mut State<'_>, template: &Text) -> bool {
    let secret = template.references().into_iter().find(|reference| reference.kind == ReferenceKind::Secret);
    if let Some(reference) = &secret {
        let what = format!("a body may not hold {reference}: another secret would make it another request");
        state.note(template.at(), Code::Reference, what, SECRETS_ELSEWHERE);
    }
    secret.is_some()
}

const SECRETS_ELSEWHERE: &str = "secrets belong under `auth`, `headers`, `query` or `url_path`";

/// The specification of a `template_body`; none when it has faults, which are noted.
pub(crate) fn template_body(
    state: &mut State<'_>,
    mappings: &mut Mappings<'_>,
    body: &TemplateBody,
) -> Option<TemplateBodySpec> {
    let content_type = content_type(state, &body.content_type);
    let source = SourceText::of(
        state,
        body.template.as_ref(),
        body.template_file.as_ref(),
        "the template of `template_body`",
    )?;
    let names = match jinja::names(&source.text) {
        Ok(names) => names,
        Err(faults) => {
            for Fault { line, column, what } in faults {
                let (at, within) = source.place(state, line, column);
                let hint = if source.text.contains("secret.") {
                    "a template holds no references; the guide on middleware tells what may be written"
                } else {
                    "the guide on middleware tells what may be written"
                };
                state.note(at, Code::Placeholder, format!("{within}: {what}"), hint);
            }
            return None;
        }
    };
    let columns = names
        .into_iter()
        .map(|Name { name, line, column }| {
            let (at, within) = source.place(state, line, column);
            if name == "env" || name == "secret" {
                let what = format!("{within}: a template may hold no `{{{{{name}.…}}}}` reference");
                state.note(at, Code::Reference, what, SECRETS_ELSEWHERE);
                return None;
            }
            let known = state.problems.len();
            let column = mappings.placeholder(state, &name, Place::Body, at);
            for problem in &mut state.problems[known..] {
                problem.what = format!("{within}: {}", problem.what);
            }
            Some((name, column))
        })
        .collect::<Option<Vec<_>>>();
    let essence = content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let escape = if body.is_json() {
        Escape::Json
    } else if essence.ends_with("/xml") || essence.ends_with("+xml") || essence.ends_with("/html") {
        Escape::Xml
    } else {
        Escape::None
    };
    Some(TemplateBodySpec {
        template: TemplateSource { file: source.file, text: source.text },
        columns: columns?,
        escape,
        validate_json: body.validates_json(),
        max_steps: u64::from(body.max_steps),
        content_type: content_type?,
    })
}

fn content_type(state: &mut State<'_>, content_type: &Located<String>) -> Option<String> {
    match unfit_for_header(content_type) {
        None => Some(content_type.value.clone()),
        Some(why) => {
            let what = format!("the value of `content_type` {why}");
            state.note(content_type.at, Code::InvalidValue, what, "write for example `application/json`");
            None
        }
    }
}

//! Column mappings: which part of the request each of them enters.

use apisink_config::{Code, ColumnMapping, Literal, Located, Place, Position};
use serde_json::Value;

use crate::plan::{BodyNode, ColumnRef, DefaultValue};
use crate::state::State;

/// The mappings of a config and the places that placeholders gave them so far.
pub(crate) struct Mappings<'a> {
    all: Vec<Entry<'a>>,
    body: Option<BodyFields>,
    has_params: bool,
}

/// How the body that the chain makes takes fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFields {
    /// Dots in a name are levels of objects: `json_body`.
    Nested,
    /// A name is taken as it is written: `form_body`.
    Flat,
    /// It takes none but where its own text names them: `text_body`, `template_body`.
    Template,
}

struct Entry<'a> {
    mapping: &'a Located<ColumnMapping>,
    used_in: Vec<Place>,
}

/// What enters the request other than by placeholders.
#[derive(Default)]
pub(crate) struct Injected {
    /// Fields of a JSON body; none of them means: the whole row.
    pub(crate) body: Vec<(String, BodyNode)>,
    /// Fields of a form body.
    pub(crate) form: Vec<(String, ColumnRef)>,
    /// Query parameters of `param_injector`.
    pub(crate) params: Vec<(String, ColumnRef)>,
    /// Headers.
    pub(crate) headers: Vec<(String, Position, ColumnRef)>,
}

impl<'a> Mappings<'a> {
    pub(crate) fn new(all: &'a [Located<ColumnMapping>], body: Option<BodyFields>, has_params: bool) -> Self {
        let all = all.iter().map(|mapping| Entry { mapping, used_in: Vec::new() }).collect();
        Self { all, body, has_params }
    }

    /// The column of a placeholder: that of the mapping of this name, else the source column itself.
    ///
    /// Of several mappings of one name, that for this place is taken, then one without `in`, then the first.
    pub(crate) fn placeholder(
        &mut self,
        state: &mut State<'_>,
        name: &str,
        place: Place,
        at: Position,
    ) -> ColumnRef {
        let in_path = place == Place::Path;
        let fitness = |entry: &&mut Entry<'_>| match entry.mapping.place.as_ref().map(|place| place.value) {
            Some(own) if own == place => 0,
            None => 1,
            Some(_) => 2,
        };
        let named = self.all.iter_mut().filter(|entry| entry.mapping.endpoint_param.value == name);
        match named.min_by_key(fitness) {
            Some(entry) => {
                entry.used_in.push(place);
                let mapping = entry.mapping;
                mapped(state, mapping, in_path || mapping.required)
            }
            None => state.column(name, in_path, at),
        }
    }

    /// Gives the mappings that no placeholder used their places; refuses those that have none.
    ///
    /// Without `in`, the body is taken if the chain makes one, else the query if the chain injects parameters.
    pub(crate) fn inject(self, state: &mut State<'_>) -> Injected {
        let mut injected = Injected::default();
        for Entry { mapping, used_in } in &self.all {
            let place = match &mapping.place {
                Some(place) if used_in.contains(&place.value) && !self.adds_to_placeholders(place.value) => {
                    continue;
                }
                Some(place) => place.value,
                None if !used_in.is_empty() => continue,
                None if matches!(self.body, Some(BodyFields::Nested | BodyFields::Flat)) => Place::Body,
                None if self.has_params => Place::Query,
                None if self.body.is_some() => {
                    let hint =
                        format!("name `{}` in it, or remove the mapping", mapping.endpoint_param.value);
                    refuse(state, mapping, "neither `endpoint` nor the text of the body names it", hint);
                    continue;
                }
                None => {
                    let hint = format!(
                        "add `- type: json_body`, `- type: form_body` or `- type: param_injector` to `middleware`, or write `{{{}}}` in \
                         `endpoint.url_path`",
                        mapping.endpoint_param.value
                    );
                    refuse(state, mapping, "nothing in the chain or in `endpoint` uses it", hint);
                    continue;
                }
            };
            self.inject_one(state, mapping, place, &mut injected);
        }
        injected
    }

    /// A field of the body stands there beside any placeholder; all else that is `in` a place is there by its placeholder.
    fn adds_to_placeholders(&self, place: Place) -> bool {
        place == Place::Body && self.body != Some(BodyFields::Template)
    }

    fn inject_one(
        &self,
        state: &mut State<'_>,
        mapping: &Located<ColumnMapping>,
        place: Place,
        injected: &mut Injected,
    ) {
        let param = &mapping.endpoint_param;
        let column = |state: &mut State<'_>| mapped(state, mapping, mapping.required);
        match place {
            Place::Body if self.body.is_none() => refuse(
                state,
                mapping,
                "it is `in: body`, but the chain makes no body of fields",
                "add `- type: json_body` or `- type: form_body` to `middleware`",
            ),
            Place::Body if self.body == Some(BodyFields::Template) => refuse(
                state,
                mapping,
                "it is `in: body`, but the text of the body does not name it",
                format!("name `{}` in it, or remove the mapping", param.value),
            ),
            Place::Query if !self.has_params => refuse(
                state,
                mapping,
                "it is `in: query`, but the chain injects no parameters",
                "add `- type: param_injector` to `middleware`",
            ),
            Place::Path => refuse(
                state,
                mapping,
                "it is `in: path`, but `endpoint.url_path` has no such placeholder in its path",
                format!("write `{{{}}}` in `endpoint.url_path`", param.value),
            ),
            Place::Body if self.body == Some(BodyFields::Flat) => {
                let column = column(state);
                if injected.form.iter().any(|(name, _)| *name == param.value) {
                    let what = format!("two mappings fill the form field `{}`", param.value);
                    state.note(param.at, Code::Conflict, what, "give each mapping a field of its own");
                } else {
                    injected.form.push((param.value.clone(), column));
                }
            }
            Place::Body => {
                let column = column(state);
                let path: Vec<&str> = param.split('.').collect();
                if path.iter().any(|name| name.is_empty()) {
                    let what = format!("the body field `{}` has an empty name between its dots", param.value);
                    state.note(
                        param.at,
                        Code::InvalidValue,
                        what,
                        "write the field's path, as `address.city`",
                    );
                } else if !insert(&mut injected.body, &path, column) {
                    let what =
                        format!("the body field `{}` collides with another mapping's field", param.value);
                    let hint = "give each mapping a field of its own; a field can't be a value and an object at once";
                    state.note(param.at, Code::Conflict, what, hint);
                }
            }
            Place::Query => {
                let column = column(state);
                if injected.params.iter().any(|(name, _)| *name == param.value) {
                    let what = format!("two mappings inject the query parameter `{}`", param.value);
                    state.note(param.at, Code::Conflict, what, "give each mapping a parameter of its own");
                } else {
                    injected.params.push((param.value.clone(), column));
                }
            }
            Place::Header => {
                let column = column(state);
                injected.headers.push((param.value.clone(), param.at, column));
            }
        }
    }
}

/// The column of a mapping, with its default.
fn mapped(state: &mut State<'_>, mapping: &ColumnMapping, required: bool) -> ColumnRef {
    let column = state.column(&mapping.source_column, required, mapping.source_column.at);
    ColumnRef { default: mapping.default.as_ref().map(|literal| default_value(literal)), ..column }
}

fn default_value(literal: &Literal) -> DefaultValue {
    let (text, json) = match literal {
        Literal::Bool(value) => (value.to_string(), value.to_string()),
        Literal::Whole(value) => (value.to_string(), value.to_string()),
        Literal::Fraction(value) => {
            let value = Value::from(*value).to_string();
            (value.clone(), value)
        }
        Literal::Text(value) => (value.clone(), Value::from(value.as_str()).to_string()),
    };
    DefaultValue { text, json }
}

fn refuse(state: &mut State<'_>, mapping: &Located<ColumnMapping>, why: &str, hint: impl Into<String>) {
    // A template that could not be read may well use it.
    if state.problems.iter().any(|problem| problem.code == Code::Placeholder) {
        return;
    }
    let what = format!(
        "the mapping of `{}` to `{}` has no effect: {why}",
        mapping.source_column.value, mapping.endpoint_param.value
    );
    state.note(mapping.at, Code::Unused, what, hint);
}

/// Puts a column at a path of nested objects; false when something else is there.
fn insert(fields: &mut Vec<(String, BodyNode)>, path: &[&str], column: ColumnRef) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let found = fields.iter_mut().find(|(name, _)| name == first).map(|(_, node)| node);
    match (found, rest.is_empty()) {
        (None, true) => {
            fields.push(((*first).to_owned(), BodyNode::Column(column)));
            true
        }
        (None, false) => {
            let mut inner = Vec::new();
            let done = insert(&mut inner, rest, column);
            fields.push(((*first).to_owned(), BodyNode::Object(inner)));
            done
        }
        (Some(BodyNode::Object(inner)), false) => insert(inner, rest, column),
        _ => false,
    }
}

//! `script`: from the config to the plan, with every fault that can be seen in a script's text.

use std::collections::BTreeSet;

use apisink_config::{Code, Position, Script, nearest};
use rhai::{AST, Engine};

use super::names::{self, Named};
use super::{FUNCTIONS, ON_REQUEST, ON_RESPONSE, REQUEST, RESPONSE, engine};
use crate::jinja::Fault;
use crate::plan::{FieldKind, ScriptSpec, TemplateSource};
use crate::source_text::SourceText;
use crate::state::State;

const GUIDE: &str = "the guide on middleware tells what a script may do";

/// The specification of a `script`; none when it has faults, which are noted. `fields` are the columns that it fills, the
/// first of them at `first_field` of the columns that answers fill.
pub(crate) fn compile(
    state: &mut State<'_>,
    script: &Script,
    fields: Vec<(String, FieldKind)>,
    first_field: usize,
) -> Option<ScriptSpec> {
    let source = SourceText::of(state, script.script.as_ref(), script.script_file.as_ref(), "the `script`")?;
    let engine = engine(u64::from(script.max_operations));
    let known = state.problems.len();
    let ast = match engine.compile(&source.text) {
        Ok(ast) => ast,
        Err(error) => {
            let (line, column) = names::place(error.position());
            note(state, &source, &Fault { line, column, what: error.err_type().to_string() }, GUIDE);
            return None;
        }
    };
    let hooks = hooks(state, &ast, &source);
    let names = names::of(&ast);
    check_calls(state, &engine, &ast, &names.calls, &source);
    let secrets = state.named_credentials(&script.secrets, "`script`");
    check_secrets(state, script, &names.secrets, &source);
    let columns = names
        .columns
        .into_iter()
        .map(|Named { name, line, column }| {
            let (at, within) = source.place(state, line, column);
            let known = state.problems.len();
            let column = state.whole_column(&name, at);
            for problem in &mut state.problems[known..] {
                problem.what = format!("{within}: {}", problem.what);
            }
            (name, column)
        })
        .collect();
    if state.problems.len() > known {
        return None;
    }
    let (request, response) = hooks?;
    Some(ScriptSpec {
        script: TemplateSource { file: source.file, text: source.text },
        columns,
        secrets: secrets?,
        fields,
        first_field,
        max_operations: u64::from(script.max_operations),
        request,
        response,
        reads_json: names.reads_json,
    })
}

/// Whether the script has a function for requests, and one for answers.
fn hooks(state: &mut State<'_>, ast: &AST, source: &SourceText) -> Option<(bool, bool)> {
    let of = |name: &str| ast.iter_functions().find(|function| function.name == name);
    let mut complete = true;
    for (name, signature) in
        [(ON_REQUEST, "fn request(request, row)"), (ON_RESPONSE, "fn response(response, row)")]
    {
        if let Some(function) = of(name)
            && (function.params.len() != 2 || function.params[1] != "row")
        {
            let what = format!("`{name}` takes {}", function.params.join(", "));
            note(state, source, &Fault { line: 1, column: 1, what }, &format!("write `{signature} {{ … }}`"));
            complete = false;
        }
    }
    let found = (of(ON_REQUEST).is_some(), of(ON_RESPONSE).is_some());
    if found == (false, false) {
        let what = "there is neither `fn request(request, row)` nor `fn response(response, row)`".to_owned();
        note(state, source, &Fault { line: 1, column: 1, what }, "define one of them, or both");
        complete = false;
    }
    complete.then_some(found)
}

/// A call of what is not there would only be found when a row comes by.
fn check_calls(state: &mut State<'_>, engine: &Engine, ast: &AST, calls: &[Named], source: &SourceText) {
    let signatures = engine.gen_fn_signatures(true);
    let mut known: BTreeSet<&str> =
        signatures.iter().filter_map(|signature| signature.split('(').next()).map(str::trim).collect();
    known.extend(FUNCTIONS.iter().chain(&REQUEST).chain(&RESPONSE));
    // Part of the language.
    known.extend([
        "Fn",
        "call",
        "curry",
        "is_def_var",
        "is_def_fn",
        "is_shared",
        "type_of",
        "print",
        "debug",
    ]);
    let own: Vec<String> = ast.iter_functions().map(|function| function.name.to_owned()).collect();
    for Named { name, line, column } in calls {
        let is_operator = !name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if is_operator || name.contains('$') || known.contains(name.as_str()) || own.contains(name) {
            continue;
        }
        let named =
            known.iter().copied().filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let hint = nearest(name, named.chain(own.iter().map(String::as_str)))
            .map_or_else(|| GUIDE.to_owned(), |near| format!("did you mean `{near}`?"));
        let what = format!("there is no function `{name}`");
        note(state, source, &Fault { line: *line, column: *column, what }, &hint);
    }
}

fn check_secrets(state: &mut State<'_>, script: &Script, named: &[Named], source: &SourceText) {
    for Named { name, line, column } in named {
        if script.secrets.iter().any(|(known, _)| known.value == *name) {
            continue;
        }
        let hint = nearest(name, script.secrets.iter().map(|(known, _)| known.value.as_str())).map_or_else(
            || format!("write it under `secrets`, as in {name}: \"{{{{env.NAME}}}}\""),
            |near| format!("did you mean `{near}`?"),
        );
        let what = format!("there is no secret `{name}`");
        note(state, source, &Fault { line: *line, column: *column, what }, &hint);
    }
    for (name, _) in &script.secrets {
        if !named.iter().any(|known| known.name == name.value) {
            let what = format!("the script never asks for the secret `{}`", name.value);
            let hint = format!("write `secret(\"{}\")` in the script, or remove it", name.value);
            state.note(name.at, Code::Unused, what, hint);
        }
    }
}

fn note(state: &mut State<'_>, source: &SourceText, fault: &Fault, hint: &str) {
    let (at, within): (Position, String) = source.place(state, fault.line, fault.column);
    state.note(at, Code::InvalidValue, format!("{within}: {}", fault.what), hint);
}

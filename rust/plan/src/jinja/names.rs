//! What a source is made of, as far as the driver can judge it: its faults, and the names it takes from the row.

use std::collections::BTreeSet;

use minijinja::{ErrorKind, Value};

use super::words::{Before, Word, words};
use super::{Escape, environment};

/// A fault and its place in the source; line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) what: String,
}

/// A name that the row must give a value, and where it stands first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The names of a source, in the order of the text; or what is wrong with it.
pub(crate) fn names(source: &str) -> Result<Vec<Name>, Vec<Fault>> {
    let environment = environment(Escape::None, u64::MAX, true);
    let template = environment.template_from_str(source).map_err(|error| vec![fault_of(&error, source)])?;
    let words = words(source);
    let mut faults = Vec::new();
    let mut state = environment.empty_state();
    for word in &words {
        let (kind, unknown) = match word.before {
            Before::Pipe => ("filter", unknown(state.apply_filter(word.text, &[]), ErrorKind::UnknownFilter)),
            Before::Is => {
                let tested = state.perform_test(word.text, &[]).map(Value::from);
                ("test", unknown(tested, ErrorKind::UnknownTest))
            }
            _ => continue,
        };
        if unknown {
            let (line, column) = place(source, word.offset);
            faults.push(Fault { line, column, what: format!("there is no {kind} `{}`", word.text) });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let known: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
    let undeclared = template.undeclared_variables(false);
    let mut names: Vec<Name> = Vec::new();
    for Word { text, offset, before } in words {
        let is_new = !names.iter().any(|name| name.name == text);
        if before == Before::Other && is_new && undeclared.contains(text) && !known.contains(text) {
            let (line, column) = place(source, offset);
            names.push(Name { name: text.to_owned(), line, column });
        }
    }
    Ok(names)
}

/// What the language says is wrong with a source.
pub(super) fn fault_of(error: &minijinja::Error, source: &str) -> Fault {
    let (line, column) = match error.range() {
        Some(range) => place(source, range.start),
        None => (error.line().map_or(1, narrow), 1),
    };
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Fault { line, column, what }
}

fn unknown(tried: Result<Value, minijinja::Error>, kind: ErrorKind) -> bool {
    tried.is_err_and(|error| error.kind() == kind)
}

fn place(source: &str, offset: usize) -> (u32, u32) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (narrow(line), narrow(column))
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Fault, Name, names};

    fn name(name: &str, line: u32, column: u32) -> Name {
        Name { name: name.into(), line, column }
    }

    fn fault(source: &str) -> (u32, u32, String) {
        let Fault { line, column, what } = names(source).unwrap_err().remove(0);
        (line, column, what)
    }

    #[test]
    fn names_are_found_where_they_stand_first() {
        let source = "{# id #}{% raw %}{{ raw }}{% endraw %}\n{\"id\": {{ id }}, \"é\": {{ a.b.id | default('x') }},\n\
                      {% for line in lines if line.n is not none %}{{ line.n ~ \"}} {{ no }}\" }}{{ {\"k\": {\"l\": own}} }}\
                      {{ range(3) }}{% endfor %}{% set x = id %}{{ x }}";
        assert_eq!(
            names(source).unwrap(),
            [name("id", 2, 11), name("a", 2, 26), name("lines", 3, 16), name("own", 3, 89)]
        );
    }

    #[test]
    fn a_fault_has_its_line_and_column() {
        assert_eq!(fault("{\n  \"a\": {{ a b }}\n}"), (2, 13, fault("{\n  \"a\": {{ a b }}\n}").2));
        assert_eq!(fault("x\n{{ a | tojsn }}"), (2, 8, "there is no filter `tojsn`".into()));
        assert_eq!(fault("{% if a is not nun %}{% endif %}"), (1, 16, "there is no test `nun`".into()));
        let (line, column, _) = fault("{% for a in b %}\n{{ a }}");
        assert_eq!(line, 2, "{column}");
    }

    #[test]
    fn what_a_body_has_no_use_for_is_refused() {
        for source in ["{% include 'x' %}", "{% extends 'x' %}", "{% block a %}{% endblock %}"] {
            assert!(names(source).is_err(), "{source}");
        }
    }
}

//! Strings with `{name}` placeholders.

use apisink_config::{Code, Reference, Segment, Text};

use crate::state::State;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Literal(String),
    Placeholder(String),
    Reference(Reference),
}

/// Splits a text into its parts; notes malformed placeholders.
pub(crate) fn parts(state: &mut State<'_>, text: &Text, name: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for segment in text.segments() {
        match segment {
            Segment::Reference(reference) => parts.push(Part::Reference(reference.clone())),
            Segment::Literal(literal) => {
                if let Err(what) = split(literal, &mut parts) {
                    state.note(
                        text.at(),
                        Code::Placeholder,
                        format!("in {name}, {what}"),
                        "write `{name}` for the value of a column or mapping, and no other braces",
                    );
                    return None;
                }
            }
        }
    }
    Some(parts)
}

fn split(literal: &str, parts: &mut Vec<Part>) -> Result<(), &'static str> {
    let mut rest = literal;
    while let Some(start) = rest.find(['{', '}']) {
        if rest[start..].starts_with('}') {
            return Err("a `}` has no `{` before it");
        }
        let body = &rest[start + 1..];
        let end = body.find(['{', '}']).filter(|end| body[*end..].starts_with('}'));
        let end = end.ok_or("a `{` is not closed by `}`")?;
        let placeholder = body[..end].trim();
        if placeholder.is_empty() || placeholder.split('.').any(str::is_empty) {
            return Err("a placeholder has an empty name");
        }
        if start > 0 {
            parts.push(Part::Literal(rest[..start].to_owned()));
        }
        parts.push(Part::Placeholder(placeholder.to_owned()));
        rest = &body[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Part, split};

    #[test]
    fn placeholders_stand_between_literals() {
        let mut parts = Vec::new();
        split("/a/{b}/{ c.d }", &mut parts).unwrap();
        let expected = [
            Part::Literal("/a/".into()),
            Part::Placeholder("b".into()),
            Part::Literal("/".into()),
            Part::Placeholder("c.d".into()),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn stray_braces_are_refused() {
        for text in ["{", "}", "{}", "{a{b}}", "a}b", "{a", "{a..b}"] {
            assert!(split(text, &mut Vec::new()).is_err(), "{text}");
        }
    }
}

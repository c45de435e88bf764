//! Strings that may hold references.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::problem::Position;

/// Where the value of a reference comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// `{{env.NAME}}`: an environment variable of the driver.
    Env,
    /// `{{secret.SCOPE:KEY}}`: a secret store.
    Secret,
    /// A key that names a file: one of the driver's machine, read there.
    File,
    /// The same of a file that is no text; its value is the content in Base64.
    BinaryFile,
}

impl ReferenceKind {
    /// The name as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Secret => "secret",
            Self::File => "file",
            Self::BinaryFile => "binary_file",
        }
    }
}

/// A reference in a string of the config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// Where its value comes from.
    pub kind: ReferenceKind,
    /// Scope of the secret store; empty for the environment and for files.
    pub scope: String,
    /// Key in the scope, the variable's name, or the file's path.
    pub key: String,
    /// Line of the string that holds it, from 1.
    pub line: u32,
    /// Column of the string that holds it, from 1.
    pub column: u32,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ReferenceKind::Env => write!(f, "{{{{env.{}}}}}", self.key),
            ReferenceKind::Secret => write!(f, "{{{{secret.{}:{}}}}}", self.scope, self.key),
            ReferenceKind::File | ReferenceKind::BinaryFile => write!(f, "the file {}", self.key),
        }
    }
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Text as it stands.
    Literal(String),
    /// A reference.
    Reference(Reference),
}

/// A string of the config that may hold references, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    segments: Vec<Segment>,
    at: Position,
}

impl Text {
    /// Splits a string into literals and references.
    ///
    /// The error says what is wrong with a `{{…}}` in it, without citing the string.
    pub(crate) fn new(raw: &str, at: Position) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut rest = raw;
        while let Some(start) = rest.find("{{") {
            if start > 0 {
                segments.push(Segment::Literal(rest[..start].to_owned()));
            }
            let body = &rest[start + 2..];
            let end = body.find("}}").ok_or("a `{{` is not closed by `}}`")?;
            segments.push(Segment::Reference(reference(&body[..end], at)?));
            rest = &body[end + 2..];
        }
        if !rest.is_empty() {
            segments.push(Segment::Literal(rest.to_owned()));
        }
        Ok(Self { segments, at })
    }

    /// The content of a file; `kind` says of which.
    pub(crate) fn of_file(kind: ReferenceKind, path: &str, at: Position) -> Self {
        let key = path.to_owned();
        let (line, column) = (at.line, at.column);
        let file = Reference { kind, scope: String::new(), key, line, column };
        Self { segments: vec![Segment::Reference(file)], at }
    }

    /// The pieces in order; none for the empty string.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Where the string stands.
    #[must_use]
    pub const fn at(&self) -> Position {
        self.at
    }

    /// The string itself, if it holds no reference.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [] => Some(""),
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// What stands before the first reference.
    #[must_use]
    pub fn leading_literal(&self) -> &str {
        match self.segments.first() {
            Some(Segment::Literal(text)) => text,
            _ => "",
        }
    }

    /// The references in order.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Reference(reference) => Some(reference.clone()),
                Segment::Literal(_) => None,
            })
            .collect()
    }

    /// True for the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

fn reference(body: &str, at: Position) -> Result<Reference, String> {
    let body = body.trim();
    let made = |kind, scope: &str, key: &str| Reference {
        kind,
        scope: scope.to_owned(),
        key: key.to_owned(),
        line: at.line,
        column: at.column,
    };
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
    };
    if let Some(name) = body.strip_prefix("env.")
        && is_name(name)
    {
        return Ok(made(ReferenceKind::Env, "", name));
    }
    if let Some((scope, key)) = body.strip_prefix("secret.").and_then(|rest| rest.split_once(':'))
        && is_name(scope)
        && is_name(key)
    {
        return Ok(made(ReferenceKind::Secret, scope, key));
    }
    Err("a `{{…}}` is neither `{{env.NAME}}` nor `{{secret.SCOPE:KEY}}`".to_owned())
}

/// A [`Text`] that is a credential: prints as `***`, whether it is a reference or was written out.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Text);

impl SecretText {
    pub(crate) const fn new(text: Text) -> Self {
        Self(text)
    }

    /// The text. Its literals are credentials: not for messages.
    #[must_use]
    pub const fn expose(&self) -> &Text {
        &self.0
    }

    /// Where the string stands.
    #[must_use]
    pub const fn at(&self) -> Position {
        self.0.at
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::{SecretText, Segment, Text};
    use crate::problem::Position;

    fn text(raw: &str) -> Result<Text, String> {
        Text::new(raw, Position { line: 3, column: 9 })
    }

    #[test]
    fn references_are_found_between_literals() {
        let text = text("Bearer {{env.TOKEN}}-{{ secret.kv-1:api/key }}").unwrap();
        assert_eq!(text.segments().len(), 4);
        assert_eq!(text.segments()[0], Segment::Literal("Bearer ".into()));
        let references: Vec<String> = text.references().iter().map(ToString::to_string).collect();
        assert_eq!(references, ["{{env.TOKEN}}", "{{secret.kv-1:api/key}}"]);
        assert_eq!(text.leading_literal(), "Bearer ");
        assert_eq!(text.literal(), None);
    }

    #[test]
    fn malformed_references_are_refused() {
        for raw in ["{{", "{{env.}}", "{{patient}}", "{{secret.scope}}", "{{secret.:key}}", "{{env.A B}}"] {
            assert!(text(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_secret_text_prints_as_stars() {
        let secret = SecretText::new(text("hunter2").unwrap());
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    }
}

//! Problems of a config: where, what, and what to write instead.

use std::fmt;
use std::ops::Deref;

/// A place in the config's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1; 0 when no place is known.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A value and the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands; for a default, where its section stands.
    pub at: Position,
}

impl<T> Located<T> {
    /// A value at a place.
    pub const fn new(value: T, at: Position) -> Self {
        Self { value, at }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Stable codes of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The text is no YAML or JSON, or is too large.
    Syntax,
    /// A key that no section has.
    UnknownKey,
    /// A key that stands twice in one mapping.
    DuplicateKey,
    /// A required key is missing.
    MissingKey,
    /// A value of another type.
    WrongType,
    /// A value that is out of range or not among the known ones.
    InvalidValue,
    /// Two parts of the config that exclude each other.
    Conflict,
    /// A `{{…}}` that is malformed, not allowed where it stands, or could not be resolved.
    Reference,
    /// A `{…}` placeholder that is malformed or not allowed where it stands.
    Placeholder,
    /// Something configured that nothing uses.
    Unused,
    /// A column that the source does not have.
    MissingColumn,
}

impl Code {
    /// The code as it stands in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "CONFIG_SYNTAX",
            Self::UnknownKey => "CONFIG_UNKNOWN_KEY",
            Self::DuplicateKey => "CONFIG_DUPLICATE_KEY",
            Self::MissingKey => "CONFIG_MISSING_KEY",
            Self::WrongType => "CONFIG_WRONG_TYPE",
            Self::InvalidValue => "CONFIG_INVALID_VALUE",
            Self::Conflict => "CONFIG_CONFLICT",
            Self::Reference => "CONFIG_REFERENCE",
            Self::Placeholder => "CONFIG_PLACEHOLDER",
            Self::Unused => "CONFIG_UNUSED",
            Self::MissingColumn => "CONFIG_MISSING_COLUMN",
        }
    }
}

/// One problem. Holds no credential: the line is masked before it gets here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the text.
    pub file: String,
    /// Where.
    pub at: Position,
    /// The line itself; empty when no place is known.
    pub snippet: String,
    /// What is wrong and why.
    pub what: String,
    /// What to write instead.
    pub hint: String,
    /// The stable code.
    pub code: Code,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.line == 0 {
            write!(f, "{}: ", self.file)?;
        } else {
            write!(f, "{}:{}:{}: ", self.file, self.at.line, self.at.column)?;
        }
        write!(f, "{} [{}]", self.what, self.code.as_str())?;
        if !self.snippet.is_empty() {
            write!(f, "\n    {}", self.snippet)?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  {}", self.hint)?;
        }
        Ok(())
    }
}

/// Most problems that are shown: whoever has more has written no config.
const MOST_SHOWN: usize = 50;

/// The problems of one config, in the order of its text. Never empty when it is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts the problems by place.
    #[must_use]
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.at);
        Self(problems)
    }

    /// The problems, sorted by place.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// How many there are, in words: "the config has 2 problems".
    #[must_use]
    pub fn headline(&self) -> String {
        let count = self.0.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        format!("the config has {count} {noun}")
    }

    /// The problems with other words: `change` is given what is wrong, and what to write instead.
    #[must_use]
    pub fn map_texts(self, change: impl Fn(&str) -> String) -> Self {
        let changed = self.0.into_iter().map(|problem| Problem {
            what: change(&problem.what),
            hint: change(&problem.hint),
            ..problem
        });
        Self(changed.collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().take(MOST_SHOWN).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        match self.0.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Problems {}

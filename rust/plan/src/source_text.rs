//! A text in a language of its own within the config, or in a file that the config names.

use apisink_config::{Located, Position, Text};

use crate::state::State;

/// A template's or script's text, and where it came from.
pub(crate) struct SourceText {
    pub(crate) text: String,
    pub(crate) file: Option<String>,
    at: Position,
    /// What it is, for messages: `the template of …`.
    what: &'static str,
}

impl SourceText {
    /// The text that the config holds, else that of the file; none when the file cannot be read, which is noted.
    pub(crate) fn of(
        state: &mut State<'_>,
        text: Option<&Located<String>>,
        file: Option<&Text>,
        what: &'static str,
    ) -> Option<Self> {
        if let Some(text) = text {
            return Some(Self { text: text.value.clone(), file: None, at: text.at, what });
        }
        let file = file?;
        let reference = file.references().pop()?;
        let text = state.resolve(&reference, file.at())?.expose().to_owned();
        Some(Self { text, file: Some(reference.key), at: file.at(), what })
    }

    /// A place in the text as a place of the config, and in words.
    pub(crate) fn place(&self, state: &State<'_>, line: u32, column: u32) -> (Position, String) {
        if let Some(file) = &self.file {
            return (self.at, format!("{file}:{line}:{column}"));
        }
        match state.config.document.within(self.at, line, column) {
            Some(at) => (at, format!("in {}", self.what)),
            None => (self.at, format!("in line {line}, column {column} of {}", self.what)),
        }
    }
}

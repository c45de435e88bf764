//! The config's text as it may be shown: its name, and its lines with credentials masked.

use crate::problem::{Code, Position, Problem};

/// Longest line that a problem shows, in characters.
const MAX_SNIPPET: usize = 160;

/// Words in a key that make its value a credential, whatever the section.
const CREDENTIAL_WORDS: &[&str] = &[
    "authorization",
    "token",
    "password",
    "passwd",
    "secret",
    "cookie",
    "api_key",
    "api-key",
    "apikey",
    "credential",
    "username",
];

/// True for the name of a header, parameter or key whose value is taken for a credential: it is masked in problems
/// and, in the plan, kept apart with the secrets.
#[must_use]
pub fn names_a_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    CREDENTIAL_WORDS.iter().any(|word| name.contains(word))
}

/// Name and lines of a config's text. The lines are masked: no credential can be got out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    name: String,
    lines: Vec<String>,
    masked: Vec<bool>,
    /// Keys set from outside of the text, as they may be shown.
    overrides: Vec<String>,
}

/// Line of the first override: no text has so many lines.
const FIRST_OVERRIDE: u32 = 1 << 31;

impl Document {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let (lines, masked) = mask(text);
        Self { name: name.to_owned(), lines, masked, overrides: Vec::new() }
    }

    /// Masks a line that the tree says lies within `auth`.
    pub(crate) fn mask_line(&mut self, line: u32) {
        let index = (line as usize).wrapping_sub(1);
        if let (Some(line), Some(masked)) = (self.lines.get_mut(index), self.masked.get_mut(index))
            && !*masked
        {
            *line = mask_whole(line);
            *masked = true;
        }
    }

    /// Adds a key that is set from outside, and gives it a place that [`Document::problem`] understands.
    pub(crate) fn add_override(&mut self, path: &str, value: &str) -> Position {
        let secret =
            path.split('.').any(|name| name.eq_ignore_ascii_case("auth") || names_a_credential(name));
        let value = if secret { "***".to_owned() } else { mask_userinfo(value).unwrap_or(value.to_owned()) };
        self.overrides.push(format!("{path}={value}"));
        let index = u32::try_from(self.overrides.len() - 1).unwrap_or(0);
        Position { line: FIRST_OVERRIDE + index, column: 1 }
    }

    /// Whether something of the line was masked.
    pub(crate) fn is_masked(&self, line: u32) -> bool {
        self.masked.get((line as usize).wrapping_sub(1)).copied().unwrap_or(false)
    }

    /// The text's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a line and a column of a text stand whose first character stands at `at`; none when its escapes hide that. Both
    /// count from 1.
    #[must_use]
    pub fn within(&self, at: Position, line: u32, column: u32) -> Option<Position> {
        let text = |line: u32| self.lines.get((line as usize).wrapping_sub(1)).map_or("", String::as_str);
        let before = text(at.line.wrapping_sub(1));
        if before.trim_end().trim_end_matches(['-', '+']).ends_with('|') {
            return Some(Position { line: at.line + line - 1, column: at.column + column - 1 });
        }
        let mut rest = text(at.line).chars().skip((at.column as usize).wrapping_sub(1));
        let quoted = matches!(rest.next(), Some('"' | '\''));
        let plain = line == 1 && !rest.take(column as usize).any(|c| c == '\\' || c == '\'');
        plain.then(|| Position { line: at.line, column: at.column + column - 1 + u32::from(quoted) })
    }

    /// A problem of this text. `what` and `hint` must not hold a credential; the line is added masked.
    #[must_use]
    pub fn problem(
        &self,
        at: Position,
        code: Code,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Problem {
        if let Some(set) =
            at.line.checked_sub(FIRST_OVERRIDE).and_then(|index| self.overrides.get(index as usize))
        {
            let file = format!("{} (set from outside)", self.name);
            let at = Position::default();
            return Problem { file, at, snippet: shown(set), what: what.into(), hint: hint.into(), code };
        }
        let line = self.lines.get((at.line as usize).wrapping_sub(1));
        let snippet = line.map(|line| shown(line)).unwrap_or_default();
        Problem { file: self.name.clone(), at, snippet, what: what.into(), hint: hint.into(), code }
    }
}

fn shown(line: &str) -> String {
    let mut shown: String = line
        .trim()
        .chars()
        .take(MAX_SNIPPET)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if line.trim().chars().count() > MAX_SNIPPET {
        shown.push('…');
    }
    shown
}

/// Works on the text and not on the tree, for a text that is no YAML has no tree but may hold credentials.
fn mask(text: &str) -> (Vec<String>, Vec<bool>) {
    let mut lines = Vec::new();
    let mut masked = Vec::new();
    // Indentation of the key whose block is being masked, and its open brackets.
    let mut block: Option<(usize, i64)> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let within = match &mut block {
            Some((start, open)) if indent > *start || *open > 0 || line.trim().is_empty() => {
                *open += brackets(line);
                true
            }
            _ => {
                block = None;
                false
            }
        };
        let key_end = credential_key_end(line);
        if within {
            masked.push(true);
            lines.push(mask_whole(line));
        } else if let Some(end) = key_end {
            block = Some((indent, brackets(&line[end..])));
            let value = line[end..].trim();
            let bare = value.is_empty() || value == "{" || value == "[";
            masked.push(!bare);
            lines.push(if bare { line.to_owned() } else { format!("{} ***", &line[..end]) });
        } else {
            let hidden = mask_userinfo(line);
            masked.push(hidden.is_some());
            lines.push(hidden.unwrap_or_else(|| line.to_owned()));
        }
    }
    (lines, masked)
}

/// Keeps the key of a `key: value` line and nothing else.
fn mask_whole(line: &str) -> String {
    let start = line.len() - line.trim_start_matches([' ', '\t', '-', '"', '\'']).len();
    let rest = &line[start..];
    let key = rest.len() - rest.trim_start_matches(is_key_char).len();
    let after = rest[key..].trim_start_matches(['"', '\'']);
    if key > 0 && key <= 40 && after.starts_with(':') {
        let end = line.len() - after.len() + 1;
        format!("{} ***", &line[..end])
    } else if rest.trim_matches([' ', '\t', '{', '}', '[', ']', ',']).is_empty() {
        line.to_owned()
    } else {
        "***".to_owned()
    }
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// The end (after its `:` or `=`) of the first key in a line that is `auth` or names a credential.
fn credential_key_end(line: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(start) = line[from..].find(is_key_char).map(|index| from + index) {
        let end = line[start..].find(|c| !is_key_char(c)).map_or(line.len(), |index| start + index);
        let word = &line[start..end];
        let after = line[end..].trim_start_matches(['"', '\'', ' ', '\t']);
        if after.starts_with([':', '=']) && (word.eq_ignore_ascii_case("auth") || names_a_credential(word)) {
            return Some(line.len() - after.len() + 1);
        }
        from = end;
    }
    None
}

fn brackets(text: &str) -> i64 {
    text.chars().map(|c| i64::from(matches!(c, '{' | '[')) - i64::from(matches!(c, '}' | ']'))).sum()
}

/// Masks `user:password@` of every URL in a line.
fn mask_userinfo(line: &str) -> Option<String> {
    let mut shown = String::new();
    let mut rest = line;
    let mut found = false;
    while let Some(index) = rest.find("://") {
        let (head, tail) = rest.split_at(index + 3);
        shown.push_str(head);
        let end = tail.find(['/', '?', '#', '"', '\'', ' ']).unwrap_or(tail.len());
        rest = match tail[..end].rfind('@') {
            Some(at) => {
                found = true;
                shown.push_str("***");
                &tail[at..]
            }
            None => tail,
        };
    }
    shown.push_str(rest);
    found.then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::Document;
    use crate::problem::{Code, Position};

    fn shown(text: &str, line: u32) -> String {
        Document::new("x.yaml", text).problem(Position { line, column: 1 }, Code::Syntax, "", "").snippet
    }

    #[test]
    fn lines_within_auth_show_their_keys_only() {
        let text =
            "auth:\n  type: bearer\n  token: hunter2\n  other: |\n    hunter2\nendpoint:\n  method: GET\n";
        assert_eq!(shown(text, 1), "auth:");
        assert_eq!(shown(text, 2), "type: ***");
        assert_eq!(shown(text, 3), "token: ***");
        assert_eq!(shown(text, 5), "***");
        assert_eq!(shown(text, 7), "method: GET");
    }

    #[test]
    fn json_without_indentation_is_masked_too() {
        let text = "{\n\"auth\": {\n\"type\": \"bearer\",\n\"x\": \"hunter2\"\n},\n\"endpoint\": {}\n}";
        assert_eq!(shown(text, 4), "\"x\": ***");
        assert_eq!(shown(text, 6), "\"endpoint\": {}");
        assert_eq!(shown("{\"auth\": {\"token\": \"hunter2\"}}", 1), "{\"auth\": ***");
    }

    #[test]
    fn credentials_outside_auth_are_masked_by_their_names() {
        assert_eq!(shown("headers: {Authorization: Basic aHVudGVyMg==}", 1), "headers: {Authorization: ***");
        assert_eq!(shown("  X-Api-Key: hunter2", 1), "X-Api-Key: ***");
        assert_eq!(shown("url_path: /a?token=hunter2", 1), "url_path: /a?token= ***");
        assert_eq!(shown("base_path: https://me:hunter2@host/v1", 1), "base_path: https://***@host/v1");
    }
}

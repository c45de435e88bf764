//! Two columns of text.

/// Where a line of the right column ends, at the latest after its first word.
const WIDTH: usize = 110;

/// Two columns: a name, and what is to be said about it.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<(String, String)>);

impl Table {
    /// Adds a row.
    pub(super) fn row(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.0.push((name.into(), text.into()));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table as text, indented by two; what is too long for a line goes on below itself.
    pub(super) fn indented(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (name, said) in &self.0 {
            let mut head = format!("  {name:<width$}");
            for line in wrapped(said, WIDTH.saturating_sub(width + 4)) {
                text += format!("{head}  {line}").trim_end();
                text.push('\n');
                head = " ".repeat(width + 2);
            }
        }
        text
    }
}

/// A text in lines of at most so many characters, if its words allow it.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let more = word.chars().count();
        if length > 0 && length + 1 + more > width {
            lines.push(String::new());
            length = 0;
        }
        let Some(line) = lines.last_mut() else { break };
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += more;
    }
    lines
}

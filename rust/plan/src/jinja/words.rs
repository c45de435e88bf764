//! The words of a template's code and their places, which the compiled template no longer knows.

/// A word within `{{…}}` or `{%…%}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Bytes before it in the source.
    pub(super) offset: usize,
    pub(super) before: Before,
}

/// What stands before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// A dot: it is an attribute.
    Dot,
    /// A `|`, or `filter` of a block: it is a filter.
    Pipe,
    /// `is`, or `is not`: it is a test.
    Is,
    /// Anything else.
    Other,
}

/// The words of all code of a source that can be compiled.
pub(super) fn words(source: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|start| at + start) {
        let rest = &source[start..];
        at = if rest.starts_with("{#") {
            end(source, start, "#}")
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            let (first, end_of_code) = code(source, start + 2, &mut words);
            if first == "raw" { end_of_raw(source, end_of_code) } else { end_of_code }
        } else {
            start + 1
        };
    }
    words
}

fn end(source: &str, start: usize, mark: &str) -> usize {
    source[start..].find(mark).map_or(source.len(), |end| start + end + mark.len())
}

fn end_of_raw(source: &str, start: usize) -> usize {
    source[start..].find("endraw").map_or(source.len(), |found| end(source, start + found, "%}"))
}

/// Adds the words of the code that begins at `at`; its first word, and where it ends.
fn code<'a>(source: &'a str, mut at: usize, words: &mut Vec<Word<'a>>) -> (&'a str, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut first, mut open, mut before) = ("", 0_u32, Before::Other);
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        if open == 0 && (rest.starts_with("}}") || rest.starts_with("%}")) {
            return (first, at + 2);
        }
        if is_word(next) {
            let text = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
            // Of `is not none`, the test is `none`.
            let negates = before == Before::Is && text == "not";
            if !negates {
                words.push(Word { text, offset: at, before });
                let opens_filter = first.is_empty() && text == "filter";
                before = match text {
                    "is" if before == Before::Other => Before::Is,
                    _ if opens_filter => Before::Pipe,
                    _ => Before::Other,
                };
            }
            if first.is_empty() {
                first = text;
            }
            at += text.len();
            continue;
        }
        match next {
            '"' | '\'' => {
                at += end_of_string(rest, next);
                before = Before::Other;
                continue;
            }
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        before = match next {
            '.' => Before::Dot,
            '|' => Before::Pipe,
            space if space.is_whitespace() => before,
            _ => Before::Other,
        };
        at += next.len_utf8();
    }
    (first, source.len())
}

/// Bytes of a string in quotes.
fn end_of_string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

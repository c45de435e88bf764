//! The reference page of the config, in Markdown.

use std::fmt::Write;

use crate::Config;
use crate::keys::{Key, Keys, Presence, SectionShape, Shape};

const HEAD: &str = "\
# Config reference

<!-- Generated from the declarations in rust/config: do not edit. `UPDATE=1 cargo test -p apisink-config` writes it. -->

A config is one YAML or JSON document. Unknown keys, duplicate keys, wrong types and values out of range are refused
before any task starts, all at once, each with its place. A key without a value counts as left out.

Where the type is *text*, the value may hold references, which are looked up on the driver: `{{env.NAME}}` and
`{{secret.SCOPE:KEY}}`. A *word* holds none. `{name}` in one pair of braces is the value of a column.
";

/// The page `docs/reference/config.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "", &Config::shape());
    page
}

fn section(page: &mut String, path: &str, section: &SectionShape) {
    if !path.is_empty() {
        heading(page, &format!("`{path}`"), 2, &section.about);
    }
    table(page, &section.keys);
    for variant in &section.variants {
        heading(page, &format!("`{path}` of type `{}`", variant.name), 3, &variant.about);
        table(page, &variant.keys);
    }
    for key in &section.keys {
        below(page, path, key);
    }
    for variant in &section.variants {
        variant.keys.iter().for_each(|key| below(page, path, key));
    }
}

/// The sections below a key.
fn below(page: &mut String, path: &str, key: &Key) {
    let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
    match &key.shape {
        Shape::Section(within) => section(page, &path, within),
        Shape::List(of) => {
            if let Shape::Section(within) = &**of {
                section(page, &format!("{path}[]"), within);
            }
        }
        _ => {}
    }
}

fn heading(page: &mut String, title: &str, level: usize, about: &str) {
    // Writing to a string does not fail.
    let _ = write!(page, "\n{} {title}\n\n{about}\n", "#".repeat(level));
}

fn table(page: &mut String, keys: &[Key]) {
    if keys.is_empty() {
        return;
    }
    page.push_str("\n| key | type | without it | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let absent = match &key.presence {
            Presence::Required => "refused".to_owned(),
            Presence::Default(default) => format!("`{default}`"),
            Presence::Optional(absent) => (*absent).to_owned(),
        };
        let mut about = key.about.clone();
        if let Shape::Choice(choices) = &key.shape {
            let words: Vec<String> =
                choices.iter().map(|(name, about)| format!("`{name}`: {about}")).collect();
            let _ = write!(about, " {}.", words.join("; "));
        }
        if let (Presence::Required | Presence::Optional(_), false) = (&key.presence, key.example.is_empty()) {
            let _ = write!(about, " Example: `{}`.", key.example);
        }
        let row = [format!("`{}`", key.name), kind(&key.shape), absent, about];
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Whole { min, max, unit } => {
            format!("whole number, {min} to {max} {unit}").trim_end().to_owned()
        }
        Shape::Number { min, max, unit } => format!("number, {min} to {max} {unit}").trim_end().to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Word => "word".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Credential => "text, never shown".to_owned(),
        Shape::Choice(choices) => {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            names.join(", ")
        }
        Shape::WordOrFalse => "word or false".to_owned(),
        Shape::Literal => "text, number, true or false".to_owned(),
        Shape::List(of) => match &**of {
            Shape::Section(_) => "list of sections".to_owned(),
            of => format!("list, each a {}", kind(of)),
        },
        Shape::Texts => "mapping of names to text".to_owned(),
        Shape::Anything => "mapping of anything".to_owned(),
        Shape::Section(_) => "section".to_owned(),
    }
}

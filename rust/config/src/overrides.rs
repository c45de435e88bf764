//! Keys that are set from outside of the text, such as `--set execution.partitions=8`.

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::problem::{Code, Position, Problem};
use crate::tree::{Item, Node, scalar};

/// A key of the config and the value that counts instead of what the text says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The key's sections and its name, joined by dots: `execution.partitions`.
    pub path: String,
    /// The value as it would stand in YAML.
    pub value: String,
}

/// Puts the overrides into the tree, in their order. Sections that the text lacks are added.
///
/// They can reach every key that is not within a list. Problems with their values are found where those of the text
/// are, and show the override as their line.
pub(crate) fn apply(
    document: &mut Document,
    root: &mut Item,
    overrides: &[Override],
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for one in overrides {
        let at = document.add_override(&one.path, &one.value);
        let Some(mut value) = scalar(&one.value) else {
            problems.push(document.problem(
                at,
                Code::Syntax,
                format!("the value of `{}` is no YAML", one.path),
                "put it in quotes",
            ));
            continue;
        };
        place(&mut value, at);
        if let Err(what) = set(root, &one.path, value, at) {
            problems.push(document.problem(
                at,
                Code::InvalidValue,
                what,
                "name the key with its sections, as in `execution.partitions`",
            ));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn place(item: &mut Item, at: Position) {
    item.at = at;
    match &mut item.node {
        Node::List(items) => items.iter_mut().for_each(|item| place(item, at)),
        Node::Map(entries) => {
            for (key, value) in entries {
                place(key, at);
                place(value, at);
            }
        }
        _ => {}
    }
}

fn set(root: &mut Item, path: &str, value: Item, at: Position) -> Result<(), String> {
    let mut names: Vec<&str> = path.split('.').collect();
    let last = names.pop().unwrap_or_default();
    let mut section = root;
    for name in names {
        section = entry(section, name, at, path)?;
    }
    *entry(section, last, at, path)? = value;
    Ok(())
}

/// The value of a key, which is added when it is missing.
fn entry<'a>(section: &'a mut Item, name: &str, at: Position, path: &str) -> Result<&'a mut Item, String> {
    if name.is_empty() {
        return Err(format!("`{path}` names no key"));
    }
    if matches!(section.node, Node::Null) {
        section.node = Node::Map(Vec::new());
    }
    let holder = section.node.describe();
    let Node::Map(entries) = &mut section.node else {
        return Err(format!("`{path}` cannot be set: what holds `{name}` is {holder}"));
    };
    let found = entries.iter().position(|(key, _)| matches!(&key.node, Node::Text(text) if text == name));
    let index = found.unwrap_or_else(|| {
        entries.push((Item { at, node: Node::Text(name.to_owned()) }, Item { at, node: Node::Null }));
        entries.len() - 1
    });
    Ok(&mut entries[index].1)
}

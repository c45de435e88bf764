//! A page of the documentation, as its examples are run.

use std::path::Path;

/// A block of a page: its language, its text, and the heading above it.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    pub(crate) heading: String,
}

/// The blocks of a page below `docs`.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let (mut within, mut heading) = (false, String::new());
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            within = !within;
            if within {
                let heading = heading.clone();
                blocks.push(Block { language: language.to_owned(), text: String::new(), heading });
            }
        } else if within {
            let block = blocks.last_mut().unwrap();
            block.text += line;
            block.text.push('\n');
        } else if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        }
    }
    blocks
}

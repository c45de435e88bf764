//! What is generated from the declarations is what lies in the repository.

use std::path::{Path, PathBuf};

/// Compares a text with a file of the repository; with `UPDATE=1` in the environment it writes the file instead.
fn assert_generated(file: &str, text: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", file].iter().collect();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("the folder can be made");
        std::fs::write(&path, text).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "{file} is not what the declarations say: run UPDATE=1 cargo test -p apisink-config"
    );
}

#[test]
fn the_json_schema_is_what_the_declarations_say() {
    assert_generated("configs/apisink.schema.json", &apisink_config::json_schema());
}

#[test]
fn the_reference_page_is_what_the_declarations_say() {
    assert_generated("docs/reference/config.md", &apisink_config::reference());
}

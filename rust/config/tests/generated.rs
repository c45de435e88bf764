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

/// The dotted keys of a YAML text.
fn keys(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    match value {
        // What headers are called is not for the reference to say.
        serde_json::Value::Object(fields) if path != "endpoint.headers" => {
            for (name, field) in fields {
                keys(field, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found);
            }
        }
        serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_object) => {
            items.iter().for_each(|item| keys(item, &format!("{path}[]"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn the_guide_from_the_pyspark_framework_names_every_key_of_its_template() {
    let guide: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs/guides/from-the-pyspark-framework.md"]
            .iter()
            .collect();
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let template = serde_saphyr::from_str(include_str!("data/full-template.yaml")).expect("YAML");
    let mut found = Vec::new();
    keys(&template, "", &mut found);
    assert!(found.len() > 25, "{found:?}");
    for key in found {
        assert!(guide.contains(&format!("| `{key}` | the same |")), "{key} is not in the guide's table");
    }
}

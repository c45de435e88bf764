//! Keys that are set from outside of the text.

use apisink_config::{Config, Override, parse_with};

const TEXT: &str = "\
execution:
  partitions: 4
endpoint:
  method: GET
  base_path: http://localhost/v1
  url_path: /a
tables:
  source: {id_column: id}
  sink: {path: /out}
";

fn set(path: &str, value: &str) -> Override {
    Override { path: path.to_owned(), value: value.to_owned() }
}

fn read(overrides: &[Override]) -> Result<Config, String> {
    parse_with(TEXT.as_bytes(), "c.yaml", overrides).map_err(|problems| problems.to_string())
}

#[test]
fn an_override_counts_instead_of_the_text_and_adds_sections_that_it_lacks() {
    let config = read(&[
        set("execution.partitions", "8"),
        set("execution.partitions", "9"),
        set("transport.tcp_connection.limit", "3"),
        set("endpoint.headers.X-Tag", "\"7\""),
        set("tables.source.required_columns", "[id, name]"),
    ])
    .unwrap();
    assert_eq!(config.execution.partitions, 9);
    assert_eq!(config.transport.tcp_connection.limit, 3);
    assert_eq!(config.tables.source.required_columns.len(), 2);
}

#[test]
fn a_bad_override_is_refused_with_itself_as_the_line() {
    assert_eq!(
        read(&[set("execution.partitions", "many")]).unwrap_err(),
        "c.yaml (set from outside): `execution.partitions` must be a whole number, but this is text [CONFIG_WRONG_TYPE]\n    \
         execution.partitions=many\n  write for example `partitions: 16`"
    );
    let unknown = read(&[set("execution.partitons", "8")]).unwrap_err();
    assert!(
        unknown.starts_with(
            "c.yaml (set from outside): `execution` has no key `partitons` [CONFIG_UNKNOWN_KEY]\n    \
             execution.partitons=8\n  did you mean `partitions`?"
        ),
        "{unknown}"
    );
    assert_eq!(
        read(&[set("endpoint.method.x", "8")]).unwrap_err(),
        "c.yaml (set from outside): `endpoint.method.x` cannot be set: what holds `x` is text [CONFIG_INVALID_VALUE]\n    \
         endpoint.method.x=8\n  name the key with its sections, as in `execution.partitions`"
    );
}

#[test]
fn a_credential_that_is_set_from_outside_is_masked_in_problems() {
    let refusal = read(&[set("auth.tokken", "hunter2")]).unwrap_err();
    assert!(refusal.contains("auth.tokken=***") && !refusal.contains("hunter2"), "{refusal}");
}

//! Whatever the text, parsing ends with a config or with problems.

use apisink_config::parse;
use proptest::prelude::*;

fn yaml_like() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("auth"),
        Just("endpoint"),
        Just("tables"),
        Just("execution"),
        Just("middleware"),
        Just("type"),
        Just("token"),
        Just("url_path"),
        Just("partitions"),
        Just("column_mapping"),
        Just("source"),
        Just("sink"),
        Just(":"),
        Just(": "),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just("\n- "),
        Just("- "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just("\""),
        Just("'"),
        Just("&a "),
        Just("*a"),
        Just("<<"),
        Just("!!str "),
        Just("|\n"),
        Just(">"),
        Just("#"),
        Just("---\n"),
        Just("{{env.A}}"),
        Just("{{"),
        Just("}}"),
        Just("~"),
        Just("-1"),
        Just(".nan"),
        Just("1e999"),
        Just("é"),
        Just("\t"),
        Just("http://a@b/{c}?d=e"),
    ];
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&text, "c.yaml").map_err(|problems| problems.to_string());
    }

    #[test]
    fn yaml_like_text_never_panics(text in yaml_like()) {
        if let Err(problems) = parse(text.as_bytes(), "c.yaml") {
            prop_assert!(!problems.as_slice().is_empty());
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    #[test]
    fn a_config_with_a_part_replaced_never_panics(start in 0..900usize, length in 0..40usize, part in yaml_like()) {
        let template = include_str!("data/full-template.yaml").replace("oauth2_password", "none");
        let start = start.min(template.len());
        let end = (start + length).min(template.len());
        let text = format!("{}{}{}", &template[..start], part, &template[end..]);
        let _ = parse(text.as_bytes(), "c.yaml").map_err(|problems| problems.to_string());
    }
}

#[test]
fn deep_nesting_is_refused() {
    for text in ["[".repeat(20_000), "{a: ".repeat(20_000), "- ".repeat(20_000)] {
        assert!(parse(text.as_bytes(), "c.yaml").is_err());
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
        text += &format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(", "));
    }
    assert!(parse(text.as_bytes(), "c.yaml").is_err());
}

//! Whatever the text, parsing ends with a config or with problems.

use apisink_config::{MAX_TEXT_BYTES, Override, parse, parse_with};
use proptest::prelude::*;

/// A config in which every section and kind of value is used.
const JSON: &str = r#"{
  "execution": {"partitions": 4, "max_requests_per_second": 2.5, "resend_on_resume": ["http_5xx"]},
  "transport": {"base_timeout": 30, "tls": {"pins": ["sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}},
  "auth": {"type": "basic", "username": "{{env.A}}", "password": "{{secret.b:c}}"},
  "endpoint": {"method": "POST", "base_path": "https://localhost", "url_path": "/{a}?b={c}",
    "headers": {"X-A": "{a}"}, "query": {"n": 1}, "idempotency_header": false},
  "middleware": [{"type": "retry", "retry_status_codes": [429]}, {"type": "logging", "level": "info"}, {"type": "json_body"}],
  "tables": {"source": {"id_column": "id", "select": ["id"], "path": "/in"}, "sink": {"path": "/out", "merge": {"path": "/m"}},
    "column_mapping": [{"source_column": "a.b", "endpoint_param": "a", "in": "path", "default": 1}]}
}"#;

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

    #[test]
    fn json_with_a_part_replaced_never_panics(
        start in 0..JSON.len(),
        length in 0..40usize,
        part in prop_oneof![yaml_like(), "[\\x00-\\x7f]{0,20}", "\\PC{0,20}"],
    ) {
        let end = (start + length).min(JSON.len());
        let text = format!("{}{}{}", &JSON[..start], part, &JSON[end..]);
        let _ = parse(text.as_bytes(), "c.json").map_err(|problems| problems.to_string());
    }

    #[test]
    fn a_config_cut_off_or_with_bytes_flipped_never_panics(
        length in 0..JSON.len(),
        flips in prop::collection::vec((0..JSON.len(), any::<u8>()), 0..8),
    ) {
        let mut text = JSON.as_bytes().to_vec();
        for (at, byte) in flips {
            text[at] = byte;
        }
        text.truncate(length);
        if let Err(problems) = parse(&text, "c.json") {
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    #[test]
    fn overrides_never_panic(path in "[a-z_.\\[\\]0-9]{0,30}", value in yaml_like()) {
        let set = Override { path, value };
        let _ = parse_with(JSON.as_bytes(), "c.json", &[set]).map_err(|problems| problems.to_string());
    }
}

fn refusal(text: &[u8]) -> String {
    parse(text, "c.yaml").expect_err("the text is refused").to_string()
}

#[test]
fn the_config_of_these_tests_is_accepted() {
    assert!(parse(JSON.as_bytes(), "c.json").is_ok());
}

#[test]
fn deep_nesting_is_refused_whatever_it_is_made_of() {
    for text in [
        "- ".repeat(20_000),
        (0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect(),
        format!("{}1{}", "{\"a\":\n".repeat(60), "}".repeat(60)),
    ] {
        let refused = refusal(text.as_bytes());
        assert!(refused.contains("the config is nested deeper than 32 levels"), "{refused}");
    }
    // In one line the parser itself gives up before it has read that far.
    for text in
        ["[".repeat(200_000), "{a: ".repeat(200_000), "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000)]
    {
        let refused = refusal(text.as_bytes());
        assert!(refused.contains("CONFIG_SYNTAX") && refused.len() < 1000, "{refused}");
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
        text += &format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(", "));
    }
    let refused = refusal(text.as_bytes());
    assert!(refused.contains("the aliases of the config stand for more than any config needs"), "{refused}");
    assert!(refusal(b"a: &a [*a]\n").contains("an alias stands within what it stands for"));
}

#[test]
fn other_encodings_than_utf_8_are_named() {
    let text = "endpoint: {}\n";
    let wide = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(to_bytes).collect() };
    let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    let utf_32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (bytes, name) in [
        ([&[0xff, 0xfe], little.as_slice()].concat(), "UTF-16"),
        ([&[0xfe, 0xff], big.as_slice()].concat(), "UTF-16"),
        (little, "UTF-16"),
        (big, "UTF-16"),
        ([&[0xff, 0xfe, 0, 0], utf_32.as_slice()].concat(), "UTF-32"),
        (utf_32, "UTF-32"),
    ] {
        assert_eq!(
            refusal(&bytes),
            format!(
                "c.yaml: the config is {name}, but must be UTF-8 [CONFIG_SYNTAX]\n  save the file as UTF-8"
            )
        );
    }
    assert_eq!(
        refusal(b"a: b\nname: Andr\xe9\n"),
        "c.yaml:2:11: the config is not UTF-8 from here on [CONFIG_SYNTAX]\n    name: Andr\n  save the file as UTF-8"
    );
    assert!(
        parse(&[b"\xef\xbb\xbf", JSON.as_bytes()].concat(), "c.json").is_ok(),
        "a byte order mark of UTF-8"
    );
    assert!(parse(JSON.replace('\n', "\r\n").as_bytes(), "c.json").is_ok(), "line breaks of Windows");
}

#[test]
fn a_text_of_100_megabytes_is_refused_by_its_size_and_one_of_many_parts_by_their_number() {
    assert_eq!(
        refusal(&vec![b'#'; 100 << 20]),
        "c.yaml: the config is 104857600 bytes long, but may have at most 1048576 [CONFIG_SYNTAX]\n  check that this is \
         the config and not a data file"
    );
    let many = "- [1, 2]\n".repeat(60_000);
    assert!(many.len() < MAX_TEXT_BYTES);
    assert!(refusal(many.as_bytes()).contains("the config is made of more parts than any config needs"));
}

#[test]
fn of_very_many_problems_the_first_are_shown() {
    let text: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    let refused = refusal(text.as_bytes());
    assert!(refused.len() < 20_000, "{} bytes", refused.len());
    assert!(refused.ends_with("\nand 19952 more"), "{}", &refused[refused.len() - 100..]);
}

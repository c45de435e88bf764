//! Bodies that a text or a template makes: what is understood, and what is refused where.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

use apisink_config::{ReferenceKind, parse};
use apisink_plan::jinja::Escape;
use apisink_plan::{
    Compiled, Inputs, Piece, ResolvedReference, Secret, TemplateBodySpec, TextBodySpec, compile,
};
use serde::de::DeserializeOwned;

fn config(middleware: &str, mappings: &str) -> String {
    format!(
        "endpoint: {{method: POST, base_path: \"http://localhost/v1\", url_path: /a}}\ntables:\n  source: {{id_column: id}}\n  \
         sink: {{path: /out}}\n  column_mapping: [{mappings}]\nmiddleware:\n{middleware}\n"
    )
}

fn reference(kind: ReferenceKind, scope: &str, key: &str, value: &str) -> ResolvedReference {
    ResolvedReference {
        kind,
        scope: scope.into(),
        key: key.into(),
        value: Some(Secret::new(value)),
        error: None,
    }
}

fn with(file: &str) -> Inputs {
    let columns = ["id", "name", "city", "lines"].map(str::to_owned).to_vec();
    let references = vec![
        reference(ReferenceKind::File, "", "order.j2", file),
        reference(ReferenceKind::Env, "", "STAGE", "test"),
        reference(ReferenceKind::Secret, "s", "k", "hunter2"),
    ];
    Inputs { references, columns: Some(columns), ..Inputs::default() }
}

fn compiled(text: &str, file: &str) -> Compiled {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    compile(&config, &with(file)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refusal(text: &str, file: &str) -> String {
    let config = parse(text.as_bytes(), "c.yaml").unwrap_or_else(|problems| panic!("{problems}"));
    compile(&config, &with(file)).expect_err("the config is refused").to_string()
}

fn spec<T: DeserializeOwned>(compiled: &Compiled) -> T {
    serde_json::from_value(compiled.plan.chain[0].spec.clone()).unwrap()
}

const FILE: &str = "  - type: template_body\n    template_file: order.j2";

#[test]
fn a_template_takes_the_columns_that_it_names_and_mappings_stand_before_columns() {
    let mapping = "{source_column: city, endpoint_param: town, default: x}";
    let compiled = compiled(&config(FILE, mapping), "{\"n\": {{ name }}, \"t\": {{ town }}}");
    let spec: TemplateBodySpec = spec(&compiled);
    assert_eq!(spec.template.file.as_deref(), Some("order.j2"));
    let columns: Vec<_> =
        spec.columns.iter().map(|(name, column)| (name.as_str(), column.path[0].as_str())).collect();
    assert_eq!(columns, [("name", "name"), ("town", "city")]);
    assert!(spec.columns[1].1.default.is_some());
    assert_eq!((spec.escape, spec.validate_json), (Escape::Json, true));
    assert_eq!(compiled.plan.source.columns.unwrap(), ["id", "name", "city"]);
}

#[test]
fn another_template_makes_other_requests() {
    let digest = |file| compiled(&config(FILE, ""), file).driver.request_digest;
    assert_ne!(digest("{{ name }}"), digest("{{ city }}"));
}

#[test]
fn the_content_type_says_how_values_are_written() {
    let of = |content_type: &str| {
        let text = config(&format!("{FILE}\n    content_type: {content_type}"), "");
        let spec: TemplateBodySpec = spec(&compiled(&text, "{{ name }}"));
        (spec.escape, spec.validate_json)
    };
    assert_eq!(of("application/vnd.api+json; charset=utf-8"), (Escape::Json, true));
    assert_eq!(of("text/xml"), (Escape::Xml, false));
    assert_eq!(of("application/soap+xml; charset=utf-8"), (Escape::Xml, false));
    assert_eq!(of("text/csv"), (Escape::None, false));
}

#[test]
fn a_fault_in_a_template_is_told_where_it_stands() {
    let inline = "  - type: template_body\n    template: |\n      {\n        \"n\": {{ nmae }},\n      \"c\": {{ city | upcase }}}";
    assert_eq!(
        refusal(&config(&inline.replace(" | upcase", ""), ""), ""),
        "c.yaml:10:17: in the template of `template_body`: the source has no column `nmae` [CONFIG_MISSING_COLUMN]\n    \
         \"n\": {{ nmae }},\n  did you mean `name`?"
    );
    assert_eq!(
        refusal(&config(inline, ""), ""),
        "c.yaml:11:22: in the template of `template_body`: there is no filter `upcase` [CONFIG_PLACEHOLDER]\n    \
         \"c\": {{ city | upcase }}}\n  the guide on middleware tells what may be written"
    );
    let quoted = "  - {type: template_body, template: \"{\\\"n\\\": {{ nmae }}}\"}";
    let told = refusal(&config(quoted, ""), "");
    assert!(
        told.starts_with(
            "c.yaml:7:37: in line 1, column 10 of the template of `template_body`: the source has no"
        ),
        "{told}"
    );
    let told = refusal(&config(FILE, ""), "{\n  \"a\": {{ name }\n}");
    assert!(told.starts_with("c.yaml:8:20: order.j2:2:16: "), "{told}");
    assert_eq!(told.lines().nth(1), Some("    template_file: order.j2"));
}

#[test]
fn a_template_holds_no_reference_and_a_text_no_secret() {
    for (template, place) in [("{{env.STAGE}}", "c.yaml:7:40: "), ("{{ secret }}", "c.yaml:7:41: ")] {
        let text = config(&format!("  - {{type: template_body, template: \"{template}\"}}"), "");
        let told = refusal(&text, "");
        assert!(told.starts_with(place) && told.contains("a template may hold no `{{"), "{told}");
    }
    let told = refusal(&config("  - {type: template_body, template: \"{{secret.s:k}}\"}", ""), "");
    assert!(told.contains("a template holds no references"), "{told}");

    let text = config("  - {type: text_body, template: \"{name} {{secret.s:k}}\"}", "");
    assert_eq!(
        refusal(&text, ""),
        "c.yaml:7:33: a body may not hold {{secret.s:k}}: another secret would make it another request \
         [CONFIG_REFERENCE]\n    - {type: text_body, template: \"{name} {{secret.s:k}}\"}\n  secrets belong under \
         `auth`, `headers`, `query` or `url_path`"
    );
    let text = config("  - {type: text_body, template: \"{{env.STAGE}} {name}\"}", "");
    let spec: TextBodySpec = spec(&compiled(&text, ""));
    assert_eq!(spec.body[..2], [Piece::Literal("test".into()), Piece::Literal(" ".into())]);
}

#[test]
fn a_mapping_that_the_text_of_the_body_does_not_name_is_refused() {
    for place in ["", ", in: body"] {
        let mapping = format!("{{source_column: city, endpoint_param: town{place}}}");
        for link in [FILE, "  - {type: text_body, template: \"{name}\"}"] {
            let told = refusal(&config(link, &mapping), "{{ name }}");
            assert!(told.contains("the mapping of `city` to `town` has no effect"), "{told}");
            assert!(told.contains("name `town` in it, or remove the mapping"), "{told}");
        }
        compiled(&config(FILE, &mapping), "{{ town }}");
        let injected = format!("{FILE}\n  - type: param_injector");
        let mapping = "{source_column: city, endpoint_param: town}";
        assert_eq!(
            compiled(&config(&injected, mapping), "{{ name }}").plan.chain[1].middleware,
            "param_injector"
        );
    }
}

#[test]
fn a_content_type_that_no_header_may_hold_is_refused() {
    let text = config("  - {type: text_body, column: name, content_type: \"text/plain\\n\"}", "");
    assert!(refusal(&text, "").starts_with("c.yaml:7:51: the value of `content_type` holds a character"));
}

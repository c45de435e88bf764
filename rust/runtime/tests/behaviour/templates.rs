use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Decimal128Array, Int64Array, ListArray, StringArray, StructArray};
use arrow_schema::{DataType, Field};

use super::support::{Answer, Api, Executor, batch, batch_of, sorted};

fn outcomes(answers: &[Answer]) -> Vec<(&str, Option<&str>)> {
    answers.iter().map(|answer| (answer.outcome.as_str(), answer.error_kind.as_deref())).collect()
}

/// Bodies and their content types, in the order of the bodies.
fn bodies(api: &Api) -> Vec<(String, String)> {
    let mut bodies: Vec<_> = api
        .requests()
        .iter()
        .map(|request| (request.body.clone(), request.header("content-type").unwrap_or_default().to_owned()))
        .collect();
    bodies.sort();
    bodies
}

#[test]
fn a_text_body_is_a_template_or_one_column() {
    let api = Api::start(&[]);
    let rows = batch(["id", "name", "city"], &[["1", "A\"b", "Köln"], ["2", "", "x"]]);
    let config = api.config(
        "url_path: /a",
        "middleware: [{type: text_body, template: \"{who};{city}\\n\", content_type: text/csv}]",
        "{source_column: name, endpoint_param: who}",
    );
    assert_eq!(outcomes(&Executor::new().send(&config, rows.clone())), [("success", None); 2]);
    let csv = |body: &str| (body.to_owned(), "text/csv".to_owned());
    assert_eq!(bodies(&api), [csv(";x\n"), csv("A\"b;Köln\n")]);

    api.reset();
    let config = api.config("url_path: /a", "middleware: [{type: text_body, column: city}]", "");
    Executor::new().send(&config, rows);
    let text = |body: &str| (body.to_owned(), "text/plain; charset=utf-8".to_owned());
    assert_eq!(bodies(&api), [text("Köln"), text("x")]);
}

#[test]
fn a_required_null_of_a_text_body_refuses_its_row_and_another_null_is_empty() {
    let api = Api::start(&[]);
    let config = api.config(
        "url_path: /a",
        "middleware: [{type: text_body, template: \"{a}-{b}\"}]",
        "{source_column: a, endpoint_param: a, required: true}",
    );
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1", "2"])),
        Arc::new(StringArray::from(vec![Some("x"), None])),
        Arc::new(StringArray::from(vec![None, Some("y")])),
    ];
    let answers = sorted(Executor::new().send(&config, batch_of(&["id", "a", "b"], columns)));
    assert_eq!(outcomes(&answers), [("success", None), ("invalid_row", Some("null_value"))]);
    assert_eq!(api.requests()[0].body, "x-");
}

#[test]
fn a_template_body_writes_every_type_as_json_and_no_value_can_break_it() {
    let api = Api::start(&[]);
    let template = r#"
  - type: template_body
    template: |
      {"name": {{ name }}, "price": {{ price }}, "big": {{ big }}, "note": {{ note }},
       "city": {{ address.city }}, "sizes": [{% for size in sizes if size > 1 %}{{ size }}{% if not loop.last %},{% endif %}{% endfor %}],
       "all": {{ sizes | tojson }}, "double": {{ (price | float) * 2 }}, "label": {{ name ~ "/" ~ big }}}"#;
    let config = api.config(
        "url_path: /a",
        &format!("middleware:{template}"),
        "{source_column: remark, endpoint_param: note, default: 7}",
    );
    let city = Arc::new(Field::new("city", DataType::Utf8, true));
    let cities: ArrayRef = Arc::new(StringArray::from(vec!["Köln"]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1"])),
        Arc::new(StringArray::from(vec!["\", \"admin\": true, \"x\": \"\n"])),
        Arc::new(Decimal128Array::from(vec![1_230]).with_precision_and_scale(10, 2).unwrap()),
        Arc::new(Int64Array::from(vec![9_007_199_254_740_993])),
        Arc::new(StringArray::from(vec![None::<&str>])),
        Arc::new(StructArray::from(vec![(city, cities)])),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2), Some(3)])])),
    ];
    let names = ["id", "name", "price", "big", "remark", "address", "sizes"];
    let answers = Executor::new().send(&config, batch_of(&names, columns));
    assert_eq!(outcomes(&answers), [("success", None)], "{answers:?}");
    let sent = api.requests().remove(0);
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let name = r#"\", \"admin\": true, \"x\": \"\n"#;
    assert_eq!(
        sent.body,
        format!(
            "{{\"name\": \"{name}\", \"price\": 12.30, \"big\": 9007199254740993, \"note\": 7,\n \
             \"city\": \"Köln\", \"sizes\": [2,3],\n \"all\": [1,2,3], \"double\": 24.6, \"label\": \
             \"{name}/9007199254740993\"}}"
        )
    );
}

#[test]
fn a_row_on_which_the_template_fails_is_an_invalid_row_and_the_others_are_sent() {
    let api = Api::start(&[]);
    let template = r#"
  - type: template_body
    max_steps: 5000
    template: |
      {% if kind == "loop" %}{% for a in range(9000) %}{% for b in range(9000) %}{{ a }}{% endfor %}{% endfor %}
      {%- elif kind == "broken" %}{"a": [{{ kind }}
      {%- elif kind == "absent" %}{{ kind.field }}
      {%- else %}{"kind": {{ kind }}}{% endif %}"#;
    let config = api.config("url_path: /a", &format!("middleware:{template}"), "");
    let rows = batch(["id", "kind"], &[["1", "fine"], ["2", "loop"], ["3", "broken"], ["4", "absent"]]);
    let answers = sorted(Executor::new().send(&config, rows));
    assert_eq!(
        outcomes(&answers),
        [
            ("success", None),
            ("invalid_row", Some("template")),
            ("invalid_row", Some("invalid_json")),
            ("invalid_row", Some("template")),
        ]
    );
    let said = |row: usize| answers[row].error_message.as_deref().unwrap();
    assert!(said(1).ends_with("line 1: it takes more steps than max_steps allows"), "{}", said(1));
    assert!(said(3).contains("line 3: undefined value"), "{}", said(3));
    let requests = api.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body, "{\"kind\": \"fine\"}");
}

#[test]
fn an_xml_body_escapes_as_xml_and_need_be_no_json() {
    let api = Api::start(&[]);
    let config = api.config(
        "url_path: /a",
        "middleware: [{type: template_body, template: \"<a>{{ name }}</a>\", content_type: application/xml}]",
        "",
    );
    Executor::new().send(&config, batch(["id", "name"], &[["1", "x</a>&"]]));
    assert_eq!(bodies(&api), [("<a>x&lt;&#x2f;a&gt;&amp;</a>".to_owned(), "application/xml".to_owned())]);
}

#[test]
fn a_json_body_that_is_none_is_sent_when_told_not_to_look_and_a_header_of_the_config_stands() {
    let api = Api::start(&[]);
    let config = api.config(
        "url_path: /a, headers: {Content-Type: application/x-ndjson}",
        "middleware: [{type: template_body, template: \"{{ name }}\\n{{ id }}\", validate_json: false}]",
        "",
    );
    Executor::new().send(&config, batch(["id", "name"], &[["1", "x"]]));
    assert_eq!(bodies(&api), [("\"x\"\n\"1\"".to_owned(), "application/x-ndjson".to_owned())]);
}

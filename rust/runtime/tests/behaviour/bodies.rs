use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};

use super::support::{Api, Executor, batch_of, sorted};

#[test]
fn a_form_body_encodes_names_and_values_leaves_nulls_out_and_refuses_a_required_null() {
    let api = Api::start(&[]);
    let config = api.config(
        "url_path: /orders",
        "middleware: [{type: retry}, {type: form_body}]",
        "{source_column: note, endpoint_param: \"note[text]\"}, \
         {source_column: needed, endpoint_param: needed, in: body, required: true}",
    );
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1", "2", "3"])),
        Arc::new(StringArray::from(vec![Some("a&b=c+d é"), None, Some("x")])),
        Arc::new(StringArray::from(vec![Some("n"), Some("n"), None])),
    ];
    let answers = sorted(Executor::new().send(&config, batch_of(&["id", "note", "needed"], columns)));

    let kinds: Vec<_> =
        answers.iter().map(|answer| (answer.outcome.as_str(), answer.error_kind.as_deref())).collect();
    assert_eq!(kinds, [("success", None), ("success", None), ("invalid_row", Some("null_value"))]);
    let requests = api.requests();
    let mut bodies: Vec<_> = requests.iter().map(|request| request.body.as_str()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["needed=n", "note%5Btext%5D=a%26b%3Dc%2Bd%20%C3%A9&needed=n"]);
    for request in &requests {
        assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    }
}

//! `template_body`: a template that is rendered for every row as the request's body.

use super::text_body::one_of;
use crate::keys::{file, flag, keys, template, whole, word};
use crate::problem::Located;
use crate::text::Text;

const CONTENT_TYPE: &str = "application/json";

keys! {
    /// A template in the language of Jinja, rendered for every row as the request's body. Names in it stand for columns and
    /// mappings. With a JSON content type `{{ name }}` is a value's JSON form, so that no value can break the body.
    pub struct TemplateBody {
        /// The template.
        template: Option<Located<String>> =
            template("\"{\\\"name\\\": {{ name }}}\"").optional("`template_file` holds it"),
        /// File that holds the template. It is of the driver's machine and is read there.
        template_file: Option<Text> = file("templates/order.json.j2").optional("`template` is it"),
        /// The body's Content-Type, unless `endpoint.headers` names one.
        content_type: Located<String> =
            word("application/xml").or(Located::new(CONTENT_TYPE.to_owned(), Default::default())),
        /// Whether a row whose body is no JSON is an invalid row, and not sent.
        validate_json: Option<bool> = flag().optional("true with a JSON content type, else false"),
        /// Longest work for one row, in steps of the template; a row that needs more is an invalid row. It bounds the body
        /// too: a step pays for 64 bytes.
        max_steps: u32 = whole(1_000..=100_000_000, "steps").or(1_000_000),
    }
    check |section| one_of(section, "template", "template_file");
}

impl TemplateBody {
    /// Whether bodies are JSON by their content type.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json") || essence == "text/json"
    }

    /// Whether a body that is no JSON makes its row an invalid row.
    #[must_use]
    pub fn validates_json(&self) -> bool {
        self.validate_json.unwrap_or_else(|| self.is_json())
    }
}

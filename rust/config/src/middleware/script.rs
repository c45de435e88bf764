//! `script`: a few lines of code of the config's own around every request.

use super::text_body::one_of;
use crate::keys::{file, keys, sections, template, texts, whole};
use crate::middleware::ScriptField;
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::Text;

keys! {
    /// A script in rhai: `fn request(request, row)` runs before the request is sent, `fn response(response, row)` when an
    /// answer is there. What it takes of the row it names as `row.column`.
    pub struct Script {
        /// The script.
        script: Option<Located<String>> =
            template("\"fn request(request, row) { request.set_header(\\\"x-region\\\", row.region); }\"")
                .optional("`script_file` holds it"),
        /// File that holds the script. It is of the driver's machine and is read there.
        script_file: Option<Text> = file("scripts/sign.rhai").optional("`script` is it"),
        /// What `secret("name")` gives the script, by name; values may hold references.
        secrets: Vec<(Located<String>, Text)> =
            texts("{signing: \"{{secret.vendor:signing-key}}\"}").or(Vec::new()),
        /// Columns of the sink that `response.set_field(name, value)` fills, after those that `json_response` picks.
        fields: Vec<Located<ScriptField>> = sections("[{name: order_no, type: long}]").or(Vec::new()),
        /// Longest work of one call, in operations of the script; a row that needs more is an invalid row, an answer an
        /// invalid response.
        max_operations: u32 = whole(100..=100_000_000, "operations").or(100_000),
    }
    check |section| {
        one_of(section, "script", "script_file");
        check_secrets(section, secrets.as_deref());
    };
}

/// Names that a script can write in quotes without thinking.
fn check_secrets(section: &Section<'_>, secrets: Option<&[(Located<String>, Text)]>) {
    for (name, _) in secrets.unwrap_or_default() {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            section.note(
                name.at,
                Code::InvalidValue,
                format!("`{}` is no name for a secret", name.value),
                "write letters, digits, `_`, `-` and `.`, as in `signing-key`",
            );
        }
    }
}

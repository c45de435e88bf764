//! `bearer_token` and `header_auth`: credentials of the config in a header, in their place in the chain.

use crate::keys::{credential, keys, text, word};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::{SecretText, Text};

keys! {
    /// A token of the config in every request, as `Bearer` and the token.
    pub struct BearerToken {
        /// The token.
        token: SecretText = credential().required(),
        /// Header that carries it.
        header: Located<String> =
            word("X-Forwarded-Authorization").or(Located::new("Authorization".to_owned(), Default::default())),
    }
}

keys! {
    /// A value of the config, or a user and password, in a header of every request.
    pub struct HeaderAuth {
        /// Header that carries it.
        header: Located<String> = word("X-Api-Key").required(),
        /// The value.
        value: Option<SecretText> = credential().optional("`username` and `password` are sent"),
        /// What stands before the value, with the space if there is to be one.
        prefix: Option<Text> = text("\"Token \"").optional("nothing"),
        /// The user; sent with `password` as basic authentication (RFC 7617).
        username: Option<SecretText> = credential().optional("`value` is sent"),
        /// The user's password.
        password: Option<SecretText> = credential().optional("`value` is sent"),
    }
    check |section| value_or_user(section);
}

fn value_or_user(section: &Section<'_>) {
    let user = ["username", "password"].map(|key| section.has(key));
    match (section.has("value"), user) {
        (true, [false, false]) | (false, [true, true]) => {}
        (false, [false, false]) => section.missing("value", "`value`, or `username` and `password`"),
        (false, [true, false]) => section.missing("password", "`password` beside `username`"),
        (false, [false, true]) => section.missing("username", "`username` beside `password`"),
        (true, _) => section.note(
            section.at(),
            Code::Conflict,
            format!("{} and {} exclude each other", section.name("value"), section.name("username")),
            "keep `value`, or `username` and `password`",
        ),
    }
    if section.has("prefix") && !section.has("value") {
        section.note(
            section.place("prefix"),
            Code::Unused,
            format!("{} has no effect without `value`", section.name("prefix")),
            "remove it",
        );
    }
}

//! `auth` of type `api_key`: a key of the API's own.

use crate::keys::{Choice, choice, credential, keys, word};
use crate::problem::Located;
use crate::text::SecretText;

keys! {
    /// A key in a header or query parameter of every request.
    pub struct ApiKey {
        /// Where the key stands.
        place as "in": KeyPlace = choice(PLACES).or(KeyPlace::Header),
        /// Name of the header or query parameter.
        name: Located<String> = word("X-Api-Key").required(),
        /// The key.
        value: SecretText = credential().required(),
    }
}

const PLACES: &[Choice<KeyPlace>] = &[
    ("header", KeyPlace::Header, "in a header"),
    ("query", KeyPlace::Query, "as a query parameter; it is masked wherever the URL is shown"),
];

/// Where an API key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a header.
    Header,
    /// As a query parameter.
    Query,
}

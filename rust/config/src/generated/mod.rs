//! What is written from the declarations: the JSON Schema and the reference page.

mod reference;
mod schema;

pub use reference::reference;
pub use schema::json_schema;

use crate::keys::Keys;
use crate::middleware::Middleware;

/// The sentence about a type of middleware, as the reference has it; none of a type that is not built in.
#[must_use]
pub fn about_middleware(name: &str) -> Option<String> {
    let known = Middleware::shape().variants.into_iter().find(|variant| variant.name == name);
    known.map(|variant| variant.about)
}

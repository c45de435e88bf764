//! What is written from the declarations: the JSON Schema and the reference page.

mod reference;
mod schema;

pub use reference::reference;
pub use schema::json_schema;

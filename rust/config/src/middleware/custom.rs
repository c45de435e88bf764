//! `custom`: a middleware of one's own, compiled into the native library.

use serde_json::{Map, Value};

use crate::keys::{anything, keys, texts, word, words};
use crate::problem::Located;
use crate::text::Text;

keys! {
    /// A middleware that the native library registers beside the built-in ones; the setting `spark.apisink.native.library`
    /// names the library.
    pub struct Custom {
        /// The name under which it is registered.
        name: Located<String> = word("stamp").required(),
        /// What only the middleware itself understands.
        options: Value = anything("{header: x-stamp}").or(Value::Object(Map::new())),
        /// Columns that it may read; dots lead into structs.
        columns: Vec<Located<String>> = words("[region, address.city]").or(Vec::new()),
        /// Secrets that it may ask for by name; values may hold references.
        secrets: Vec<(Located<String>, Text)> = texts("{key: \"{{secret.vendor:key}}\"}").or(Vec::new()),
    }
}

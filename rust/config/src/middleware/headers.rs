//! `headers`: headers of the chain's own.

use crate::keys::{keys, texts};
use crate::problem::Located;
use crate::text::Text;

keys! {
    /// Headers whose values may hold columns. A null alone leaves its header out.
    pub struct Headers {
        /// The headers; values may hold `{name}` placeholders and references.
        headers: Vec<(Located<String>, Text)> = texts("{X-Tenant: \"t-{tenant}\"}").required(),
    }
}

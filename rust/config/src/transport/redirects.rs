//! `transport.redirects`: where an answer may send a request on to.

use crate::keys::{keys, whole, words};
use crate::problem::Located;

keys! {
    /// Redirects (301, 302, 303, 307, 308). Each one followed is an attempt and is charged to the rate limit.
    pub struct Redirects {
        /// Most redirects in a row that are followed; with 0 such an answer is the row's answer.
        max: u32 = whole(0..=20, "redirects").or(0),
        /// Hosts, with their port unless it is the scheme's own, that may be redirected to beside the request's own
        /// origin. Credentials, and all headers that hold a secret, are not sent to them.
        hosts: Vec<Located<String>> = words("[\"files.example.com\"]").or(Vec::new()),
    }
}

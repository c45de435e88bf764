//! Credentials of basic authentication.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// User and password as they stand in a header after `Basic ` (RFC 7617, 2).
pub(crate) fn basic_pair(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

//! The names of what a script may call beside the language itself. The runtime defines them, and a test of its own holds
//! the two together.

/// Functions.
pub const FUNCTIONS: [&str; 8] = [
    "base64_encode",
    "hmac_sha256_base64",
    "hmac_sha256_hex",
    "now_ms",
    "now_rfc3339",
    "secret",
    "sha256_hex",
    "url_encode",
];

/// Methods and properties of `request`; a property's name begins with `get$`, as rhai's own do.
pub const REQUEST: [&str; 9] = [
    "add_query",
    "get$body",
    "get$id",
    "get$method",
    "get$target",
    "header",
    "remove_header",
    "set_body",
    "set_header",
];

/// Methods and properties of `response`.
pub const RESPONSE: [&str; 9] = [
    "fail",
    "get$body",
    "get$json",
    "get$status",
    "get$truncated",
    "header",
    "invalid",
    "set_field",
    "succeed",
];

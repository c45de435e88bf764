//! Digests of plans. A plan holds no secret value, so none enters a digest.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::plan::{Identity, LinkPlan, Plan, RequestPlan};

/// Links that determine when, how often or under whose name a request is sent, but not what is requested.
const NOT_OF_THE_REQUEST: [&str; 10] = [
    "auth",
    "bearer_token",
    "compress_body",
    "header_auth",
    "json_response",
    "logging",
    "retry",
    "timing",
    "transport_diagnostic",
    "worker_identity",
];

/// SHA-256 of the plan in hexadecimal.
pub(crate) fn of_plan(plan: &Plan) -> Result<String, serde_json::Error> {
    of(plan)
}

/// SHA-256 of what determines the requests: neither partitions nor rates, transport or credentials change it.
pub(crate) fn of_requests(plan: &Plan) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Requests<'a> {
        format: u32,
        request: &'a RequestPlan,
        chain: Vec<&'a LinkPlan>,
        identity: &'a Identity,
    }
    of(&Requests {
        format: plan.format,
        request: &plan.request,
        chain: plan
            .chain
            .iter()
            .filter(|link| !NOT_OF_THE_REQUEST.contains(&link.middleware.as_str()))
            .collect(),
        identity: &plan.source.identity,
    })
}

fn of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut canonical = String::new();
    write_canonical(&serde_json::to_value(value)?, &mut canonical);
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(canonical.as_bytes()) {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// JSON without spaces and with the keys of objects sorted.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::from(key.as_str()));
                write_canonical(&fields[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

//! The chain: its links in order, and how often each runs.

use apisink_config::{Auth, Config, about_middleware};
use apisink_plan::{JsonResponseSpec, LinkPlan, Plan, RetryBudgetSpec, RetrySpec};
use serde_json::Value;

use super::table::wrapped;

/// The links in order. What stands before `retry` runs once per row, what stands after it once per attempt.
pub(super) fn told(config: &Config, plan: &Plan) -> String {
    let place = plan.chain.iter().position(|link| link.middleware == "retry");
    let mut text = String::new();
    if place != Some(0) {
        text += "  once per row\n";
    }
    for (index, link) in plan.chain.iter().enumerate() {
        text += &item(index + 1, link, config);
        if Some(index) == place {
            text += &format!("  once per attempt{}\n", attempts(link));
        }
    }
    let limit = match plan.execution.max_requests_per_second {
        Some(rate) => format!("the limit of {rate} requests per second is charged here, for every attempt"),
        None if plan.execution.limits.is_empty() => "there is no limit of requests per second".to_owned(),
        None => "the limits of some hosts and paths are charged here, for every attempt".to_owned(),
    };
    text += &format!("    {:>2}  transport ({}): {limit}\n", plan.chain.len() + 1, plan.transport.engine);
    text
}

fn attempts(link: &LinkPlan) -> String {
    serde_json::from_value::<RetrySpec>(link.spec.clone())
        .map(|retry| {
            let budget = retry.budget.map(|budget| {
                let RetryBudgetSpec { share, min_per_second } = budget;
                format!(
                    "; retries of an executor are bounded by {share} for each first attempt, and {min_per_second} per second \
                     are free"
                )
            });
            format!(", at most {} for a row{}", retry.max_attempts, budget.unwrap_or_default())
        })
        .unwrap_or_default()
}

fn item(number: usize, link: &LinkPlan, config: &Config) -> String {
    let name = &link.middleware;
    let mut text = String::new();
    let about = about_middleware(name).unwrap_or_default();
    let mut head = format!("    {number:>2}  ");
    for line in wrapped(&format!("{name}: {about}"), 100) {
        text += &format!("{head}{line}\n");
        head = " ".repeat(8);
    }
    let keys = match name.as_str() {
        "auth" => auth(&config.auth),
        "json_response" => json_response(&link.spec),
        _ => scalars(&link.spec),
    };
    for line in wrapped(&keys, 100).into_iter().filter(|line| !line.is_empty()) {
        text += &format!("        {line}\n");
    }
    text
}

/// The specification of `auth` holds nothing for people but its slots of secrets.
fn auth(auth: &Auth) -> String {
    format!("type: {}", auth.name())
}

/// The columns that are picked from answers, and the plain values.
fn json_response(spec: &Value) -> String {
    let Ok(json) = serde_json::from_value::<JsonResponseSpec>(spec.clone()) else { return scalars(spec) };
    let mut told = scalars(spec);
    if json.schema.is_some() {
        told += ", by a JSON Schema";
    }
    for field in &json.fields {
        let required = if field.required { ", required" } else { "" };
        let kind = field.kind.spark();
        told += &format!(", column {} ({kind}) from {}{required}", field.name, field.pointer);
    }
    told
}

/// The plain values of a specification; what is built of column references is told as a part of the request.
fn scalars(spec: &Value) -> String {
    let Value::Object(fields) = spec else { return String::new() };
    let plain = |value: &Value| !value.is_object() && !value.is_null();
    let shown = fields.iter().filter_map(|(name, value)| match value {
        Value::Array(items) if items.iter().all(|item| plain(item) && !item.is_array()) => {
            Some(format!("{name}: {value}"))
        }
        Value::Array(_) => None,
        value if plain(value) => Some(format!("{name}: {value}")),
        _ => None,
    });
    shown.collect::<Vec<_>>().join(", ")
}

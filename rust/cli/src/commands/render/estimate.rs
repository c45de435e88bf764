//! How long a run takes by its limit.

use apisink_plan::ExecutionPlan;

/// A sentence about the duration of a run of so many rows.
pub(crate) fn sentence(rows: u64, execution: &ExecutionPlan) -> String {
    match execution.max_requests_per_second {
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        Some(rate) => format!(
            "{rows} rows at {rate} requests per second: at least {}, and longer by each retry",
            duration(rows as f64 / rate)
        ),
        None => format!(
            "{rows} rows: there is no limit by time (`execution.max_requests_per_second`), so that the API's own speed \
             decides, with at most {} requests at once from an executor process",
            execution.max_in_flight
        ),
    }
}

/// Seconds in the two largest units that they fill.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil().max(1.0) as u64;
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, length)| seconds >= *length).unwrap_or(units.len() - 1);
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, length) in units.iter().skip(first).take(2) {
        if left / length > 0 {
            parts.push(format!("{} {unit}", left / length));
        }
        left %= length;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, told) in [
            (0.2, "1 s"),
            (59.5, "1 min"),
            (61.0, "1 min 1 s"),
            (7200.0, "2 h"),
            (33_333.4, "9 h 15 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(duration(seconds), told);
        }
    }
}

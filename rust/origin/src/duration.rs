//! Durations as a person writes them: `20ms`, `1.5s`, `500us`, `2m`, `1h`.

use std::time::Duration;

/// Reads a number with one of the units `us`, `ms`, `s`, `m` or `h`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a duration: write a number and a unit, such as 20ms, 1.5s or 500us");
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_a_unit_and_may_have_a_fraction() {
        assert_eq!(parse("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("500us"), Ok(Duration::from_micros(500)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "20", "ms", "20d", "-1s", "1s2", "infs", "1e400s"] {
            assert!(parse(wrong).unwrap_err().contains("is not a duration"), "{wrong}");
        }
    }
}

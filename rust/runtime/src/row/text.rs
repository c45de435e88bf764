//! The text form of a value: in paths, query parameters, headers and tracking ids. The table that users read is
//! `docs/reference/types.md`.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Column;

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Column<'_> {
    /// Appends the text form of the value at a row; nothing for null.
    pub fn write_text(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if self.is_null(row) {
            return Ok(());
        }
        match self {
            Column::Null => {}
            Column::Boolean(a) => out.extend_from_slice(if a.value(row) { b"true" } else { b"false" }),
            Column::Int8(a) => integer(a.value(row), out),
            Column::Int16(a) => integer(a.value(row), out),
            Column::Int32(a) => integer(a.value(row), out),
            Column::Int64(a) => integer(a.value(row), out),
            Column::Float32(a) => float(a.value(row), f64::from(a.value(row)), out),
            Column::Float64(a) => float(a.value(row), a.value(row), out),
            Column::Decimal(a, scale) => decimal(a.value(row), usize::from(*scale), out),
            Column::Text(a) => out.extend_from_slice(a.value(row).as_bytes()),
            Column::LargeText(a) => out.extend_from_slice(a.value(row).as_bytes()),
            Column::Binary(a) => out.extend_from_slice(STANDARD.encode(a.value(row)).as_bytes()),
            Column::LargeBinary(a) => out.extend_from_slice(STANDARD.encode(a.value(row)).as_bytes()),
            Column::Date(a) => write(out, format_args!("{}", date(i64::from(a.value(row)))?)),
            Column::Timestamp(a) => {
                local_timestamp(a.value(row), out)?;
                out.push(b'Z');
            }
            Column::LocalTimestamp(a) => local_timestamp(a.value(row), out)?,
            Column::TimeNanos(a) => time_of_day(a.value(row), 9, 1_000_000_000, out),
            Column::TimeMicros(a) => time_of_day(a.value(row), 6, MICROS_PER_SECOND, out),
            Column::DayTime(a) => duration(a.value(row), out),
            Column::YearMonth(a) => months(i64::from(a.value(row)), out),
            Column::Calendar(a) => {
                let value = a.value(row);
                calendar(i64::from(value.months), i64::from(value.days), value.nanoseconds, out);
            }
            Column::List(_, _) | Column::Struct(_, _) | Column::Map(_, _, _) => self.write_json(row, out)?,
        }
        Ok(())
    }
}

fn write(out: &mut Vec<u8>, args: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _ = out.write_fmt(args);
}

fn integer<I: itoa::Integer>(value: I, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest digits that read back as the same number, as JSON writes them; `NaN`, `Infinity`, `-Infinity` in text.
fn float<F: serde::Serialize>(value: F, wide: f64, out: &mut Vec<u8>) {
    if wide.is_finite() {
        let _ = serde_json::to_writer(out, &value);
    } else if wide.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if wide > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
}

/// Every digit of the scale is kept: 12.30 stays 12.30.
fn decimal(value: i128, scale: usize, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
        return;
    }
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits.as_bytes()[..whole] });
    out.push(b'.');
    out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
    out.extend_from_slice(&digits.as_bytes()[whole..]);
}

fn date(days: i64) -> Result<Date, String> {
    days.checked_mul(86_400)
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(|at| TimeZone::UTC.to_datetime(at).date())
        .ok_or_else(|| format!("a date {days} days from 1970-01-01 is outside the years -9999 to 9999"))
}

fn local_timestamp(micros: i64, out: &mut Vec<u8>) -> Result<(), String> {
    let at = Timestamp::from_microsecond(micros)
        .map_err(|_| format!("a timestamp {micros} µs from 1970-01-01 is outside the years -9999 to 9999"))?;
    let at: DateTime = TimeZone::UTC.to_datetime(at);
    write(out, format_args!("{}T{:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second()));
    fraction(i64::from(at.subsec_nanosecond() / 1_000), 6, out);
    Ok(())
}

fn time_of_day(value: i64, digits: usize, per_second: i64, out: &mut Vec<u8>) {
    let seconds = value.div_euclid(per_second);
    write(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    fraction(value.rem_euclid(per_second), digits, out);
}

/// A fraction of a second without its trailing zeros; nothing when it is zero.
fn fraction(value: i64, digits: usize, out: &mut Vec<u8>) {
    if value != 0 {
        let text = format!("{value:0digits$}");
        out.push(b'.');
        out.extend_from_slice(text.trim_end_matches('0').as_bytes());
    }
}

/// ISO 8601 duration in days, hours, minutes and seconds: `P1DT2H3M4.5S`; a negative one has its sign in front.
fn duration(micros: i64, out: &mut Vec<u8>) {
    if micros < 0 {
        out.push(b'-');
    }
    let micros = micros.unsigned_abs();
    let seconds = micros / 1_000_000;
    write(
        out,
        format_args!("P{}DT{}H{}M{}", seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60),
    );
    fraction((micros % 1_000_000) as i64, 6, out);
    out.push(b'S');
}

/// ISO 8601 duration in years and months: `P1Y2M`.
fn months(months: i64, out: &mut Vec<u8>) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    write(out, format_args!("{sign}P{}Y{}M", months / 12, months % 12));
}

/// ISO 8601 duration whose parts each have a sign of their own, as a calendar interval's have.
fn calendar(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    write(out, format_args!("P{months}M{days}DT{sign}{}", nanos / 1_000_000_000));
    fraction((nanos % 1_000_000_000) as i64, 9, out);
    out.push(b'S');
}

//! The JSON form of a value (RFC 8259). The table that users read is `docs/reference/types.md`.

use std::io::Write;

use super::Column;

impl Column<'_> {
    /// Appends the JSON form of the value at a row.
    ///
    /// Numbers and booleans are JSON's own, decimals keep every digit, nested values become arrays and objects,
    /// null is `null`, everything else is a string of its text form. NaN and the infinities have no JSON form.
    pub fn write_json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match self {
            Column::Float32(a) if !a.value(row).is_finite() => Err(not_finite(f64::from(a.value(row)))),
            Column::Float64(a) if !a.value(row).is_finite() => Err(not_finite(a.value(row))),
            Column::Text(a) => {
                write_string(a.value(row), out);
                Ok(())
            }
            Column::LargeText(a) => {
                write_string(a.value(row), out);
                Ok(())
            }
            Column::List(a, values) => {
                let (start, end) = (a.value_offsets()[row] as usize, a.value_offsets()[row + 1] as usize);
                out.push(b'[');
                for index in start..end {
                    if index > start {
                        out.push(b',');
                    }
                    values.write_json(index, out)?;
                }
                out.push(b']');
                Ok(())
            }
            Column::Struct(_, fields) => {
                out.push(b'{');
                for (position, (name, column)) in fields.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    column.write_json(row, out).map_err(|why| format!("{name}: {why}"))?;
                }
                out.push(b'}');
                Ok(())
            }
            Column::Map(a, keys, values) => {
                let (start, end) = (a.value_offsets()[row] as usize, a.value_offsets()[row + 1] as usize);
                let mut key = Vec::new();
                out.push(b'{');
                for index in start..end {
                    if index > start {
                        out.push(b',');
                    }
                    key.clear();
                    keys.write_text(index, &mut key)?;
                    write_string(&String::from_utf8_lossy(&key), out);
                    out.push(b':');
                    values.write_json(index, out)?;
                }
                out.push(b'}');
                Ok(())
            }
            Column::Boolean(_)
            | Column::Int8(_)
            | Column::Int16(_)
            | Column::Int32(_)
            | Column::Int64(_)
            | Column::Float32(_)
            | Column::Float64(_)
            | Column::Decimal(_, _) => self.write_text(row, out),
            _ => {
                out.push(b'"');
                // Dates, times, intervals and base64 hold no character that JSON escapes.
                self.write_text(row, out)?;
                out.push(b'"');
                Ok(())
            }
        }
    }
}

fn not_finite(value: f64) -> String {
    format!("{value} has no JSON form; replace it by null or a number in the source")
}

/// Appends a JSON string.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    // Serialising a str into memory cannot fail.
    let _ = serde_json::to_writer(out.by_ref(), text);
}

//! A value as a template sees it.

use apisink_plan::jinja::Digits;
use minijinja::Value;

use super::Column;

impl Column<'_> {
    /// The value at a row: numbers, truth and text as the template's own, nested values as lists and maps, null as `none`,
    /// everything else as its text form. A decimal keeps every digit.
    pub fn template_value(&self, row: usize) -> Result<Value, String> {
        if self.is_null(row) {
            return Ok(Value::from(()));
        }
        Ok(match self {
            Column::Boolean(a) => Value::from(a.value(row)),
            Column::Int8(a) => Value::from(a.value(row)),
            Column::Int16(a) => Value::from(a.value(row)),
            Column::Int32(a) => Value::from(a.value(row)),
            Column::Int64(a) => Value::from(a.value(row)),
            // By its own digits: 0.1 stays 0.1.
            Column::Float32(a) => {
                Value::from(self.text(row)?.parse::<f64>().unwrap_or(f64::from(a.value(row))))
            }
            Column::Float64(a) => Value::from(a.value(row)),
            Column::Decimal(a, 0) => Value::from(a.value(row)),
            Column::Decimal(..) => Digits::value(self.text(row)?),
            Column::Text(a) => Value::from(a.value(row)),
            Column::LargeText(a) => Value::from(a.value(row)),
            Column::List(a, values) => {
                let (start, end) = (a.value_offsets()[row] as usize, a.value_offsets()[row + 1] as usize);
                Value::from(
                    (start..end).map(|index| values.template_value(index)).collect::<Result<Vec<_>, _>>()?,
                )
            }
            Column::Struct(_, fields) => Value::from_pairs(
                fields
                    .iter()
                    .map(|(name, column)| Ok((*name, column.template_value(row)?)))
                    .collect::<Result<Vec<_>, String>>()?,
            ),
            Column::Map(a, keys, values) => {
                let (start, end) = (a.value_offsets()[row] as usize, a.value_offsets()[row + 1] as usize);
                Value::from_pairs(
                    (start..end)
                        .map(|index| Ok((keys.text(index)?, values.template_value(index)?)))
                        .collect::<Result<Vec<_>, String>>()?,
                )
            }
            _ => Value::from(self.text(row)?),
        })
    }

    fn text(&self, row: usize) -> Result<String, String> {
        let mut text = Vec::new();
        self.write_text(row, &mut text)?;
        String::from_utf8(text).map_err(|_| "its text form is not UTF-8".to_owned())
    }
}

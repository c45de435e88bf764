//! The content of a row as bytes: what tells rows apart that have no key of their own.
//!
//! Two rows of one schema have the same bytes exactly if they have the same values: every value says whether it is
//! null, and whatever varies in length says its length first. The encoding must never change: request_ids are made of
//! it, and a run that goes on under another version must find them again.

use super::{Column, Row};

impl Row<'_> {
    /// Appends the content of all columns. Needs [`super::Binder::whole_rows`].
    pub fn write_content(&self, out: &mut Vec<u8>) {
        for (_, column) in self.columns() {
            column.write_content(self.index(), out);
        }
    }
}

impl Column<'_> {
    fn write_content(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return out.push(0);
        }
        out.push(1);
        match self {
            Column::Null => {}
            Column::Boolean(a) => out.push(u8::from(a.value(row))),
            Column::Int8(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Int16(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Int32(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Int64(a) => out.extend(a.value(row).to_le_bytes()),
            // There is one NaN to people, and many to the machine.
            Column::Float32(a) => out.extend(canonical_f32(a.value(row)).to_le_bytes()),
            Column::Float64(a) => out.extend(canonical_f64(a.value(row)).to_le_bytes()),
            Column::Decimal(a, _) => out.extend(a.value(row).to_le_bytes()),
            Column::Text(a) => bytes(a.value(row).as_bytes(), out),
            Column::LargeText(a) => bytes(a.value(row).as_bytes(), out),
            Column::Binary(a) => bytes(a.value(row), out),
            Column::LargeBinary(a) => bytes(a.value(row), out),
            Column::Date(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Timestamp(a) | Column::LocalTimestamp(a) => out.extend(a.value(row).to_le_bytes()),
            Column::TimeNanos(a) => out.extend(a.value(row).to_le_bytes()),
            Column::TimeMicros(a) => out.extend(a.value(row).to_le_bytes()),
            Column::DayTime(a) => out.extend(a.value(row).to_le_bytes()),
            Column::YearMonth(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Calendar(a) => {
                let value = a.value(row);
                out.extend(value.months.to_le_bytes());
                out.extend(value.days.to_le_bytes());
                out.extend(value.nanoseconds.to_le_bytes());
            }
            Column::List(a, values) => {
                let (start, end) = (a.value_offsets()[row] as usize, a.value_offsets()[row + 1] as usize);
                length(end - start, out);
                (start..end).for_each(|index| values.write_content(index, out));
            }
            Column::Struct(_, fields) => fields.iter().for_each(|(_, field)| field.write_content(row, out)),
            Column::Map(a, keys, values) => {
                let (start, end) = (a.value_offsets()[row] as usize, a.value_offsets()[row + 1] as usize);
                length(end - start, out);
                for index in start..end {
                    keys.write_content(index, out);
                    values.write_content(index, out);
                }
            }
        }
    }
}

fn canonical_f32(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value }
}

fn canonical_f64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

fn bytes(value: &[u8], out: &mut Vec<u8>) {
    length(value.len(), out);
    out.extend_from_slice(value);
}

fn length(length: usize, out: &mut Vec<u8>) {
    out.extend((length as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, Float64Array, ListArray, RecordBatch, StringArray};
    use proptest::prelude::*;

    use crate::row::Binder;

    fn contents(columns: Vec<(&str, ArrayRef)>) -> Vec<Vec<u8>> {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        let schema = batch.schema();
        let mut binder = Binder::new(&schema);
        binder.whole_rows().unwrap();
        let binding = binder.finish();
        let rows = binding.open(&batch).unwrap();
        let content = |index| {
            let mut bytes = Vec::new();
            rows.row(index).write_content(&mut bytes);
            bytes
        };
        (0..batch.num_rows()).map(content).collect()
    }

    #[test]
    fn the_bytes_of_known_rows_never_change() {
        let words = StringArray::from(vec![Some("ab"), None]);
        let numbers = Float64Array::from(vec![1.5, f64::NAN]);
        let found = contents(vec![("a", Arc::new(words)), ("b", Arc::new(numbers))]);
        assert_eq!(found[0], [1, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]);
        assert_eq!(found[1], [0, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
        let other = contents(vec![("b", Arc::new(Float64Array::from(vec![-f64::NAN])))]);
        assert_eq!(other[0], found[1][1..], "there is one NaN");
    }

    type Values = (Option<String>, Option<String>, Option<Vec<Option<i32>>>);

    proptest! {
        #[test]
        fn two_rows_have_the_same_bytes_exactly_if_they_have_the_same_values(
            one in any::<Values>(),
            two in any::<Values>(),
        ) {
            let rows = [one, two];
            let first = StringArray::from_iter(rows.iter().map(|row| row.0.as_deref()));
            let second = StringArray::from_iter(rows.iter().map(|row| row.1.as_deref()));
            let list = ListArray::from_iter_primitive::<Int32Type, _, _>(rows.iter().map(|row| row.2.clone()));
            let found = contents(vec![("a", Arc::new(first)), ("b", Arc::new(second)), ("c", Arc::new(list))]);
            prop_assert_eq!(found[0] == found[1], rows[0] == rows[1]);
        }

        #[test]
        fn where_one_text_ends_and_the_next_begins_is_part_of_the_content(text in ".{0,6}", cut in 0_usize..6) {
            let cut = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(text.len());
            let halves = |at: usize| (text[..at].to_owned(), text[at..].to_owned());
            let (whole, parted) = (halves(text.len()), halves(cut));
            let first = StringArray::from(vec![whole.0.as_str(), parted.0.as_str()]);
            let second = StringArray::from(vec![whole.1.as_str(), parted.1.as_str()]);
            let found = contents(vec![("a", Arc::new(first)), ("b", Arc::new(second))]);
            prop_assert_eq!(found[0] == found[1], whole == parted);
        }
    }
}

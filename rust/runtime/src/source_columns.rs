//! Source columns that a row of the sink keeps: copied out of the row's batch, and put beside its response.
//!
//! The copy is one per batch, of these columns only; each exchange holds a share of it and the row's number. A copy
//! lives, and stays in the byte budget, until the last row of its batch is answered and taken.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, make_array};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, FieldRef, Schema};

use crate::budget::{ByteBudget, Reservation};
use crate::error::RuntimeError;

/// Which columns of the source's batches are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceColumns {
    indices: Vec<usize>,
    fields: Vec<FieldRef>,
}

impl SourceColumns {
    /// The columns of these names in batches of a schema.
    pub(crate) fn new(names: &[String], schema: &Schema) -> Result<Self, RuntimeError> {
        let mut columns = Self::default();
        for name in names {
            let (index, field) = schema
                .fields()
                .find(name)
                .ok_or_else(|| RuntimeError::Schema(format!("there is no column {name} for the sink")))?;
            columns.indices.push(index);
            columns.fields.push(Arc::new(field.as_ref().clone().with_nullable(true)));
        }
        Ok(columns)
    }

    /// Their fields in the response schema.
    pub(crate) fn fields(&self) -> &[FieldRef] {
        &self.fields
    }

    /// Copies them out of a batch, which may be released then; none when no column is kept.
    pub(crate) fn copy(
        &self,
        batch: &RecordBatch,
        budget: &Arc<ByteBudget>,
    ) -> Result<Option<SourceRows>, RuntimeError> {
        if self.indices.is_empty() {
            return Ok(None);
        }
        let copies = self.indices.iter().map(|index| copy(batch.column(*index)));
        let columns = copies.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        let bytes = columns.iter().map(ArrayData::get_array_memory_size).sum();
        let bytes_per_row = bytes / batch.num_rows().max(1);
        Ok(Some(SourceRows(Arc::new(Copied { columns, bytes_per_row, _memory: budget.take(bytes) }))))
    }

    /// One array for each column, with the values of these rows in their order.
    pub(crate) fn gather(&self, rows: &[Option<SourceRow>]) -> Result<Vec<ArrayRef>, RuntimeError> {
        let mut batches: Vec<&Copied> = Vec::new();
        let mut known: HashMap<*const Copied, usize> = HashMap::new();
        let places: Vec<Option<(usize, usize)>> = rows
            .iter()
            .map(|row| {
                let SourceRow { rows: SourceRows(copied), index } = row.as_ref()?;
                let batch = *known.entry(Arc::as_ptr(copied)).or_insert_with(|| {
                    batches.push(copied);
                    batches.len() - 1
                });
                Some((batch, *index))
            })
            .collect();
        let gathered = (0..self.fields.len()).map(|column| {
            if batches.is_empty() {
                return Ok(arrow_array::new_null_array(self.fields[column].data_type(), rows.len()));
            }
            let arrays = batches.iter().map(|batch| &batch.columns[column]).collect();
            let mut gathered = MutableArrayData::new(arrays, true, rows.len());
            for place in &places {
                match place {
                    Some((batch, index)) => gathered.try_extend(*batch, *index, index + 1)?,
                    None => gathered.try_extend_nulls(1)?,
                }
            }
            Ok(make_array(gathered.freeze()))
        });
        gathered.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))
    }
}

fn copy(array: &ArrayRef) -> Result<ArrayData, ArrowError> {
    let data = array.to_data();
    let mut copy = MutableArrayData::new(vec![&data], false, data.len());
    copy.try_extend(0, 0, data.len())?;
    Ok(copy.freeze())
}

fn failed(error: &ArrowError) -> RuntimeError {
    RuntimeError::Batch(format!("the source columns of the sink: {error}"))
}

/// The kept columns of a batch.
#[derive(Clone, Debug)]
pub(crate) struct SourceRows(Arc<Copied>);

impl SourceRows {
    /// One row's part.
    pub(crate) fn row(&self, index: usize) -> SourceRow {
        SourceRow { rows: self.clone(), index }
    }
}

#[derive(Debug)]
struct Copied {
    columns: Vec<ArrayData>,
    bytes_per_row: usize,
    _memory: Reservation,
}

/// What an exchange keeps of its source row.
#[derive(Clone, Debug)]
pub(crate) struct SourceRow {
    rows: SourceRows,
    index: usize,
}

impl SourceRow {
    /// Its share of the copy, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.0.bytes_per_row
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, StringArray, StructArray};
    use arrow_schema::{DataType, Field};

    use super::*;

    fn batch(names: &[&str], first: i64) -> RecordBatch {
        let numbers: Int64Array = (first..).take(names.len()).collect();
        let strings = StringArray::from_iter(names.iter().map(|name| (!name.is_empty()).then_some(*name)));
        let fields = vec![Field::new("name", DataType::Utf8, true)];
        let nested = StructArray::new(fields.into(), vec![Arc::new(strings)], None);
        let schema = Schema::new(vec![
            Field::new("number", DataType::Int64, false),
            Field::new("who", nested.data_type().clone(), true),
        ]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers), Arc::new(nested)]).unwrap()
    }

    fn columns(batch: &RecordBatch) -> SourceColumns {
        SourceColumns::new(&["who".into(), "number".into()], batch.schema_ref()).unwrap()
    }

    #[test]
    fn rows_of_several_batches_come_back_typed_and_in_order() {
        let (one, two) = (batch(&["a", "", "c"], 10), batch(&["x", "y"], 20));
        let columns = columns(&one);
        let budget = ByteBudget::new(1 << 20);
        let (first, second) =
            (columns.copy(&one, &budget).unwrap().unwrap(), columns.copy(&two, &budget).unwrap().unwrap());
        drop((one, two));
        let rows = [Some(second.row(1)), Some(first.row(0)), None, Some(first.row(1))];
        let gathered = columns.gather(&rows).unwrap();
        let who = gathered[0].as_struct().column(0).as_string::<i32>().iter().collect::<Vec<_>>();
        assert_eq!(who, [Some("y"), Some("a"), None, None]);
        let number = gathered[1].as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
        assert_eq!(number, [Some(21), Some(10), None, Some(11)]);
        for (array, field) in gathered.iter().zip(columns.fields()) {
            assert_eq!(array.data_type(), field.data_type());
        }
    }

    #[test]
    fn the_copies_are_in_the_budget_until_the_last_row_of_their_batch_is_gone() {
        let batch = batch(&["a", "b"], 1);
        let columns = columns(&batch);
        let budget = ByteBudget::new(1 << 20);
        let copied = columns.copy(&batch, &budget).unwrap().unwrap();
        let row = copied.row(1);
        drop((copied, batch));
        assert!(budget.used() > 0 && row.bytes() > 0);
        drop(row);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn without_columns_nothing_is_copied_and_a_missing_one_is_named() {
        let batch = batch(&["a"], 1);
        let none = SourceColumns::new(&[], batch.schema_ref()).unwrap();
        assert!(none.copy(&batch, &ByteBudget::new(0)).unwrap().is_none());
        let error = SourceColumns::new(&["nmae".into()], batch.schema_ref()).unwrap_err();
        assert!(error.to_string().contains("nmae"), "{error}");
    }
}
